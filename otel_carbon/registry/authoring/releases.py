"""Released facts are frozen: a digest of each is kept, and an edit or removal is a problem."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import AuthoringError
from otel_carbon.yaml_source import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry

FILE = "releases.json"
ADVICE = "restore it and append a new dated fact that supersedes it"


def fact_digest(record: Mapping[str, Any]) -> str:
    """The sha256 of a compiled record, without its empty fields: a new optional field changes no old digest."""
    filled = {key: entry for key, entry in record.items() if entry not in (None, "", [])}
    return hashlib.sha256(json.dumps(filled, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def freeze(compiled: CompiledRegistry, releases: bytes) -> bytes:
    """The releases file with one more version: the digests of all facts that no earlier version released.

    Args:
        compiled: the registry to release, under its own version.
        releases: the file as it is; `{}` before the first release.

    Raises:
        AuthoringError: the version is released already, or a fact of an earlier one changed or vanished.
    """
    versions: dict[str, dict[str, str]] = json.loads(releases)
    problems = [str(problem) for problem in check_frozen(releases, compiled.facts)]
    if compiled.version in versions:
        problems.append(f"{FILE}:1: {compiled.version}: is released already; raise `version` in registry.yaml")
    if problems:
        raise AuthoringError(tuple(problems))
    frozen = {fact_id for digests in versions.values() for fact_id in digests}
    versions[compiled.version] = {
        fact_id: fact_digest(record) for fact_id, record in compiled.facts.items() if fact_id not in frozen
    }
    return (json.dumps(versions, indent=1, sort_keys=True) + "\n").encode()


def check_frozen(releases: bytes, facts: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """A problem for every released fact that changed or vanished."""
    lines = releases.decode().splitlines()
    versions: dict[str, dict[str, str]] = json.loads(releases)
    for version, digests in versions.items():
        for fact_id, digest in digests.items():
            line = next(number for number, text in enumerate(lines, 1) if f'"{fact_id}"' in text)
            if fact_id not in facts:
                yield Problem(FILE, line, fact_id, f"released in {version}, now missing; {ADVICE}")
            elif fact_digest(facts[fact_id]) != digest:
                yield Problem(FILE, line, fact_id, f"released in {version}, since changed; {ADVICE}")


def frozen_problems(path: Path, facts: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """As `check_frozen`, for the releases file of a directory; none when it has no such file."""
    if not path.is_file():
        return
    try:
        yield from check_frozen(path.read_bytes(), facts)
    except (ValueError, AttributeError) as error:
        yield Problem(path.name, 1, "json", f"{error}; restore the file")
