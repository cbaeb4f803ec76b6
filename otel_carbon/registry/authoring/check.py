"""Every check of a directory of facts, all problems at once, each with its place and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_carbon.registry.authoring import releases
from otel_carbon.registry.authoring.assemble import Assembled, assemble
from otel_carbon.registry.authoring.claims import claim_problems
from otel_carbon.registry.authoring.references import reference_problems
from otel_carbon.registry.facts import kind_of
from otel_carbon.registry.ladder import MAX_NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from otel_carbon.registry.authoring.documents import Documents, Draft
    from otel_carbon.registry.authoring.records import Record
    from otel_carbon.registry.compiled import CompiledRegistry
    from otel_carbon.yaml_source import Problem

FACT_ID = re.compile(r"[a-z]+(/[A-Za-z0-9._-]+)+@\d{4}(-\d{2}(-\d{2})?)?")
VERSION = re.compile(r"[A-Za-z0-9._-]+")
REFUSED_LICENCE = re.compile(
    r"share.?alike|\bby[ -](nc[ -])?sa\b|\bodbl\b|gpl|-nc\b|-nd\b|non.?commercial|no.?(re)?distribution|no.?derivatives"
)
OPERATIONS = ("chat", "text_completion", "generate_content", "embeddings")
"""The operations whose tokens have a coefficient, in the words of the GenAI conventions."""
EVIDENCE = ("assumed", "benchmark", "metered", "parametric", "supplier")

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "assessment": {"boundary": ("life_cycle_of_inference",)},
    "energy": {"method": EVIDENCE},
    "grid": {"basis": ("location", "market")},
    "meter": {"boundary": ("accelerator", "facility", "it")},
    "ratio": {"token_kind": ("cache_read", "cache_write")},
}
"""Fields that take only these words, by kind of fact."""

OWNER: Mapping[str, str] = {
    "direct": "zone",
    "activity": "product",
    "assessment": "supplier",
    "characters": "script",
    "energy": "developer",
    "grid": "zone",
    "meter": "boundary",
    "provider": "provider",
    "ratio": "token_kind",
    "region": "region",
    "site": "site",
    "water": "zone",
    "zone": "zone",
}
"""The field that the second part of a fact's id repeats, by kind of fact."""


def check_directory(directory: Path, base: CompiledRegistry | None) -> tuple[str, ...]:
    """All mistakes of a directory of facts, as `file:line: key: message, what to do`; empty when there are none.

    Args:
        directory: holds the YAML files, in subdirectories as its authors like.
        base: the registry that the directory is an overlay of, or None when it stands for itself.

    Raises:
        MissingExtra: ruamel.yaml is not installed.
    """
    return tuple(str(problem) for problem in checked(directory, base)[1])


def checked(directory: Path, base: CompiledRegistry | None) -> tuple[Assembled, tuple[Problem, ...]]:
    """The records of a directory together with its mistakes, in the order of files and lines."""
    problems: list[Problem] = []
    assembled = assemble(directory, base, problems)
    documents = assembled.documents
    problems += _version_problems(documents)
    problems += _redefinitions(documents, base)
    for draft in documents.sources.values():
        problems += _source_problems(draft, assembled.sources.get(draft.id))
    for draft in documents.facts.values():
        problems += _fact_problems(draft, assembled.facts.get(draft.id))
    problems += reference_problems(documents, base)
    problems += claim_problems(documents, assembled.facts, base)
    if not problems:
        problems += releases.frozen_problems(directory / releases.FILE, assembled.facts)
    return assembled, tuple(sorted(set(problems)))


def _version_problems(documents: Documents) -> Iterator[Problem]:
    version = documents.version
    if version is not None and not VERSION.fullmatch(str(version.content)):
        yield version.problem(f"is {version.content!r}; use letters, digits, dots, hyphens and underscores only")


def _redefinitions(documents: Documents, base: CompiledRegistry | None) -> Iterator[Problem]:
    if base is None:
        return
    for draft in documents.facts.values():
        if draft.id in base.facts:
            yield draft.place.problem(
                "is the id of a bundled fact; choose an id of your own, it wins over the bundled one"
            )
    for draft in documents.sources.values():
        if draft.id in base.sources:
            yield draft.place.problem("is the id of a bundled source; refer to it, or choose an id of your own")


