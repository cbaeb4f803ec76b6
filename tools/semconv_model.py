"""The convention as typed values: attributes, groups, metrics and the span refinement, references resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.semconv_source import ModelError, read_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tools.semconv_source import Document, Keys, Sources

    Entry = Mapping[str, Any]
    """One definition as it stands in YAML; the schema has fixed its keys and types."""

OUR_ANNOTATION = "otel_carbon"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a definition stands."""

    document: Document
    keys: Keys

    def problem(self, message: str, *more: str | int) -> str:
        """The message with file, line and key in front."""
        return self.document.problem((*self.keys, *more), message)


@dataclass(frozen=True, slots=True)
class Member:
    """One value of an enumeration."""

    id: str
    value: str
    brief: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `unit` (UCUM) and `pattern` (of the whole value) are empty where there is none."""

    key: str
    type: str
    members: tuple[Member, ...]
    brief: str
    note: str
    unit: str
    pattern: str
    examples: tuple[object, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Reference:
    """One attribute as used by a signal; `level` is the requirement level, `condition` its text."""

    key: str
    level: str
    condition: str
    note: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric, an attribute group or a span refinement with the attributes it refers to, groups expanded."""

    name: str
    brief: str
    note: str
    instrument: str
    unit: str
    references: tuple[Reference, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Model:
    """Everything otel-carbon emits; `foreign` holds the attributes of others that it refers to."""

    name: str
    schema_url: str
    attributes: dict[str, Attribute]
    foreign: dict[str, Attribute]
    groups: dict[str, Signal]
    metrics: dict[str, Signal]
    span_refinements: dict[str, Signal]
    sources: Sources

    def attribute(self, key: str) -> Attribute:
        """Definition of an attribute, ours or one referred to."""
        return self.attributes.get(key) or self.foreign[key]


def load_model(folder: Path) -> Model:
    """The convention in `folder`, valid by schema and with every reference resolved.

    Raises:
        ModelError: files, references or names are wrong.
    """
    sources = read_sources(folder)
    builder = _Builder()
    foreign = builder.collect_attributes(sources.dependencies)
    attributes = builder.collect_attributes(sources.model)
    builder.known = {**foreign, **attributes}
    groups = builder.collect_signals(sources.model, "attribute_groups", "id")
    builder.groups = groups
    metrics = builder.collect_signals(sources.model, "metrics", "name")
    refinements = builder.collect_signals(sources.model, "span_refinements", "id")
    builder.check_refined_spans(sources)
    if builder.problems:
        raise ModelError(builder.problems)
    manifest = sources.manifest.content
    return Model(manifest["name"], manifest["schema_url"], attributes, foreign, groups, metrics, refinements, sources)


class _Builder:
    """Collects definitions and, beside them, every problem met, so that all are reported at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.known: dict[str, Attribute] = {}
        self.groups: dict[str, Signal] = {}

    def collect_attributes(self, documents: tuple[Document, ...]) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        for place, entry in _entries(documents, "attributes"):
            attribute = _attribute(entry, place)
            if attribute.key in found:
                self.problems.append(place.problem(f"{attribute.key} is defined twice", "key"))
            found[attribute.key] = attribute
        return found

    def collect_signals(self, documents: tuple[Document, ...], section: str, name_key: str) -> dict[str, Signal]:
        found: dict[str, Signal] = {}
        for place, entry in _entries(documents, section):
            name = entry[name_key]
            if name in found:
                self.problems.append(place.problem(f"{name} is defined twice", name_key))
            found[name] = Signal(
                name,
                _text(entry, "brief"),
                _text(entry, "note"),
                entry.get("instrument", ""),
                entry.get("unit", ""),
                tuple(self._references(entry.get("attributes", ()), place)),
                place,
            )
        return found

    def check_refined_spans(self, sources: Sources) -> None:
        spans = {entry["type"] for _, entry in _entries((*sources.model, *sources.dependencies), "spans")}
        for place, entry in _entries(sources.model, "span_refinements"):
            if entry["ref"] not in spans:
                self.problems.append(place.problem(f"no span is called {entry['ref']}", "ref"))

    def _references(self, entries: Sequence[Entry], place: Place) -> Iterator[Reference]:
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            for reference in self._expand(entry, place, index):
                if reference.key in seen:
                    self.problems.append(place.problem(f"{reference.key} is listed twice", "attributes", index))
                seen.add(reference.key)
                yield reference

    def _expand(self, entry: Entry, place: Place, index: int) -> tuple[Reference, ...]:
        if "ref_group" in entry:
            if entry["ref_group"] not in self.groups:
                message = f"no attribute group is called {entry['ref_group']}"
                self.problems.append(place.problem(message, "attributes", index, "ref_group"))
                return ()
            return self.groups[entry["ref_group"]].references
        if entry["ref"] not in self.known:
            self.problems.append(place.problem(f"no attribute is called {entry['ref']}", "attributes", index, "ref"))
            return ()
        return (_reference(entry),)


def _entries(documents: tuple[Document, ...], section: str) -> Iterator[tuple[Place, Entry]]:
    for document in documents:
        for index, entry in enumerate(document.content.get(section, ())):
            yield Place(document, (section, index)), entry


def _attribute(entry: Entry, place: Place) -> Attribute:
    kind = entry["type"]
    members = () if isinstance(kind, str) else tuple(_member(member) for member in kind["members"])
    ours = entry.get("annotations", {}).get(OUR_ANNOTATION, {})
    return Attribute(
        entry["key"],
        kind if isinstance(kind, str) else "string",
        members,
        _text(entry, "brief"),
        _text(entry, "note"),
        ours.get("unit", ""),
        ours.get("pattern", ""),
        tuple(entry.get("examples", ())),
        place,
    )


def _member(entry: Entry) -> Member:
    return Member(entry["id"], str(entry["value"]), _text(entry, "brief"))


def _reference(entry: Entry) -> Reference:
    level = entry.get("requirement_level", "recommended")
    condition = ""
    if not isinstance(level, str):
        ((level, condition),) = level.items()
    return Reference(entry["ref"], level, condition.strip(), _text(entry, "note"))


def _text(entry: Entry, key: str) -> str:
    return str(entry.get(key, "")).strip()
