"""The compiled form of a registry: one canonical JSON document whose sha256 is its digest.

It has one record a line, so that the bundled one can be read line by line, each record when it is first asked for.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import RegistryError
from otel_carbon.registry.facts import kind_of
from otel_carbon.registry.subjects import index_of

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
BUNDLED = "registry.json"
MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CompiledRegistry:
    """Records by id, not yet built into objects, with the digest of the bytes they came from."""

    version: str
    digest: str
    sources: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Mapping[str, Any]]
    index: Mapping[str, Mapping[str, list[int]]]
    """As `subjects.index_of` makes it."""
    _ids: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def about(self, kind: str, subject: str) -> list[str]:
        """The ids of all facts of a kind about a subject in lower case, superseded ones included."""
        places = self.index[kind].get(subject, ()) if kind in self.index else ()
        if not places:
            return []
        if not self._ids:
            self._ids[:] = self.facts
        return [self._ids[place] for place in places]


class LazyRecords(Mapping[str, Mapping[str, Any]]):
    """Records by id (or an index by kind), each parsed from its line when it is first asked for.

    Two threads may do so at once, which costs time only: a lock could be held by another thread when a process forks,
    and `functools.cached_property` of Python 3.11 has one.
    """

    def __init__(self, document: _Document, section: str) -> None:
        self._document = document
        self._section = section
        self._parsed: dict[str, Mapping[str, Any]] = {}
        self._by_id: dict[str, int] | None = None

    @property
    def _places(self) -> dict[str, int]:
        if self._by_id is None:
            self._by_id = self._document.section(self._section)
        return self._by_id

    def __getitem__(self, record_id: str) -> Mapping[str, Any]:
        """The record with an id."""
        found = self._parsed.get(record_id)
        if found is None:
            found = self._parsed[record_id] = json.loads(self._document.record(self._places[record_id]))
        return found

    def __iter__(self) -> Iterator[str]:
        """The ids."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._places)

    def __contains__(self, record_id: object) -> bool:
        """Whether there is one, without parsing it."""
        return record_id in self._places


def compiled_bytes(
    version: str, sources: Mapping[str, Any], facts: Mapping[str, Any], aliases: Mapping[str, str] | None = None
) -> bytes:
    """The canonical bytes: sorted keys, one record a line, so that diffs are readable and digests stable.

    `aliases` are further names of models, in lower case, to the ids of their energy facts.
    """
    aliases = aliases or {}
    lines = [f'{{"format": {FORMAT}, "version": {json.dumps(version)},', '"sources": {']
    lines += [_record_lines(sources), "},", '"facts": {', _record_lines(facts), "},"]
    lines += ['"aliases": {', _record_lines(aliases), "},"]
    lines += ['"index": {', _record_lines(index_of(facts, aliases)), "}}", ""]
    return "\n".join(lines).encode()


def _record_lines(records: Mapping[str, Any]) -> str:
    return ",\n".join(
        f"{json.dumps(key)}: {json.dumps(records[key], sort_keys=True, ensure_ascii=False)}" for key in sorted(records)
    )


def parse_compiled(body: bytes, name: str) -> CompiledRegistry:
    """Read compiled bytes; `name` is the file named in errors. The index is made again: that of the file may be wrong.

    Raises:
        RegistryError: the bytes are no compiled registry of this format.
    """
    try:
        document = json.loads(body)
        if document["format"] != FORMAT:
            msg = f"{name}: compiled registry format {document['format']!r} is not {FORMAT}; compile it again"
            raise RegistryError(msg)
        sources, facts = document["sources"], document["facts"]
        version = document["version"]
        _check_ids(sources)
        _check_ids(facts)
        aliases = document.get("aliases", {})
        _check_aliases(aliases, facts)
        _check_version(version)
        index = index_of(facts, aliases)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        msg = f"{name}: no compiled registry ({error}); make one with `otel-carbon registry compile DIR -o FILE`"
        raise RegistryError(msg) from error
    return CompiledRegistry(version, hashlib.sha256(body).hexdigest(), sources, dict(sorted(facts.items())), index)


def _check_ids(records: Mapping[str, Mapping[str, Any]]) -> None:
    for key, record in records.items():
        if record["id"] != key:
            msg = f"{key!r} holds the record of {record['id']!r}"
            raise ValueError(msg)


def _check_version(version: object) -> None:
    if not isinstance(version, str):
        msg = f"version is {version!r}, no text"
        raise TypeError(msg)


def _check_aliases(aliases: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    for alias, fact_id in aliases.items():
        if fact_id not in facts or kind_of(fact_id) != "energy":
            msg = f"the alias {alias!r} names {fact_id!r}, which is no energy fact of the file"
            raise ValueError(msg)


def read_compiled(path: Path) -> CompiledRegistry:
    """Read a compiled file.

    Raises:
        RegistryError: the file cannot be read, or is no compiled registry.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            msg = f"{path}: is no file of at most {MAX_BYTES:,} bytes; give a file that `registry compile` wrote"
            raise RegistryError(msg)  # a pipe or a device would block the application
        body = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot read the registry: {error.strerror}"
        raise RegistryError(msg) from error
    return parse_compiled(body, str(path))


def read_bundled() -> CompiledRegistry:
    """The registry that this package ships."""
    body = pkgutil.get_data("otel_carbon.registry", f"data/{BUNDLED}")  # importlib.resources takes 7 ms to import
    if body is None:
        msg = f"{BUNDLED} cannot be read from where otel-carbon is installed"
        raise RegistryError(msg)
    return _read_lines(body)


def _read_lines(body: bytes) -> CompiledRegistry:
    """Read the bytes that `compiled_bytes` makes, of facts that were checked when they were compiled."""
    head = body[: body.index(b"\n")].decode()
    version = json.loads(head.rstrip(",") + "}")["version"]
    document = _Document(body)
    sources, facts, index = (LazyRecords(document, section) for section in ("sources", "facts", "index"))
    return CompiledRegistry(version, hashlib.sha256(body).hexdigest(), sources, facts, index)


class _Document:
    """Canonical bytes, and where in them records stand: as texts of their own these would take twice the memory."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def section(self, name: str) -> dict[str, int]:
        """Where the records of a section start, by their keys, which hold nothing that JSON escapes."""
        body, starts = self._body, {}
        head = f'\n"{name}": {{\n'.encode()
        line = body.index(head) + len(head)
        while body.startswith(b'"', line):
            key_end = body.index(b'": ', line)
            starts[body[line + 1 : key_end].decode()] = key_end + 3
            line = body.index(b"\n", key_end) + 1
        return starts

    def record(self, start: int) -> bytes:
        """The record that starts at a place."""
        return self._body[start : self._body.index(b"\n", start)].removesuffix(b",")
