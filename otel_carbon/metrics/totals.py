"""Running totals of what was booked: additive, locked, one row for each label set."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.metrics.accounts import AMOUNTS, Account, Row
from otel_carbon.metrics.labels import OTHER, OVERFLOW, LabelBudget, SeriesLabels, label_text
from otel_carbon.metrics.pacing import never_rest
from otel_carbon.metrics.unseen import Unseen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.core.factors import Factors
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.metrics.examples import Example
    from otel_carbon.metrics.pacing import Rest

MAX_SCOPES = 200
_ROWS_AT_A_TIME = 16
"""How many rows are read with the lock held: about a quarter of a millisecond."""


class OperationKey(NamedTuple):
    """What an inference call is counted under."""

    labels: SeriesLabels
    status: str
    reason: str


class MatchKey(NamedTuple):
    """What an estimated call is counted under, beside its labels: how near the fact is to its model."""

    labels: SeriesLabels
    match: str


class SeenSpan(NamedTuple):
    """What counting made of a GenAI span of a scope, read by a dialect."""

    scope: str
    dialect: str
    verdict: str


def _operations(rows: Mapping[SeriesLabels, Row]) -> dict[OperationKey, int]:
    return {
        OperationKey(labels, status, reason): count
        for labels, row in rows.items()
        for (status, reason), count in row.calls().items()
    }


def _matches(rows: Mapping[SeriesLabels, Row]) -> dict[MatchKey, int]:
    return {
        MatchKey(labels, match): count for labels, row in rows.items() for match, count in row.calls_by_match().items()
    }


@dataclass(slots=True)
class _Touched:
    """What has changed since it was last asked for."""

    accounts: set[Account] = field(default_factory=set)
    spans: set[tuple[str, str, str]] = field(default_factory=set)
    unseen: set[OperationKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A consistent copy of the totals."""

    rows: dict[SeriesLabels, list[float]]
    operations: dict[OperationKey, int]
    spans: dict[SeenSpan, int]
    dropped_series: int
    unseen: dict[OperationKey, Unseen] = field(default_factory=dict)
    """Extrapolated, and part of nothing above."""
    matches: dict[MatchKey, int] = field(default_factory=dict)
    """Those of the operations that are estimated by a fact about models."""
    examples: dict[OperationKey, Example] = field(default_factory=dict, compare=False)
    """One call of each outcome of a label set; tells nothing about any total."""


