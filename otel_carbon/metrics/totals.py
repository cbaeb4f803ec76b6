"""Running totals of what was booked: additive, locked, one row for each label set."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.tokens import KINDS
from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.labels import OTHER, LabelBudget, SeriesLabels, label_text

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


class Row:
    """The sums of one label set; to be changed with the lock of its totals held."""

    __slots__ = ("labels", "operations", "sums")

    def __init__(self, labels: SeriesLabels) -> None:
        self.labels = labels
        self.sums = [0.0] * (AMOUNTS + len(KINDS))
        self.operations: dict[tuple[str, str], int] = {}

    def count_operation(self, status: str, reason: str) -> None:
        """Add one inference call."""
        key = (status, reason)
        self.operations[key] = self.operations.get(key, 0) + 1

    def add_footprint(self, footprint: Footprint) -> None:
        """Add the amounts and tokens of one call."""
        low, mid, high, tokens, _ = footprint
        sums = self.sums
        sums[0] += mid.energy_kwh * JOULES_PER_KWH
        sums[1] += low.energy_kwh * JOULES_PER_KWH
        sums[2] += high.energy_kwh * JOULES_PER_KWH
        sums[3] += mid.emissions_gco2e
        sums[4] += low.emissions_gco2e
        sums[5] += high.emissions_gco2e
        sums[6] += mid.water_l
        sums[7] += low.water_l
        sums[8] += high.water_l
        self.add_tokens(tokens)

    def add_tokens(self, tokens: AdditiveTokens) -> None:
        """Add the tokens of one call."""
        sums = self.sums
        sums[9] += tokens[0]
        sums[10] += tokens[1]
        sums[11] += tokens[2]
        sums[12] += tokens[3]
        sums[13] += tokens[4]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A consistent copy of the totals."""

    rows: dict[SeriesLabels, list[float]]
    operations: dict[OperationKey, int]
    spans: dict[SeenSpan, int]
    dropped_series: int


class Totals:
    """The counters of one counting domain.

    Whoever books holds `lock`, for one span or for a whole batch; `snapshot` and `reset` take it themselves.
    """

    def __init__(self, budget: LabelBudget | None = None) -> None:
        self.lock = threading.RLock()
        self._budget = budget or LabelBudget()
        self._rows: dict[SeriesLabels, Row] = {}
        self._spans: dict[tuple[str, str], int] = {}

    def row(self, labels: SeriesLabels) -> Row:
        """The row of a label set, or of `OVERFLOW` once the label budget is spent; valid until `reset`."""
        admitted = self._budget.admit(labels)
        row = self._rows.get(admitted)
        if row is None:
            row = self._rows[admitted] = Row(admitted)
        return row

    def see(self, scope: str, verdict: str) -> None:
        """Add one GenAI span; past `MAX_SCOPES` new scopes are summed up as one."""
        key = (scope, verdict)
        if key not in self._spans:
            key = (label_text(scope), verdict)
            if key not in self._spans and len(self._spans) >= MAX_SCOPES:
                key = (OTHER, verdict)
        self._spans[key] = self._spans.get(key, 0) + 1

    def snapshot(self) -> Snapshot:
        """A copy to read at leisure."""
        with self.lock:
            return Snapshot(
                {labels: list(row.sums) for labels, row in self._rows.items()},
                {
                    OperationKey(labels, status, reason): count
                    for labels, row in self._rows.items()
                    for (status, reason), count in row.operations.items()
                },
                {SeenSpan(scope, verdict): count for (scope, verdict), count in self._spans.items()},
                self._budget.dropped,
            )

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self.lock = threading.RLock()
        self._budget.reset()
        self._rows = {}
        self._spans = {}
