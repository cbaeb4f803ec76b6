"""The archive of counting: found as it was put in, forgotten oldest first, and young again when a span joins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from otel_carbon.counting.archive import Archive, Entries
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, NO_TOKENS, Call, Nested, Seen, Verdict
from otel_carbon.counting.memory import YOUNG_PART
from otel_carbon.counting.open_calls import OpenCalls
from otel_carbon.counting.rotating_map import RotatingMap
from tests.unit.counting.candidates import FRAMEWORK_SCOPE, SDK_SCOPE, Clock, candidate, window

if TYPE_CHECKING:
    from otel_carbon.counting.archive import Shelf
    from otel_carbon.counting.window import CountingWindow

V = TypeVar("V")
MAX_CALLS = 64
COUNTED_HERE = Verdict(COUNTED)
LARGEST_KEY = 2**63 - 1
SMALLEST_KEY = -(2**63)


def call(number: int = 1) -> Call:
    """One that differs from others in all that it can."""
    return Call(
        frozenset({SDK_SCOPE, f"scope {number}"}),
        response_key=100 + number,
        model=f"model-{number}",
        tokens=(number, None),
        start_ns=1000 * number,
        end_ns=1000 * number + 5,
        seen_at_s=number / 2,
        twin_tokens=(number, number + 1),
        leaf=number % 2 == 0,
        silent_key=-number,
        counted=number % 3 == 0,
    )


def archive(max_calls: int = MAX_CALLS) -> Archive:
    return Archive(max_calls, max_calls)


def settle_responses(into: Archive, calls: dict[int, Call], period: int = 0) -> None:
    """Archive calls that nothing but a response leads to."""
    into.settle(Entries({}, {}, calls, {}), period)


def find(shelf: Shelf[V], key: int) -> V | None:
    """What is archived under a key."""
    nothing_young: dict[int, V] = {}
    return shelf.finder(nothing_young.get)(key)


def said_of(found: Call | None) -> Call:
    """A call as it was before it was archived; equality of calls is identity, so tests compare their texts."""
    assert found is not None
    return replace(found, archived_as=0)


@pytest.mark.parametrize("key", [1, -1, LARGEST_KEY, SMALLEST_KEY])
@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_a_call_comes_back_as_it_was(key: int, number: int) -> None:
    old = archive()
    settle_responses(old, {key: call(number)})
    assert repr(said_of(find(old.responses, key))) == repr(call(number))


@pytest.mark.parametrize(
    "odd",
    [
        {"start_ns": -1},
        {"end_ns": 2**64},
        {"tokens": (2**31, 1)},
        {"twin_tokens": (1, 2**40)},
        {"response_key": 2**63},
    ],
    ids=str,
)
def test_a_call_with_numbers_that_do_not_fit_comes_back_as_it_was_too(odd: dict[str, Any]) -> None:
    old = archive()
    plain, other = call(1), replace(call(2), **odd)
    settle_responses(old, {7: plain, 8: other})
    assert repr(said_of(find(old.responses, 8))) == repr(replace(call(2), **odd))
    assert repr(said_of(find(old.responses, 7))) == repr(call(1))


def test_spans_come_back_with_verdict_parent_and_call() -> None:
    old = archive()
    spans = {
        1: Seen(COUNTED_HERE, 10, call()),
        2: Seen(Verdict(AGGREGATE, "because"), -10, None),
        3: Seen(None, 0, None, relays=True),
    }
    old.settle(Entries(dict(spans), {}, {}, {}), 0)
    for key, span in spans.items():
        found = find(old.spans, key)
        assert found is not None
        assert found._replace(call=None) == span._replace(call=None)
        assert (found.call is None) == (span.call is None)


def test_calls_below_come_back_nested_or_not() -> None:
    old = archive()
    old.settle(Entries({}, {1: call(1), 2: Nested(call(2))}, {}, {}), 0)
    direct, nested = find(old.below, 1), find(old.below, 2)
    assert isinstance(direct, Call)
    assert isinstance(nested, Nested)
    assert (direct.model, nested.call.model) == ("model-1", "model-2")


def test_open_calls_of_a_shape_come_back_in_their_order() -> None:
    old = archive()
    several = OpenCalls.of(call(3))
    for number in (1, 2):
        several.add(call(number))
    old.settle(Entries({}, {}, {}, {1: several, 2: call(4)}), 0)
    three, one = find(old.shapes, 1), find(old.shapes, 2)
    assert isinstance(three, OpenCalls)
    assert isinstance(one, OpenCalls)
    assert [found.model for found in old.known(three.calls)] == ["model-1", "model-2", "model-3"]
    assert [found.model for found in old.known(one.calls)] == ["model-4"]
    assert list(three.ends_ns) == [1005.0, 2005.0, 3005.0]
    assert three.scopes == [call(number).scopes for number in (1, 2, 3)]


def test_what_was_never_archived_is_not_found_whatever_its_chain() -> None:
    old = archive()
    settle_responses(old, {key: call() for key in range(0, 4 * MAX_CALLS, 2)})
    assert all(find(old.responses, key + 2**32) is None for key in range(4 * MAX_CALLS))
    assert all(find(old.responses, key) is None for key in range(1, 4 * MAX_CALLS, 2))


def test_young_entries_come_before_archived_ones_and_newer_before_older() -> None:
    old = archive()
    for number in (1, 2):
        settle_responses(old, {1: call(number)})
    young = {1: call(3)}
    assert old.responses.finder(young.get)(1) is young[1]
    assert said_of(find(old.responses, 1)).model == "model-2"


def test_a_call_that_several_keys_lead_to_is_archived_once() -> None:
    old = archive()
    shared = call()
    old.settle(Entries({1: Seen(COUNTED_HERE, 0, shared)}, {2: shared}, {3: shared}, {4: shared}), 0)
    by_span, below = find(old.spans, 1), find(old.below, 2)
    by_response, of_shape = find(old.responses, 3), find(old.shapes, 4)
    assert by_span is not None
    assert by_span.call is not None
    assert isinstance(below, Call)
    assert by_response is not None
    assert isinstance(of_shape, OpenCalls)
    assert {by_span.call.archived_as, below.archived_as, by_response.archived_as} == set(of_shape.calls)


def test_a_call_that_is_young_again_is_one_object_for_all_and_is_archived_as_it_then_is() -> None:
    old = archive()
    first = call()
    old.settle(Entries({1: Seen(COUNTED_HERE, 0, first)}, {}, {2: first}, {}), 0)
    revived = find(old.responses, 2)
    assert revived is not None
    old.revive(revived)
    seen = find(old.spans, 1)
    assert seen is not None
    assert seen.call is revived is find(old.responses, 2)
    revived.tokens = (5, 6)
    settle_responses(old, {3: revived})
    archived = [find(old.responses, 2), find(old.responses, 3)]
    assert [said_of(found).tokens for found in archived] == [(5, 6), (5, 6)]
    assert revived not in archived


def test_a_call_that_was_revived_outlives_the_generation_it_came_from() -> None:
    old = archive()
    settle_responses(old, {1: call()}, period=0)
    revived = find(old.responses, 1)
    assert revived is not None
    was = revived.archived_as
    old.revive(revived)
    settle_responses(old, {2: revived}, period=1)
    old.forget_before(1)
    assert find(old.responses, 1) is None
    assert said_of(find(old.responses, 2)).model == "model-1"
    assert old.known([was]) == []
    assert [found.model for found in old.known([revived.archived_as])] == ["model-1"]


def test_a_revived_call_that_nothing_leads_to_any_more_is_archived_anew_too() -> None:
    old = archive()
    settle_responses(old, {1: call()})
    revived = find(old.responses, 1)
    assert revived is not None
    old.revive(revived)
    settle_responses(old, {2: call(2)})
    again = find(old.responses, 1)
    assert again is not revived  # an object for each would be what the archive saves
    assert repr(said_of(again)) == repr(call())


def test_periods_are_forgotten_oldest_first_and_are_not_counted_as_evicted() -> None:
    old = archive()
    for period in range(4):
        settle_responses(old, {period: call(period + 1)}, period)
    old.forget_before(2)
    assert [find(old.responses, period) is not None for period in range(4)] == [False, False, True, True]
    assert old.evicted == 0


def test_over_capacity_the_oldest_generations_go_and_their_entries_are_counted() -> None:
    old = archive(max_calls=10)
    for generation in range(4):
        settle_responses(old, {10 * generation + i: call(i + 1) for i in range(4)})
    # 16 entries are too many by 6, which is two generations of 4.
    assert [find(old.responses, 10 * generation) is not None for generation in range(4)] == [False, False, True, True]
    assert old.evicted == 2 * 4


def test_calls_that_are_archived_again_and_again_are_bounded_too() -> None:
    old = archive(max_calls=40)
    settle_responses(old, {key: call() for key in range(20)})
    evicted = []
    for turn in range(3):  # the rows that they had stay until their generation goes
        for key in range(20):
            found = find(old.responses, key)
            assert found is not None
            old.revive(found)
        settle_responses(old, {100 + turn: call()})
        evicted.append(old.evicted)
    # 20 + 21 + 21 rows are less than twice 40, and with 21 more the first generation goes with its 20 entries.
    assert evicted == [0, 0, 20]


def test_an_archive_that_was_emptied_starts_anew() -> None:
    old = archive()
    settle_responses(old, {1: call()}, period=0)
    old.forget_before(1)
    young = {9: call(9)}
    assert old.responses.finder(young.get) == young.get  # nothing is looked for in an empty archive
    settle_responses(old, {2: call(2)}, period=1)
    assert find(old.responses, 1) is None
    assert said_of(find(old.responses, 2)).model == "model-2"


def test_entries_are_numbered_anew_before_numbers_become_too_large() -> None:
    old = archive()
    settle_responses(old, {1: call(1), 2: call(2)})
    old.responses._next = 2**32 - 1  # as after as many entries
    settle_responses(old, {3: call(3), 1: call(4)})
    assert [said_of(find(old.responses, key)).model for key in (1, 2, 3)] == ["model-4", "model-2", "model-3"]


def test_entries_from_before_there_were_many_chains_are_found_until_they_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("otel_carbon.counting.archive._FEW_CHAINS", 4)
    old = archive()
    settle_responses(old, {1: call(1), 5: call(5)}, period=0)
    settle_responses(old, {2: call(2), 1: call(3)}, period=1)  # too many for four chains
    models = [said_of(find(old.responses, key)).model for key in (1, 2, 5)]
    assert models == ["model-3", "model-2", "model-5"]
    assert [old.responses.holds(key) for key in (1, 2, 5, 9)] == [True, True, True, False]

    old.forget_before(1)

    assert [old.responses.holds(key) for key in (1, 2, 5, 9)] == [True, True, False, False]
    assert find(old.responses, 5) is None
    assert old.responses._earlier is None


def test_what_is_taken_out_of_a_map_is_parted_where_the_period_starts() -> None:
    entries: RotatingMap[str] = RotatingMap(10)
    entries.update({1: "a", 2: "b"})
    entries.rotate()
    entries[3] = "c"
    entries.refresh(1, "a again")
    assert entries.take_all() == ({2: "b"}, {3: "c", 1: "a again"})
    assert entries == {}
    entries[4] = "d"
    assert entries.take_all() == ({}, {4: "d"})


ARCHIVING_SOON = 2 * YOUNG_PART
"""Calls a window holds that keeps two young ones."""
RESPONSE_ID = "resp-8d1-of-one-call"


@pytest.mark.parametrize(
    ("related", "kind"),
    [
        ({"trace": 1, "number": 1}, "counted, repeated"),
        ({"trace": 1, "parent": 1, "tokens": (100, 10)}, "duplicate"),
        ({"trace": 7, "response_id": RESPONSE_ID, "tokens": (100, 10)}, "duplicate"),
        ({"trace": 7, "scope": FRAMEWORK_SCOPE}, "duplicate"),
        ({"trace": 7, "scope": FRAMEWORK_SCOPE, "model": "o3"}, "counted"),
    ],
    ids=["the span itself", "by ancestry", "by response", "by shape", "another model"],
)
def test_an_archived_call_is_found_like_a_young_one(related: dict[str, object], kind: str) -> None:
    counting = window(max_calls=ARCHIVING_SOON)
    counting.judge(candidate(1, response_id=RESPONSE_ID))
    for number in range(2, 10):
        counting.judge(candidate(number, trace=number + 10, tokens=(number, number)))
    found = counting.judge(candidate(**{"number": 50, **related}))  # type: ignore[arg-type]  # keywords of one builder
    assert (f"{found.kind}, repeated" if found.repeated else found.kind) == kind
    assert counting.evicted == 0


def test_an_archived_call_is_forgotten_after_two_periods_and_found_before() -> None:
    clock = Clock()
    counting = window(clock, ttl_s=10.0, max_calls=ARCHIVING_SOON)
    for number in range(1, 10):
        counting.judge(candidate(number, trace=number, tokens=(number, number)))
    clock.now_s = 10.0
    counting.judge(candidate(20, trace=20, tokens=(20, 20)))
    clock.now_s = 19.9
    assert counting.judge(candidate(1, trace=1, tokens=(1, 1))).repeated
    clock.now_s = 20.0
    assert not counting.judge(candidate(1, trace=1, tokens=(1, 1))).repeated
    assert counting.judge(candidate(20, trace=20, tokens=(20, 20))).repeated
    assert counting.evicted == 0


def test_what_stays_young_until_the_next_period_is_forgotten_in_its_own_time() -> None:
    clock = Clock()
    counting = window(clock, ttl_s=10.0, max_calls=ARCHIVING_SOON)
    counting.judge(candidate(1, tokens=(1, 1)))
    clock.now_s = 10.0
    for number in range(2, 10):  # with these the first one is archived
        counting.judge(candidate(number, trace=number, tokens=(number, number)))
    clock.now_s = 20.0
    assert not counting.judge(candidate(1, tokens=(1, 1))).repeated
    assert counting.judge(candidate(2, trace=2, tokens=(2, 2))).repeated


def archived_silent_call() -> CountingWindow:
    """A window that has archived a call below the span 2 that told no usage."""
    counting = window(max_calls=ARCHIVING_SOON)
    counting.judge(candidate(3, parent=2, response_id=RESPONSE_ID, tokens=NO_TOKENS))
    for number in range(11, 20):
        counting.judge(candidate(number, trace=number, tokens=(number, number)))
    return counting


def tell_usage(counting: CountingWindow) -> None:
    """Its usage, from elsewhere."""
    assert counting.judge(candidate(1, trace=7, response_id=RESPONSE_ID)).upgrades


def test_an_archived_call_is_one_call_for_a_step_above_it_that_comes_late() -> None:
    counting = archived_silent_call()
    counting.note_structure(candidate(2, parent=1, tokens=NO_TOKENS), aggregate=False)
    tell_usage(counting)
    above = counting.judge(candidate(1, scope=FRAMEWORK_SCOPE))
    assert (above.kind, above.upgrades) == ("duplicate", False)


def test_an_archived_call_stays_the_one_below_a_span_when_another_comes_nested() -> None:
    counting = archived_silent_call()
    counting.note_structure(candidate(4, parent=2, tokens=NO_TOKENS), aggregate=False)
    counting.judge(candidate(5, parent=4, tokens=(7, 7), times_ns=(20, 30)))
    tell_usage(counting)
    above = counting.judge(candidate(2, scope=FRAMEWORK_SCOPE))
    assert (above.kind, above.upgrades) == ("duplicate", False)


def test_usage_that_comes_for_an_archived_call_without_takes_it_over_once() -> None:
    counting = window(max_calls=ARCHIVING_SOON)
    counting.judge(candidate(1, response_id=RESPONSE_ID, tokens=NO_TOKENS))
    for number in range(2, 10):
        counting.judge(candidate(number, trace=number + 10, tokens=(number, number)))
    usages = [counting.judge(candidate(1, trace=trace, response_id=RESPONSE_ID)) for trace in (7, 8)]
    assert [(usage.kind, usage.upgrades) for usage in usages] == [(COUNTED, True), ("duplicate", False)]