class Totals:
    """The counters of one counting domain.

    Whoever books holds `lock`, for one span or for a whole batch; `snapshot` and `reset` take it themselves.
    """

    def __init__(self, budget: LabelBudget | None = None) -> None:
        self.lock = threading.RLock()
        self._budget = budget or LabelBudget()
        self._rows: dict[SeriesLabels, Row] = {}
        self._spans: dict[tuple[str, str, str], int] = {}
        self._unseen: dict[OperationKey, Unseen] = {}
        self._touched: _Touched | None = None

    def account(self, labels: SeriesLabels, factors: Factors | None, status: str, reason: str) -> Account:
        """Where to book calls of a label set, or of `OVERFLOW` once the label budget is spent.

        It is read until `close_accounts` or `reset`; whoever keeps it must let go of it by then.
        """
        admitted = self._budget.admit(labels)
        row = self._rows.get(admitted)
        if row is None:
            row = self._rows[admitted] = Row()
        account = Account(admitted, factors, status, reason)
        row.accounts.append(account)
        return account

    def extrapolate(self, account: Account, calls: float, footprint: Footprint | None, *, operation: bool) -> None:
        """Note how many more calls a booked one stands for; no other total changes."""
        key = OperationKey(account.labels, *account.outcome)
        self._unseen[key] = self._unseen.get(key, Unseen()).plus(calls, footprint, operation=operation)
        if self._touched is not None:
            self._touched.unseen.add(key)

    def close_accounts(self) -> None:
        """Start with new accounts, so that their number stays bounded."""
        for row in self._rows.values():
            row.close_accounts()

    def see(self, spans: Iterable[tuple[str, str, str]]) -> None:
        """Add GenAI spans, each as the fields of `SeenSpan`; past `MAX_SCOPES` new scopes are summed up as one."""
        for seen, count in Counter(spans).items():
            self._see(seen, count)

    def see_one(self, seen: tuple[str, str, str]) -> None:
        """Add one GenAI span."""
        self._see(seen, 1)

    def _see(self, seen: tuple[str, str, str], count: int) -> None:
        known = self._spans.get(seen)
        if known is None:
            scope, dialect, verdict = seen
            seen = (label_text(scope), dialect, verdict)
            if seen not in self._spans and len(self._spans) >= MAX_SCOPES:
                seen = (OTHER, dialect, verdict)
            known = self._spans.get(seen, 0)
        self._spans[seen] = known + count
        if self._touched is not None:
            self._touched.spans.add(seen)

    def keep_track(self) -> None:
        """From now on, remember what changes, for `take_touched`."""
        self._touched = _Touched()

    def touch(self, account: Account) -> None:
        """Tell that something was booked on an account; the lock is held."""
        if self._touched is not None:
            self._touched.accounts.add(account)

    def take_touched(self) -> Snapshot:
        """What has changed since the last call, as it is now; the lock is held."""
        touched, self._touched = self._touched or _Touched(), _Touched()
        rows = {account.labels: self._rows[account.labels] for account in touched.accounts}
        return Snapshot(
            {labels: row.sums() for labels, row in rows.items()},
            _operations(rows),
            {SeenSpan(*seen): self._spans[seen] for seen in touched.spans},
            self._budget.dropped,
            {key: self._unseen[key] for key in touched.unseen},
            _matches(rows),
        )

    def restore(self, saved: Snapshot) -> None:
        """Go on from what another process had come to; nothing was booked here yet."""
        with self.lock:
            for labels, sums in saved.rows.items():
                row = self._row(labels)
                row.closed_amounts, row.closed_tokens = sums[:AMOUNTS], [int(count) for count in sums[AMOUNTS:]]
            for key, count in saved.operations.items():
                self._row(key.labels).operations[key.status, key.reason] = count
            for matched, count in saved.matches.items():
                self._row(matched.labels).matches[matched.match] = count
            for seen, count in saved.spans.items():
                self._spans[seen] = count
            self._unseen.update(saved.unseen)
            self._budget.dropped = saved.dropped_series

    def _row(self, labels: SeriesLabels) -> Row:
        if labels != OVERFLOW:
            labels = self._budget.admit(labels)
        return self._rows.setdefault(labels, Row())

    def snapshot(self, rest: Rest = never_rest) -> Snapshot:
        """A copy to read at leisure, its rows in the order of their labels.

        Rows are read some at a time, and the lock is free in between, where `rest` may sleep: who books waits for some
        rows, not for all. Each row is of one moment.
        """
        with self.lock:
            waiting = sorted(self._rows)
            copy = Snapshot(
                {}, {}, {SeenSpan(*seen): count for seen, count in self._spans.items()}, self._budget.dropped
            )
        for first in range(0, len(waiting), _ROWS_AT_A_TIME):
            with self.lock:
                self._copy_rows(waiting[first : first + _ROWS_AT_A_TIME], copy)
            rest()
        with self.lock:
            copy.unseen.update(self._unseen)
        return copy

    def _copy_rows(self, some: Iterable[SeriesLabels], copy: Snapshot) -> None:
        for labels in some:
            row = self._rows.get(labels)
            if row is None:
                continue  # a fork has begun anew meanwhile
            copy.rows[labels] = row.sums()
            for outcome, count in sorted(row.calls().items()):
                copy.operations[OperationKey(labels, *outcome)] = count
            for match, count in sorted(row.calls_by_match().items()):
                copy.matches[MatchKey(labels, match)] = count
            for outcome, example in row.examples().items():
                copy.examples[OperationKey(labels, *outcome)] = example

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self.lock = threading.RLock()
        self._budget.reset()
        self._rows = {}
        self._spans = {}
        self._unseen = {}