def _source_problems(draft: Draft, record: Record | None) -> Iterator[Problem]:
    if record is None:
        return
    licence = str(record["licence"])
    if not licence:
        yield draft.problem("is empty; write under which licence the figures may be passed on", "licence")
    if REFUSED_LICENCE.search(licence.lower()):
        message = f"{licence!r} forbids or restricts passing the figures on; find another source"
        yield draft.problem(message, "licence")
    yield from _word_problems(draft, record, "redistributable", ("facts", "limited", "yes"))


def _fact_problems(draft: Draft, record: Record | None) -> Iterator[Problem]:
    yield from _id_problems(draft)
    if record is None:
        return
    kind = kind_of(draft.id)
    yield from _word_problems(draft, record, "evidence", EVIDENCE)
    for field, words in WORDS.get(kind, {}).items():
        yield from _word_problems(draft, record, field, words)
    valid_to = record["valid_to"]
    if valid_to is not None and str(valid_to) <= str(record["valid_from"]):
        yield draft.problem(f"is {valid_to}, not after valid_from {record['valid_from']}; correct one", "valid_to")
    if kind == "range":
        yield from _factor_problems(draft, record)
    if kind == "energy":
        yield from _emptiness_problems(draft, record, ("models", "operations"))
        yield from _name_problems(draft, record)
    if kind in ("energy", "fallback"):
        yield from _operation_problems(draft, record)
    if kind == "fallback" and float(str(record["low_b"])) > float(str(record["high_b"])):
        yield draft.problem(f"is {record['low_b']}, above high_b {record['high_b']}; correct one", "low_b")
    yield from _emptiness_problems(draft, record, ("sources",))


def _id_problems(draft: Draft) -> Iterator[Problem]:
    if not FACT_ID.fullmatch(draft.id):
        yield draft.place.problem("is no fact id; write KIND/SUBJECT@YEAR, @YEAR-MONTH or @YEAR-MONTH-DAY")
        return
    owner = OWNER.get(kind_of(draft.id))
    entry = draft.fields.get(owner) if owner else None
    subject = draft.id.split("/")[1].partition("@")[0]
    if entry is not None and entry.content != subject:
        yield draft.problem(f"is {entry.content!r}, but the id says {subject!r}; make them agree", str(owner))


def _word_problems(draft: Draft, record: Record, field: str, words: tuple[str, ...]) -> Iterator[Problem]:
    if record[field] not in words:
        yield draft.problem(f"is {record[field]!r}; use one of {', '.join(words)}", field)


def _factor_problems(draft: Draft, record: Record) -> Iterator[Problem]:
    low, high = record["factor_low"], record["factor_high"]
    if isinstance(low, float) and not 0.0 < low <= 1.0:
        yield draft.problem(f"is {low:g}; write a factor above 0 and at most 1", "factor_low")
    if isinstance(high, float) and high < 1.0:
        yield draft.problem(f"is {high:g}; write a factor of at least 1", "factor_high")


def _name_problems(draft: Draft, record: Record) -> Iterator[Problem]:
    for field in ("models", "aliases"):
        for name in _listed(record, field):
            if not name.strip() or len(name) > MAX_NAME_CHARACTERS:
                message = f"holds a name of {len(name)} characters; write 1 to {MAX_NAME_CHARACTERS}"
                yield draft.problem(message, field)


def _operation_problems(draft: Draft, record: Record) -> Iterator[Problem]:
    for operation in _listed(record, "operations"):
        if operation not in OPERATIONS:
            yield draft.problem(f"holds {operation!r}; use {', '.join(OPERATIONS)}", "operations")


def _listed(record: Record, field: str) -> list[str]:
    content = record.get(field)
    return content if isinstance(content, list) else []


def _emptiness_problems(draft: Draft, record: Record, fields: tuple[str, ...]) -> Iterator[Problem]:
    for field in fields:
        if not record[field]:
            yield draft.problem("is empty; name at least one", field)
