"""Days that outlive the process, as rows that are saved with the totals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from otel_carbon.metrics.counted import CALLS
from otel_carbon.metrics.days import MAX_DAYS, DailyHistory
from otel_carbon.metrics.saved_days import SavedDays
from otel_carbon.metrics.saved_totals import rows_of, totals_of
from otel_carbon.metrics.totals import Totals
from tests.support.page_server import Counting, SetClock

if TYPE_CHECKING:
    import pytest

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Disk:
    """Rows as a file storage keeps them: written over, never deleted."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def save(self, counting: Counting, saved: SavedDays) -> None:
        self.rows |= saved.changed_rows()
        self.rows |= rows_of(counting.totals.snapshot())


def started(disk: Disk, at: datetime) -> tuple[Counting, DailyHistory, SavedDays]:
    """The next process: it has the rows, and counts on."""
    counting = Counting(SetClock(at))
    history = DailyHistory(counting.totals, counting.clock.now)
    saved = SavedDays(history, "prometheus")
    saved.restore(disk.rows)
    counting.totals.restore(totals_of(disk.rows))
    counting.numbers = iter(range(at.toordinal() * 1000, at.toordinal() * 1000 + 1000))
    return counting, history, saved


def days_of(history: DailyHistory) -> dict[date, float]:
    look = history.look()
    return {day: closed.overall[CALLS] for day, closed in look.days.items()} | {
        look.at.date(): look.today.overall()[CALLS]
    }


def test_a_restart_goes_on_with_the_same_day_and_keeps_those_before() -> None:
    disk = Disk()
    counting, history, saved = started(disk, NOON)
    history.look()
    counting.book(2)
    counting.clock.pass_by(days=1)
    history.look()
    counting.book(3)
    disk.save(counting, saved)

    counting, history, saved = started(disk, counting.clock.at)
    assert days_of(history) == {date(2026, 11, 26): 2, date(2026, 11, 27): 3}
    counting.book(4)
    assert days_of(history) == {date(2026, 11, 26): 2, date(2026, 11, 27): 7}
    assert history.look().since == NOON


def test_what_was_counted_before_a_night_that_nobody_ran_belongs_to_the_day_before() -> None:
    disk = Disk()
    counting, history, saved = started(disk, NOON)
    history.look()
    disk.save(counting, saved)  # saved long before the end, as a day is written when it is opened
    counting.book(5)
    disk.rows |= rows_of(counting.totals.snapshot())

    counting, history, _ = started(disk, datetime(2026, 11, 29, 8, tzinfo=UTC))
    assert days_of(history) == {date(2026, 11, 26): 5, date(2026, 11, 29): 0}


def test_nothing_is_written_again_until_a_day_ends() -> None:
    disk = Disk()
    counting, history, saved = started(disk, NOON)
    history.look()
    assert len(saved.changed_rows()) == 1
    counting.book(1)
    history.look()
    assert saved.changed_rows() == {}
    counting.clock.pass_by(days=1)
    history.look()
    assert len(saved.changed_rows()) == 2


def test_the_number_of_rows_is_bounded() -> None:
    disk = Disk()
    counting, history, saved = started(disk, NOON)
    for _ in range(3 * MAX_DAYS):
        history.look()
        disk.save(counting, saved)
        counting.clock.pass_by(days=1)
    assert len([key for key in disk.rows if key.startswith('["days"')]) == MAX_DAYS + 1


def test_rows_that_cannot_be_read_are_forgotten_and_said(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    counting, history, saved = started(disk, NOON)
    for _ in range(2):
        history.look()
        counting.book(1)
        disk.save(counting, saved)
        counting.clock.pass_by(days=1)
    disk.rows['["days", "prometheus", 0]'] = "no such row"
    _, history, _ = started(disk, datetime(2026, 11, 27, 18, tzinfo=UTC))
    assert days_of(history) == {date(2026, 11, 27): 1}
    assert "1 rows of the history by day cannot be read" in caplog.text


def test_the_totals_pass_over_the_rows_of_days() -> None:
    disk = Disk()
    counting, history, saved = started(disk, NOON)
    history.look()
    disk.save(counting, saved)
    assert totals_of(disk.rows) == Totals().snapshot()
