"""The alerts of a budget: thresholds of its amount, and the pace at which it is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.budgets.fields import duration_text
from otel_carbon.budgets.model import SPENT, Bound, Quantity, Severity
from otel_carbon.budgets.promql import number
from otel_carbon.budgets.recording_rules import BURN_RATE, USED, series
from otel_carbon.budgets.scopes import scope_text, shown_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.budgets.model import Budget, BurnRate, Measure

ALL_BUT_ROUNDING = "0.999999999"
"""A sum of many small amounts may end a hair below the amount that it is."""
THRESHOLD_ALERT = "OtelCarbonBudgetThreshold"
BURN_RATE_ALERT = "OtelCarbonBudgetBurnRate"


class AlertingRule(NamedTuple):
    """A condition that somebody is told of; annotations are templates."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


def budget_alerts(budget: Budget, measure: Measure, runbooks: str) -> Iterator[AlertingRule]:
    """The alerts of a budget in one unit; `runbooks` is what comes before the name of a page."""
    for share in budget.thresholds:
        yield _threshold(budget, measure, share, runbooks)
    for rate in budget.burn_rates:
        yield _burn_rate(budget, measure, rate, runbooks)


def _threshold(budget: Budget, measure: Measure, share: float, runbooks: str) -> AlertingRule:
    used, limit = _amount("$value", measure), f"{_plain(measure.limit)} {measure.unit}"
    severity = Severity.PAGE if share >= SPENT else Severity.TICKET
    return AlertingRule(
        THRESHOLD_ALERT,
        f"{series(USED, budget, measure)} >= {number(measure.limit * share)} * {ALL_BUT_ROUNDING}",
        {**_identity(budget, measure), "severity": severity.value, "threshold": f"{share:g}"},
        {
            "summary": f"Budget {budget.name} has used {share:.0%} or more of {limit}",
            "description": f"{used} of {limit} used, {_kind(budget, measure)}; window: {budget.window.text}.",
            "used": used,
            **_facts(budget, measure, THRESHOLD_ALERT, runbooks),
        },
    )


def _burn_rate(budget: Budget, measure: Measure, rate: BurnRate, runbooks: str) -> AlertingRule:
    long, short = duration_text(rate.long_s), duration_text(rate.short_s)
    factor = number(rate.factor)
    conditions = [f"{series(BURN_RATE, budget, measure, window=each)} > {factor}" for each in (long, short)]
    share = rate.factor * rate.long_s / budget.window.nominal_s
    # Template strings stand in backquotes: the selector holds quotes.
    query, amount = series(USED, budget, measure), _amount("(. | first | value)", measure)
    used = f"{{{{ with query `{query}` }}}}{amount}{{{{ end }}}}"
    return AlertingRule(
        BURN_RATE_ALERT,
        f"{conditions[0]}\n  and on (budget, unit) {conditions[1]}",
        {**_identity(budget, measure), "severity": rate.severity.value},
        {
            "summary": f'Budget {budget.name} is spent {{{{ printf "%.3g" $value }}}} times as fast as it lasts',
            "description": (
                f"Over the last {long} and the last {short} more than {factor} times the pace that lasts until the end "
                f"of the window; {long} at {factor} take about {share:.1%} of the budget. Used so far: {used} of "
                f"{_plain(measure.limit)} {measure.unit}, {_kind(budget, measure)}; window: {budget.window.text}."
            ),
            "used": used,
            **_facts(budget, measure, BURN_RATE_ALERT, runbooks),
        },
    )


def _identity(budget: Budget, measure: Measure) -> dict[str, str]:
    """What the series has anyway, said again, because rules must differ in their own labels."""
    return {"budget": budget.name, "unit": measure.unit}


def _facts(budget: Budget, measure: Measure, alert: str, runbooks: str) -> dict[str, str]:
    return {
        "limit": f"{_plain(measure.limit)} {measure.unit}",
        "scope": template_text(scope_text(budget.scope)),
        "owner": template_text(shown_text(budget.owner)),
        "runbook_url": template_text(f"{runbooks}{alert}.md"),
    }


def template_text(text: str) -> str:
    """A text for a template of Prometheus, in which nothing of it is taken for an action."""
    return text.replace("{", '{{"{"}}')


def _amount(value: str, measure: Measure) -> str:
    """An amount in a template; whole tokens, else four digits."""
    form = "%.0f" if measure.unit == "tokens" else "%.4g"
    return f'{{{{ printf "{form}" {value} }}}} {measure.unit}'


def _plain(limit: float) -> str:
    return f"{limit:,.0f}".replace(",", "") if limit.is_integer() else f"{limit:g}"


def _kind(budget: Budget, measure: Measure) -> str:
    if measure.unit != budget.unit.name:
        return "at your prices"
    if budget.unit.quantity is Quantity.TOKENS:
        return "as counted"
    return "modelled, upper bound" if budget.bound is Bound.HIGH else "modelled, middle of its range"
