"""Drafts turned into compiled records: every field present, of the right type, nothing unknown."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from otel_carbon.registry.authoring.amounts import GRID_FIELD, Amount, Bounds, expand_amount, mixed_bases, number_of
from otel_carbon.registry.authoring.derivations import derivation_words
from otel_carbon.registry.authoring.fallbacks import with_amounts
from otel_carbon.registry.authoring.sized import with_sizes
from otel_carbon.registry.facts import FACT_KINDS, Source, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.registry.authoring.documents import Draft
    from otel_carbon.yaml_source import Entry, Problem

Written: TypeAlias = str | int | float | bool | list[str] | Amount | None
Record: TypeAlias = dict[str, Written]

OMISSIBLE: Mapping[str, Written] = {
    "aliases": [],
    "assumptions": [],
    "locator": "",
    "note": "",
    "supersedes": None,
    "valid_to": None,
    "family": "",
    "low_b": 0.0,
    "high_b": 0.0,
    "sized_by": "",
    "size_evidence": "",
    **dict.fromkeys(
        (
            *("active_b_low", "active_b_high", "total_b_low", "total_b_high", "benchmark_wh_per_ktoken"),
            *("other_wh_per_ktoken_low", "other_wh_per_ktoken_high"),
            *("input_usd_per_mtok", "output_usd_per_mtok", "price_date"),
            *("kv_bytes_per_token", "context_wh_per_ktoken_ktoken"),
        )
    ),
}
"""Fields that need not be written, with what they then are."""

SIGNED = frozenset({"intercept", "ln_active_b", "ln_total_b", "ln_batch", "ln_batch_squared", "fp8", "b200"})
"""Numbers that may be negative."""

COMPUTED = frozenset({"derivation"})
"""Fields that only the compiler writes."""

FLOORS = {"pue": 1.0}
"""Lowest value that physics allows, by field; 0 for all others."""

ADVICE = {
    "accessed": "write the day on which the source was read",
    "boundary": "write `boundary: it` and convert the figure to it",
    "licence": "write under which licence the figures may be passed on",
    "sources": "write the ids of the sources that the figure comes from",
}


def fact_record(draft: Draft, bounds: Bounds, problems: list[Problem]) -> Record | None:
    """The compiled record of a fact, or None when it, or a fact that it refers to, has problems."""
    fields = dict(draft.fields)
    kind = kind_of(draft.id)
    sized = None
    if kind == "energy":
        _check_boundary(draft, fields.pop("boundary", None), problems)
        sized = with_sizes(draft, fields, bounds, problems)
        if sized is None:
            return None
        fields = sized.fields
    filled = None
    if kind == "fallback":
        filled = with_amounts(draft, bounds, problems)
        if filled is None:
            return None
        fields = filled.fields
    divisor = fields.get("divisor_low") if kind == "range" else None
    if divisor is not None:
        fields["factor_low"] = fields.pop("divisor_low")
    record = _record(draft, fields, FACT_KINDS[kind], bounds, problems)
    if record is not None and divisor is not None:
        record["factor_low"] = _inverse(divisor, record["factor_low"], problems)
    if record is not None and kind == "grid":
        before = len(problems)
        problems.extend(mixed_bases(fields[GRID_FIELD], str(record["basis"]), bounds))
        if len(problems) > before:
            return None
        record["derivation"] = derivation_words(fields[GRID_FIELD], bounds)
    made = sized or filled
    if record is not None and made is not None:
        record["derivation"] = made.derivation
    return record


def source_record(draft: Draft, problems: list[Problem]) -> Record | None:
    """The compiled record of a source, or None with the problems that keep it from being one."""
    return _record(draft, dict(draft.fields), Source, Bounds(), problems)


def _check_boundary(draft: Draft, boundary: Entry | None, problems: list[Problem]) -> None:
    if boundary is None:
        problems.append(draft.problem(f"missing; {ADVICE['boundary']}", "boundary"))
    elif boundary.content != "it":
        problems.append(boundary.problem(f"is {boundary.content!r}; {ADVICE['boundary']}"))


def _inverse(divisor: Entry, number: Written, problems: list[Problem]) -> float:
    if not isinstance(number, float) or number < 1.0:
        problems.append(divisor.problem(f"is {number}; write a divisor of at least 1"))
        return 1.0
    return 1.0 / number


def _record(
    draft: Draft, fields: dict[str, Entry], shape: type, bounds: Bounds, problems: list[Problem]
) -> Record | None:
    written = [field for field in dataclasses.fields(shape) if field.name not in {"id", *COMPUTED}]
    known = {field.name: str(field.type) for field in written}
    before = len(problems)
    record: Record = {"id": draft.id}
    advice = f"unknown key; use {', '.join(sorted(known))}"
    problems.extend(fields[name].problem(advice) for name in sorted(set(fields) - set(known)))
    for name, type_name in known.items():
        if name in fields:
            expected = "signed" if name in SIGNED else type_name
            record[name] = _typed(fields[name], expected, bounds, FLOORS.get(name, 0.0), problems)
        elif name in OMISSIBLE:
            record[name] = OMISSIBLE[name]
        else:
            problems.append(draft.place.problem(f"missing; {ADVICE.get(name, 'write it')}", name))
    amounts = [record.get(name) for name, type_name in known.items() if type_name == "Interval"]
    optional = {field.name: field.default for field in written if field.default is not dataclasses.MISSING}
    for name in optional.keys() & record.keys():
        if record[name] == optional[name]:  # the object has it anyway, and most records would repeat it
            del record[name]
    return record if len(problems) == before and None not in amounts else None


def _typed(entry: Entry, type_name: str, bounds: Bounds, floor: float, problems: list[Problem]) -> Written:
    if entry.content is None and type_name.endswith("| None"):
        return None
    if type_name.removesuffix(" | None") == "Interval":
        return expand_amount(entry, bounds, floor, problems)
    return _PLAIN[type_name.removesuffix(" | None")](entry, problems)


def _text(entry: Entry, problems: list[Problem]) -> Written:
    if isinstance(entry.content, str):
        return entry.content
    problems.append(entry.problem(f"is {entry.content!r}, no text; write text, in quotes if need be"))
    return None


def _date(entry: Entry, problems: list[Problem]) -> Written:
    try:
        return date.fromisoformat(str(entry.content)).isoformat()
    except ValueError:
        problems.append(entry.problem(f"is {entry.content!r}, no date; write YEAR-MONTH-DAY"))
        return None


def _whole_number(entry: Entry, problems: list[Problem]) -> Written:
    if isinstance(entry.content, int) and not isinstance(entry.content, bool):
        return entry.content
    problems.append(entry.problem(f"is {entry.content!r}, no whole number; write one"))
    return None


def _signed(entry: Entry, problems: list[Problem]) -> Written:
    content = entry.content
    if isinstance(content, int | float) and not isinstance(content, bool) and abs(content) < math.inf:
        return float(content)
    problems.append(entry.problem(f"is {content!r}, no finite number; write one"))
    return None


def _flag(entry: Entry, problems: list[Problem]) -> Written:
    if not isinstance(entry.content, bool):
        problems.append(entry.problem(f"is {entry.content!r}; write true or false"))
        return None
    return entry.content


def _texts(entry: Entry, problems: list[Problem]) -> Written:
    if not isinstance(entry.content, tuple):
        problems.append(entry.problem("is no list; write [one, two]"))
        return None
    texts = [part.content for part in entry.content]
    if any(not isinstance(text, str) for text in texts):
        problems.append(entry.problem("holds something that is no text; put it in quotes"))
    return [str(text) for text in texts]


_PLAIN: Mapping[str, Callable[[Entry, list[Problem]], Written]] = {
    "bool": _flag,
    "date": _date,
    "float": number_of,
    "int": _whole_number,
    "signed": _signed,
    "str": _text,
    "tuple[str, ...]": _texts,
}
