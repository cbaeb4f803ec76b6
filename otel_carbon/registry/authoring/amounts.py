"""Amounts as authored (own bounds, a range rule, a derivation, a mix) expanded to low, mid and high."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.registry.facts import SizeMethod
    from otel_carbon.yaml_source import Entry, Problem

Amount: TypeAlias = dict[str, float]
"""`{"low": x, "mid": y, "high": z}`."""

FORMS = "give low, mid and high, or mid and range, or (grids only) mix"
GRID_FIELD = "gco2e_per_kwh"
DERIVATION = ("national_direct", "national_lifecycle", "subregion_direct")
DERIVATION_YEARS = ("direct_year", "lifecycle_year")
WHOLE_GRAM = 0.5
SIGNIFICANT_DIGITS = 6
LOCATION = "location"
MOST = 1e18
"""Larger than any amount in any unit; products of such numbers are still finite."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an amount may refer to: range rules as (factor_low, factor_high), grids, size methods.

    `grids` and `bases` hold the amount and the basis of each grid for mixes, `families` the compiled coefficients of
    each family, `broken` the ids of facts with problems of their own: what refers to them is not reported again.
    """

    rules: dict[str, tuple[float, float]] = field(default_factory=dict)
    grids: dict[str, Amount] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    methods: dict[str, SizeMethod] = field(default_factory=dict)
    families: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


def expand_amount(entry: Entry, bounds: Bounds, floor: float, problems: list[Problem]) -> Amount | None:
    """The three bounds of an authored amount, or None when it, or a fact that it refers to, has problems.

    `floor` is the lowest value that physics allows (1.0 for PUE). Bounds made by a range rule are rounded to six
    significant digits and never cross the floor.
    """
    parts = entry.mapping()
    if parts is None:
        problems.append(entry.problem(f"has no range; {FORMS}"))
        return None
    keys = set(parts)
    if keys == {"low", "mid", "high"}:
        return _own_bounds(entry, parts, floor, problems)
    of_grid = entry.key.rpartition(".")[2] == GRID_FIELD
    if keys == {"mid", "range"} or (of_grid and keys == {"mid", "range", "derived"}):
        return _by_rule(parts, bounds, floor, problems)
    if of_grid and keys == {"mix"}:
        return _mixed(parts["mix"], bounds, problems)
    problems.append(entry.problem(f"has the keys {', '.join(sorted(keys))}; {FORMS}"))
    return None


def number_of(entry: Entry, problems: list[Problem]) -> float | None:
    """A finite, non-negative number."""
    content = entry.content
    if isinstance(content, bool) or not isinstance(content, int | float):
        problems.append(entry.problem(f"is {content!r}, no number; write a number"))
        return None
    if MOST < content < math.inf:
        problems.append(entry.problem(f"is {content:g}, more than any amount there is; correct the unit"))
        return None
    if not 0.0 <= content < math.inf:
        problems.append(entry.problem(f"is {content!r}; write a finite number of at least 0"))
        return None
    return float(content)


def _own_bounds(entry: Entry, parts: Mapping[str, Entry], floor: float, problems: list[Problem]) -> Amount | None:
    numbers = {name: number_of(parts[name], problems) for name in ("low", "mid", "high")}
    low, mid, high = numbers.values()
    if low is None or mid is None or high is None:
        return None
    if not low <= mid <= high:
        problems.append(entry.problem(f"has low {low}, mid {mid}, high {high}; order them low <= mid <= high"))
        return None
    if low < floor:
        problems.append(parts["low"].problem(f"is {low}, but nothing lies below {floor}; correct it"))
        return None
    return {"low": low, "mid": mid, "high": high}


def _by_rule(parts: Mapping[str, Entry], bounds: Bounds, floor: float, problems: list[Problem]) -> Amount | None:
    mid = number_of(parts["mid"], problems)
    rule_id = str(parts["range"].content)
    rule = bounds.rules.get(rule_id)
    if rule is None and rule_id not in bounds.broken:
        message = f"names {parts['range'].content!r}, which no range fact has as its id; add it or correct the id"
        problems.append(parts["range"].problem(message))
    if mid is not None and mid < floor:
        problems.append(parts["mid"].problem(f"is {mid}, but nothing lies below {floor}; correct it"))
        return None
    if mid is not None and "derived" in parts:
        _check_derivation(parts["derived"], mid, problems)
    if mid is None or rule is None:
        return None
    low = max(min(_rounded(mid * rule[0]), mid), floor)
    return {"low": low, "mid": mid, "high": max(_rounded(mid * rule[1]), mid)}


def _check_derivation(derived: Entry, mid: float, problems: list[Problem]) -> None:
    terms = derived.mapping() or {}
    needed = sorted((*DERIVATION, *DERIVATION_YEARS))
    if sorted(terms) != needed:
        problems.append(derived.problem(f"needs exactly {', '.join(needed)}; write these five"))
        return
    problems += [
        terms[name].problem(f"is {terms[name].content!r}, no year; write the year of the figures")
        for name in DERIVATION_YEARS
        if type(terms[name].content) is not int
    ]
    direct, lifecycle, subregion = (number_of(terms[name], problems) for name in DERIVATION)
    if direct is None or lifecycle is None or subregion is None:
        return
    if direct == 0.0:
        problems.append(terms["national_direct"].problem("is 0, which nothing can be divided by; correct it"))
        return
    product = lifecycle * subregion / direct
    if abs(product - mid) > WHOLE_GRAM:
        message = f"gives {product:.2f}, but mid is {mid:g}; correct the terms or the mid"
        problems.append(derived.problem(message))


def _mixed(mix: Entry, bounds: Bounds, problems: list[Problem]) -> Amount | None:
    """Mean of the mids by weight; a single call may run in any member, so low and high are the outermost ones."""
    entries = mix.mapping() or {}
    for grid_id, entry in entries.items():
        if grid_id not in bounds.grids and grid_id not in bounds.broken:
            problems.append(entry.problem("is no grid fact with an amount of its own; add it or correct the id"))
    weights = {grid_id: number_of(entry, problems) for grid_id, entry in entries.items()}
    if not any(weights.values()):
        problems.append(mix.problem("has no member that counts; write grid ids with weights above 0"))
        return None
    if not set(entries) <= set(bounds.grids):
        return None
    weighed = [(weight, bounds.grids[grid_id]) for grid_id, weight in weights.items() if weight]
    mid = math.fsum(weight * member["mid"] for weight, member in weighed) / math.fsum(weight for weight, _ in weighed)
    low, high = min(member["low"] for _, member in weighed), max(member["high"] for _, member in weighed)
    return {"low": low, "mid": min(max(_rounded(mid), low), high), "high": high}


def mixed_bases(entry: Entry, basis: str, bounds: Bounds) -> Iterator[Problem]:
    """What of a grid's amount is of another basis than the grid: no figure mixes what was bought with what is drawn."""
    parts = entry.mapping() or {}
    if "derived" in parts and basis != LOCATION:
        yield parts["derived"].problem(f"makes a {LOCATION} figure, but the basis is {basis}; write the amount itself")
    for grid_id, member in ((parts["mix"].mapping() or {}) if "mix" in parts else {}).items():
        other = bounds.bases.get(grid_id)
        if other is not None and other != basis:
            yield member.problem(
                f"is a figure of basis {other} in a mix of basis {basis}; take members of {basis} only"
            )


def _rounded(bound: float) -> float:
    return float(f"{bound:.{SIGNIFICANT_DIGITS}g}")
