"""Cases that are easy to get wrong: late children, silent siblings, old shapes, ids that repeat, ties."""

from __future__ import annotations

from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, NO_TOKENS
from tests.unit.counting.candidates import FRAMEWORK_SCOPE, Clock, candidate, window


def test_a_child_that_comes_after_the_sum_over_it_is_still_a_call() -> None:
    counting = window()
    early = counting.judge(candidate(2, parent=1, tokens=(100, 10)))
    total = counting.judge(candidate(1, scope=FRAMEWORK_SCOPE, tokens=(300, 30), times_ns=(0, 12)))
    late = counting.judge(candidate(3, parent=1, tokens=(200, 20), times_ns=(5, 15)))
    assert [early.kind, total.kind, late.kind] == [COUNTED, AGGREGATE, COUNTED]


def test_a_silent_child_does_not_hide_its_sibling_with_usage_from_their_parent() -> None:
    counting = window()
    counting.judge(candidate(2, parent=1))
    counting.judge(candidate(3, parent=1, tokens=NO_TOKENS, times_ns=(0, 20)))
    parent = counting.judge(candidate(1, scope=FRAMEWORK_SCOPE, times_ns=(0, 30)))
    assert (parent.kind, parent.upgrades) == (DUPLICATE, False)


def test_a_call_of_a_shape_known_for_long_is_found_for_a_whole_period() -> None:
    clock = Clock()
    counting = window(clock, ttl_s=10.0)
    for clock.now_s in (0.0, 10.0, 19.9):
        counting.judge(candidate(int(clock.now_s) + 1, times_ns=(int(clock.now_s), int(clock.now_s) + 5)))
    clock.now_s = 20.1
    twin = candidate(1, trace=2, scope=FRAMEWORK_SCOPE, times_ns=(19, 24))
    assert counting.judge(twin).kind == DUPLICATE


def test_a_response_id_used_again_by_another_call_of_the_same_scope_is_no_duplicate() -> None:
    counting = window()
    counting.judge(candidate(1, response_id="chatcmpl-417"))
    later = candidate(2, trace=2, response_id="chatcmpl-417", tokens=(80, 900), times_ns=(10**9, 2 * 10**9))
    assert counting.judge(later).kind == COUNTED


def test_spans_that_end_together_are_judged_the_same_whatever_their_ids() -> None:
    found = set()
    for trace in range(1, 41):
        total = candidate(1, trace=trace, scope=FRAMEWORK_SCOPE, tokens=(300, 30), times_ns=(0, 10))
        children = [candidate(n, trace=trace, parent=1, tokens=(100 * n, 10), times_ns=(5, 10)) for n in (2, 3)]
        found.add(tuple(verdict.kind for verdict in window().judge_together([total, *children])))
    assert found == {(AGGREGATE, COUNTED, COUNTED)}
