"""Days of totals: each call on the day on which it was counted, a bounded number of days, nothing lost at midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from otel_carbon.metrics.counted import CALLS, EMPTY, ESTIMATED, folded, grown, together
from otel_carbon.metrics.days import MAX_DAYS, MAX_LABEL_SETS_A_DAY, SHOWN_DAYS, DailyHistory
from otel_carbon.metrics.labels import OVERFLOW
from otel_carbon.metrics.totals import Totals
from tests.support.page_server import Counting, SetClock

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def counting_from(at: datetime = NOON) -> tuple[Counting, DailyHistory]:
    counting = Counting(SetClock(at))
    return counting, DailyHistory(counting.totals, counting.clock.now)


def calls(history: DailyHistory) -> tuple[float, float]:
    look = history.look()
    return look.today.overall()[CALLS], look.month.overall()[CALLS]


def test_a_day_has_what_was_counted_between_its_looks() -> None:
    counting, history = counting_from()
    assert calls(history) == (0, 0)
    counting.book(3)
    assert calls(history) == (3, 3)
    counting.clock.pass_by(days=1)
    assert calls(history) == (0, 3)
    counting.book(2)
    assert calls(history) == (2, 5)
    assert {day: closed.overall[CALLS] for day, closed in history.look().days.items()} == {date(2026, 11, 26): 3}


def test_what_was_counted_before_the_first_look_is_in_no_day() -> None:
    counting, history = counting_from()
    counting.book(4)
    assert calls(history) == (0, 0)
    counting.book(1)
    assert calls(history) == (1, 1)
    assert history.look().since == NOON


def test_the_days_of_a_month_add_up_to_the_counters() -> None:
    counting, history = counting_from()
    history.look()
    for number in range(SHOWN_DAYS):
        counting.book(number)
        if number < SHOWN_DAYS - 1:
            counting.clock.pass_by(days=1)
            history.look()
    snapshot = counting.totals.snapshot()
    month = history.look().month
    energy_j = sum(sums[0] for sums in snapshot.rows.values())
    assert month.overall()[CALLS] == sum(range(SHOWN_DAYS)) == sum(snapshot.operations.values())
    assert abs(month.overall()[0] - energy_j) <= 1e-9 * energy_j


def test_a_day_leaves_the_month_after_thirty_days() -> None:
    counting, history = counting_from()
    history.look()
    counting.book(7)
    counting.clock.pass_by(days=SHOWN_DAYS - 1)
    assert calls(history) == (0, 7)
    counting.clock.pass_by(days=1)
    assert calls(history) == (0, 0)


def test_calls_of_a_night_without_a_look_belong_to_the_day_that_was_open() -> None:
    counting, history = counting_from()
    history.look()
    counting.book(2)
    counting.clock.pass_by(days=5)
    days = history.look().days
    assert {day: closed.overall[CALLS] for day, closed in days.items()} == {date(2026, 11, 26): 2}


def test_a_clock_that_is_set_back_loses_and_doubles_nothing() -> None:
    counting, history = counting_from()
    history.look()
    counting.book(1)
    counting.clock.pass_by(days=1)
    history.look()
    counting.book(2)
    counting.clock.pass_by(days=-1)
    assert calls(history) == (1, 1)
    counting.book(4)
    assert calls(history) == (5, 5)
    counting.clock.pass_by(days=1)
    assert calls(history) == (2, 7)


def test_a_clock_that_was_a_year_ahead_for_a_moment_costs_no_day() -> None:
    counting, history = counting_from()
    history.look()
    counting.book(3)
    counting.clock.pass_by(days=365)
    history.look()
    counting.clock.pass_by(days=-365)
    assert calls(history) == (3, 3)
    counting.book(1)
    assert calls(history) == (4, 4)


def test_the_number_of_days_is_bounded() -> None:
    counting, history = counting_from()
    for _ in range(3 * MAX_DAYS):
        history.look()
        counting.clock.pass_by(days=1)
    assert len(history.closed_days()) == MAX_DAYS


def test_the_label_sets_of_a_day_that_is_over_are_bounded_and_still_add_up() -> None:
    counting, history = counting_from()
    history.look()
    tenants = MAX_LABEL_SETS_A_DAY + 50
    for number in range(tenants):
        counting.book(2 if number < 10 else 1, more={"otel_carbon.tenant": f"tenant-{number}"})
    assert len(history.look().today.rows) == tenants
    counting.clock.pass_by(days=1)
    closed = history.look().days[NOON.date()]
    assert len(closed.counted.rows) == MAX_LABEL_SETS_A_DAY
    assert closed.overall[CALLS] == tenants + 10
    assert {labels.tenant for labels, sums in closed.counted.rows.items() if sums[CALLS] == 2} == {
        f"tenant-{number}" for number in range(10)
    }
    assert closed.counted.rows[OVERFLOW][CALLS] == tenants - (MAX_LABEL_SETS_A_DAY - 1)


def test_days_are_those_of_utc_wherever_the_clock_is() -> None:
    in_berlin = datetime(2026, 11, 27, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    history = DailyHistory(Totals(), SetClock(in_berlin).now)
    assert history.look().at.date() == date(2026, 11, 26)


def test_calls_without_an_estimate_are_counted_with_their_reason() -> None:
    counting, history = counting_from()
    history.look()
    counting.book(2)
    counting.book(3, more={"gen_ai.request.model": "no-such-image-1"})
    today = history.look().today
    assert today.outcomes == {("estimated", ""): 2, ("unestimated", "model_not_registered"): 3}
    assert (today.overall()[CALLS], today.overall()[ESTIMATED]) == (5, 2)


def test_growth_and_its_beginning_are_the_end() -> None:
    counting, history = counting_from()
    history.look()
    counting.book(2)
    before = history.look().today
    counting.book(5)
    after = history.look().today
    assert together((before, grown(after, before))).outcomes == after.outcomes
    assert grown(after, after) == EMPTY
    assert folded(after, 1) == after
