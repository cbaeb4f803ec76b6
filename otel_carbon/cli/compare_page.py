"""What `otel-carbon compare` shows to people: methods side by side, how far apart they lie, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.cli.wording import range_words, rounded
from otel_carbon.core.assumptions import assumption_sentence
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import WH_PER_KWH
from otel_carbon.methods.result import (
    NOT_PART_OF_METHOD,
    NOT_PUBLISHED,
    QUANTITIES,
    WHY_NOT_MID,
    spread_of,
    why_no_figure,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.cli.console import Console
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.methods.result import MethodResult

ML_PER_L = 1000.0
COLUMNS = ("method", "amounts are for", "energy, Wh", "emissions, gCO2e", "water, mL")
SHOWN = {"energy_kwh": WH_PER_KWH, "emissions_gco2e": 1.0, "water_l": ML_PER_L}
"""Quantity to how many of the shown units it holds."""
WORDS = {"energy_kwh": "energy", "emissions_gco2e": "emissions", "water_l": "water"}
UNITS = {"call": "call", "query": "query", "ktoken": "1,000 tokens", "ktoken_output": "1,000 output tokens"}
NOTHING = "-"
COMPARED = " *"


def show_comparison(console: Console, usage: TokenUsage, results: Sequence[MethodResult]) -> None:
    """Write the page of a comparison."""
    with_figures = [result for result in results if _has_figure(result)]
    console.table(_title(usage), COLUMNS, [_row(result) for result in with_figures])
    console.line()
    for quantity in QUANTITIES:
        console.line(_spread_line(quantity, results))
    console.line("* is compared: amounts for this call, energy of the facility, emissions with the hardware's share.")
    console.line()
    for result in results:
        for line in _about(result):
            console.line(line)
    console.line("docs/compare.md explains why methods differ; `--json` has the sources.")


def _title(usage: TokenUsage) -> str:
    counts = ((usage.input_tokens, "input"), (usage.output_tokens, "output"))
    tokens = ", ".join(f"{count:,} {kind}" for count, kind in counts if count is not None)
    at = f" at {usage.provider}" if usage.provider else ""
    return f"{usage.model}{at}, {tokens or 'unknown'} tokens, by method: mid (low to high)"


def _has_figure(result: MethodResult) -> bool:
    return any(isinstance(amount, Interval) for amount in result.amounts().values())


def _row(result: MethodResult) -> tuple[str, ...]:
    return (result.method, UNITS[result.functional_unit], *(_cell(result, quantity) for quantity in QUANTITIES))


def _cell(result: MethodResult, quantity: str) -> str:
    amount = result.amounts()[quantity]
    if not isinstance(amount, Interval):
        return NOTHING
    mark = COMPARED if quantity in result.comparable else ""
    return range_words(amount.scaled(SHOWN[quantity])) + mark


def _spread_line(quantity: str, results: Sequence[MethodResult]) -> str:
    spread = spread_of(quantity, results)
    if spread is None:
        return f"{WORDS[quantity]}: fewer than two methods compare"
    between = f"from {spread.lowest} to {spread.highest}, {spread.count} methods"
    return f"{WORDS[quantity]}: the highest mid is {rounded(spread.ratio)} times the lowest, {between}"


def _about(result: MethodResult) -> Iterator[str]:
    """What the method covers, why it cannot be the mid, and why it has no figure where it has none at all."""
    yield f"{result.method} ({result.version})"
    if not _has_figure(result):
        reasons = {why_no_figure(why) for why in result.amounts().values() if not isinstance(why, Interval)}
        yield from (f"  no figure: {reason}" for reason in sorted(reasons))
        return
    yield f"  covers: {result.boundary}"
    yield from (f"  not the mid: {WHY_NOT_MID[code]}" for code in result.not_mid_because)
    yield from (f"  no {line}" for line in _gaps(result))
    yield from (f"  note: {assumption_sentence(note)}" for note in result.notes)


def _gaps(result: MethodResult) -> Iterator[str]:
    """The quantities that the method has in general, and not for this call."""
    for quantity, amount in result.amounts().items():
        if not isinstance(amount, Interval) and amount.reason not in (NOT_PART_OF_METHOD, NOT_PUBLISHED):
            yield f"{WORDS[quantity]}: {why_no_figure(amount)}"
