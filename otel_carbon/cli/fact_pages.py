"""Facts as JSON and as pages: every amount with its unit, every source with licence and date."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import TYPE_CHECKING

from otel_carbon.cli.wording import FIELD_LABELS, FIELD_UNITS, range_words
from otel_carbon.core.assumptions import assumption_sentence
from otel_carbon.core.interval import Interval
from otel_carbon.registry.facts import Fact, ProviderPlace, RangeRule, Region, Zone, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.cli.console import Console
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Source

    Json = str | int | float | list["Json"] | dict[str, "Json"] | None

_BASE_FIELDS = frozenset(field.name for field in dataclasses.fields(Fact))
LIST_COLUMNS = ("id", "amount or place", "evidence", "valid from", "valid to")


def superseded_by(registry: Registry, fact: Fact) -> tuple[str, ...]:
    """The ids of the facts that take the place of a fact."""
    return tuple(other.id for other in registry.facts(kind_of(fact.id)) if other.supersedes == fact.id)


def list_json(registry: Registry, facts: Sequence[Fact]) -> dict[str, Json]:
    """Facts, each with its own fields and the ids of its sources."""
    return {**_versions(registry), "facts": [_record(registry, fact) for fact in facts]}


def fact_json(registry: Registry, fact: Fact) -> dict[str, Json]:
    """One fact with its sources written out."""
    sources: list[Json] = [_plain_fields(registry.source(source_id)) for source_id in fact.sources]
    return {**_versions(registry), **_record(registry, fact), "sources": sources}


def show_list(console: Console, registry: Registry, facts: Sequence[Fact]) -> None:
    """Write the table of facts."""
    rows = [
        (fact.id, _subject_words(fact), fact.evidence, _text(fact.valid_from), _text(fact.valid_to)) for fact in facts
    ]
    console.table(f"{len(rows)} facts, registry {registry.version}", LIST_COLUMNS, rows)


def show_fact(console: Console, registry: Registry, fact: Fact) -> None:
    """Write the page of a fact."""
    console.table(fact.id, ("field", "value"), [*_own_rows(fact), *_dated_rows(registry, fact)])
    for source_id in fact.sources:
        _show_source(console, registry.source(source_id))


def _show_source(console: Console, source: Source) -> None:
    console.line()
    console.line(f"source {source.id}: {source.producer}, {source.title} ({source.year})")
    console.line(f"  {source.url}")
    if source.locator:
        console.line(f"  where: {source.locator}")
    console.line(f"  licence: {source.licence}; accessed {source.accessed}")
    if source.note:
        console.line(f"  {source.note}")


def _own_rows(fact: Fact) -> list[tuple[str, str]]:
    rows = []
    for field in dataclasses.fields(fact):
        if field.name in _BASE_FIELDS:
            continue
        entry = getattr(fact, field.name)
        if entry in ("", None):
            continue
        if isinstance(entry, Interval):
            rows.append((field.name, f"{range_words(entry)} {FIELD_UNITS[field.name]}"))
        elif field.name == "assumptions":
            rows += [("assumption", f"{code}: {assumption_sentence(code)}") for code in entry]
        else:
            rows.append((field.name, _text(entry)))
    return rows


def _dated_rows(registry: Registry, fact: Fact) -> list[tuple[str, str]]:
    validity = f"from {fact.valid_from}" + (f" up to, not including, {fact.valid_to}" if fact.valid_to else "")
    rows = [("evidence", fact.evidence), ("valid", validity), ("published", _text(fact.published))]
    if fact.supersedes:
        rows.append(("supersedes", fact.supersedes))
    rows += [("superseded by", later) for later in superseded_by(registry, fact)]
    if fact.note:
        rows.append(("note", fact.note))
    rows.append(("registry", registry.version))
    return rows


def _record(registry: Registry, fact: Fact) -> dict[str, Json]:
    fields = _plain_fields(fact)
    units: dict[str, Json] = {name: unit for name, unit in FIELD_UNITS.items() if name in fields}
    later: list[Json] = [*superseded_by(registry, fact)]
    return {"id": fact.id, "kind": kind_of(fact.id), **fields, "units": units, "superseded_by": later}


def _plain_fields(record: Fact | Source) -> dict[str, Json]:
    return {field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _plain(entry: object) -> Json:
    if isinstance(entry, Interval):
        return {"low": entry.low, "mid": entry.mid, "high": entry.high}
    if isinstance(entry, date):
        return entry.isoformat()
    if isinstance(entry, tuple):
        return [_plain(part) for part in entry]
    assert entry is None or isinstance(entry, str | int | float)  # noqa: S101 - facts hold nothing else
    return entry


def _subject_words(fact: Fact) -> str:
    match fact:
        case Region() | ProviderPlace():
            return f"zone {fact.zone}, site {fact.site}"
        case Zone():
            return f"zone {fact.zone}, water of {fact.water_zone}"
        case RangeRule():
            return f"mid x {fact.factor_low:.3g} to mid x {fact.factor_high:.3g}"
    return _amounts_words(fact)


def _amounts_words(fact: Fact) -> str:
    amounts = [
        f"{FIELD_LABELS.get(field.name, '')} {range_words(entry)} {FIELD_UNITS[field.name]}".lstrip()
        for field in dataclasses.fields(fact)
        if isinstance(entry := getattr(fact, field.name), Interval)
    ]
    return "; ".join(amounts)


def _text(entry: object) -> str:
    if entry is None:
        return ""
    if isinstance(entry, tuple):
        return ", ".join(map(str, entry))
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    return str(entry)


def _versions(registry: Registry) -> dict[str, Json]:
    return {"registry_version": registry.version, "registry_digest": registry.digest}
