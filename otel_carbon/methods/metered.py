"""Calls whose energy a meter gave: what it covers brought to IT energy, at the place where the call ran."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.core.factors import EnergyPerToken, Factors, Provenance
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import KWH_PER_NJ
from otel_carbon.methods.call_place import PlacedFacts, factors_at, host_of_call, placed_call, provenance_at
from otel_carbon.methods.cascade import METERED
from otel_carbon.methods.hourly_grid import grid_of_call
from otel_carbon.registry.facts import Meter
from otel_carbon.registry.ladder import match_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.call_place import CallSubject
    from otel_carbon.registry.catalog import Registry

TIER = "metered"
TIER_NUMBER = 0
FACILITY = "facility"
_NO_TOKENS = (Interval.exactly(0.0),) * 4
"""Where a meter gives the energy, no kind of token does."""


def metered_factors(
    registry: Registry, call: CallSubject, configured_regions: Mapping[str, str], grid_table: GridTable | None
) -> Factors | Unestimated:
    """The factors for a call whose energy a meter gave: what it covers, and the place; the model does not matter."""
    meter = registry.about(Meter, call.metered, call.day)
    if meter is None:
        return Unestimated(reasons.OUTSIDE_VALIDITY, f"meter/{call.metered} on {call.day}")
    match = match_model(registry, call.model, call.operation, call.day)
    host = host_of_call(registry, call, match.fact if match else None)
    placed = placed_call(registry, host, call, configured_regions)
    if isinstance(placed, Unestimated):
        return placed
    place, shared = placed
    grid = grid_of_call(registry, place.grid, grid_table, call.day, call.hour)
    per_kwh = meter.it_per_metered
    if meter.boundary == FACILITY:
        per_kwh = _before_pue(per_kwh, place.site.pue)
    facts = PlacedFacts(shared, place, grid, None)
    per_token = EnergyPerToken(*_NO_TOKENS, metered_kwh=per_kwh.scaled(KWH_PER_NJ))
    return factors_at(per_token, facts, _provenance(registry, meter, facts))


def _before_pue(per_kwh: Interval, pue: Interval) -> Interval:
    """IT energy of what was metered at the facility, so that the PUE leads back to it at each bound."""
    bounds = [getattr(per_kwh, name) / getattr(pue, name) for name in ("low", "mid", "high")]
    return Interval(*bounds) if bounds == sorted(bounds) else per_kwh.scaled(1.0 / pue.mid)


def _provenance(registry: Registry, meter: Meter, found: PlacedFacts) -> Provenance:
    provenance = provenance_at(registry, found, (meter,), "", METERED, ())
    return replace(provenance, tier=TIER, tier_number=TIER_NUMBER)
