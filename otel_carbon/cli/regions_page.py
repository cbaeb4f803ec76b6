"""What `otel-carbon compare --regions` shows: a table of regions for people, and its JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, cast

from otel_carbon.cli.wording import rounded
from otel_carbon.comparing_regions import CRITERIA, cost_of
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.usage import COUNT_NAMES
from otel_carbon.methods.call_place import ASSESSED
from otel_carbon.methods.hourly_grid import is_of_table, zone_of_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.cli.console import Console
    from otel_carbon.comparing_regions import RegionResult
    from otel_carbon.core.interval import Interval
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import WaterIntensity

    Json = str | int | float | list["Json"] | dict[str, "Json"] | None

ML_PER_L = 1000.0
NUMBERS = ("operational", "embodied", "emissions, g", "on site, mL", "electricity, mL")
COLUMNS = ("region", "grid", "water of", *NUMBERS, "optimal")
AMOUNTS = (
    "emissions_gco2e",
    "emissions_operational_gco2e",
    "emissions_embodied_gco2e",
    "water_on_site_l",
    "water_electricity_l",
    "energy_kwh",
)
BOUNDARY = (
    "Water on site is what cooling evaporates. Water for electricity is a country's yearly average:",
    "what power stations evaporate, and the reservoirs of hydropower.",
    "Where hydropower is large, as in Sweden, that boundary makes electricity low in carbon and high in water.",
    "Litres of different basins do not compare: where water is scarce, less of it can weigh more.",
)


class Zones(NamedTuple):
    """Whose grid and whose water of electricity stand behind a footprint."""

    grid: str
    water: str


def zones_of(footprint: Footprint, registry: Registry) -> Zones:
    """The zones of the facts that a footprint names."""
    provenance = footprint.provenance
    water = cast("WaterIntensity", registry.fact(provenance.fact_ids["ewif_l_per_kwh"][0]))
    return Zones(zone_of_grid(registry, provenance.grid_id), water.zone)


def show_regions(console: Console, usage: TokenUsage, results: Sequence[RegionResult], registry: Registry) -> None:
    """Write the page of a comparison of regions."""
    found = [(each, each.outcome) for each in results if isinstance(each.outcome, Footprint)]
    rows = [_row(result, footprint, zones_of(footprint, registry)) for result, footprint in found]
    console.table(_title(usage), COLUMNS, rows, right=NUMBERS)
    console.line()
    console.line(
        "Lowest emissions first. Amounts are mids, modelled: the range of a call's energy is the same everywhere."
    )
    console.line("yes: no other region is as good in emissions and both waters, and better in one of them.")
    for line in (*BOUNDARY, *_notes(found, registry)):
        console.line(line)
    for result in results:
        if not isinstance(result.outcome, Footprint):
            console.line(f"no figure for {result.region}: {result.outcome}")
    console.line("`--json` has the ranges and the facts; docs/compare.md says how to read this.")


def _title(usage: TokenUsage) -> str:
    counts = ((usage.input_tokens, "input"), (usage.output_tokens, "output"))
    tokens = ", ".join(f"{count:,} {kind}" for count, kind in counts if count is not None)
    at = f" at {usage.provider}" if usage.provider else ""
    return f"{usage.model}{at}, {tokens} tokens, by region"


def _row(result: RegionResult, footprint: Footprint, zones: Zones) -> tuple[str, ...]:
    mid, cost = footprint.mid, cost_of(footprint)
    numbers = (
        mid.emissions_operational_gco2e,
        mid.emissions_embodied_gco2e,
        cost.emissions_gco2e,
        cost.water_on_site_l * ML_PER_L,
        cost.water_electricity_l * ML_PER_L,
    )
    optimal = "yes" if result.pareto_optimal else "no"
    return (result.region, zones.grid, zones.water, *(rounded(number) for number in numbers), optimal)


def _notes(found: Sequence[tuple[RegionResult, Footprint]], registry: Registry) -> Iterator[str]:
    """Where low carbon goes with much water, as far as the water is known; and where it is not."""
    zones = {result.region: zones_of(footprint, registry) for result, footprint in found}
    foreign = {region: each.water for region, each in zones.items() if each.water != each.grid.partition("-")[0]}
    trading = [
        f"{result.region} ({_water_words(footprint)})"
        for result, footprint in found
        if result.carbon_for_water and result.region not in foreign
    ]
    hourly = [result.region for result, footprint in found if is_of_table(footprint.provenance.grid_id)]
    if hourly and len(hourly) < len(found):
        yield f"At the time of the call by the grid table: {', '.join(hourly)}; the others at their yearly average."
    if any(ASSESSED in footprint.provenance.assumptions for _, footprint in found):
        yield "The supplier's own assessment of this model is left out, as it holds for its own places."
    if trading:
        named = "; ".join(trading)
        yield f"Below the middle of these regions in emissions, above it in water for electricity: {named}."
    if foreign:
        others = ", ".join(sorted(set(foreign.values())))
        yield (
            f"{len(foreign)} of {len(zones)} regions have no water factor of their own country and take that of "
            f"{others}: their water for electricity tells nothing apart."
        )


def _water_words(footprint: Footprint) -> str:
    cost = cost_of(footprint)
    on_site, electricity = cost.water_on_site_l * ML_PER_L, cost.water_electricity_l * ML_PER_L
    return f"{rounded(on_site)} mL on site, {rounded(electricity)} mL for electricity"


def regions_json(usage: TokenUsage, results: Sequence[RegionResult], registry: Registry) -> str:
    """The document of a comparison of regions; amounts are unrounded.

    Args:
        usage: the call.
        results: what it takes in each region, in their order.
        registry: the facts behind them.
    """
    call: dict[str, Json] = {"model": usage.model, "provider": usage.provider or None}
    call |= {name: getattr(usage, name) for name in COUNT_NAMES}
    estimated = any(isinstance(result.outcome, Footprint) for result in results)
    document: dict[str, Json] = {
        "status": "compared" if estimated else "unestimated",
        "call": call,
        "criteria": list(CRITERIA),
        "boundary": list(BOUNDARY),
        "regions": [_region(result, registry) for result in results],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _region(result: RegionResult, registry: Registry) -> Json:
    outcome = result.outcome
    record: dict[str, Json] = {"region": result.region}
    if not isinstance(outcome, Footprint):
        record |= {"reason": outcome.reason, "reason_text": str(outcome), "grid_zone": None, "water_zone": None}
        return record | dict.fromkeys(
            (*AMOUNTS, "pareto_optimal", "carbon_for_water", "grid_id", "site_id", "water_id")
        )
    zones = zones_of(outcome, registry)
    record |= {"reason": None, "reason_text": None, "grid_zone": zones.grid, "water_zone": zones.water}
    record |= {name: _bounds(getattr(outcome, name)) for name in AMOUNTS}
    record |= {"pareto_optimal": result.pareto_optimal, "carbon_for_water": result.carbon_for_water}
    provenance = outcome.provenance
    water_id = provenance.fact_ids["ewif_l_per_kwh"][0]
    return record | {"grid_id": provenance.grid_id, "site_id": provenance.site_id, "water_id": water_id}


def _bounds(amount: Interval) -> Json:
    return dict(amount.as_dict())
