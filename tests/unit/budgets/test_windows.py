from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from otel_carbon.budgets.calendar_rules import OffsetStep, offset_steps
from otel_carbon.budgets.windows import CalendarWindow, Period, RollingWindow


@pytest.mark.parametrize(
    ("period", "zone", "now", "start", "end"),
    [
        (Period.DAY, "UTC", "2026-11-26T23:59", "2026-11-26T00:00", "2026-11-27T00:00"),
        (Period.DAY, "Asia/Kolkata", "2026-11-26T18:30", "2026-11-26T18:30", "2026-11-27T18:30"),
        (Period.WEEK, "UTC", "2026-11-29T12:00", "2026-11-23T00:00", "2026-11-30T00:00"),  # a Sunday
        (Period.MONTH, "Europe/Berlin", "2026-10-31T23:30", "2026-10-31T23:00", "2026-11-30T23:00"),
        (Period.MONTH, "Europe/Berlin", "2026-10-31T22:30", "2026-09-30T22:00", "2026-10-31T23:00"),
        (Period.QUARTER, "UTC", "2026-12-31T23:59", "2026-10-01T00:00", "2027-01-01T00:00"),
        (Period.YEAR, "America/New_York", "2027-01-01T04:59", "2026-01-01T05:00", "2027-01-01T05:00"),
    ],
)
def test_a_period_begins_and_ends_at_midnight_of_its_zone(
    period: Period, zone: str, now: str, start: str, end: str
) -> None:
    bounds = CalendarWindow(period, zone).bounds(datetime.fromisoformat(now).replace(tzinfo=UTC))

    assert [f"{each.astimezone(UTC):%Y-%m-%dT%H:%M}" for each in bounds] == [start, end]


def test_a_rolling_window_ends_now() -> None:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)

    assert RollingWindow(86_400, "last 1d").bounds(now) == (datetime(2026, 11, 25, 12, tzinfo=UTC), now)


def test_the_steps_of_a_zone_are_those_of_its_clocks() -> None:
    year = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    spring, autumn = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)

    assert list(offset_steps(ZoneInfo("Europe/Berlin"), *year)) == [
        OffsetStep(int(spring.timestamp()), 3600, 7200),
        OffsetStep(int(autumn.timestamp()), 7200, 3600),
    ]
    assert list(offset_steps(ZoneInfo("Asia/Kolkata"), *year)) == []
