"""What a process itself has used of a budget, from its running totals; sans I/O, the clock is handed in."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.budgets.model import Bound, Quantity
from otel_carbon.budgets.scopes import matches
from otel_carbon.budgets.windows import RollingWindow
from otel_carbon.core.tokens import KINDS
from otel_carbon.metrics.accounts import AMOUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.budgets.model import Budget, Measure, Term
    from otel_carbon.metrics.totals import Snapshot

MARKS_OF_WINDOW = 500
"""Remembered points of a rolling window: it is right to a five-hundredth of its length."""
_FIRST_OF_QUANTITY = {Quantity.ENERGY: 0, Quantity.EMISSIONS: 3, Quantity.WATER: 6}
"""Where the mid, low and high of a quantity begin in a row of totals; J, g and L as counters have them."""
_OF_BOUND = {Bound.MID: 0, Bound.HIGH: 2}


class Crossing(NamedTuple):
    """A threshold that was passed; `used` and `limit` are in `unit`, `share` is the threshold."""

    budget: Budget
    unit: str
    share: float
    used: float
    limit: float


class _Mark(NamedTuple):
    at: datetime
    total: float


class SpentMeasure:
    """How much of a measure was used in the current window, and which thresholds were told.

    `used` is in the unit of the measure; it is too low where the window began before `began`.
    """

    def __init__(self, budget: Budget, measure: Measure, snapshot: Snapshot, now: datetime) -> None:
        self.budget = budget
        self.measure = measure
        self.used = 0.0
        self.began = now
        self._last = amount_in(snapshot, budget, measure)
        self._total = 0.0
        self._marks = deque([_Mark(now, 0.0)])
        self._start = budget.window.bounds(now).start
        self._told = 0.0

    def advance(self, snapshot: Snapshot, now: datetime) -> list[Crossing]:
        """Take in new totals; the thresholds that have been passed since the last time, each once a window."""
        return self.advance_to(amount_in(snapshot, self.budget, self.measure), now)

    def advance_to(self, amount: float, now: datetime) -> list[Crossing]:
        """The same, when what the totals have come to in the scope is known, in the unit of the measure."""
        added = amount - self._last if amount >= self._last else amount  # totals that fell were started anew
        self._last = amount
        self._total += added
        self.used = used = self._used(now, added)
        share = used / self.measure.limit
        passed = [each for each in self.budget.thresholds if self._told < each <= share]
        # In a rolling window the amount can fall below a threshold, which is then told again.
        self._told = max((each for each in self.budget.thresholds if each <= share), default=0.0)
        return [Crossing(self.budget, self.measure.unit, each, used, self.measure.limit) for each in passed]

    @property
    def marks(self) -> tuple[object, ...]:
        """Changes when there is something new to save; in between only the total moves on."""
        rolling = isinstance(self.budget.window, RollingWindow)
        return (self._start if not rolling else None, len(self._marks), self._marks[0], self._told)

    def saved(self) -> dict[str, Any]:
        """What `restore` goes on from, as JSON can hold it."""
        marks = [[mark.at.isoformat(), mark.total] for mark in self._marks]
        return {
            "began": self.began.isoformat(),
            "start": self._start.isoformat(),
            "last": self._last,
            "total": self._total,
            "told": self._told,
            "marks": marks,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on where another process ended; the totals must have outlived it, too.

        What they have grown by since it was saved was counted by that process, so before this one began.

        Raises:
            ValueError, TypeError, LookupError: it is not what `saved` gave.
        """
        marks = deque(_Mark(datetime.fromisoformat(at), float(total)) for at, total in saved["marks"])
        if not marks:
            raise ValueError("a budget was saved without any mark")
        start, began = datetime.fromisoformat(saved["start"]), datetime.fromisoformat(saved["began"])
        total = float(saved["total"]) + max(0.0, self._last - float(saved["last"]))
        self._told = float(saved["told"])
        self._marks, self._start, self.began, self._total = marks, start, began, total

    def _used(self, now: datetime, added: float) -> float:
        start = self.budget.window.bounds(now).start
        if not isinstance(self.budget.window, RollingWindow):
            if start != self._start:
                self._start, self._told = start, 0.0
                self._marks[0] = _Mark(start, self._total - added)
            return self._total - self._marks[0].total
        while len(self._marks) > 1 and self._marks[1].at <= start:
            self._marks.popleft()
        self._mark(now, self.budget.window.length_s / MARKS_OF_WINDOW)
        return self._total - self._marks[0].total

    def _mark(self, now: datetime, apart_s: float) -> None:
        """Remember the total; the last point moves along until it is far enough from the one before."""
        if len(self._marks) > 1 and (self._marks[-1].at - self._marks[-2].at).total_seconds() < apart_s:
            self._marks.pop()
        self._marks.append(_Mark(now, self._total))


def amount_in(snapshot: Snapshot, budget: Budget, measure: Measure) -> float:
    """What the calls in a budget's scope have come to since the process began, in the unit of the measure."""
    rows = [row for labels, row in snapshot.rows.items() if matches(budget.scope, labels)]
    return amount_of(rows, budget, measure)


def amount_of(rows: Iterable[list[float]], budget: Budget, measure: Measure) -> float:
    """What rows of totals come to, in the unit of the measure; in any order the same, so that it never falls."""
    return math.fsum(_counted(row, term, budget.bound) * term.per_counted for row in rows for term in measure.terms)


def _counted(row: list[float], term: Term, bound: Bound) -> float:
    if term.quantity is not Quantity.TOKENS:
        return row[_FIRST_OF_QUANTITY[term.quantity] + _OF_BOUND[bound]]
    tokens = row[AMOUNTS:]
    return sum(tokens) if term.token_kind is None else tokens[KINDS.index(term.token_kind)]
