"""What was counted on each of the last days, worked out from running totals: nothing is kept for a call.

A day is one of UTC, and a call belongs to the day on which it was counted, as the growth of a counter does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from otel_carbon.metrics.counted import EMPTY, Counted, Sums, counted_in, folded, grown, together
from otel_carbon.metrics.pacing import Pacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from otel_carbon.metrics.totals import Snapshot, Totals

SHOWN_DAYS = 30
"""Days that are looked at together, today included."""
MAX_DAYS = 40
"""Days that are kept; more than are shown, as a clock that was wrong for a while must not cost those that are."""
MAX_LABEL_SETS_A_DAY = 500
"""Label sets of a day that is over; the rest is summed up, as past the label budget."""


@dataclass(frozen=True, slots=True)
class Day:
    """What was counted on a day, and all of it as one."""

    counted: Counted
    overall: Sums


@dataclass(frozen=True, slots=True)
class OpenDay:
    """The day that goes on: what totals were when it began, and when counting by days began."""

    date: date
    at_start: Counted
    since: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """The days as they are at a moment.

    Attributes:
        at: the moment.
        since: from when on days are known.
        snapshot: the totals.
        today: what was counted today so far.
        month: what was counted on the last `SHOWN_DAYS` days, today included.
        days: of those days the ones that are over and were counted.
    """

    at: datetime
    since: datetime
    snapshot: Snapshot
    today: Counted
    month: Counted
    days: Mapping[date, Day]

    @property
    def first(self) -> date:
        """The first of the last `SHOWN_DAYS` days."""
        return first_shown(self.at.date())


def first_shown(today: date) -> date:
    """The first of the last `SHOWN_DAYS` days."""
    return today - timedelta(days=SHOWN_DAYS - 1)


class DailyHistory:
    """Closes a day when the next one is looked at; for one thread at a time.

    Args:
        totals: what is counted.
        now: the clock, aware.
    """

    def __init__(self, totals: Totals, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._totals = totals
        self._now = now
        self._days: dict[date, Day] = {}
        self._open: OpenDay | None = None
        self._unsaved: set[date] = set()
        self._is_open_saved = True
        self._shown: tuple[date, Mapping[date, Day], Counted] | None = None
        """The days that are shown with today, and all of them together."""

    def look(self) -> Look:
        """Take in what was counted since the last look."""
        now = self._now().astimezone(UTC)
        snapshot = self._totals.snapshot(Pacing().rest)
        counted = counted_in(snapshot)
        opened = self._turned(counted, now)
        today_before = self._days.get(opened.date)
        today = grown(counted, opened.at_start)
        if today_before is not None:  # the clock was set back to a day that was over
            today = together((today_before.counted, today))
        days, earlier = self._earlier(opened.date)
        return Look(now, opened.since, snapshot, today, together((earlier, today)), days)

    def closed_days(self) -> Mapping[date, Day]:
        """The days that are over, in the order in which they were first closed."""
        return dict(self._days)

    def take_unsaved(self) -> tuple[OpenDay | None, Mapping[date, Day]]:
        """What has changed since the last call: the day that was opened, if one was, and days that were closed."""
        opened = None if self._is_open_saved else self._open
        days = {each: self._days[each] for each in self._unsaved if each in self._days}
        self._is_open_saved = True
        self._unsaved.clear()
        return opened, days

    def restore(self, opened: OpenDay, days: Mapping[date, Counted]) -> None:
        """Go on where another process ended; nothing was looked at yet."""
        self._open = opened
        self._days = {each: Day(counted, counted.overall()) for each, counted in days.items()}

    def _turned(self, counted: Counted, now: datetime) -> OpenDay:
        """The day that is open now; one that is over is closed."""
        today = now.date()
        opened = self._open
        if opened is None:
            opened = self._begin(OpenDay(today, counted, now))
        elif opened.date != today:
            self._close(opened.date, grown(counted, opened.at_start))
            opened = self._begin(OpenDay(today, counted, min(opened.since, now)))
        return opened

    def _begin(self, opened: OpenDay) -> OpenDay:
        self._open, self._is_open_saved, self._shown = opened, False, None
        return opened

    def _close(self, day: date, added: Counted) -> None:
        before = self._days.get(day)
        counted = folded(added if before is None else together((before.counted, added)), MAX_LABEL_SETS_A_DAY)
        self._days[day] = Day(counted, counted.overall())
        self._unsaved.add(day)
        while len(self._days) > MAX_DAYS:
            forgotten = next(iter(self._days))
            del self._days[forgotten]
            self._unsaved.discard(forgotten)

    def _earlier(self, today: date) -> tuple[Mapping[date, Day], Counted]:
        """The closed days that are shown with today, and all of them together."""
        if self._shown is None or self._shown[0] != today:
            first = first_shown(today)
            days = {each: day for each, day in sorted(self._days.items()) if first <= each < today}
            self._shown = (today, days, together(day.counted for day in days.values()) if days else EMPTY)
        return self._shown[1:]
