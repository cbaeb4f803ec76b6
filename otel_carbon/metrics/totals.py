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
class Accumulator:
    """Sums by label set, for one thread at a time."""

    rows: dict[SeriesLabels, list[float]] = field(default_factory=dict)
    operations: dict[tuple[SeriesLabels, str, str], int] = field(default_factory=dict)
    spans: dict[tuple[str, str], int] = field(default_factory=dict)

    def count_operation(self, labels: SeriesLabels, status: str, reason: str, count: int = 1) -> None:
        """Add inference calls."""
        key = (labels, status, reason)
        self.operations[key] = self.operations.get(key, 0) + count

    def see(self, scope: str, verdict: str, count: int = 1) -> None:
        """Add GenAI spans; past `MAX_SCOPES` new scopes are summed up as one."""
        key = (scope, verdict)
        if key not in self.spans and len(self.spans) >= MAX_SCOPES:
            key = (OTHER, verdict)
        self.spans[key] = self.spans.get(key, 0) + count

    def add_footprint(self, labels: SeriesLabels, footprint: Footprint) -> None:
        """Add the amounts and tokens of one call."""
        row = self.row(labels)
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
        self.add_tokens(labels, footprint.tokens)

    def add_tokens(self, labels: SeriesLabels, tokens: AdditiveTokens) -> None:
        """Add the tokens of one call."""
        row = self.row(labels)
        row[9] += tokens[0]
        row[10] += tokens[1]
        row[11] += tokens[2]
        row[12] += tokens[3]
        row[13] += tokens[4]

    def row(self, labels: SeriesLabels) -> list[float]:
        """The sums of a label set, made when first asked for."""
        row = self.rows.get(labels)
        if row is None:
            row = self.rows[labels] = [0.0] * (AMOUNTS + len(KINDS))
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
    _sums: Accumulator = field(default_factory=Accumulator)

    def book(self, batch: Accumulator) -> None:
        """Add what one batch of spans contributes, at once and within the label budget."""
        with self._lock:
            for labels, added in batch.rows.items():
                row = self._sums.row(self.budget.admit(labels))
                for position, amount in enumerate(added):
                    row[position] += amount
            for (labels, status, reason), count in batch.operations.items():
                self._sums.count_operation(self.budget.admit(labels), status, reason, count)
            for (scope, verdict), count in batch.spans.items():
                self._sums.see(scope, verdict, count)

    def snapshot(self) -> Snapshot:
        """A copy to read at leisure."""
        with self._lock:
            return Snapshot(
                {labels: list(row) for labels, row in self._sums.rows.items()},
                {OperationKey(*key): count for key, count in self._sums.operations.items()},
                {SeenSpan(*key): count for key, count in self._sums.spans.items()},
                self.budget.dropped,
            )

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self._lock = threading.Lock()
        self.budget.reset()
        self._sums = Accumulator()
