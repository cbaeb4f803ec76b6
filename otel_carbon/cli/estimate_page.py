"""What `otel-carbon estimate` shows to people: amounts with ranges, where they come from, what was assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.cli.wording import rounded
from otel_carbon.core.assumptions import assumption_sentence
from otel_carbon.core.units import WH_PER_KWH
from otel_carbon.methods.cascade import why_chosen

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.cli.console import Console
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.interval import Interval
    from otel_carbon.core.usage import TokenUsage

ML_PER_L = 1000.0
UNKNOWN = "unknown"
COLUMNS = ("amount", "low", "mid", "high", "unit")


def show_estimate(
    console: Console,
    footprint: Footprint,
    usage: TokenUsage,
    assumptions: tuple[str, ...],
    *,
    activity: str = "",
    as_of: date | None = None,
) -> None:
    """Write the page of one estimated call, or of an `activity` in words, by a registry `as_of` an earlier day."""
    provenance = footprint.provenance
    title = _title(usage, provenance.provider, activity)
    console.table(title, COLUMNS, _rows(footprint), right=("low", "mid", "high"))
    console.line()
    console.line("These amounts are modelled from token counts; low and high are bounds.")
    console.line(f"model     {provenance.coefficient_id} ({provenance.match} match, {provenance.method} method)")
    console.line(f"because   {why_chosen(provenance.method)}")
    console.line(f"grid      {provenance.grid_id} (region {provenance.region}, {provenance.region_evidence})")
    console.line(f"site      {provenance.site_id}")
    console.line(f"quality   tier {provenance.tier_number} ({provenance.tier}), confidence {footprint.confidence}")
    console.line(f"registry  {provenance.registry_version}{f' as of {as_of}' if as_of else ''}")
    if assumptions:
        console.line("assumed:")
    for code in assumptions:
        console.line(f"  {assumption_sentence(code)}")
    console.line("`--json` shows every step; `otel-carbon registry show ID` shows a fact and its sources,")
    console.line("`otel-carbon compare` what other methods say, and why they do not give the figure.")


def _title(usage: TokenUsage, provider: str, activity: str) -> str:
    if activity:
        return f"{usage.model} at {provider}, {activity}, modelled"
    counts = ((usage.input_tokens, "input"), (usage.output_tokens, "output"))
    tokens = ", ".join(f"{count:,} {kind}" for count, kind in counts if count is not None)
    return f"{usage.model} at {provider}, {tokens} tokens, modelled"


def _rows(footprint: Footprint) -> list[tuple[str, ...]]:
    return [
        _row("energy, facility", footprint.energy_kwh, "Wh", WH_PER_KWH),
        _row("energy, IT only", footprint.it_energy_kwh, "Wh", WH_PER_KWH),
        _row("emissions, location-based", footprint.emissions_gco2e, "gCO2e"),
        _row("  operational", footprint.emissions_operational_gco2e, "gCO2e"),
        _row("  embodied", footprint.emissions_embodied_gco2e, "gCO2e"),
        _row("emissions, market-based", footprint.emissions_market_gco2e, "gCO2e"),
        _row("water", footprint.water_l, "mL", ML_PER_L),
        _row("  on site", footprint.water_on_site_l, "mL", ML_PER_L),
        _row("  for electricity", footprint.water_electricity_l, "mL", ML_PER_L),
    ]


def _row(name: str, amount: Interval | None, unit: str, per_unit: float = 1.0) -> tuple[str, ...]:
    if amount is None:
        return (name, UNKNOWN, UNKNOWN, UNKNOWN, unit)
    scaled = amount.scaled(per_unit)
    return (name, rounded(scaled.low), rounded(scaled.mid), rounded(scaled.high), unit)
