"""Running totals of what was booked: additive, locked, one row for each label set."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.tokens import KINDS
from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.labels import OTHER, LabelBudget, SeriesLabels

if TYPE_CHECKING:
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


@dataclass(slots=True)
class Batch:
    """What spans that arrived together contribute; filled by one thread, then booked at once."""

    rows: dict[SeriesLabels, list[float]] = field(default_factory=dict)
    operations: dict[OperationKey, int] = field(default_factory=dict)
    spans: dict[SeenSpan, int] = field(default_factory=dict)

    def count_operation(self, labels: SeriesLabels, status: str, reason: str) -> None:
        """Add one inference call."""
        key = OperationKey(labels, status, reason)
        self.operations[key] = self.operations.get(key, 0) + 1

    def see(self, scope: str, verdict: str) -> None:
        """Add one GenAI span."""
        key = SeenSpan(scope, verdict)
        self.spans[key] = self.spans.get(key, 0) + 1

    def add_footprint(self, labels: SeriesLabels, footprint: Footprint) -> None:
        """Add the amounts and tokens of one call."""
        row = self._row(labels)
        low, mid, high = footprint.low, footprint.mid, footprint.high
        row[0] += mid.energy_kwh * JOULES_PER_KWH
        row[1] += low.energy_kwh * JOULES_PER_KWH
        row[2] += high.energy_kwh * JOULES_PER_KWH
        row[3] += mid.emissions_gco2e
        row[4] += low.emissions_gco2e
        row[5] += high.emissions_gco2e
        row[6] += mid.water_l
        row[7] += low.water_l
        row[8] += high.water_l
        self._add_tokens(row, footprint.tokens)

    def add_tokens(self, labels: SeriesLabels, tokens: AdditiveTokens) -> None:
        """Add the tokens of a call without a figure."""
        self._add_tokens(self._row(labels), tokens)

    def _row(self, labels: SeriesLabels) -> list[float]:
        row = self.rows.get(labels)
        if row is None:
            row = self.rows[labels] = _empty_row()
        return row

    @staticmethod
    def _add_tokens(row: list[float], tokens: AdditiveTokens) -> None:
        row[9] += tokens.input_uncached
        row[10] += tokens.cache_read
        row[11] += tokens.cache_write
        row[12] += tokens.output_visible
        row[13] += tokens.output_reasoning


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
        """Add what one batch of spans contributes, at once."""
        with self._lock:
            for labels, added in batch.rows.items():
                admitted = self.budget.admit(labels)
                row = self._rows.get(admitted)
                if row is None:
                    row = self._rows[admitted] = _empty_row()
                for position, amount in enumerate(added):
                    row[position] += amount
            for operation, count in batch.operations.items():
                known = operation._replace(labels=self.budget.admit(operation.labels))
                self._operations[known] = self._operations.get(known, 0) + count
            for span, count in batch.spans.items():
                seen = span if span in self._spans or len(self._spans) < MAX_SCOPES else span._replace(scope=OTHER)
                self._spans[seen] = self._spans.get(seen, 0) + count

    def snapshot(self) -> Snapshot:
        """A copy to read at leisure."""
        with self._lock:
            rows = {labels: list(row) for labels, row in self._rows.items()}
            return Snapshot(rows, dict(self._operations), dict(self._spans), self.budget.dropped)

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self._lock = threading.Lock()
        self.budget.reset()
        self._rows.clear()
        self._operations.clear()
        self._spans.clear()


def _empty_row() -> list[float]:
    return [0.0] * (AMOUNTS + len(KINDS))
