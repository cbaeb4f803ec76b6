"""The compiled form of a registry: one canonical JSON document whose sha256 is its digest."""

from __future__ import annotations

import hashlib
import json
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
BUNDLED = "registry.json"


@dataclass(frozen=True, slots=True)
class CompiledRegistry:
    """Records by id, not yet built into objects, with the digest of the bytes they came from."""

    version: str
    digest: str
    sources: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Mapping[str, Any]]


def compiled_bytes(version: str, sources: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """The canonical bytes: sorted keys, one record a line, so that diffs are readable and digests stable."""
    lines = [f'{{"format": {FORMAT}, "version": {json.dumps(version)},', '"sources": {']
    lines += [_record_lines(sources), "},", '"facts": {', _record_lines(facts), "}}", ""]
    return "\n".join(lines).encode()


def _record_lines(records: Mapping[str, Any]) -> str:
    return ",\n".join(
        f"{json.dumps(key)}: {json.dumps(records[key], sort_keys=True, ensure_ascii=False)}" for key in sorted(records)
    )


def parse_compiled(body: bytes, name: str) -> CompiledRegistry:
    """Read compiled bytes; `name` is the file named in errors.

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
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{name}: no compiled registry ({error}); make one with `otel-carbon registry compile DIR -o FILE`"
        raise RegistryError(msg) from error
    return CompiledRegistry(version, hashlib.sha256(body).hexdigest(), sources, facts)


def _check_ids(records: Mapping[str, Mapping[str, Any]]) -> None:
    for key, record in records.items():
        if record["id"] != key:
            msg = f"{key!r} holds the record of {record['id']!r}"
            raise ValueError(msg)


def read_compiled(path: Path) -> CompiledRegistry:
    """Read a compiled file.

    Raises:
        RegistryError: the file cannot be read, or is no compiled registry.
    """
    try:
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
    return parse_compiled(body, BUNDLED)
