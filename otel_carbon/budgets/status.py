"""Where budgets stand: from the series of their rules, or from the counters where no rules run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon import metric_names
from otel_carbon.budgets.burn_defaults import pace_s
from otel_carbon.budgets.fields import duration_text
from otel_carbon.budgets.model import SPENT
from otel_carbon.budgets.promql import increase_over
from otel_carbon.budgets.recording_rules import BURN_RATE, FORECAST, USED
from otel_carbon.budgets.windows import RollingWindow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from otel_carbon.budgets.model import Budget, Budgets, DeclaredLabel, Measure
    from otel_carbon.budgets.prometheus import Prometheus, Sample

FROM_RULES = "rules"
FROM_COUNTERS = "counters"
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """Where a budget stands in one unit; amounts are in that unit, and None where nothing is known.

    Attributes:
        used: since the window began.
        forecast: at the end of the window, when the pace of the last time goes on.
        burn_rates: by window, how many times faster it is spent than it lasts.
        source: `rules` or `counters`; empty when there is nothing.
    """

    budget: Budget
    measure: Measure
    used: float | None
    forecast: float | None
    burn_rates: dict[str, float]
    source: str

    @property
    def remaining(self) -> float | None:
        """What is left; below zero when more than the amount was used."""
        return None if self.used is None else self.measure.limit - self.used

    @property
    def share(self) -> float | None:
        """The part of the amount that is used; 1 is all of it."""
        return None if self.used is None else self.used / self.measure.limit

    @property
    def is_spent(self) -> bool:
        """Whether the amount is used up."""
        return self.share is not None and self.share >= SPENT


def statuses_of(budgets: Budgets, prometheus: Prometheus, now: datetime) -> tuple[BudgetStatus, ...]:
    """The status of each budget in each of its units.

    Raises:
        PrometheusUnavailable: it does not answer, so that nothing can be said.
    """
    recorded = _Recorded(prometheus)
    return tuple(
        recorded.status(budget, measure) or _from_counters(budget, measure, prometheus, now)
        for budget in budgets.budgets
        for measure in budget.measures
    )


def overflowing_labels(budgets: Budgets, prometheus: Prometheus) -> Iterator[tuple[DeclaredLabel, int]]:
    """The user's own labels that have more values than they were bounded to, with how many they have.

    Raises:
        PrometheusUnavailable: it does not answer.
    """
    for label in budgets.labels:
        # Every series has every label in PromQL; an empty one is none.
        series = f'{metric_names.OPERATIONS.prometheus_name}{{{label.name}!=""}}'
        counted = prometheus.query(f"count(count by ({label.name}) ({series}))")
        if counted and counted[0].value > label.max_values:
            yield label, int(counted[0].value)


class _Recorded:
    """What the rules have recorded, asked for once for all budgets."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._used = {_key(sample): sample.value for sample in prometheus.query(USED)}
        self._forecasts = {_key(sample): sample.value for sample in prometheus.query(FORECAST)} if self._used else {}
        self._burn_rates = prometheus.query(BURN_RATE) if self._used else ()

    def status(self, budget: Budget, measure: Measure) -> BudgetStatus | None:
        key = (budget.name, measure.unit)
        used = self._used.get(key)
        if used is None:
            return None
        rates = {each.labels.get("window", ""): each.value for each in self._burn_rates if _key(each) == key}
        wanted = {text: rates[text] for text in _windows(budget) if text in rates}
        return BudgetStatus(budget, measure, used, self._forecasts.get(key), wanted, FROM_RULES)


def _key(sample: Sample) -> _Key:
    return sample.labels.get("budget", ""), sample.labels.get("unit", "")


def _windows(budget: Budget) -> dict[str, int]:
    """The burn-rate windows of a budget, in seconds by their text, the shortest first."""
    return {duration_text(each): each for each in sorted({w for rate in budget.burn_rates for w in rate[:2]})}


def _from_counters(budget: Budget, measure: Measure, prometheus: Prometheus, now: datetime) -> BudgetStatus:
    def added(duration_s: int) -> float | None:
        samples = prometheus.query(increase_over(budget, measure, duration_s))
        return samples[0].value if samples else None

    start, end = budget.window.bounds(now)
    used = added(max(1, int((now - start).total_seconds())))
    if used is None:
        return BudgetStatus(budget, measure, None, None, {}, "")
    back_s, length_s = pace_s(budget.window.nominal_s), (end - start).total_seconds()
    per_second = (added(back_s) or 0.0) / back_s
    rolling = isinstance(budget.window, RollingWindow)
    forecast = per_second * length_s if rolling else used + per_second * (end - now).total_seconds()
    rates = {
        text: (added(window_s) or 0.0) * length_s / (window_s * measure.limit)
        for text, window_s in _windows(budget).items()
    }
    return BudgetStatus(budget, measure, used, forecast, rates, FROM_COUNTERS)
