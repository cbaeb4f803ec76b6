"""The windows that budgets are for: calendar periods in a time zone, or the last so many days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import date

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400
MONTHS_PER_QUARTER = 3
MONTHS_PER_YEAR = 12


class Period(Enum):
    """A stretch of the calendar; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


NOMINAL_DAYS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30, Period.QUARTER: 90, Period.YEAR: 365}


class Bounds(NamedTuple):
    """A window that contains a moment: from `start` up to `end`, both aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """Begins anew with each period, at midnight in `time_zone`."""

    period: Period
    time_zone: str

    @property
    def nominal_s(self) -> int:
        """About how long it is, in seconds."""
        return NOMINAL_DAYS[self.period] * DAY_S

    @property
    def text(self) -> str:
        """As people read it."""
        return f"{self.period.value} ({self.time_zone})"

    def bounds(self, now: datetime) -> Bounds:
        """The period that a moment is in.

        Raises:
            zoneinfo.ZoneInfoNotFoundError: this machine does not know the time zone.
        """
        zone = ZoneInfo(self.time_zone)
        first = first_day(self.period, now.astimezone(zone).date())
        after = next_first_day(self.period, first)
        return Bounds(_midnight(first, zone), _midnight(after, zone))


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The last `length_s` seconds, at every moment."""

    length_s: int
    text: str

    @property
    def nominal_s(self) -> int:
        """How long it is, in seconds."""
        return self.length_s

    def bounds(self, now: datetime) -> Bounds:
        """The time up to a moment."""
        return Bounds(now - timedelta(seconds=self.length_s), now)


Window = CalendarWindow | RollingWindow


def first_day(period: Period, day: date) -> date:
    """The first day of the period that a day is in."""
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
        case Period.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % MONTHS_PER_QUARTER, day=1)
        case Period.YEAR:
            return day.replace(month=1, day=1)


def next_first_day(period: Period, first: date) -> date:
    """The first day of the period after the one that begins on `first`."""
    match period:
        case Period.DAY:
            return first + timedelta(days=1)
        case Period.WEEK:
            return first + timedelta(days=7)
        case Period.MONTH | Period.QUARTER:
            months = 1 if period is Period.MONTH else MONTHS_PER_QUARTER
            year, month = divmod(first.month - 1 + months, MONTHS_PER_YEAR)
            return first.replace(year=first.year + year, month=month + 1)
        case Period.YEAR:
            return first.replace(year=first.year + 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
