"""A directory of sources assembled into records, range rules before amounts and mixes last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from otel_carbon.registry.authoring.amounts import Bounds
from otel_carbon.registry.authoring.documents import Documents, Draft, read_directory
from otel_carbon.registry.authoring.records import Record, fact_record, source_record
from otel_carbon.registry.facts import FACT_KINDS, fact_from_record, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry
    from otel_carbon.registry.facts import SizeMethod
    from otel_carbon.yaml_source import Problem


@dataclass(frozen=True, slots=True)
class Assembled:
    """The drafts of a directory with those of their records that are complete."""

    documents: Documents
    sources: Mapping[str, Record]
    facts: Mapping[str, Record]


def assemble(directory: Path, base: CompiledRegistry | None, problems: list[Problem]) -> Assembled:
    """Read a directory and build its records; an overlay may refer to whatever `base` holds."""
    documents = read_directory(directory, problems)
    sources = {}
    for draft in documents.sources.values():
        record = source_record(draft, problems)
        if record is not None:
            sources[draft.id] = record
    return Assembled(documents, sources, _facts(documents, base, problems))


def _facts(documents: Documents, base: CompiledRegistry | None, problems: list[Problem]) -> dict[str, Record]:
    bounds = Bounds()
    facts: dict[str, Record] = {}
    for bundled in base.facts.values() if base else ():
        _learn(bundled, bounds)
    for draft in sorted(documents.facts.values(), key=_stage):
        if kind_of(draft.id) not in FACT_KINDS:
            kinds = ", ".join(sorted(FACT_KINDS))
            problems.append(draft.place.problem(f"starts with no kind of fact; use one of {kinds}"))
            continue
        record = fact_record(draft, bounds, problems)
        if record is None:
            bounds.broken.add(draft.id)
        else:
            facts[draft.id] = record
            if not _is_mix(draft):
                _learn(record, bounds)
    return facts


def _stage(draft: Draft) -> int:
    if kind_of(draft.id) in ("range", "method"):
        return 0
    return 2 if _is_mix(draft) or kind_of(draft.id) == "fallback" else 1


def _is_mix(draft: Draft) -> bool:
    amount = draft.fields.get("gco2e_per_kwh")
    return amount is not None and "mix" in (amount.mapping() or {})


def _learn(record: Mapping[str, Any], bounds: Bounds) -> None:
    kind = kind_of(str(record["id"]))
    if kind == "range":
        bounds.rules[record["id"]] = (float(record["factor_low"]), float(record["factor_high"]))
    elif kind == "grid":
        bounds.grids[record["id"]] = record["gco2e_per_kwh"]
        bounds.bases[record["id"]] = record["basis"]
    elif kind == "energy" and record.get("family"):
        bounds.families.setdefault(record["family"], []).append(record)
    elif kind == "method":
        bounds.methods[record["id"]] = cast("SizeMethod", fact_from_record(record))
