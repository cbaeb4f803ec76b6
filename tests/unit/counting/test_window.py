"""Which spans are one call: by ancestry, by response id and by shape, one at a time and together."""

from __future__ import annotations

from typing import Any

import pytest

from otel_carbon.core import reasons
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, NO_TOKENS
from otel_carbon.counting.window import AGGREGATE_BY_ROLE
from tests.unit.counting.candidates import FRAMEWORK_SCOPE, SDK_SCOPE, candidate, kind_and_reason, window

COUNTED_ONCE = (COUNTED, "")
TWIN = (DUPLICATE, reasons.SAME_SHAPE)


def test_parallel_identical_calls_of_one_scope_stay_distinct() -> None:
    counting = window()
    verdicts = counting.judge_together([candidate(number) for number in range(1, 201)])
    assert [verdict.kind for verdict in verdicts] == [COUNTED] * 200


def test_two_hundred_twins_of_a_second_scope_find_one_call_each() -> None:
    counting = window()
    first = counting.judge_together([candidate(number) for number in range(1, 201)])
    twins = counting.judge_together([candidate(number, trace=2, scope=FRAMEWORK_SCOPE) for number in range(1, 201)])
    one_more = counting.judge(candidate(201, trace=2, scope=FRAMEWORK_SCOPE))
    assert {verdict.kind for verdict in first} == {COUNTED}
    assert [kind_and_reason(verdict) for verdict in twins] == [TWIN] * 200
    assert one_more.kind == COUNTED  # the two hundred calls have each been seen in that scope


def test_three_scopes_may_report_one_call() -> None:
    counting = window()
    verdicts = [counting.judge(candidate(1, trace=n, scope=f"scope {n}")) for n in (1, 2, 3)]
    assert [verdict.kind for verdict in verdicts] == [COUNTED, DUPLICATE, DUPLICATE]


def test_a_repeated_delivery_gets_the_same_verdict_and_says_so() -> None:
    counting = window()
    spans = [candidate(1), candidate(1, trace=2, scope=FRAMEWORK_SCOPE), candidate(2, trace=3, tokens=(7, 7))]
    first = counting.judge_together(spans)
    again = counting.judge_together(list(reversed(spans)))[::-1]
    assert [verdict.repeated for verdict in (*first, *again)] == [False] * 3 + [True] * 3
    assert [kind_and_reason(verdict) for verdict in again] == [kind_and_reason(verdict) for verdict in first]


def test_a_span_twice_in_one_batch_is_repeated_once() -> None:
    verdicts = window().judge_together([candidate(1), candidate(1)])
    assert sorted((verdict.kind, verdict.repeated) for verdict in verdicts) == [(COUNTED, False), (COUNTED, True)]


def test_a_parent_with_the_tokens_of_its_counted_child_is_a_duplicate() -> None:
    counting = window()
    assert counting.judge(candidate(2, parent=1)).kind == COUNTED
    parent = counting.judge(candidate(1, scope=FRAMEWORK_SCOPE, times_ns=(0, 20)))
    assert kind_and_reason(parent) == (DUPLICATE, reasons.COUNTED_DESCENDANT)


def test_a_parent_with_other_tokens_than_its_counted_child_is_an_aggregate() -> None:
    counting = window()
    counting.judge_together([candidate(2, parent=1), candidate(3, parent=1, tokens=(50, 5))])
    parent = counting.judge(candidate(1, scope=FRAMEWORK_SCOPE, tokens=(150, 15), times_ns=(0, 20)))
    assert kind_and_reason(parent) == (AGGREGATE, reasons.COUNTED_DESCENDANT)


def test_a_child_below_a_counted_parent_is_a_duplicate() -> None:
    counting = window()
    assert counting.judge(candidate(1, scope=FRAMEWORK_SCOPE)).kind == COUNTED
    child = counting.judge(candidate(2, parent=1, tokens=(101, 10)))
    assert kind_and_reason(child) == (DUPLICATE, reasons.COUNTED_ANCESTOR)


def test_ancestry_holds_across_steps_that_are_no_calls() -> None:
    counting = window()
    counting.note_structure(candidate(2, parent=1, tokens=NO_TOKENS), aggregate=False)
    counting.judge(candidate(3, parent=2))
    assert counting.judge(candidate(1, times_ns=(0, 20))).reason == reasons.COUNTED_DESCENDANT


def test_a_step_that_comes_last_still_links_what_is_above_it() -> None:
    counting = window()
    counting.judge(candidate(3, parent=2))
    counting.note_structure(candidate(2, parent=1, tokens=NO_TOKENS), aggregate=False)
    assert counting.judge(candidate(1, times_ns=(0, 20))).reason == reasons.COUNTED_DESCENDANT


