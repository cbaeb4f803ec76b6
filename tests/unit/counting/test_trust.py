"""Which span of a call is counted among those decided together: the most trusted one, but no parent for its child."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.core import reasons
from otel_carbon.counting.candidate import COUNTED, DUPLICATE, NO_TOKENS
from tests.unit.counting.candidates import candidate, window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.counting.candidate import Candidate, Verdict

TRUST = {"guesses": 1, "counts": 2, "knows": 3}


def report(scope: str, **more: Any) -> Candidate:
    """What a scope says of a call, in a trace of its own."""
    trace = 1 + sorted(TRUST).index(scope)
    return candidate(**{"number": 1, "trace": trace, "scope": scope, "trust": TRUST[scope], **more})


def orders(spans: Iterable[Candidate]) -> list[list[Candidate]]:
    return [list(order) for order in permutations(spans)]


def counted(spans: list[Candidate], verdicts: list[Verdict]) -> list[str]:
    return [span.scope for span, verdict in zip(spans, verdicts, strict=True) if verdict.kind == COUNTED]


ENDS_NS = [(10, 20, 30), (30, 20, 10), (20, 30, 10), (10, 10, 10)]


@pytest.mark.parametrize("ends_ns", ENDS_NS, ids=str)
@pytest.mark.parametrize("response_id", ["", "resp-8d1"])
def test_the_most_trusted_of_twins_is_counted_in_any_order_and_whichever_ends_first(
    ends_ns: tuple[int, ...], response_id: str
) -> None:
    twins = [
        report(scope, times_ns=(0, end_ns), response_id=response_id)
        for scope, end_ns in zip(TRUST, ends_ns, strict=True)
    ]
    for order in orders(twins):
        verdicts = window().judge_together(order)
        assert counted(order, verdicts) == ["knows"]
        assert sorted(verdict.kind for verdict in verdicts) == [COUNTED, DUPLICATE, DUPLICATE]
        same = reasons.SAME_RESPONSE_ID if response_id else reasons.SAME_SHAPE
        assert {verdict.reason for verdict in verdicts if verdict.kind == DUPLICATE} == {same}


def test_of_equally_trusted_twins_the_one_that_ended_first_is_counted() -> None:
    twins = [report(scope, trust=1, times_ns=(0, end_ns)) for scope, end_ns in zip(TRUST, (30, 10, 20), strict=True)]
    for order in orders(twins):
        assert counted(order, window().judge_together(order)) == ["counts"]


def test_a_span_without_usage_is_not_counted_however_trusted_it_is() -> None:
    spans = [
        report("guesses", response_id="resp-8d1", times_ns=(0, 20)),
        report("knows", response_id="resp-8d1", tokens=NO_TOKENS, times_ns=(0, 10)),
    ]
    for order in orders(spans):
        verdicts = window().judge_together(order)
        assert counted(order, verdicts) == ["guesses"]


def test_usage_that_comes_later_in_a_batch_leaves_one_call_of_the_most_trusted() -> None:
    spans = [
        report("guesses", response_id="resp-8d1", tokens=NO_TOKENS, times_ns=(0, 10)),
        report("counts", response_id="resp-8d1", times_ns=(0, 20)),
        report("knows", response_id="resp-8d1", times_ns=(0, 30)),
    ]
    for order in orders(spans):
        verdicts = window().judge_together(order)
        assert counted(order, verdicts) == ["knows"]
        assert not any(verdict.upgrades for verdict in verdicts)  # nobody has heard of the call before


@pytest.mark.parametrize("later_trust", [1, 3])
def test_usage_that_comes_in_a_later_batch_takes_the_call_over_once(later_trust: int) -> None:
    counting = window()
    early = counting.judge_together([report("counts", response_id="resp-8d1", tokens=NO_TOKENS)])
    late = [
        report("guesses", response_id="resp-8d1", times_ns=(0, 20)),
        report("knows", response_id="resp-8d1", times_ns=(0, 30), trust=later_trust),
    ]
    verdicts = counting.judge_together(late)
    assert [verdict.kind for verdict in (*early, *verdicts)] == [COUNTED, COUNTED, DUPLICATE]
    assert [verdict.upgrades for verdict in verdicts] == [True, False]


def test_what_an_earlier_batch_counted_stays_counted() -> None:
    counting = window()
    assert counting.judge(report("guesses")).kind == COUNTED
    later = counting.judge_together([report("knows"), report("counts")])
    assert [verdict.kind for verdict in later] == [DUPLICATE, DUPLICATE]
    assert counting.judge(report("guesses")).kind == COUNTED


@pytest.mark.parametrize("ends_ns", [(10, 20), (20, 10), (10, 10)], ids=["child first", "parent first", "together"])
def test_a_trusted_parent_never_takes_the_place_of_its_child(ends_ns: tuple[int, int]) -> None:
    child = candidate(2, parent=1, scope="guesses", times_ns=(0, ends_ns[0]), trust=1)
    parent = candidate(1, scope="knows", times_ns=(0, ends_ns[1]), trust=3)
    for order in orders([child, parent]):
        expected = ["knows"] if ends_ns == (20, 10) else ["guesses"]  # a parent that ended first found the call
        assert counted(order, window().judge_together(order)) == expected


def test_a_trusted_parent_of_two_calls_leaves_both_counted() -> None:
    children = [candidate(number, parent=1, scope="guesses", times_ns=(0, 10 * number)) for number in (2, 3)]
    parent = candidate(1, scope="knows", times_ns=(0, 100), trust=3)
    for order in orders([*children, parent]):
        assert counted(order, window().judge_together(order)) == ["guesses", "guesses"]


def test_a_trusted_twin_is_counted_beside_a_parent_that_is_not() -> None:
    child = candidate(2, parent=1, scope="guesses", times_ns=(0, 10))
    parent = candidate(1, scope="counts", times_ns=(0, 30), trust=2)
    twin = candidate(1, trace=9, scope="knows", times_ns=(0, 20), trust=3)
    for order in orders([child, parent, twin]):
        assert counted(order, window().judge_together(order)) == ["knows"]


def test_two_parallel_calls_have_each_their_most_trusted_span_counted() -> None:
    calls = [
        candidate(number, trace=trace, scope=scope, times_ns=(number, 100 + number), trust=TRUST[scope])
        for number in range(1, 6)
        for trace, scope in ((1, "guesses"), (2, "knows"))
    ]
    for order in (calls, calls[::-1], sorted(calls, key=lambda span: span.scope)):
        assert counted(order, window().judge_together(order)) == ["knows"] * 5


def test_the_others_of_a_call_are_told_with_the_one_that_is_counted() -> None:
    spans = [report("guesses"), candidate(7, trace=8, tokens=(7, 7)), report("knows"), report("counts")]
    judged = window().judge_with_twins(spans)
    (counted_at,) = judged.twins
    assert counted_at == 2
    assert sorted(judged.twins[counted_at]) == [0, 3]


def test_a_parent_is_told_as_another_span_of_its_childs_call() -> None:
    spans = [candidate(1, scope="knows", times_ns=(0, 20), trust=3), candidate(2, parent=1, scope="guesses")]
    assert window().judge_with_twins(spans).twins == {1: [0]}


def test_a_verdict_that_was_settled_is_the_one_that_is_repeated() -> None:
    counting = window()
    spans = [report("guesses"), report("knows"), report("counts")]
    first = counting.judge_together(spans)
    again = counting.judge_together(spans[::-1])[::-1]
    assert again == [verdict._replace(repeated=True) for verdict in first]


def test_the_tokens_of_the_counted_span_are_those_of_the_call() -> None:
    counting = window()
    spans = [
        report("guesses", response_id="resp-8d1", tokens=(100, 11), times_ns=(0, 10)),
        report("knows", response_id="resp-8d1", tokens=(100, 10), times_ns=(0, 20)),
    ]
    assert counted(spans, counting.judge_together(spans)) == ["knows"]
    for tokens in ((100, 10), (100, 11)):  # either of the two is known when the id comes again long after
        later = candidate(5, trace=9, response_id="resp-8d1", tokens=tokens, times_ns=(1000, 1010))
        assert counting.judge(later).reason == reasons.SAME_RESPONSE_ID
    other = candidate(6, trace=9, response_id="resp-8d1", tokens=(100, 12), times_ns=(1000, 1010))
    assert counting.judge(other).kind == COUNTED
