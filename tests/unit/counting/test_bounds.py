"""What counting forgets, how much it holds at most, and that nothing in a trace can make it run on."""

from __future__ import annotations

import threading
from time import process_time
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from otel_carbon.core import reasons
from otel_carbon.counting.archive import Archive, Entries
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, NO_SCOPES, NO_TOKENS, Call
from otel_carbon.counting.decide import MAX_ANCESTORS
from otel_carbon.counting.memory import COUNTED_PART, MOST_OVERFULL, MOST_PATIENCE, YOUNG_PART
from otel_carbon.counting.rotating_map import RotatingMap
from otel_carbon.counting.shapes import MAX_OPEN_TWINS, ShapeIndex
from tests.unit.counting.candidates import FRAMEWORK_SCOPE, Clock, candidate, window

if TYPE_CHECKING:
    from collections.abc import Callable

TTL_S = 10.0
SLOW_MACHINE = 3
"""How much longer than here a test may take elsewhere."""


def test_a_span_is_remembered_for_a_whole_period() -> None:
    clock = Clock()
    counting = window(clock, ttl_s=TTL_S)
    counting.judge(candidate(1))
    for clock.now_s in (1.0, 9.9, 10.0, 19.9):
        assert counting.judge(candidate(1)).repeated, clock.now_s


def test_a_span_is_forgotten_after_two_periods() -> None:
    clock = Clock()
    counting = window(clock, ttl_s=TTL_S)
    counting.judge(candidate(1))
    clock.now_s = 10.0
    counting.judge(candidate(2, trace=2))
    clock.now_s = 20.0
    again = counting.judge(candidate(1))
    assert (again.kind, again.repeated) == (COUNTED, False)
    assert counting.evicted == 0  # too old is not the same as too many


@pytest.mark.parametrize(
    "related", [{"trace": 1, "parent": 1}, {"response_id": "resp-1", "tokens": (9, 9)}, {}], ids=str
)
def test_a_call_is_found_for_a_period_by_ancestry_id_and_shape(related: dict[str, object]) -> None:
    clock = Clock()
    counting = window(clock, ttl_s=TTL_S)
    counting.judge(candidate(1, response_id="resp-1"))
    clock.now_s = 9.9
    late = candidate(2, **{"trace": 2, "scope": FRAMEWORK_SCOPE, **related})  # type: ignore[arg-type]  # keywords of one builder
    assert counting.judge(late).kind == DUPLICATE


def test_over_capacity_the_oldest_go_and_are_counted() -> None:
    counting = window(max_calls=100)
    for number in range(1, 1001):
        counting.judge(candidate(number, trace=number, tokens=(number, 1)))
    assert counting.evicted > 0
    assert counting.judge(candidate(1000, trace=1000, tokens=(1000, 1))).repeated
    assert not counting.judge(candidate(1, tokens=(1, 1))).repeated


def test_calls_of_few_shapes_are_forgotten_before_their_lists_grow_beyond_the_bound() -> None:
    archive = Archive(max_calls=1000, young_calls=100)
    shapes = ShapeIndex(100, archive)
    for start in range(0, 900, 100):
        for number in range(start, start + 100):
            spans = candidate(number, times_ns=(number, number + 1))
            call = Call(NO_SCOPES, 0, "", spans.tokens, spans.start_ns, spans.end_ns, 0.0)
            shapes.file(spans, call, -1.0)
        archive.settle(Entries({}, {}, {}, shapes.entries.take_all()[1]), 0)
        shapes.find = archive.shapes.finder(shapes.entries.get)
    # Each generation has the one list whole: 100 + 200 + ... + 800 calls, of which no more than 4 * 1000 may stand.
    assert archive.listed <= 4 * 1000
    assert archive.evicted > 0


def test_where_lists_of_shapes_would_be_archived_again_and_again_calls_stay_young_for_longer() -> None:
    counting = window(max_calls=YOUNG_PART * 64)
    for number in range(1, 2001):
        counting.judge(candidate(number, trace=number, tokens=(number % 4, 1)))
    # Each of 4 lists has some 500 calls, all of which 64 calls more would archive anew.
    assert counting._patience == MOST_PATIENCE

    for number in range(10_001, 14_001):
        counting.judge(candidate(number, trace=number, tokens=(number, 1)))

    assert counting._patience == 1


