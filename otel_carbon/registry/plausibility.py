"""Whether energy facts can be true: held against their price, a server's power, their siblings and their own bounds.

Nothing here changes a figure; what looks wrong is a finding, to be explained or corrected.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.parametric import JOULES_PER_WH, TOKENS_PER_KTOKEN, geometric_mean
from otel_carbon.registry.facts import EnergyCoefficient, SizeMethod
from otel_carbon.registry.plausibility_limits import (
    MID_ABOVE_CEILING,
    MID_BELOW_FLOOR,
    PRICE_HIGH,
    PRICE_LOW,
    SIZE_ABOVE_LARGER,
    SMALLER_ABOVE_LARGER,
    WATTS_HIGH,
    Finding,
)
from otel_carbon.registry.siblings import sibling_pairs
from otel_carbon.registry.sizing import ceiling_wh_per_ktoken, floor_wh_per_ktoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.plausibility_limits import Limits

ROUNDED = 0.005
"""Amounts have three significant digits, so that one at a limit may lie half a percent beyond."""


class _FloorAndCeiling(NamedTuple):
    floor: float | None
    ceiling: float | None


class Plausibility(NamedTuple):
    """A model's energy in terms that can be judged; None where price, speed or size is unknown."""

    fact: EnergyCoefficient
    facility_kwh_per_usd: float | None
    """Of output, at the PUE at which prices are compared."""
    watts_per_accelerator: float | None
    """At the published speed, the method's mid batch and the accelerators that the weights need."""
    floor_wh_per_ktoken: float | None
    ceiling_wh_per_ktoken: float | None
    """Of output, at `it`; None where anyone may host the weights."""
    findings: tuple[Finding, ...]


def latest_method(registry: Registry) -> SizeMethod | None:
    """The method by which sizes become energy: of several, the one published last; None where there is none."""
    return max(registry.current(SizeMethod), key=lambda fact: (fact.published, fact.id), default=None)


def plausibility_of_all(
    registry: Registry, tokens_per_s: Mapping[str, float], limits: Limits
) -> tuple[Plausibility, ...]:
    """Each current energy fact with a price or a size, held against the limits.

    Args:
        registry: the facts.
        tokens_per_s: model in lower case to the output tokens a second that one request gets.
        limits: what is plausible.
    """
    method = latest_method(registry)
    facts = [fact for fact in registry.current(EnergyCoefficient) if fact.output_usd_per_mtok or fact.total_b_high]
    if method is None:
        return ()
    order = _order_findings(facts, limits)
    return tuple(_plausibility(method, fact, tokens_per_s, limits, order.get(fact.id, ())) for fact in facts)


def findings_of(plausibilities: Sequence[Plausibility]) -> tuple[Finding, ...]:
    """All findings, in their order."""
    return tuple(finding for each in plausibilities for finding in each.findings)


def _plausibility(
    method: SizeMethod,
    fact: EnergyCoefficient,
    tokens_per_s: Mapping[str, float],
    limits: Limits,
    order: Sequence[Finding],
) -> Plausibility:
    mid, price = fact.output_wh_per_ktoken.mid, fact.output_usd_per_mtok
    per_usd = mid * method.facility_per_it / price if price and mid else None  # Wh per 1,000 is kWh per million
    speed = next((tokens_per_s[name.lower()] for name in fact.models if name.lower() in tokens_per_s), None)
    watts = _watts(method, fact, speed, limits) if speed else None
    floor = floor_wh_per_ktoken(method, fact.active_b_low) if fact.active_b_low and mid else None
    ceiling = ceiling_wh_per_ktoken(method, fact.developer, price) if price and mid and not fact.open_weights else None
    codes = _codes(method, limits, mid, per_usd, watts, _FloorAndCeiling(floor, ceiling))
    found = (*(Finding(code, fact.id) for code in codes), *order)
    return Plausibility(fact, per_usd, watts, floor, ceiling, found)


def _codes(
    method: SizeMethod, limits: Limits, mid: float, per_usd: float | None, watts: float | None, bounds: _FloorAndCeiling
) -> Iterator[str]:
    if per_usd is not None and per_usd < method.least_kwh_per_usd * (1 - ROUNDED):
        yield PRICE_LOW
    if per_usd is not None and per_usd > method.kwh_per_usd * (1 + ROUNDED):
        yield PRICE_HIGH
    if watts is not None and watts > limits.accelerator_watts:
        yield WATTS_HIGH
    floor, ceiling = bounds
    if floor is not None and mid < floor * (1 - ROUNDED):
        yield MID_BELOW_FLOOR
    if ceiling is not None and mid > ceiling * (1 + ROUNDED):
        yield MID_ABOVE_CEILING


def _watts(method: SizeMethod, fact: EnergyCoefficient, tokens_per_s: float, limits: Limits) -> float | None:
    """Watts of one accelerator.

    Formula: `accelerators' joules per token * tokens_per_s * batch / accelerators`.
    """
    if not (fact.total_b_low and fact.total_b_high):
        return None
    joules = fact.output_wh_per_ktoken.mid / method.it_per_accelerator.mid * JOULES_PER_WH / TOKENS_PER_KTOKEN
    count = accelerators_for(geometric_mean(fact.total_b_low, fact.total_b_high), limits)
    return joules * tokens_per_s * method.batch.mid / count


def accelerators_for(total_b: float, limits: Limits) -> int:
    """How many accelerators hold the weights: the next power of two; parameters in billions."""
    gigabytes = limits.memory_overhead * total_b * limits.weight_bits / 8
    return 1 << ceil(log2(max(1, ceil(gigabytes / limits.accelerator_memory_gb))))


def _order_findings(facts: Sequence[EnergyCoefficient], limits: Limits) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, tuple[Finding, ...]] = {}
    for smaller, larger in sibling_pairs(facts, limits.size_words):
        for code, amount_of in ((SMALLER_ABOVE_LARGER, _mid_wh_per_ktoken), (SIZE_ABOVE_LARGER, _active_b)):
            if amount_of(smaller) > amount_of(larger) > 0.0:
                found[smaller.id] = (*found.get(smaller.id, ()), Finding(code, smaller.id, larger.id))
    return found


def _mid_wh_per_ktoken(fact: EnergyCoefficient) -> float:
    return fact.output_wh_per_ktoken.mid


def _active_b(fact: EnergyCoefficient) -> float:
    return geometric_mean(fact.active_b_low or 0.0, fact.active_b_high or 0.0)
