"""Running totals of what was booked: additive, locked, one row for each label set."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.footprint import footprint_of
from otel_carbon.core.tokens import KINDS, AdditiveTokens
from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.labels import OTHER, OVERFLOW, LabelBudget, SeriesLabels, label_text
from otel_carbon.metrics.unseen import Unseen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.core.factors import Factors
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.interval import Interval

MAX_SCOPES = 200
_ADDED_TOGETHER = 64
AMOUNTS = 9
"""Amounts in a row: energy (J), emissions (gCO2e) and water (L), each as mid, low, high; token kinds follow."""


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


class Account:
    """Calls of one label set with one outcome and, when they have a figure, one set of factors.

    It holds tokens only: amounts are linear in them, so they are worked out when they are read, in any order the same.
    To be changed with the lock of its totals held.
    """

    __slots__ = ("_added", "_sums", "_units", "calls", "factors", "labels", "match", "outcome")

    def __init__(self, labels: SeriesLabels, factors: Factors | None, status: str, reason: str) -> None:
        self.labels = labels
        self.factors = factors
        self.outcome = (status, reason)
        self.match = factors.provenance.match if factors else ""
        self.calls = 0
        self._sums = [0] * len(KINDS)
        self._added: list[AdditiveTokens] = []
        self._units = 0

    def add_tokens(self, tokens: AdditiveTokens, units: int = 0) -> None:
        """Add tokens, and `Footprint.units` beside them; summed up some calls at a time, which costs a third."""
        self._units += units
        added = self._added
        added.append(tokens)
        if len(added) >= _ADDED_TOGETHER:
            self._sum_up()

    @property
    def tokens(self) -> list[int]:
        """Sums of the token kinds."""
        self._sum_up()
        return self._sums

    def _sum_up(self) -> None:
        if self._added:
            self._sums = [
                sum(counts, known) for counts, known in zip(zip(*self._added, strict=True), self._sums, strict=True)
            ]
            self._added.clear()

    def amounts(self) -> list[float]:
        """Energy (J), emissions (gCO2e) and water (L), each as mid, low, high."""
        if self.factors is None:
            return [0.0] * AMOUNTS
        footprint = footprint_of(AdditiveTokens(*self.tokens), self.factors, self._units)
        energy_j = footprint.energy_kwh.scaled(JOULES_PER_KWH)
        return [*_as_booked(energy_j), *_as_booked(footprint.emissions_gco2e), *_as_booked(footprint.water_l)]


class _Row:
    """What one label set has come to: the accounts in use, and the sums of those that were closed."""

    __slots__ = ("accounts", "closed_amounts", "closed_tokens", "matches", "operations")

    def __init__(self) -> None:
        self.accounts: list[Account] = []
        self.closed_amounts = [0.0] * AMOUNTS
        self.closed_tokens = [0] * len(KINDS)
        self.operations: Counter[tuple[str, str]] = Counter()
        self.matches: Counter[str] = Counter()

    def sums(self) -> list[float]:
        """Amounts, then tokens; always added in the same order, so that a total never falls by a rounding."""
        amounts, tokens = self.closed_amounts, self.closed_tokens
        for account in self.accounts:
            amounts = [known + more for known, more in zip(amounts, account.amounts(), strict=True)]
            tokens = [known + more for known, more in zip(tokens, account.tokens, strict=True)]
        return [*amounts, *tokens]

    def calls(self) -> Counter[tuple[str, str]]:
        """Calls by status and reason."""
        found = self.operations.copy()
        for account in self.accounts:
            if account.calls:
                found[account.outcome] += account.calls
        return found

    def calls_by_match(self) -> Counter[str]:
        """Estimated calls by how near the fact is to their model."""
        found = self.matches.copy()
        for account in self.accounts:
            if account.match and account.calls:
                found[account.match] += account.calls
        return found

    def close_accounts(self) -> None:
        """Keep the sums of the accounts, and no longer the accounts."""
        sums = self.sums()
        self.operations, self.matches = self.calls(), self.calls_by_match()
        self.closed_amounts, self.closed_tokens = sums[:AMOUNTS], [int(count) for count in sums[AMOUNTS:]]
        self.accounts = []


def _as_booked(amount: Interval) -> tuple[float, float, float]:
    return amount.mid, amount.low, amount.high


def _operations(rows: Mapping[SeriesLabels, _Row]) -> dict[OperationKey, int]:
    return {
        OperationKey(labels, status, reason): count
        for labels, row in rows.items()
        for (status, reason), count in row.calls().items()
    }


def _matches(rows: Mapping[SeriesLabels, _Row]) -> dict[MatchKey, int]:
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


class Totals:
    """The counters of one counting domain.

    Whoever books holds `lock`, for one span or for a whole batch; `snapshot` and `reset` take it themselves.
    """

    def __init__(self, budget: LabelBudget | None = None) -> None:
        self.lock = threading.RLock()
        self._budget = budget or LabelBudget()
        self._rows: dict[SeriesLabels, _Row] = {}
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
            row = self._rows[admitted] = _Row()
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

    def _row(self, labels: SeriesLabels) -> _Row:
        if labels != OVERFLOW:
            labels = self._budget.admit(labels)
        return self._rows.setdefault(labels, _Row())

    def snapshot(self) -> Snapshot:
        """A copy to read at leisure."""
        with self.lock:
            return Snapshot(
                {labels: row.sums() for labels, row in self._rows.items()},
                _operations(self._rows),
                {SeenSpan(*seen): count for seen, count in self._spans.items()},
                self._budget.dropped,
                dict(self._unseen),
                _matches(self._rows),
            )

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self.lock = threading.RLock()
        self._budget.reset()
        self._rows = {}
        self._spans = {}
        self._unseen = {}
