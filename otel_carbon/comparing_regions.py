"""One call in many regions: carbon and water side by side, and which regions no other one beats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.footprint import Footprint, footprint_of
from otel_carbon.estimating import estimate
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.grid.table import GridTable

CRITERIA = ("emissions_gco2e", "water_on_site_l", "water_electricity_l")
"""What regions are held against each other by, each at its mid; never made one number."""


class Cost(NamedTuple):
    """The mids of `CRITERIA`: less of each is better."""

    emissions_gco2e: float
    water_on_site_l: float
    water_electricity_l: float

    def beats(self, other: Cost) -> bool:
        """Whether it is no worse in anything and better in something."""
        return self != other and all(ours <= theirs for ours, theirs in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True)
class RegionResult:
    """What the call takes in one region, and how that stands among the others."""

    region: str
    outcome: Footprint | Unestimated
    pareto_optimal: bool
    """Whether no other region is at least as good in every criterion and better in one."""
    carbon_for_water: bool
    """Whether it lies below the middle of the regions in emissions and above it in water for electricity."""


def regions_known(registry: Registry, day: date | None) -> tuple[str, ...]:
    """All cloud regions that the registry knows on a day (any day if `None`), by name."""
    named = {fact.region for fact in registry.facts("region") if isinstance(fact, Region)}
    return tuple(sorted(each for each in named if registry.about(Region, each, day) is not None))


def compare_regions(
    usage: TokenUsage,
    regions: Iterable[str],
    registry: Registry | None = None,
    *,
    strict: bool = False,
    grid_table: GridTable | None = None,
) -> tuple[RegionResult, ...]:
    """The same call in each region, lowest emissions first; regions without an estimate come last, with the reason.

    Args:
        usage: the call; its own region is not looked at.
        regions: cloud regions or grid zones, each of which is taken once.
        registry: the facts to use; `None` is the bundled registry.
        strict: as `estimate` has it.
        grid_table: as `estimate` has it; regions that it covers are at the hour, the others at their yearly average.
    """
    known = registry or Registry.bundled()
    outcomes = {
        region: _modelled(estimate(replace(usage, region=region), registry=known, strict=strict, grid_table=grid_table))
        for region in dict.fromkeys(regions)
    }
    costs = {region: cost_of(found) for region, found in outcomes.items() if isinstance(found, Footprint)}
    middle = _middle(tuple(costs.values()))
    results = [
        RegionResult(
            region,
            outcome,
            region in costs and not any(other.beats(costs[region]) for other in costs.values()),
            region in costs and middle is not None and _trades(costs[region], middle),
        )
        for region, outcome in outcomes.items()
    ]
    return tuple(sorted(results, key=_by_emissions))


def cost_of(footprint: Footprint) -> Cost:
    """A footprint's mids in the criteria, as its energy and factors have them."""
    mid, factors = footprint.mid, footprint.factors
    on_site_l = mid.it_energy_kwh * factors.wue_l_per_it_kwh.mid
    return Cost(mid.emissions_gco2e, on_site_l, mid.energy_kwh * factors.ewif_l_per_kwh.mid)


def _modelled(outcome: Footprint | Unestimated) -> Footprint | Unestimated:
    """The estimate without a supplier's assessment, which holds for its own places and tells no regions apart."""
    if isinstance(outcome, Footprint) and outcome.factors.assessed is not None:
        return footprint_of(outcome.tokens, replace(outcome.factors, assessed=None), outcome.units)
    return outcome


def _middle(costs: Sequence[Cost]) -> Cost | None:
    return Cost(*(median(amounts) for amounts in zip(*costs, strict=True))) if costs else None


def _trades(cost: Cost, middle: Cost) -> bool:
    return cost.emissions_gco2e < middle.emissions_gco2e and cost.water_electricity_l > middle.water_electricity_l


def _by_emissions(result: RegionResult) -> tuple[bool, float, str]:
    outcome = result.outcome
    if isinstance(outcome, Footprint):
        return (False, outcome.emissions_gco2e.mid, result.region)
    return (True, 0.0, result.region)
