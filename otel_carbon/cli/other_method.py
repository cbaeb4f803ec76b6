"""`otel-carbon estimate --method`: the figure of a method that the evidence does not point to, and said to be that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from otel_carbon.cli.compare_json import amount_json
from otel_carbon.cli.estimate_json import AMOUNTS, PROVENANCE
from otel_carbon.cli.wording import rounded
from otel_carbon.comparing import OURS, ComparisonOptions, compare
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import WH_PER_KWH
from otel_carbon.methods.result import CALL, NOT_PART_OF_METHOD, QUANTITIES, WHY_NOT_MID, why_no_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.cli.console import Console
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.result import Amount, MethodResult
    from otel_carbon.registry.catalog import Registry

    Json = str | int | float | list["Json"] | dict[str, "Json"] | None

CASCADE = "cascade"
COLUMNS = ("amount", "low", "mid", "high", "unit", "by the evidence")
_SHOWN = {
    "energy_kwh": ("energy, facility", WH_PER_KWH, "Wh"),
    "emissions_gco2e": ("emissions, location-based", 1.0, "gCO2e"),
    "water_l": ("water", 1000.0, "mL"),
}


def results_of(
    name: str, usage: TokenUsage, registry: Registry, table: GridTable | None, *, strict: bool
) -> tuple[MethodResult, MethodResult]:
    """The result of the named method, and ours.

    Raises:
        click.UsageError: no method of that name speaks of a call.
    """
    results = compare(usage, registry, ComparisonOptions(strict=strict, grid_table=table))
    others = {each.method: each for each in results if each.functional_unit == CALL and "/" not in each.method}
    ours = others.pop(OURS)
    if name not in others:
        msg = f"--method {name}: no such method for this call; there are {CASCADE}, {', '.join(others)}"
        raise click.UsageError(msg)
    return others[name], ours


def has_figure(result: MethodResult) -> bool:
    """Whether the method has any amount for the call."""
    return any(isinstance(amount, Interval) for amount in result.amounts().values())


def other_method_json(result: MethodResult, ours: MethodResult, usage: TokenUsage, registry: Registry) -> str:
    """The document of `estimate --json`, with the figure of the evidence beside the one that was asked for.

    It has no confidence: that follows from a range of ours, and other methods' ranges mean something else.
    """
    found = has_figure(result)
    document: dict[str, Json] = {
        "status": "estimated" if found else "unestimated",
        "reason": None if found else _reason(result.energy_kwh),
        "model": usage.model,
    }
    for name in AMOUNTS:
        missing = Unestimated(NOT_PART_OF_METHOD)
        document |= amount_json(name, result.amounts().get(name, missing))
    document |= dict.fromkeys(PROVENANCE)
    document |= {
        "method": result.method,
        "method_version": result.version,
        "method_chosen_by_user": True,
        "not_mid_because": {code: WHY_NOT_MID[code] for code in result.not_mid_because},
        "by_the_evidence": _of_ours(ours),
        "provider": usage.provider or None,
        "region": usage.region,
        "registry_version": registry.version,
        "registry_digest": registry.digest,
        "method_reason": None,
        "confidence": None,
        "assumptions": list(result.notes),
        "steps": [],
        "registry_as_of": registry.known_on.isoformat() if registry.known_on else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def show_other_method(console: Console, result: MethodResult, ours: MethodResult, usage: TokenUsage) -> None:
    """Write the page of a figure by a method that was asked for."""
    title = f"{usage.model} at {usage.provider}, by {result.method} ({result.version}), as you asked"
    rows = [_row(name, result.amounts()[name], ours.amounts()[name]) for name in QUANTITIES]
    console.table(title, COLUMNS, rows, right=("low", "mid", "high"))
    console.line()
    console.line(f"covers    {result.boundary}")
    for code in result.not_mid_because:
        console.line(f"not taken by the evidence: {WHY_NOT_MID[code]}")
    for note in result.notes:
        console.line(f"note      {note}")
    console.line("`otel-carbon compare` shows all methods; leave out --method for the figure of the evidence.")


def warning(result: MethodResult) -> str:
    """What is said on standard error, so that the choice shows wherever the figure goes."""
    why = "; ".join(WHY_NOT_MID[code].rstrip(".") for code in result.not_mid_because) or "other evidence is better"
    return f"note: --method {result.method} was chosen; the evidence does not point to it: {why}"


def _of_ours(ours: MethodResult) -> Json:
    document: dict[str, Json] = {}
    for name, amount in ours.amounts().items():
        document |= amount_json(name, amount)
    return document


def _reason(amount: Amount) -> str | None:
    return amount.reason if isinstance(amount, Unestimated) else None


def _row(name: str, amount: Amount, ours: Amount) -> Sequence[str]:
    label, factor, unit = _SHOWN[name]
    beside = rounded(ours.scaled(factor).mid) if isinstance(ours, Interval) else "unknown"
    if not isinstance(amount, Interval):
        return (label, *("unknown",) * 3, unit, f"{beside}; {why_no_figure(amount)}")
    scaled = amount.scaled(factor)
    return (label, rounded(scaled.low), rounded(scaled.mid), rounded(scaled.high), unit, beside)
