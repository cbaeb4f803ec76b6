"""How a grid's mid was computed, in words and numbers, so that a reader of the compiled form can recompute it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.registry.authoring.amounts import Bounds
    from otel_carbon.yaml_source import Entry

DIGITS = 12
"""Digits of a result that count as unrounded: enough to see what was rounded, and the same on every machine."""


def derivation_words(amount: Entry, bounds: Bounds) -> str:
    """The computation behind an authored amount that has no problems; empty when the mid was published as it is."""
    parts = amount.mapping() or {}
    if "derived" in parts:
        return _scaled(parts["derived"].mapping() or {}, parts["mid"])
    if "mix" in parts:
        return _weighed(parts["mix"].mapping() or {}, bounds)
    return ""


def _scaled(terms: Mapping[str, Entry], mid: Entry) -> str:
    lifecycle, subregion, direct = (
        _number(terms[name]) for name in ("national_lifecycle", "subregion_direct", "national_direct")
    )
    lifecycle_year, direct_year = terms["lifecycle_year"].content, terms["direct_year"].content
    return (
        f"{lifecycle:g} (national life cycle, {lifecycle_year}) * {subregion:g} (sub-region direct, {direct_year}) "
        f"/ {direct:g} (national direct, {direct_year}) = {lifecycle * subregion / direct:.{DIGITS}g}, "
        f"rounded to {_number(mid):g}"
    )


def _weighed(members: Mapping[str, Entry], bounds: Bounds) -> str:
    weights = {grid_id: _number(entry) for grid_id, entry in members.items() if _number(entry)}
    total = math.fsum(weights.values())
    mid = math.fsum(weight * bounds.grids[grid_id]["mid"] for grid_id, weight in weights.items()) / total
    terms = " + ".join(
        f"{weight:g} * {bounds.grids[grid_id]['mid']:g} ({grid_id})" for grid_id, weight in weights.items()
    )
    return f"({terms}) / {total:g} = {mid:.{DIGITS}g}; low and high are the outermost of the members"


def _number(entry: Entry) -> float:
    assert isinstance(entry.content, int | float)  # noqa: S101 - amounts with problems do not come here
    return float(entry.content)
