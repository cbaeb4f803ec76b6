"""The calendar in PromQL, which knows no time zones and no months: where a period began and how long it is.

Prometheus has days of weeks, months and years in UTC. What a time zone adds is its offset, a step function of time;
its steps are written into the rules from the time zone database, for some years ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from otel_carbon.budgets.promql import selector
from otel_carbon.budgets.windows import DAY_S, CalendarWindow, Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

YEARS_AHEAD = 6
LOCAL = "otel_carbon_budget:local_seconds"
ELAPSED = "otel_carbon_budget:elapsed_days"
START_LOCAL = "otel_carbon_budget:window_start_local_seconds"
START = "otel_carbon_budget:window_start_seconds"
DAYS = "otel_carbon_budget:window_days"
REMAINING = "otel_carbon_budget:window_remaining_seconds"
_SECOND_MONTH_DAYS, _THIRD_MONTH_DAYS = 40, 70
"""Days after the first day of a quarter that are in its second and third month, whatever their lengths."""
_SCAN = timedelta(hours=6)


class RecordingRule(NamedTuple):
    """A series that Prometheus computes at each evaluation."""

    record: str
    expr: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class OffsetStep:
    """A change of the offset from UTC; both offsets in seconds, the moment in seconds since 1970."""

    at_s: int
    before_s: int
    after_s: int


def offset_steps(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[OffsetStep]:
    """The changes of a zone's offset between two moments."""
    moment = start
    while moment < end:
        after = moment + _SCAN
        if _offset_s(zone, moment) != _offset_s(zone, after):
            yield OffsetStep(_moment_of_change(zone, moment, after), _offset_s(zone, moment), _offset_s(zone, after))
        moment = after


def _moment_of_change(zone: ZoneInfo, early: datetime, late: datetime) -> int:
    low, high = int(early.timestamp()), int(late.timestamp())
    first = _offset_s(zone, early)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(zone, datetime.fromtimestamp(middle, UTC)) == first:
            low = middle
        else:
            high = middle
    return high


def _offset_s(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def horizon(now: datetime) -> tuple[datetime, datetime]:
    """From when to when the rules know the offsets of time zones: whole years, so that they change once a year."""
    return datetime(now.year - 1, 1, 1, tzinfo=UTC), datetime(now.year + YEARS_AHEAD, 1, 1, tzinfo=UTC)


def calendar_rules(windows: Iterable[CalendarWindow], now: datetime) -> Iterator[RecordingRule]:
    """The series that calendar windows need, each after those that it reads."""
    kinds = sorted(set(windows), key=lambda window: (window.time_zone, window.period.value))
    start, end = horizon(now)
    for zone_name in sorted({window.time_zone for window in kinds}):
        zone = ZoneInfo(zone_name)
        first_s, steps = _offset_s(zone, start), tuple(offset_steps(zone, start, end))
        yield RecordingRule(LOCAL, f"vector(time() + {_offset_at('time()', first_s, steps)})", {"time_zone": zone_name})
        for window in kinds:
            if window.time_zone == zone_name:
                yield from _window_rules(window, first_s, steps)


def of_window(name: str, window: CalendarWindow) -> str:
    """The series of a name for a kind of window."""
    return selector(name, {key: (text,) for key, text in _labels(window).items()})


def _labels(window: CalendarWindow) -> dict[str, str]:
    return {"time_zone": window.time_zone, "window": window.period.value}


def _window_rules(window: CalendarWindow, first_s: int, steps: tuple[OffsetStep, ...]) -> Iterator[RecordingRule]:
    local, labels = selector(LOCAL, {"time_zone": (window.time_zone,)}), _labels(window)
    elapsed, start_local = of_window(ELAPSED, window), of_window(START_LOCAL, window)
    start, days = of_window(START, window), of_window(DAYS, window)
    yield RecordingRule(ELAPSED, _elapsed_days(window.period, local), labels)
    midnight = f"{local} - {local} % {DAY_S}"
    yield RecordingRule(START_LOCAL, f"{midnight} - on () {DAY_S} * {elapsed}", labels)
    # At midnight of a day with a step, the step is still to come; where it is at midnight itself it adds to the day.
    wall_clock = tuple(OffsetStep(s.at_s + min(s.before_s, s.after_s), s.before_s, s.after_s) for s in steps)
    yield RecordingRule(START, f"{start_local} - ({_offset_at(start_local, first_s, wall_clock, '>')})", labels)
    yield RecordingRule(DAYS, _days(window.period, f"({start_local} + {DAY_S // 2})"), labels)
    yield RecordingRule(REMAINING, f"clamp_min({start} + {DAY_S} * {days} - time(), 0)", labels)


def _offset_at(moment: str, first_s: int, steps: tuple[OffsetStep, ...], after: str = ">=") -> str:
    """The offset at a moment, in seconds, as a sum of the steps before it."""
    changes = (f"\n  + {step.after_s - step.before_s} * ({moment} {after} bool {step.at_s})" for step in steps)
    return f"{first_s}" + "".join(changes)


def _elapsed_days(period: Period, local: str) -> str:
    """Whole days between the start of the period and today."""
    match period:
        case Period.DAY:
            return f"0 * {local}"
        case Period.WEEK:
            return f"(day_of_week({local}) + 6) % 7"
        case Period.MONTH:
            return f"day_of_month({local}) - 1"
        case Period.QUARTER:
            month = f"(month({local}) - 1) % 3"
            last = f"{local} - {DAY_S} * day_of_month({local})"
            last_but_one = f"{last} - {DAY_S} * days_in_month({last})"
            return (
                f"day_of_month({local}) - 1\n+ ({month} >= bool 1) * days_in_month({last})\n"
                f"+ ({month} >= bool 2) * days_in_month({last_but_one})"
            )
        case Period.YEAR:
            return f"day_of_year({local}) - 1"


def _days(period: Period, first: str) -> str:
    """The days of a period, from noon of its first day."""
    second, third = (f"{first} + {days * DAY_S}" for days in (_SECOND_MONTH_DAYS, _THIRD_MONTH_DAYS))
    match period:
        case Period.DAY:
            return f"0 * {first} + 1"
        case Period.WEEK:
            return f"0 * {first} + 7"
        case Period.MONTH:
            return f"days_in_month({first})"
        case Period.QUARTER:
            return f"days_in_month({first}) + days_in_month({second}) + days_in_month({third})"
        case Period.YEAR:
            return f"365 + (days_in_month({second}) == bool 29)"
