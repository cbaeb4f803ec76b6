"""PromQL texts: literals that nothing can break out of, selectors, and what counters have grown by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon import metric_names
from otel_carbon.budgets.model import Bound, Quantity
from otel_carbon.budgets.scopes import prometheus_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.budgets.model import Budget, Measure, Term

LOOKBACK = "1h"
"""How far back the last sample of a counter is looked for, so that a gap up to that long is caught up."""
SETTLED_S = 3
"""How long ago the samples are that growth is taken from: longer than a scrape takes."""
COUNTERS = {
    (Quantity.ENERGY, Bound.MID): metric_names.ENERGY,
    (Quantity.ENERGY, Bound.HIGH): metric_names.ENERGY_HIGH,
    (Quantity.EMISSIONS, Bound.MID): metric_names.EMISSIONS,
    (Quantity.EMISSIONS, Bound.HIGH): metric_names.EMISSIONS_HIGH,
    (Quantity.WATER, Bound.MID): metric_names.WATER,
    (Quantity.WATER, Bound.HIGH): metric_names.WATER_HIGH,
    (Quantity.TOKENS, Bound.MID): metric_names.TOKENS,
    (Quantity.TOKENS, Bound.HIGH): metric_names.TOKENS,
}
EVERY_TARGET = metric_names.DROPPED_SERIES.prometheus_name
"""A counter that whoever serves ours serves from the start on, even before any call."""
_TOKEN_KIND = ours.TOKEN_TYPE.replace(".", "_")
_IN_EXPRESSIONS = frozenset(r"\.+*?()|[]{}^$")


def string(text: str) -> str:
    """A text as a PromQL string; what is not printable is written as an escape."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def matcher(label: str, values: tuple[str, ...]) -> str:
    """A label that has one of some values, taken literally."""
    if len(values) == 1:
        return f"{label}={string(values[0])}"
    pattern = "|".join("".join(f"\\{each}" if each in _IN_EXPRESSIONS else each for each in one) for one in values)
    return f"{label}=~{string(pattern)}"


def selector(name: str, labels: Mapping[str, tuple[str, ...]]) -> str:
    """The series of a name with one of some values for each label."""
    inner = ",".join(matcher(label, values) for label, values in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name


def number(value: float) -> str:
    """A number as PromQL reads it, exactly."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def counter(budget: Budget, term: Term) -> str:
    """The series of a counter that a budget is about."""
    labels = {prometheus_label(name): values for name, values in budget.scope.items()}
    if term.token_kind is not None:
        labels[_TOKEN_KIND] = (term.token_kind,)
    return selector(COUNTERS[term.quantity, budget.bound].prometheus_name, labels)


def increase_since_last_evaluation(budget: Budget, measure: Measure, interval_s: int) -> str:
    """What has been added between two evaluations, in the unit of the measure."""
    return _sum([_scaled(f"({grown(counter(budget, term), interval_s)})", term) for term in measure.terms])


def grown(counter_series: str, interval_s: int) -> str:
    """What each series of a counter has grown by between two evaluations: sample by sample, no extrapolation.

    A series that fell was started anew and counts from zero. One that was not there counts from zero as well when
    its target was known already; the first sample of a new target only tells from where on to count.

    Both ends are a few seconds ago. A scrape that is under way at an evaluation has its sample at the time at which it
    began: missing now, and there when this moment is looked at as the one before, it would be in no growth at all.
    """
    back = f"[{LOOKBACK}] offset {interval_s + SETTLED_S}s"
    known, before = (f"last_over_time({each}{back})" for each in (EVERY_TARGET, counter_series))
    # Not the value of a moment, which is none after a failed scrape: what came before it would be in no growth.
    last = f"last_over_time({counter_series}[{LOOKBACK}] offset {SETTLED_S}s)"
    return f"{last} - {before} >= 0\n  or {last} and on (job, instance) {known}"


def increase_over(budget: Budget, measure: Measure, duration_s: int) -> str:
    """What was added in the last so many seconds, as Prometheus' own `increase` estimates it from the counters."""
    parts = [_scaled(f"increase({counter(budget, term)}[{duration_s}s])", term) for term in measure.terms]
    return _sum(parts)


def _scaled(expression: str, term: Term) -> str:
    return expression if term.per_counted == 1.0 else f"{expression} * {number(term.per_counted)}"


def _sum(parts: list[str]) -> str:
    body = "\n  or\n  ".join(parts)
    return f"sum(\n  {body}\n)"
