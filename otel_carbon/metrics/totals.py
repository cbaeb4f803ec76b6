"""Running totals of what was booked: additive, locked, one row for each label set."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.units import joules_from_kwh
from otel_carbon.metrics.labels import LabelBudget, SeriesLabels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.tokens import AdditiveTokens

AMOUNTS = (
    "energy",
    "energy_low",
    "energy_high",
    "emissions",
    "emissions_low",
    "emissions_high",
    "water",
    "water_low",
    "water_high",
)
"""The order of amounts in a row: J, g and L, each mid, low, high; then token kinds follow."""


class Booking(NamedTuple):
    """One span's contribution: a call with its amounts, or only an observation.

    `status` and `reason` count the call as an operation; an empty status books none.
    """

    labels: SeriesLabels
    status: str
    reason: str
    footprint: Footprint | None
    tokens: AdditiveTokens | None


class SeenSpan(NamedTuple):
    """What counting made of a GenAI span of a scope."""

    scope: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A consistent copy of the totals."""

    rows: dict[SeriesLabels, list[float]]
    operations: dict[tuple[SeriesLabels, str, str], int]
    spans: dict[SeenSpan, int]
    dropped_series: int


@dataclass(slots=True)
class Totals:
    """The counters of one counting domain; every method may be called from any thread."""

    budget: LabelBudget = field(default_factory=LabelBudget)
    max_scopes: int = 200
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rows: dict[SeriesLabels, list[float]] = field(default_factory=dict)
    _operations: dict[tuple[SeriesLabels, str, str], int] = field(default_factory=dict)
    _spans: dict[SeenSpan, int] = field(default_factory=dict)

    def book(self, bookings: Iterable[Booking], seen: Iterable[SeenSpan]) -> None:
        """Add what one batch of spans contributes, at once."""
        with self._lock:
            for booking in bookings:
                self._add(booking)
            for span in seen:
                known = (
                    span if span in self._spans or len(self._spans) < self.max_scopes else SeenSpan("other", span[1])
                )
                self._spans[known] = self._spans.get(known, 0) + 1

    def snapshot(self) -> Snapshot:
        """A copy to read at leisure."""
        with self._lock:
            return Snapshot(
                {labels: list(row) for labels, row in self._rows.items()},
                dict(self._operations),
                dict(self._spans),
                self.budget.dropped,
            )

    def reset(self) -> None:
        """Start from zero with a fresh lock, as a forked child must: its parent reports the past."""
        self._lock = threading.Lock()
        self.budget.reset()
        self._rows.clear()
        self._operations.clear()
        self._spans.clear()

    def _add(self, booking: Booking) -> None:
        labels = self.budget.admit(booking.labels)
        if booking.status:
            key = (labels, booking.status, booking.reason)
            self._operations[key] = self._operations.get(key, 0) + 1
        if booking.footprint is None and booking.tokens is None:
            return
        row = self._rows.get(labels)
        if row is None:
            row = self._rows[labels] = [0.0] * (len(AMOUNTS) + 5)
        if booking.footprint is not None:
            _add_amounts(row, booking.footprint)
        if booking.tokens is not None:
            for position, count in enumerate(booking.tokens, len(AMOUNTS)):
                row[position] += count


def _add_amounts(row: list[float], footprint: Footprint) -> None:
    energy, emissions, water = footprint.energy_kwh, footprint.emissions_gco2e, footprint.water_l
    row[0] += joules_from_kwh(energy.mid)
    row[1] += joules_from_kwh(energy.low)
    row[2] += joules_from_kwh(energy.high)
    row[3] += emissions.mid
    row[4] += emissions.low
    row[5] += emissions.high
    row[6] += water.mid
    row[7] += water.low
    row[8] += water.high
