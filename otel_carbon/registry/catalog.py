"""The registry: dated facts by id and by what they are about, as known on any day."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from otel_carbon.errors import RegistryError, UnknownFact
from otel_carbon.registry import compiled
from otel_carbon.registry.facts import FACT_KINDS, Fact, Source, fact_from_record, kind_of, source_from_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry

F = TypeVar("F", bound=Fact)
VERSION_DIGEST_CHARACTERS = 12
ANY_HARDWARE = "any"
"""The subject of embodied factors, which so far tell no hardware apart."""

# Which field of a record says what the fact is about; facts are looked up by it, without regard to case.
_SUBJECTS = {
    "energy": ("models", "aliases"),
    "water": ("zone",),
    "zone": ("zone", "names"),
    "site": ("site",),
    "region": ("region",),
    "provider": ("provider", "names"),
    "ratio": ("token_kind",),
}


class Registry:
    """Facts by id and by subject, with one version and digest; objects are built when first asked for.

    `layers` are compiled registries, later ones (overlays) winning over earlier ones.
    With `known_on`, facts published after that day do not exist.

    Raises:
        RegistryError: an overlay redefines a fact id or a source id.
    """

    def __init__(self, layers: tuple[CompiledRegistry, ...], known_on: date | None = None) -> None:
        self._layers = layers
        self.known_on = known_on
        self.digest = _combined_digest(layers)
        self.version = f"{layers[0].version}+{self.digest[:VERSION_DIGEST_CHARACTERS]}"
        self._records, self._layer_of = _merged_facts(layers)
        self._sources = _merged_sources(layers)
        self._facts: dict[str, Fact] = {}
        self._index = self._indexed_ids()

    @classmethod
    def bundled(cls) -> Registry:
        """The registry that this package ships, read once."""
        return _bundled()

    def with_overlay(self, path: Path) -> Registry:
        """This registry with a compiled file of further facts on top.

        Raises:
            RegistryError: the file is unreadable, holds a malformed fact, or redefines an id.
        """
        overlay = compiled.read_compiled(path)
        _check_facts(overlay, path)
        return Registry((*self._layers, overlay), self.known_on)

    def as_of(self, day: date) -> Registry:
        """This registry as it was known on a day: without the facts published later."""
        return Registry(self._layers, day)

    def fact(self, fact_id: str) -> Fact:
        """The fact with an id.

        Raises:
            UnknownFact: there is none, or it was not known yet.
        """
        fact = self._facts.get(fact_id)
        if fact is None:
            record = self._records.get(fact_id)
            if record is None or not self._is_known(record["published"]):
                msg = f"no fact {fact_id!r} in registry {self.version}; `otel-carbon registry list` shows all"
                raise UnknownFact(msg)
            fact = self._facts[fact_id] = fact_from_record(record)
        return fact

    def facts(self, kind: str | None = None) -> Iterator[Fact]:
        """All facts known, or those of one kind, in the order of their ids."""
        for fact_id in sorted(self._records):
            if kind in (None, kind_of(fact_id)) and self._is_known(self._records[fact_id]["published"]):
                yield self.fact(fact_id)

    def source(self, source_id: str) -> Source:
        """The source with an id.

        Raises:
            UnknownFact: there is none.
        """
        try:
            return source_from_record(self._sources[source_id])
        except KeyError:
            msg = f"no source {source_id!r} in registry {self.version}"
            raise UnknownFact(msg) from None

    def sources(self) -> Iterator[Source]:
        """All sources, in the order of their ids."""
        return (self.source(source_id) for source_id in sorted(self._sources))

    def about(self, kind: type[F], subject: str, day: date | None) -> F | None:
        """The fact of a class about a subject that applies on a day (any day if `None`), else `None`.

        A superseded fact is passed over; of several, the overlay's, then the latest `valid_from`, wins.
        """
        best: F | None = None
        for fact_id in self._index.get((kind, subject.lower()), ()):
            fact = self.fact(fact_id)
            if isinstance(fact, kind) and (day is None or fact.applies_at(day)) and self._wins(fact, best):
                best = fact
        return best

    def _wins(self, fact: Fact, best: Fact | None) -> bool:
        return best is None or self._rank(fact) > self._rank(best)

    def _rank(self, fact: Fact) -> tuple[int, date, date, str]:
        return (self._layer_of[fact.id], fact.valid_from, fact.published, fact.id)

    def _is_known(self, published: str) -> bool:
        return self.known_on is None or published <= self.known_on.isoformat()

    def _indexed_ids(self) -> dict[tuple[type[Fact], str], tuple[str, ...]]:
        known = {i: r for i, r in self._records.items() if self._is_known(r["published"])}
        superseded = {r["supersedes"] for r in known.values()} - {None}
        index: dict[tuple[type[Fact], str], list[str]] = defaultdict(list)
        for fact_id, record in known.items():
            if fact_id not in superseded:
                for subject in _subjects_of(record):
                    index[FACT_KINDS[kind_of(fact_id)], subject.lower()].append(fact_id)
        return {key: tuple(dict.fromkeys(ids)) for key, ids in index.items()}


def _check_facts(overlay: CompiledRegistry, path: Path) -> None:
    """Build each fact of a file that is not ours once, so that its mistakes show here and not at some call."""
    for fact_id, record in overlay.facts.items():
        try:
            fact_from_record(record)
        except (KeyError, TypeError, ValueError) as error:
            msg = (
                f"{path}: the fact {fact_id!r} is malformed ({error}); "
                "make the file again with `otel-carbon registry compile DIR -o FILE`"
            )
            raise RegistryError(msg) from error


def _subjects_of(record: dict[str, Any]) -> Iterator[str]:
    kind = kind_of(record["id"])
    if kind == "grid":
        yield f"{record['zone']}/{record['basis']}"
    elif kind == "embodied":
        yield ANY_HARDWARE
    for field in _SUBJECTS.get(kind, ()):
        named = record[field]
        yield from [named] if isinstance(named, str) else named


@lru_cache(maxsize=1)
def _bundled() -> Registry:
    return Registry((compiled.read_bundled(),))


def _combined_digest(layers: tuple[CompiledRegistry, ...]) -> str:
    if len(layers) == 1:
        return layers[0].digest
    return hashlib.sha256("\n".join(layer.digest for layer in layers).encode()).hexdigest()


def _merged_facts(layers: tuple[CompiledRegistry, ...]) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    records: dict[str, dict[str, Any]] = {}
    layer_of: dict[str, int] = {}
    for number, layer in enumerate(layers):
        if twice := sorted(records.keys() & layer.facts.keys()):
            msg = f"an overlay redefines {', '.join(twice)}; give its fact an id of its own, with `supersedes`"
            raise RegistryError(msg)
        records.update({fact_id: dict(record) for fact_id, record in layer.facts.items()})
        layer_of.update(dict.fromkeys(layer.facts, number))
    return records, layer_of


def _merged_sources(layers: tuple[CompiledRegistry, ...]) -> dict[str, dict[str, Any]]:
    sources: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for source_id, record in layer.sources.items():
            if sources.setdefault(source_id, dict(record)) != record:
                msg = f"an overlay redefines the source {source_id!r}; give it an id of its own"
                raise RegistryError(msg)
    return sources