def test_within_capacity_nothing_is_evicted() -> None:
    counting = window(max_calls=1000)
    for number in range(1, 1001):
        counting.judge(candidate(number, trace=number, tokens=(number, 1)))
    assert counting.evicted == 0
    assert counting.judge(candidate(1, tokens=(1, 1))).repeated


def test_a_storm_of_one_shape_keeps_a_bounded_number_of_open_calls() -> None:
    counting = window()
    storm = 20_000
    kinds = {counting.judge(candidate(number)).kind for number in range(1, storm + 1)}
    assert kinds == {COUNTED}
    # Every call beyond the bound was given up as a possible twin, and said so.
    evicted = counting.evicted
    assert storm - MAX_OPEN_TWINS <= evicted < storm
    twins = [counting.judge(candidate(n, trace=2, scope=FRAMEWORK_SCOPE)).kind for n in range(1, MAX_OPEN_TWINS + 2)]
    assert twins.count(DUPLICATE) == storm - evicted


def test_one_shape_of_many_scopes_keeps_a_bounded_number_of_open_calls_over_all_of_them() -> None:
    counting = window()
    scopes = 3 * MAX_OPEN_TWINS
    for number in range(1, scopes + 1):
        span = candidate(number, trace=number, scope=f"scope {number}", times_ns=(2 * number, 2 * number + 1))
        assert counting.judge(span).kind == COUNTED
    assert scopes - MAX_OPEN_TWINS <= counting.evicted < scopes
    first, last = ((2 * number, 2 * number + 1) for number in (1, scopes))
    assert counting.judge(candidate(1, trace=9**9, scope="late", times_ns=first)).kind == COUNTED  # given up
    assert counting.judge(candidate(2, trace=9**9, scope="late", times_ns=last)).kind == DUPLICATE


@pytest.mark.parametrize("times_ns", [lambda i: (3 * i, 3 * i + 1), lambda _: (0, 10)], ids=["apart", "at one time"])
def test_calls_of_one_shape_that_are_never_twins_take_linear_time(times_ns: Callable[[int], tuple[int, int]]) -> None:
    spans = [
        candidate(i + 1, trace=i + 1, scope=f"scope {i % 2}", times_ns=times_ns(i), response_id=f"response-number-{i}")
        for i in range(20_000)
    ]
    started_s = process_time()
    assert {verdict.kind for verdict in window().judge_together(spans)} == {COUNTED}
    assert process_time() - started_s < SLOW_MACHINE * 2


def test_a_storm_from_two_scopes_pairs_up_as_it_goes() -> None:
    counting = window()
    kinds = [
        counting.judge(candidate(number, trace=trace, scope=f"scope {trace}")).kind
        for number in range(1, 10_001)
        for trace in (1, 2)
    ]
    assert kinds.count(COUNTED) == kinds.count(DUPLICATE) == 10_000


def test_too_old_calls_of_a_shape_are_given_up_without_being_counted_as_evicted() -> None:
    clock = Clock()
    counting = window(clock, ttl_s=TTL_S)
    counting.judge(candidate(1))
    clock.now_s = 10.5
    counting.judge(candidate(2))
    counting.judge(candidate(3))
    twins = [counting.judge(candidate(n, trace=2, scope=FRAMEWORK_SCOPE)).kind for n in (1, 2, 3)]
    assert twins == [DUPLICATE, DUPLICATE, COUNTED]
    assert counting.evicted == 0


def chain(length: int) -> list[int]:
    """Numbers of spans from the top of a chain down."""
    return list(range(1, length + 1))


def test_ancestors_are_followed_up_to_the_bound() -> None:
    counting = window()
    for number in chain(MAX_ANCESTORS)[1:]:
        counting.note_structure(candidate(number, parent=number - 1, tokens=NO_TOKENS), aggregate=False)
    counting.judge(candidate(MAX_ANCESTORS + 1, parent=MAX_ANCESTORS))
    assert counting.judge(candidate(1, times_ns=(0, 99))).reason == reasons.COUNTED_DESCENDANT


def test_longer_chains_are_given_up() -> None:
    counting = window()
    for number in chain(MAX_ANCESTORS + 1)[1:]:
        counting.note_structure(candidate(number, parent=number - 1, tokens=NO_TOKENS), aggregate=False)
    counting.judge(candidate(MAX_ANCESTORS + 2, parent=MAX_ANCESTORS + 1))
    assert counting.judge(candidate(1, times_ns=(0, 99))).kind == COUNTED


