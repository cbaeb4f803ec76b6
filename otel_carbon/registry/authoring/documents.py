"""A directory of registry sources read into drafts: one for each source and each fact, shared fields filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.registry.authoring.csv_source import read_table
from otel_carbon.yaml_source import Entry, Problem, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_carbon.registry.compiled import CompiledRegistry

SECTIONS = ("aliases", "facts", "shared", "sources", "tables", "version")


@dataclass(frozen=True, slots=True)
class Draft:
    """A source or a fact as written: its id, the place of the id, and its fields."""

    id: str
    place: Entry
    fields: Mapping[str, Entry]

    def problem(self, message: str, key: str) -> Problem:
        """A problem with one field: at the field if it was written, else at the id."""
        at = self.fields.get(key)
        return at.problem(message) if at else self.place.problem(message, key)


@dataclass(slots=True)
class Documents:
    """Everything that the files of one directory say."""

    version: Entry | None = None
    sources: dict[str, Draft] = field(default_factory=dict)
    facts: dict[str, Draft] = field(default_factory=dict)
    aliases: dict[str, Entry] = field(default_factory=dict)
    """Further names of models to entries that hold the id of the energy fact."""


def read_directory(directory: Path, problems: list[Problem]) -> Documents:
    """All `*.yaml` files below a directory with the tables that they name, in the order of their names."""
    documents = Documents()
    paths = sorted(directory.rglob("*.yaml"), key=lambda path: path.relative_to(directory).as_posix())
    if not paths:
        problems.append(
            Problem(directory.name, 1, "directory", "holds no *.yaml file; name the directory of the facts")
        )
    for path in paths:
        root = read_yaml(path, path.relative_to(directory).as_posix(), problems)
        if root is not None:
            _add_file(root, path.parent, documents, problems)
    if paths and documents.version is None:
        problems.append(Problem("registry.yaml", 1, "version", "missing; write `version: YEAR.MONTH.NUMBER`"))
    return documents


def holds_source_of(directory: Path, registry: CompiledRegistry) -> bool:
    """Whether a directory is the source of a registry, perhaps of another version, and no overlay of it.

    An overlay may use none of its ids; the source, even when edited, holds most of them.
    """
    written = read_directory(directory, []).facts.keys() & registry.facts.keys()
    return len(written) > len(registry.facts) / 2


def _add_file(root: Entry, folder: Path, documents: Documents, problems: list[Problem]) -> None:
    sections = root.mapping()
    if sections is None:
        problems.append(root.problem(f"is no mapping; use the keys {', '.join(SECTIONS)}", "document"))
        return
    for name, section in sections.items():
        if name not in SECTIONS:
            problems.append(section.problem(f"unknown key; use one of {', '.join(SECTIONS)}"))
    _add_version(sections.get("version"), documents, problems)
    shared = _records(sections.get("shared"), problems)
    _add_drafts(_records(sections.get("sources"), problems).items(), {}, documents.sources, problems)
    _add_drafts(_records(sections.get("facts"), problems).items(), shared, documents.facts, problems)
    for rows in _tables(sections.get("tables"), folder, problems):
        _add_drafts(rows, shared, documents.facts, problems)
    for rows in _tables(sections.get("aliases"), folder, problems):
        _add_aliases(rows, documents, problems)


def _add_aliases(rows: Iterable[tuple[str, Entry]], documents: Documents, problems: list[Problem]) -> None:
    """Rows of an alias table: another name of a model in the first column, the fact in `fact`."""
    for alias, row in rows:
        cells = row.mapping() or {}
        fact = cells.get("fact")
        strangers = sorted(set(cells) - {"fact", "how"})
        if strangers:
            problems.append(cells[strangers[0]].problem("unknown column; an alias has the columns id, fact and how"))
        elif fact is None:
            problems.append(row.problem("has no fact; name the energy fact in the column `fact`"))
        elif alias.lower() in documents.aliases:
            problems.append(row.problem("is given twice; keep one"))
        else:
            documents.aliases[alias.lower()] = fact


def _tables(tables: Entry | None, folder: Path, problems: list[Problem]) -> Iterator[list[tuple[str, Entry]]]:
    """The rows of the CSV files that a YAML file names and that stand beside it."""
    if tables is None:
        return
    if not isinstance(tables.content, tuple):
        problems.append(tables.problem("is no list; write the names of CSV files beside this one: [one.csv]"))
        return
    for entry in tables.content:
        name = str(entry.content)
        path = folder / name
        if path.parent != folder or not path.is_file():
            problems.append(entry.problem(f"names {name!r}, which is no file beside this one; correct the name"))
        else:
            yield read_table(path, Path(entry.file).with_name(name).as_posix(), problems)


def _add_version(version: Entry | None, documents: Documents, problems: list[Problem]) -> None:
    if version is None:
        return
    if not isinstance(version.content, str):
        problems.append(version.problem("is no text; write it as YEAR.MONTH.NUMBER"))
    if documents.version is not None:
        first = documents.version
        problems.append(version.problem(f"given twice, first in {first.file}:{first.line}; keep one"))
    documents.version = documents.version or version


def _records(section: Entry | None, problems: list[Problem]) -> Mapping[str, Entry]:
    if section is None:
        return {}
    records = section.mapping()
    if records is None:
        problems.append(section.problem("is no mapping; write one key for each entry"))
        return {}
    return records


def _add_drafts(
    written: Iterable[tuple[str, Entry]], shared: Mapping[str, Entry], drafts: dict[str, Draft], problems: list[Problem]
) -> None:
    for record_id, entry in written:
        fields = entry.mapping()
        if fields is None:
            problems.append(entry.problem("is no mapping; write its fields below it"))
        elif record_id in drafts:
            first = drafts[record_id].place
            problems.append(entry.problem(f"duplicate id, first given in {first.file}:{first.line}; choose another"))
        else:
            drafts[record_id] = Draft(record_id, entry, {**shared, **fields})
