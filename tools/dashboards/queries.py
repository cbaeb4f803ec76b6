"""PromQL of the panels, from the names in `semconv/` and those of the recording rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon import metric_names as names
from tools.prometheus_rules import HOUR, MINUTE, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.metric_names import Metric

BOUNDS = ("low", "mid", "high")
REASON_WITHOUT_INFERENCE = "cache_hit"
_SECONDS_PER_HOUR = 3600


def label_of(attribute: str) -> str:
    """How Prometheus writes the key of an attribute."""
    return attribute.replace(".", "_")


PROVIDER = label_of("gen_ai.provider.name")
MODEL = label_of("gen_ai.response.model")
REGION = label_of(ours.REGION)
TIER = label_of(ours.TIER)
TENANT = label_of(ours.TENANT)
SERVICE = label_of("service.name")
ENVIRONMENT = label_of("deployment.environment.name")
STATUS = label_of(ours.STATUS)
REASON = label_of(ours.REASON)
VERDICT = label_of(ours.VERDICT)
OBSERVED_SCOPE = label_of(ours.OBSERVED_SCOPE)
DIALECT = label_of(ours.DIALECT)
TOKEN_TYPE = label_of(ours.TOKEN_TYPE)
MATCH = label_of(ours.MATCH)

VARIABLES: Mapping[str, str] = {
    "environment": ENVIRONMENT,
    "service": SERVICE,
    "tenant": TENANT,
    "provider": PROVIDER,
    "model": MODEL,
    "region": REGION,
}
"""The label that each variable of the dashboards filters by."""
_SCOPE = tuple(f'{label}=~"${name}"' for name, label in VARIABLES.items())


@dataclass(frozen=True, slots=True)
class Amount:
    """One modelled amount: its counters, its recorded growth, and how both are shown.

    Attributes:
        counters: low, mid and high.
        recorded: what stands in the names of its recording rules, as a pattern for the bound.
        shown_from_recorded: factor from the unit of the rules to the unit that is shown.
        shown_from_rate: factor from the growth per second to what is shown.
        unit: Grafana's unit of a total.
        unit_of_rate: Grafana's unit of the rate.
    """

    counters: tuple[Metric, Metric, Metric]
    recorded: str
    shown_from_recorded: int
    shown_from_rate: int
    unit: str
    unit_of_rate: str


CO2E = Amount(
    (names.EMISSIONS_LOW, names.EMISSIONS, names.EMISSIONS_HIGH),
    "emissions{bound}_kilograms",
    1000,
    _SECONDS_PER_HOUR,
    "si:gCO2e",
    "si:gCO2e/h",
)
ENERGY = Amount(
    (names.ENERGY_LOW, names.ENERGY, names.ENERGY_HIGH), "energy{bound}_kilowatt_hours", 1000, 1, "watth", "watt"
)
WATER = Amount(
    (names.WATER_LOW, names.WATER, names.WATER_HIGH), "water{bound}_liters", 1, _SECONDS_PER_HOUR, "litre", "si:L/h"
)


def scoped(name: str, *more: str) -> str:
    """The series of a metric that the variables choose, and for which more matchers hold."""
    return f"{name}{{{','.join((*_SCOPE, *more))}}}"


def chosen(name: str, variables: tuple[str, ...], *more: str) -> str:
    """The same for a metric that has the labels of some variables only."""
    matchers = (f'{VARIABLES[each]}=~"${each}"' for each in variables)
    return f"{name}{{{','.join((*matchers, *more))}}}"


def sum_by(labels: tuple[str, ...], expression: str) -> str:
    """A sum that keeps the labels."""
    return f"sum by ({', '.join(labels)}) ({expression})" if labels else f"sum({expression})"


def grown(series: str, *, at_end: bool = False, before: bool = False) -> str:
    """What recorded growth adds up to in the shown range, in the one before it, or at every step in the last one."""
    return f"sum_over_time({series}[$__range]{' @ end()' * at_end}{' offset $__range' * before})"


def total(
    amount: Amount, bound: str = "mid", by: tuple[str, ...] = (), *, at_end: bool = False, before: bool = False
) -> str:
    """An amount in the shown range, in its unit."""
    series = scoped(recorded(_recorded_name(amount, bound), MINUTE))
    return _times(sum_by(by, grown(series, at_end=at_end, before=before)), amount.shown_from_recorded)


def per_hour(amount: Amount, bound: str = "mid", by: tuple[str, ...] = ()) -> str:
    """An amount in the hour before each moment, in its unit."""
    series = scoped(recorded(_recorded_name(amount, bound), HOUR))
    return _times(sum_by(by, series), amount.shown_from_recorded)


def pace(amount: Amount, bound: str = "mid", by: tuple[str, ...] = ()) -> str:
    """How fast an amount grows at the moment, in its unit of a rate."""
    counter = amount.counters[BOUNDS.index(bound)].prometheus_name
    return _times(sum_by(by, f"rate({scoped(counter)}[$__rate_interval])"), amount.shown_from_rate)


def count(quantity: str, *more: str, by: tuple[str, ...] = ()) -> str:
    """Calls (`operations`) or `tokens` in the shown range."""
    return sum_by(by, grown(scoped(recorded(quantity, MINUTE), *more)))


def hourly(counter: Metric, *more: str, by: tuple[str, ...] = ()) -> str:
    """How much is counted in an hour at the pace of the moment."""
    return _times(sum_by(by, f"rate({scoped(counter.prometheus_name, *more)}[$__rate_interval])"), _SECONDS_PER_HOUR)


def per_thousand_tokens(amount: Amount, bound: str = "mid", by: tuple[str, ...] = ()) -> str:
    """An amount for 1,000 tokens of calls with a figure."""
    tokens = count("tokens", f'{TIER}!=""', by=by)
    return f"{total(amount, bound, by)} / ({tokens} > 0) * 1000"


def coverage(by: tuple[str, ...] = ()) -> str:
    """Share of the calls that have a figure; what a cache answered needs none. 0 where no call has one."""
    every = count("operations", f'{REASON}!="{REASON_WITHOUT_INFERENCE}"', by=by)
    estimated = count("operations", f'{STATUS}="{ours.STATUS_ESTIMATED}"', by=by)
    return f"({estimated} or 0 * {every}) / ({every} > 0)"


def change(amount: Amount, by: tuple[str, ...]) -> str:
    """What an amount is more, or less, than in the range before; what is new or gone counts as zero there."""
    return _difference(total(amount, by=by), total(amount, by=by, before=True))


def change_of_count(quantity: str, by: tuple[str, ...]) -> str:
    """The same for calls (`operations`) or `tokens`."""
    series = scoped(recorded(quantity, MINUTE))
    return _difference(*(sum_by(by, grown(series, before=earlier)) for earlier in (False, True)))


def largest(expression: str, amount: Amount, by: tuple[str, ...], limit: int = 10) -> str:
    """The series of an expression by the same labels that have most of an amount in the shown range."""
    return f"{expression} and topk({limit}, {total(amount, by=by, at_end=True)})"


def named(expression: str, label: str, text: str = "unknown") -> str:
    """The same with a text where a label is absent."""
    return f'label_replace({expression}, "{label}", "{text}", "{label}", "")'


def share(part: str, whole: str) -> str:
    """A part of a whole that is more than zero."""
    return f"{part} / ({whole} > 0)"


def _difference(now: str, before: str) -> str:
    return f"({now} or 0 * {before}) - ({before} or 0 * {now})"


def _recorded_name(amount: Amount, bound: str) -> str:
    return amount.recorded.format(bound="" if bound == "mid" else f"_{bound}")


def _times(expression: str, factor: int) -> str:
    return expression if factor == 1 else f"{expression} * {factor}"
