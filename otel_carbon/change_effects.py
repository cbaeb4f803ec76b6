"""What a change of the registry does to the figures of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval, total
from otel_carbon.estimating import estimate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.registry.catalog import Registry


class CallEffect(NamedTuple):
    """One call by two registries: a footprint, or why there is none."""

    call: TokenUsage
    before: Footprint | Unestimated
    after: Footprint | Unestimated


class Totals(NamedTuple):
    """Sums over calls: energy at the facility in kWh, emissions in gCO2e."""

    energy_kwh: Interval
    emissions_gco2e: Interval


class UsageEffect(NamedTuple):
    """Calls by two registries; the totals are over the calls that both estimate, so that they compare."""

    calls: tuple[CallEffect, ...]
    before: Totals
    after: Totals
    counted: int
    """How many calls the totals are over."""


def effect_on_usage(before: Registry, after: Registry, calls: Iterable[TokenUsage]) -> UsageEffect:
    """The figures of calls before and after a change of facts; the day of each call is its own."""
    effects = tuple(CallEffect(call, estimate(call, registry=before), estimate(call, registry=after)) for call in calls)
    both = [
        (effect.before, effect.after)
        for effect in effects
        if isinstance(effect.before, Footprint) and isinstance(effect.after, Footprint)
    ]
    return UsageEffect(effects, _totals(was for was, _ in both), _totals(now for _, now in both), len(both))


def ratio_of(before: Interval, after: Interval) -> float | None:
    """The mid after over the mid before; `None` where the latter is zero."""
    return after.mid / before.mid if before.mid else None


def _totals(footprints: Iterable[Footprint]) -> Totals:
    found = list(footprints)
    return Totals(total(each.energy_kwh for each in found), total(each.emissions_gco2e for each in found))