def test_links_within_a_batch_are_known_before_anything_is_judged() -> None:
    counting = window()
    grandchild, parent, top = (
        candidate(3, parent=2, times_ns=(2, 4)),
        candidate(2, parent=1, times_ns=(1, 9)),
        candidate(1, times_ns=(0, 8)),  # ends before its child does
    )
    verdicts = counting.judge_together([top, parent, grandchild])
    assert [verdict.kind for verdict in verdicts] == [DUPLICATE, DUPLICATE, COUNTED]


def test_siblings_of_one_scope_under_an_aggregate_are_calls_of_their_own() -> None:
    counting = window()
    assert counting.note_structure(candidate(1, tokens=NO_TOKENS), aggregate=True) == AGGREGATE_BY_ROLE
    verdicts = [counting.judge(candidate(number, parent=1)) for number in (2, 3)]
    assert [verdict.kind for verdict in verdicts] == [COUNTED, COUNTED]


def test_known_structure_delivered_again_is_repeated() -> None:
    counting = window()
    counting.note_structure(candidate(1), aggregate=True)
    again = counting.note_structure(candidate(1), aggregate=True)
    assert again == AGGREGATE_BY_ROLE._replace(repeated=True)


@pytest.mark.parametrize(
    ("later", "of_its_scope", "of_another"),
    [
        ({"times_ns": (5, 15)}, DUPLICATE, DUPLICATE),
        ({"times_ns": (1000, 1010)}, COUNTED, DUPLICATE),
        ({"times_ns": (1000, 1010), "model": "o3"}, COUNTED, COUNTED),
        ({"tokens": (101, 10), "times_ns": (5, 15)}, COUNTED, DUPLICATE),
        ({"tokens": (101, 10), "times_ns": (1000, 1010)}, COUNTED, COUNTED),
        ({"tokens": NO_TOKENS, "times_ns": (1000, 1010)}, DUPLICATE, DUPLICATE),
    ],
    ids=["both fit", "another time", "another time and model", "other tokens", "neither fits", "later without usage"],
)
def test_a_short_response_id_makes_one_call_when_tokens_and_time_fit_too_or_one_of_them_in_another_scope(
    later: dict[str, Any], of_its_scope: str, of_another: str
) -> None:
    for scope, expected in ((SDK_SCOPE, of_its_scope), (FRAMEWORK_SCOPE, of_another)):
        counting = window()
        counting.judge(candidate(1, response_id="resp-8d1"))
        assert counting.judge(candidate(9, trace=2, scope=scope, response_id="resp-8d1", **later)).kind == expected


@pytest.mark.parametrize(("response_id", "expected"), [("chatcmpl-417", COUNTED), ("chatcmpl-9fK2mQx7", DUPLICATE)])
def test_a_long_response_id_that_comes_again_later_with_equal_tokens_is_the_same_response(
    response_id: str, expected: str
) -> None:
    counting = window()
    counting.judge(candidate(1, response_id=response_id))
    assert counting.judge(candidate(1, trace=2, response_id=response_id, times_ns=(50, 60))).kind == expected


def test_calls_whose_ids_are_drawn_from_a_thousand_numbers_all_count() -> None:
    counting = window()
    kinds = [
        counting.judge(
            candidate(n, trace=n, response_id=f"chatcmpl-{n * 7 % 999}", times_ns=(20 * n, 20 * n + 10))
        ).kind
        for n in range(1, 2001)
    ]
    assert kinds == [COUNTED] * 2000


@pytest.mark.parametrize("response_id", ["0", "chatcmpl-that-is-always-the-same"])
def test_parallel_calls_of_one_scope_with_a_constant_id_and_other_tokens_all_count(response_id: str) -> None:
    spans = [candidate(n, trace=n, response_id=response_id, tokens=(100 * n, 10)) for n in (1, 2, 3)]
    assert [verdict.kind for verdict in window().judge_together(spans)] == [COUNTED] * 3


def test_conflicting_response_ids_are_never_twins() -> None:
    counting = window()
    counting.judge(candidate(1, response_id="resp-8d1"))
    assert counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, response_id="resp-8d2")).kind == COUNTED


def test_a_span_without_an_id_may_be_the_twin_of_one_with() -> None:
    counting = window()
    counting.judge(candidate(1, response_id="resp-8d1"))
    assert kind_and_reason(counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE))) == TWIN


