"""The series of a budget: limit, used, remaining, burn rates and forecast.

`used` of a calendar window is an accumulator: what the last evaluation recorded, plus what counters have grown by
since, and anew from there when a window begins. PromQL has no range that begins with a month, and this one telescopes:
growth is taken from sample to sample, so no part of it is lost, counted twice or extrapolated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.budgets.burn_defaults import pace_s
from otel_carbon.budgets.calendar_rules import DAYS, REMAINING, START, RecordingRule, of_window
from otel_carbon.budgets.fields import duration_text
from otel_carbon.budgets.promql import increase_since_last_evaluation, number, selector
from otel_carbon.budgets.windows import DAY_S, CalendarWindow, RollingWindow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.budgets.model import Budget, Measure

INCREASE = "otel_carbon_budget:increase"
USED_START = "otel_carbon_budget:used_window_start_seconds"
LIMIT = "otel_carbon_budget_limit"
USED = "otel_carbon_budget_used"
REMAINS = "otel_carbon_budget_remaining"
FORECAST = "otel_carbon_budget_forecast"
BURN_RATE = "otel_carbon_budget_burn_rate"
FORECAST_NEEDS = 10
"""A forecast needs samples of a tenth of the time that its pace is taken over."""
CARRIED = "7d"
"""How long a Prometheus may be away and still know what a budget had used."""


def series(name: str, budget: Budget, measure: Measure, **labels: str) -> str:
    """The series of a name for a budget in one unit; the owner may have changed and is left out."""
    wanted = {"budget": budget.name, "unit": measure.unit, **labels}
    return selector(name, {key: (text,) for key, text in wanted.items()})


def budget_rules(budget: Budget, measure: Measure, interval_s: int) -> Iterator[RecordingRule]:
    """The series of a budget in one unit, each after those that it reads."""
    inner = {"budget": budget.name, "unit": measure.unit}
    labels = {**inner, "owner": budget.owner}
    limit, used = series(LIMIT, budget, measure), series(USED, budget, measure)
    yield RecordingRule(INCREASE, increase_since_last_evaluation(budget, measure, interval_s), inner)
    yield RecordingRule(LIMIT, f"vector({number(measure.limit)})", labels)
    if isinstance(budget.window, CalendarWindow):
        yield RecordingRule(USED, _used_since_start(budget, measure, budget.window), labels)
        yield RecordingRule(USED_START, f"{of_window(START, budget.window)} and on () {used}", inner)
    else:
        yield RecordingRule(USED, _increase_over(budget, measure, budget.window.length_s), labels)
    yield RecordingRule(REMAINS, f"{limit} - on () {used}", labels)
    for window_s in sorted({each for rate in budget.burn_rates for each in (rate.long_s, rate.short_s)}):
        expr = _burn_rate(budget, measure, window_s)
        yield RecordingRule(BURN_RATE, expr, {**labels, "window": duration_text(window_s)})
    yield RecordingRule(FORECAST, _forecast(budget, measure, interval_s), labels)


def _increase_over(budget: Budget, measure: Measure, duration_s: int) -> str:
    # A second less: otherwise a sample that is exactly so old counts in some versions of Prometheus and not in others.
    return f"sum_over_time({series(INCREASE, budget, measure)}[{duration_s - 1}s])"


def _used_since_start(budget: Budget, measure: Measure, window: CalendarWindow) -> str:
    added = series(INCREASE, budget, measure)
    before = f"max(last_over_time({series(USED, budget, measure)}[{CARRIED}]))"
    began = f"max(last_over_time({series(USED_START, budget, measure)}[{CARRIED}]))"
    carried = f"({before} and on () ({began} == on () {of_window(START, window)}))"
    return f"({added} or on () 0 * {carried})\n  + on () {carried}\nor on () {added}"


def _burn_rate(budget: Budget, measure: Measure, duration_s: int) -> str:
    """How many times faster than the pace that uses the limit up exactly at the end of the window."""
    added = _increase_over(budget, measure, duration_s)
    if isinstance(budget.window, RollingWindow):
        return f"{added} * {number(budget.window.length_s / (duration_s * measure.limit))}"
    per_day = number(DAY_S / (duration_s * measure.limit))
    return f"{added} * {per_day} * on () {of_window(DAYS, budget.window)}"


def _forecast(budget: Budget, measure: Measure, interval_s: int) -> str:
    """What the window comes to when the pace of the last time goes on to its end; nothing from a few samples."""
    back_s = pace_s(budget.window.nominal_s)
    added = f"{series(INCREASE, budget, measure)}[{back_s - 1}s]"
    enough = number(float(-(-back_s // (interval_s * FORECAST_NEEDS))))
    per_second = f"(avg_over_time({added}) / {interval_s} and count_over_time({added}) >= {enough})"
    if isinstance(budget.window, RollingWindow):
        return f"{per_second} * {budget.window.length_s}"
    used = series(USED, budget, measure)
    return f"{used} + on () ({per_second} * on () {of_window(REMAINING, budget.window)})"
