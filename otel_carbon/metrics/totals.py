"""Running totals of what was booked: additive, locked, one row for each label set."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.tokens import KINDS
from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.labels import OTHER, LabelBudget, SeriesLabels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.tokens import AdditiveTokens

MAX_SCOPES = 200
AMOUNTS = 9
"""Amounts in a row: energy (J), emissions (gCO2e) and water (L), each as mid, low, high; token kinds follow."""


class OperationKey(NamedTuple):
    """What an inference call is counted under."""

    labels: SeriesLabels
    status: str
    reason: str


class SeenSpan(NamedTuple):
    """What counting made of a GenAI span of a scope."""

    scope: str
    verdict: str


class _Row:
    """The sums of one label set within a batch."""

    __slots__ = ("labels", "operations", "sums")

    def __init__(self, labels: SeriesLabels) -> None:
        self.labels = labels
        self.sums = _empty_sums()
        self.operations: dict[tuple[str, str], int] = {}


class Batch:
    """What spans that arrived together contribute; filled by one thread, then booked at once.

    Rows go by the identity of their labels, which is much faster to look up; equal labels meet when booked.
    """

    __slots__ = ("_rows", "spans")

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self.spans: dict[tuple[str, str], int] = {}

    def see(self, scope: str, verdict: str) -> None:
        """Add one GenAI span."""
        key = (scope, verdict)
        self.spans[key] = self.spans.get(key, 0) + 1

    def count_operation(self, labels: SeriesLabels, status: str, reason: str) -> None:
        """Add one inference call."""
        operations = self._row(labels).operations
        operations[status, reason] = operations.get((status, reason), 0) + 1

    def add_footprint(self, labels: SeriesLabels, footprint: Footprint) -> None:
        """Add the amounts and tokens of one call."""
        low, mid, high, tokens, _ = footprint
        sums = self._row(labels).sums
        sums[0] += mid.energy_kwh * JOULES_PER_KWH
        sums[1] += low.energy_kwh * JOULES_PER_KWH
        sums[2] += high.energy_kwh * JOULES_PER_KWH
        sums[3] += mid.emissions_gco2e
        sums[4] += low.emissions_gco2e
        sums[5] += high.emissions_gco2e
        sums[6] += mid.water_l
        sums[7] += low.water_l
        sums[8] += high.water_l
        _add_tokens(sums, tokens)

    def add_tokens(self, labels: SeriesLabels, tokens: AdditiveTokens) -> None:
        """Add the tokens of a call without a figure."""
        _add_tokens(self._row(labels).sums, tokens)

    def rows(self) -> Iterator[tuple[SeriesLabels, list[float], dict[tuple[str, str], int]]]:
        """Label sets with their sums and operations; equal labels may come several times."""
        return ((row.labels, row.sums, row.operations) for row in self._rows.values())

    def _row(self, labels: SeriesLabels) -> _Row:
        row = self._rows.get(id(labels))
        if row is None:
            row = self._rows[id(labels)] = _Row(labels)  # which keeps the labels, so that their id stays theirs
        return row


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A consistent copy of the totals."""

    rows: dict[SeriesLabels, list[float]]
    operations: dict[OperationKey, int]
    spans: dict[SeenSpan, int]
    dropped_series: int


@dataclass(slots=True)
class Totals:
    """The counters of one counting domain; every method may be called from any thread."""

    budget: LabelBudget = field(default_factory=LabelBudget)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rows: dict[SeriesLabels, list[float]] = field(default_factory=dict)
    _operations: dict[OperationKey, int] = field(default_factory=dict)
    _spans: dict[SeenSpan, int] = field(default_factory=dict)

    def book(self, batch: Batch) -> None:
        """Add what one batch of spans contributes, at once and within the label budget."""
        with self._lock:
            for labels, added, operations in batch.rows():
                admitted = self.budget.admit(labels)
                sums = self._rows.get(admitted)
                self._rows[admitted] = (
                    added if sums is None else [one + other for one, other in zip(sums, added, strict=True)]
                )
                for (status, reason), count in operations.items():
                    operation = OperationKey(admitted, status, reason)
                    self._operations[operation] = self._operations.get(operation, 0) + count
            for (scope, verdict), count in batch.spans.items():
                seen = SeenSpan(scope, verdict)
                if seen not in self._spans and len(self._spans) >= MAX_SCOPES:
                    seen = SeenSpan(OTHER, verdict)
                self._spans[seen] = self._spans.get(seen, 0) + count

    def snapshot(self) -> Snapshot:
        """A copy to read at leisure."""
        with self._lock:
            rows = {labels: list(sums) for labels, sums in self._rows.items()}
            return Snapshot(rows, dict(self._operations), dict(self._spans), self.budget.dropped)

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self._lock = threading.Lock()
        self.budget.reset()
        self._rows = {}
        self._operations = {}
        self._spans = {}


def _empty_sums() -> list[float]:
    return [0.0] * (AMOUNTS + len(KINDS))


def _add_tokens(sums: list[float], tokens: AdditiveTokens) -> None:
    sums[9] += tokens[0]
    sums[10] += tokens[1]
    sums[11] += tokens[2]
    sums[12] += tokens[3]
    sums[13] += tokens[4]