def test_the_id_of_a_twin_becomes_the_id_of_the_call() -> None:
    counting = window()
    counting.judge(candidate(1))
    counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, response_id="resp-8d1"))
    third = counting.judge(candidate(1, trace=3, scope="third", response_id="resp-8d2"))
    assert third.kind == COUNTED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o", "GPT-4o"),
        ("gpt-4o", ""),
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4", "gpt-4-0613"),
        ("openai/gpt-4o", "gpt-4o-2024-08-06"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("claude-3-haiku", "us.anthropic.claude-3-haiku-20240307-v1:0"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("llama3.1", "llama3.1:8b"),
        ("llama-3.1", "llama-3.1-8b-instruct"),
    ],
)
def test_models_that_can_be_one_model_do_not_keep_twins_apart(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        counting = window()
        counting.judge(candidate(1, model=first))
        assert kind_and_reason(counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, model=second))) == TWIN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-4o", "o3"),
        ("claude-3-haiku", "claude-3-opus"),
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"),
        ("gpt-4", "gpt-4o"),
        ("gpt-4", "gpt-4-turbo"),
        ("gpt-5", "gpt-5.1"),
        ("claude-sonnet-4", "claude-sonnet-4-5"),
        ("gpt-4o", "chatgpt-4o"),
        ("qwen-7b", "deepseek-r1-distill-qwen-7b"),
    ],
)
def test_different_models_are_never_twins_by_shape(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        counting = window()
        counting.judge(candidate(1, model=first))
        assert counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, model=second)).kind == COUNTED


@pytest.mark.parametrize(
    ("times_ns", "expected"),
    [((10, 20), COUNTED), ((2, 3), DUPLICATE), ((0, 99), DUPLICATE), ((11, 20), COUNTED)],
    ids=["touching", "inside", "around", "after"],
)
def test_twins_of_other_traces_must_overlap_in_time(times_ns: tuple[int, int], expected: str) -> None:
    counting = window()
    counting.judge(candidate(1, times_ns=(0, 10)))
    assert counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, times_ns=times_ns)).kind == expected


@pytest.mark.parametrize("differs", [{"service": "search"}, {"tokens": (100, 11)}, {"tokens": (100, None)}], ids=str)
def test_another_service_or_other_tokens_make_no_twin(differs: dict[str, object]) -> None:
    counting = window()
    counting.judge(candidate(1))
    assert counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, **differs)).kind == COUNTED  # type: ignore[arg-type]  # one keyword at a time


def test_the_call_nearest_in_time_is_the_twin() -> None:
    counting = window()
    counting.judge_together([candidate(1, times_ns=(0, 100)), candidate(2, times_ns=(50, 90))])
    near = counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, times_ns=(51, 89)))
    # Only the long call overlaps with this one, so it must be open still.
    far = counting.judge(candidate(2, trace=2, scope=FRAMEWORK_SCOPE, times_ns=(0, 45)))
    assert [near.kind, far.kind] == [DUPLICATE, DUPLICATE]


@pytest.mark.parametrize("how", ["response", "descendant", "ancestor"])
def test_usage_that_comes_after_a_span_without_takes_the_call_over(how: str) -> None:
    counting = window()
    late_id = early_id = "resp-8d1" if how == "response" else ""
    early_parent, late_parent = {"response": (0, 0), "descendant": (2, 0), "ancestor": (0, 1)}[how]
    early = counting.judge(candidate(1, parent=early_parent, response_id=early_id, tokens=NO_TOKENS))
    late = counting.judge(candidate(2, parent=late_parent, response_id=late_id, scope=FRAMEWORK_SCOPE))
    assert (early.kind, early.upgrades) == (COUNTED, False)
    assert (late.kind, late.upgrades) == (COUNTED, True)


def test_a_call_is_taken_over_only_once() -> None:
    counting = window()
    counting.judge(candidate(1, response_id="resp-8d1", tokens=NO_TOKENS))
    counting.judge(candidate(1, trace=2, scope="b", response_id="resp-8d1"))
    third = counting.judge(candidate(1, trace=3, scope="c", response_id="resp-8d1"))
    assert (third.kind, third.upgrades) == (DUPLICATE, False)


def test_failed_twins_without_usage_are_one_call() -> None:
    counting = window()
    counting.judge(candidate(1, tokens=NO_TOKENS))
    assert kind_and_reason(counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE, tokens=NO_TOKENS))) == TWIN


@pytest.mark.parametrize("number", [0, 1])
def test_spans_without_ids_are_never_taken_for_each_other(number: int) -> None:
    counting = window()
    verdicts = [counting.judge(candidate(number, trace=0)) for _ in range(3)]
    assert [(verdict.kind, verdict.repeated) for verdict in verdicts] == [(COUNTED, False)] * 3


@pytest.mark.parametrize("kind", [COUNTED, DUPLICATE])
def test_what_an_earlier_hop_judged_is_evidence(kind: str) -> None:
    counting = window()
    counting.note_judged(candidate(1), kind)
    assert kind_and_reason(counting.judge(candidate(1, trace=2, scope=FRAMEWORK_SCOPE))) == TWIN


def test_an_aggregate_of_an_earlier_hop_takes_no_call_away() -> None:
    counting = window()
    counting.note_judged(candidate(1), AGGREGATE)
    assert counting.judge(candidate(2, parent=1)).kind == COUNTED