def test_a_span_that_names_itself_as_parent_is_one_call() -> None:
    counting = window()
    assert counting.judge_together([candidate(1, parent=1)])[0].kind == COUNTED
    assert counting.judge(candidate(1, parent=1)).repeated


def test_parents_in_a_circle_end() -> None:
    counting = window()
    counting.note_structure(candidate(1, parent=3), aggregate=False)
    counting.note_structure(candidate(2, parent=1), aggregate=True)
    counting.note_structure(candidate(3, parent=2), aggregate=False)
    assert counting.judge(candidate(4, parent=3)).kind == COUNTED
    ring = [candidate(number, parent=number % 5 + 11, trace=7) for number in range(11, 16)]
    kinds = [verdict.kind for verdict in window().judge_together(ring)]
    assert kinds.count(COUNTED) == 1
    assert set(kinds) <= {COUNTED, DUPLICATE, AGGREGATE}


def test_a_map_forgets_by_period_and_by_capacity() -> None:
    entries: RotatingMap[str] = RotatingMap(3)
    for key in range(5):
        entries[key] = str(key)
    entries.shrink()
    assert list(entries) == [2, 3, 4]
    assert entries.evicted == 5 - 3
    entries.rotate()
    entries[9] = "9"
    assert 2 in entries
    entries.rotate()
    assert _texts(entries) == ["9"]
    assert entries.evicted == 2


def test_shrinking_after_a_rotation_does_not_forget_the_young_too_early() -> None:
    entries: RotatingMap[str] = RotatingMap(3)
    entries.update({1: "a", 2: "b"})
    entries.rotate()
    entries.update({3: "c", 4: "d"})
    entries.shrink()
    assert _texts(entries) == ["b", "c", "d"]
    entries.rotate()  # only what was there at the last rotation goes
    assert _texts(entries) == ["c", "d"]


def test_shrinking_past_the_start_of_a_period_keeps_the_rest() -> None:
    entries: RotatingMap[str] = RotatingMap(1)
    entries[1] = "a"
    entries.rotate()
    entries.update({2: "b", 3: "c"})
    entries.shrink()
    assert _texts(entries) == ["c"]
    assert entries.evicted == 2
    entries.rotate()
    assert _texts(entries) == ["c"]


def test_refreshing_starts_the_life_of_an_entry_anew() -> None:
    entries: RotatingMap[str] = RotatingMap(10)
    entries.update({1: "a", 2: "b"})
    entries.rotate()
    entries.refresh(1, "a")
    entries.rotate()
    assert _texts(entries) == ["a"]


def _texts(entries: RotatingMap[str]) -> list[str]:
    """The values, without the marks between periods."""
    return [text for text in entries.values() if text is not None]


def test_young_calls_that_wait_for_their_thread_never_outnumber_their_bound_by_more_than_once() -> None:
    max_calls = 16_000
    young = max_calls // YOUNG_PART
    counting, most = window(max_calls=max_calls, archives_apart=True), 0
    with patch.object(counting, "_archive_apart"):  # a thread that never gets its turn
        for number in range(1, 5 * young):
            counting.judge(candidate(number, trace=number, tokens=(number, 1)))
            most = max(most, len(counting._shapes.entries))
    assert counting.is_archiving
    assert young < most <= MOST_OVERFULL * young + young // COUNTED_PART
    assert counting.evicted == 0


def test_archiving_on_a_thread_of_its_own_ends_and_leaves_what_was_found() -> None:
    counting = window(max_calls=1600, archives_apart=True)
    spans = [candidate(number, trace=number, tokens=(number, 1)) for number in range(1, 1001)]
    counting.judge_together(spans)
    counting.judge(candidate(2000))  # looks whether there is room
    for thread in [each for each in threading.enumerate() if each.name == "archiving of calls"]:
        thread.join(10)
    assert not counting.is_archiving
    assert len(counting._shapes.entries) <= 1
    assert all(verdict.repeated for verdict in counting.judge_together(spans))


@pytest.mark.parametrize("batch", [1, 512])
def test_young_calls_never_outnumber_their_bound_by_more_than_a_batch_and_a_fraction(batch: int) -> None:
    max_calls = 16_000
    young = max_calls // YOUNG_PART
    counting, most = window(max_calls=max_calls), 0
    for first in range(0, 3 * young, batch):
        counting.judge_together([candidate(n, trace=n, tokens=(n, 1)) for n in range(first + 1, first + batch + 1)])
        most = max(most, len(counting._shapes.entries))
    assert most <= young + batch + young // COUNTED_PART
