"""What points add: deltas once, totals against what was reported before, and nothing that cannot be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from otel_carbon.usage_metrics.deltas import (
    ABSURD,
    ADDED,
    BASE_LINE,
    CUMULATIVE,
    DELTA,
    INVALID,
    MAX_TOKENS_ADDED,
    MAX_TOTAL,
    REPEATED,
    Deltas,
    Increment,
    Reported,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OUR_START = 1_000
BEFORE, AFTER = OUR_START - 10, OUR_START + 10


def memory(max_series: int = 100, max_remembered: int = 100) -> Deltas:
    return Deltas(lambda: OUR_START, max_series, max_remembered)


def total(
    tokens: float | None, time: int, *, start: int = AFTER, series: int = 1, calls: int | None = None
) -> Reported:
    return Reported(series, CUMULATIVE, start, time, tokens, calls)


def delta(tokens: float | None, time: int, *, series: int = 1, calls: int | None = None) -> Reported:
    return Reported(series, DELTA, time - 10, time, tokens, calls)


def tokens_added(added: Deltas, *points: Reported) -> list[int]:
    """What each point adds when it comes in a request of its own."""
    return [added.increments([point])[0].tokens for point in points]


def test_a_series_that_began_after_us_counts_from_its_start() -> None:
    assert tokens_added(memory(), total(100, 1_020), total(130, 1_030), total(130, 1_040)) == [100, 130 - 100, 0]


@pytest.mark.parametrize("start", [BEFORE, OUR_START, 0])
def test_a_series_that_began_before_us_or_at_no_known_time_has_a_base_line(start: int) -> None:
    added = memory()
    assert added.increments([total(100, 1_020, start=start)]) == [Increment(BASE_LINE)]
    assert added.increments([total(130, 1_030, start=start)]) == [Increment(ADDED, 130 - 100)]


def test_a_first_point_without_duration_is_a_base_line() -> None:
    assert tokens_added(memory(), total(100, AFTER, start=AFTER), total(130, 1_030, start=AFTER)) == [0, 130 - 100]


def test_calls_are_added_as_tokens_are() -> None:
    added = memory()
    points = [total(100, 1_020, calls=2), total(130, 1_030, calls=5), total(130, 1_040, calls=6)]
    assert [added.increments([point])[0] for point in points] == [
        Increment(ADDED, 100, 2),
        Increment(ADDED, 130 - 100, 5 - 2),
        Increment(ADDED, 0, 6 - 5),
    ]


def test_a_restart_with_its_time_counts_from_that_start() -> None:
    points = [total(100, 1_020), total(40, 1_060, start=1_050), total(45, 1_070, start=1_050)]
    assert tokens_added(memory(), *points) == [100, 40, 45 - 40]


def test_a_total_that_falls_began_anew() -> None:
    assert tokens_added(memory(), total(100, 1_020), total(40, 1_030), total(70, 1_040)) == [100, 40, 70 - 40]


def test_a_count_of_calls_that_falls_began_anew_too() -> None:
    added = memory()
    added.increments([total(100, 1_020, calls=9)])
    assert added.increments([total(120, 1_030, calls=3)]) == [Increment(ADDED, 120, 3)]


def test_processes_under_one_name_are_told_apart_by_when_they_began() -> None:
    one, other = 1_011, 1_012
    points = [
        total(100, 1_020, start=one),
        total(900, 1_021, start=other),
        total(110, 1_030, start=one),
        total(920, 1_031, start=other),
    ]
    assert tokens_added(memory(), *points) == [100, 900, 110 - 100, 920 - 900]


def test_points_that_are_not_newer_add_nothing() -> None:
    added = memory()
    tokens_added(added, total(100, 1_020), total(150, 1_040))
    for late in (total(150, 1_040), total(130, 1_030), total(100, 1_020)):
        assert added.increments([late]) == [Increment(REPEATED)]
    assert tokens_added(added, total(151, 1_050)) == [151 - 150]


def test_deltas_are_taken_as_they_are_in_any_order() -> None:
    assert tokens_added(memory(), delta(30, 1_030), delta(10, 1_010), delta(20, 1_020)) == [30, 10, 20]


def test_a_delta_that_is_delivered_again_adds_nothing() -> None:
    added = memory()
    request = [delta(30, 1_030), delta(30, 1_030, series=2)]
    assert [each.tokens for each in added.increments(request)] == [30, 30]
    assert added.increments(request) == [Increment(REPEATED)] * 2


def test_equal_deltas_of_one_request_are_no_repeats_of_each_other() -> None:
    added = memory()
    assert [each.tokens for each in added.increments([delta(30, 1_030)] * 3)] == [30, 30, 30]


@pytest.mark.parametrize("make", [total, delta])
@pytest.mark.parametrize("tokens", [math.nan, math.inf, -1, 0.5, None])
def test_what_is_no_number_of_tokens_is_refused_and_forgotten(
    make: Callable[[float | None, int], Reported], tokens: float | None
) -> None:
    added = memory()
    assert added.increments([make(tokens, 1_020)]) == [Increment(INVALID)]
    assert tokens_added(added, make(7, 1_030)) == [7]


def test_what_is_no_total_is_refused() -> None:
    added = memory()
    gauge = total(5, 1_020)._replace(adds_up=False)
    nameless = total(5, 1_020)._replace(temporality=0)
    timeless = total(5, 0)
    assert added.increments([gauge, nameless, timeless]) == [Increment(INVALID)] * 3


def test_what_no_service_could_use_is_refused_and_the_next_point_counts_as_if_it_had_not_been() -> None:
    added = memory()
    absurd = [MAX_TOKENS_ADDED + 101, MAX_TOTAL + 1]
    assert tokens_added(added, total(100, 1_020)) == [100]
    assert added.increments([total(tokens, 1_030) for tokens in absurd]) == [Increment(ABSURD)] * 2
    assert tokens_added(added, total(130, 1_040)) == [130 - 100]
    assert added.increments([delta(MAX_TOKENS_ADDED + 1, 1_020)]) == [Increment(ABSURD)]


def test_calls_cannot_use_more_than_the_largest_call_each() -> None:
    added = memory()
    assert added.increments([delta(100_000_001, 1_020, calls=1)]) == [Increment(ABSURD)]
    assert added.increments([delta(1, 1_020, calls=0)]) == [Increment(ABSURD)]
    assert added.increments([delta(100_000_001, 1_020, calls=2)]) == [Increment(ADDED, 100_000_001, 2)]


def test_the_series_unheard_of_for_longest_makes_room() -> None:
    added = memory(max_series=2)
    tokens_added(added, total(10, 1_020, series=1), total(20, 1_021, series=2), total(11, 1_022, series=1))
    tokens_added(added, total(30, 1_023, series=3))
    assert (added.known_series, added.dropped_series) == (2, 1)
    assert tokens_added(added, total(12, 1_024, series=1)) == [12 - 11]


def test_a_forgotten_series_that_comes_back_is_not_counted_twice() -> None:
    clock = iter([2_000, 2_022, 2_031])
    added = Deltas(lambda: next(clock), max_series=1)
    points = [
        total(10, 2_020, start=2_010, series=1),
        total(50, 2_021, start=2_010, series=2),  # series 1 is forgotten; all that began by now has a base line
        total(15, 2_030, start=2_010, series=1),
        total(17, 2_040, start=2_010, series=1),
    ]
    assert tokens_added(added, *points) == [10, 50, 0, 17 - 15]
    assert added.dropped_series == 2


def test_a_clock_years_ahead_makes_no_base_line_of_what_is_to_come() -> None:
    added = Deltas(lambda: 1_500, max_series=1)
    tokens_added(added, total(10, 9_000_000, start=8_000_000, series=1), total(20, 1_510, start=1_505, series=2))
    assert tokens_added(added, total(5, 1_600, start=1_550, series=3)) == [5]


def test_remembered_deltas_are_bounded() -> None:
    added = memory(max_remembered=2)
    tokens_added(added, delta(1, 1_001), delta(2, 1_002), delta(3, 1_003))
    assert added.increments([delta(3, 1_003)]) == [Increment(REPEATED)]
    assert tokens_added(added, delta(1, 1_001)) == [1]  # forgotten
