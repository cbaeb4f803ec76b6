"""Where budgets stand by what one process counts, and rows of text by which that outlives the process."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.budgets.scopes import matches
from otel_carbon.budgets.spent import SpentMeasure, amount_of
from otel_carbon.budgets.windows import CalendarWindow
from otel_carbon.metrics.labels import DEFAULT_MAX_SERIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from otel_carbon.budgets.model import Budget, Measure
    from otel_carbon.metrics.labels import SeriesLabels
    from otel_carbon.metrics.totals import Snapshot

_BUDGETS = "budgets"
_logger = logging.getLogger(__name__)


class Standing(NamedTuple):
    """Where a budget stands in one of its units.

    Attributes:
        used: since `start` or, where that is later, since `counted_since`; in the unit of the measure.
        start: when the window began.
        end: when the next one begins; None for a window that moves along.
        counted_since: from when on this process, or those before it, counted.
    """

    budget: Budget
    measure: Measure
    used: float
    start: datetime
    end: datetime | None
    counted_since: datetime

    @property
    def is_whole(self) -> bool:
        """Whether all of the window was counted."""
        return self.counted_since <= self.start

    @property
    def share(self) -> float:
        """The part of the amount that is used; 1 is all of it."""
        return self.used / self.measure.limit


class BudgetWatch:
    """Follows budgets from look to look: a window begins at the first look in it; for one thread at a time.

    Its rows must be saved with the totals or before them: what is used is what they have grown by.

    Args:
        budgets: what to watch.
        name: tells the rows of several watches apart.
    """

    def __init__(self, budgets: Sequence[Budget], name: str) -> None:
        self._budgets = budgets
        self._name = name
        self._rows = _ScopedRows(budgets)
        self._spent: list[SpentMeasure] = []
        self._restored: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._saved_marks: dict[str, tuple[object, ...]] = {}

    def look(self, snapshot: Snapshot, now: datetime) -> tuple[Standing, ...]:
        """Take in new totals, and tell where every budget stands."""
        if not self._spent:
            self._begin(snapshot, now)
        rows = self._rows.by_budget(snapshot)
        for spent in self._spent:
            amount = amount_of(rows.get(spent.budget.name, ()), spent.budget, spent.measure)
            spent.advance_to(amount, now)
        return tuple(_standing(spent, now) for spent in self._spent)

    def changed_rows(self) -> dict[str, str]:
        """The rows that have changed since the last call, in no more detail than a later process needs."""
        rows = {}
        for spent in self._spent:
            key = self._key(spent.budget, spent.measure)
            if self._saved_marks.get(key) != spent.marks:
                self._saved_marks[key] = spent.marks
                rows[key] = json.dumps([_what_it_is(spent.budget), spent.saved()])
        return rows

    def restore(self, rows: Mapping[str, str]) -> None:
        """Keep the rows of an earlier process for the first look; what cannot be read begins anew."""
        for budget in self._budgets:
            for measure in budget.measures:
                key = self._key(budget, measure)
                if key in rows:
                    with _forgotten_if_unreadable(budget):
                        what, state = json.loads(rows[key])
                        self._restored[key] = (what, state)

    def _begin(self, snapshot: Snapshot, now: datetime) -> None:
        for budget in self._budgets:
            for measure in budget.measures:
                spent = SpentMeasure(budget, measure, snapshot, now)
                what, state = self._restored.get(self._key(budget, measure), ("", {}))
                if what == _what_it_is(budget):  # one that changed begins anew
                    with _forgotten_if_unreadable(budget):
                        spent.restore(state)
                self._spent.append(spent)
        self._restored = {}

    def _key(self, budget: Budget, measure: Measure) -> str:
        return json.dumps([_BUDGETS, self._name, budget.name, measure.unit])


@contextmanager
def _forgotten_if_unreadable(budget: Budget) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, LookupError):
        _logger.exception("budget %s: what was saved of it cannot be read; it is counted anew", budget.name)


class _ScopedRows:
    """Rows of totals by the budgets whose scope they are in; which those are is found out once for each label set."""

    def __init__(self, budgets: Sequence[Budget]) -> None:
        self._budgets = budgets
        self._names: dict[SeriesLabels, tuple[str, ...]] = {}

    def by_budget(self, snapshot: Snapshot) -> dict[str, list[list[float]]]:
        """The rows of each budget that has any."""
        if len(self._names) > 2 * DEFAULT_MAX_SERIES:  # more than there are, so most of them are of the past
            self._names.clear()
        found: dict[str, list[list[float]]] = {}
        for labels, row in snapshot.rows.items():
            names = self._names.get(labels)
            if names is None:
                names = tuple(each.name for each in self._budgets if matches(each.scope, labels))
                self._names[labels] = names
            for name in names:
                found.setdefault(name, []).append(row)
        return found


def _standing(spent: SpentMeasure, now: datetime) -> Standing:
    window = spent.budget.window
    start, end = window.bounds(now)
    is_calendar = isinstance(window, CalendarWindow)
    return Standing(spent.budget, spent.measure, spent.used, start, end if is_calendar else None, spent.began)


def _what_it_is(budget: Budget) -> str:
    """All by which what is used would be another amount."""
    scope = sorted((name, *sorted(values)) for name, values in budget.scope.items())
    return json.dumps(
        [scope, budget.window.text, budget.bound.value, budget.unit.name, [str(m.terms) for m in budget.measures]]
    )
