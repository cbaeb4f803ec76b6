"""The recording rules for every Prometheus that scrapes us: what was used in each minute and each hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon import metric_names
from otel_carbon.budgets.promql import grown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.metric_names import Metric

INTERVAL_S = 60
"""How often the rules are evaluated; the `1m` in the names of what grew."""
MINUTE, HOUR = "increase1m", "increase1h"
_HOUR_RANGE = "3599s"
"""A second less: a sample that is exactly an hour old counts in some versions of Prometheus and not in others."""
_OF_ONE_PROCESS = "instance, pod, container, endpoint, otel_scope_name, otel_scope_version, otel_scope_schema_url"
"""Labels that tell processes apart, which come and go; all others are kept, those of your own too."""
_STATUS, _REASON = ours.STATUS.replace(".", "_"), ours.REASON.replace(".", "_")
COVERAGE_BY = "deployment_environment_name, service_name"
INTENSITY_BY = "gen_ai_provider_name, gen_ai_response_model, otel_carbon_region"


class Amount(NamedTuple):
    """A counter in the unit that people read."""

    name: str
    metric: Metric
    scale: str = ""


AMOUNTS = (
    Amount("energy_kilowatt_hours", metric_names.ENERGY, " / 3600000"),
    Amount("energy_low_kilowatt_hours", metric_names.ENERGY_LOW, " / 3600000"),
    Amount("energy_high_kilowatt_hours", metric_names.ENERGY_HIGH, " / 3600000"),
    Amount("emissions_kilograms", metric_names.EMISSIONS, " / 1000"),
    Amount("emissions_low_kilograms", metric_names.EMISSIONS_LOW, " / 1000"),
    Amount("emissions_high_kilograms", metric_names.EMISSIONS_HIGH, " / 1000"),
    Amount("water_liters", metric_names.WATER),
    Amount("water_low_liters", metric_names.WATER_LOW),
    Amount("water_high_liters", metric_names.WATER_HIGH),
    Amount("tokens", metric_names.TOKENS),
    Amount("operations", metric_names.OPERATIONS),
    Amount("matched_operations", metric_names.MATCHED_OPERATIONS),
)


def recorded(name: str, operation: str) -> str:
    """The name of a recorded series."""
    return f"{ours.ROOT}:{name}:{operation}"


def recording_rules() -> Iterator[tuple[str, str]]:
    """Name and PromQL of each rule, each after those that it reads."""
    for amount in AMOUNTS:
        added = grown(amount.metric.prometheus_name, INTERVAL_S).replace("\n  ", "\n    ")
        yield recorded(amount.name, MINUTE), f"sum without ({_OF_ONE_PROCESS}) (\n  {added}\n){amount.scale}"
    for amount in AMOUNTS:
        yield recorded(amount.name, HOUR), f"sum_over_time({recorded(amount.name, MINUTE)}[{_HOUR_RANGE}])"
    yield recorded("emissions_grams_per_1000_tokens", "rate1h"), _intensity()
    yield recorded("coverage", "ratio_rate1h"), _coverage()


def _intensity() -> str:
    """Emissions of calls by their own tokens: those of calls without a figure carry no tier and are left out."""
    tier = ours.TIER.replace(".", "_")
    grams = f"sum by ({INTENSITY_BY}) ({recorded('emissions_kilograms', HOUR)}) * 1000"
    tokens = f'sum by ({INTENSITY_BY}) ({recorded("tokens", HOUR)}{{{tier}!=""}})'
    return f"{grams}\n  / ({tokens} > 0) * 1000"


def _coverage() -> str:
    """The share of calls with a figure, of those that a model ran for; nothing where there were no calls."""
    calls = recorded("operations", HOUR)
    of_models = f'sum by ({COVERAGE_BY}) ({calls}{{{_REASON}!="cache_hit"}})'
    estimated = f'sum by ({COVERAGE_BY}) ({calls}{{{_STATUS}="estimated"}})'
    return f"(\n  {estimated}\n    or 0 * {of_models}\n)\n  / ({of_models} > 0)"
