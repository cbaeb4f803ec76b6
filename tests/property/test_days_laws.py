"""Laws of days: whatever the clock does, and however often the process starts again, each call is in exactly one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.metrics.counted import CALLS, ESTIMATED, together
from otel_carbon.metrics.days import DailyHistory
from otel_carbon.metrics.labels import SeriesLabels
from otel_carbon.metrics.saved_days import SavedDays
from otel_carbon.metrics.saved_totals import rows_of, totals_of
from otel_carbon.metrics.totals import Totals

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOKENS = AdditiveTokens(10, 0, 0, 3, 0)
CALLS_OF_STEP = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=3)
"""Of which service, and whether with an estimate."""
STEPS = st.lists(st.tuples(CALLS_OF_STEP, st.integers(-50, 80), st.booleans()), max_size=12)
"""Calls, hours that pass then, and whether the process starts again."""


class Process:
    """One process after another, with the rows that the last one stored."""

    def __init__(self, rows: dict[str, str], at: datetime) -> None:
        self.rows = rows
        self.at = at
        self.totals = Totals()
        self.history = DailyHistory(self.totals, lambda: self.at)
        self._saved = SavedDays(self.history, "page")
        self._saved.restore(rows)
        self.totals.restore(totals_of(rows))

    def book(self, service: int, *, estimated: bool) -> None:
        labels = SeriesLabels("openai", "gpt-4o", "", "", "none", f"service-{service}", "")
        status, reason = ("estimated", "") if estimated else ("unestimated", "no_usage")
        with self.totals.lock:
            account = self.totals.account(labels, None, status, reason)
            account.calls += 1
            account.add_tokens(TOKENS)

    def store(self) -> dict[str, str]:
        return self.rows | self._saved.changed_rows() | rows_of(self.totals.snapshot())


@given(STEPS)
def test_the_days_together_are_all_that_was_counted(steps: list[tuple[list[tuple[int, bool]], int, bool]]) -> None:
    process = Process({}, BEGIN)
    process.history.look()
    for calls, hours, starts_again in steps:
        for service, estimated in calls:
            process.book(service, estimated=estimated)
        process.at += timedelta(hours=hours)
        if starts_again:
            process = Process(process.store(), process.at)
        process.history.look()

    look = process.history.look()
    others = [day.counted for date, day in process.history.closed_days().items() if date != look.at.date()]
    found = together((look.today, *others))
    booked = [estimated for calls, _, _ in steps for _, estimated in calls]
    tokens = sum(TOKENS)
    assert found.overall()[CALLS] == sum(found.outcomes.values()) == len(booked)
    assert found.overall()[ESTIMATED] == sum(booked)
    assert sum(found.overall()[9:CALLS]) == tokens * len(booked)
    assert {labels.service: sums[CALLS] for labels, sums in found.rows.items()} == {
        f"service-{service}": sum(1 for calls, _, _ in steps for each, _ in calls if each == service)
        for service in {service for calls, _, _ in steps for service, _ in calls}
    }
