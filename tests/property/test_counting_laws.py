"""The laws of counting, on generated traces: each call once, whatever the order, and never a second thought."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, NO_TOKENS
from tests.property.span_forests import ECHO_TRACE, NO_CALL, SCOPES, ForestSpan, batched, deliver, deliveries, forests
from tests.unit.counting.candidates import candidate, window

if TYPE_CHECKING:
    from otel_carbon.counting.candidate import Verdict
    from tests.property.span_forests import Batches

EXAMPLES = 150
many = settings(max_examples=EXAMPLES, deadline=None)
times = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair)))


trusts = st.fixed_dictionaries({scope: st.integers(1, 3) for scope in SCOPES})


def calls_counted(verdicts: dict[ForestSpan, Verdict]) -> Counter[int]:
    return Counter(span.call for span, verdict in verdicts.items() if verdict.kind == COUNTED)


def calls_of(batches: Batches) -> set[int]:
    return {span.call for batch in batches for span in batch} - {NO_CALL}


@many
@given(deliveries())
def test_each_call_is_counted_once_in_any_order_and_any_batches(batches: Batches) -> None:
    verdicts = deliver(window(), batches)
    assert calls_counted(verdicts) == dict.fromkeys(calls_of(batches), 1)


@many
@given(deliveries(), trusts)
def test_each_call_is_counted_once_whatever_its_scopes_are_trusted(batches: Batches, trust: dict[str, int]) -> None:
    verdicts = deliver(window(), batches, trust)
    assert calls_counted(verdicts) == dict.fromkeys(calls_of(batches), 1)


@many
@given(forests(), trusts, st.data())
def test_whole_forests_are_judged_alike_in_any_order(
    forest: list[ForestSpan], trust: dict[str, int], data: st.DataObject
) -> None:
    together = deliver(window(), [forest], trust)
    assert deliver(window(), [data.draw(st.permutations(forest))], trust) == together


@many
@given(deliveries(), trusts, st.data())
def test_spans_that_tell_no_usage_make_no_second_usage_of_a_call(
    batches: Batches, trust: dict[str, int], data: st.DataObject
) -> None:
    # An echo at another time is known by its tokens only.
    at_once = [[span for span in batch if span.trace != ECHO_TRACE] for batch in batches]
    silent = {span for batch in at_once for span in batch if span.response_id and data.draw(st.booleans())}
    told = [[span._replace(tokens=NO_TOKENS) if span in silent else span for span in batch] for batch in at_once]
    counted = [(span, verdict) for span, verdict in deliver(window(), told, trust).items() if verdict.kind == COUNTED]
    operations = Counter(span.call for span, verdict in counted if not verdict.upgrades)
    usages = Counter(span.call for span, _ in counted if span.tokens != NO_TOKENS)
    assert operations == dict.fromkeys(calls_of(at_once), 1)
    assert set(usages.values()) <= {1}


@many
@given(deliveries())
def test_sums_over_calls_are_aggregates_and_nothing_else_is_without_a_token_of_difference(batches: Batches) -> None:
    verdicts = deliver(window(), batches)
    assert {verdict.kind for span, verdict in verdicts.items() if span.call == NO_CALL} <= {AGGREGATE}
    alike = [call for call in calls_of(batches) if len({span.tokens for span in verdicts if span.call == call}) == 1]
    assert {verdict.kind for span, verdict in verdicts.items() if span.call in alike} <= {COUNTED, DUPLICATE}


@many
@given(deliveries(), st.data())
def test_a_verdict_never_changes_and_repeats_are_marked(batches: Batches, data: st.DataObject) -> None:
    counting = window()
    first = deliver(counting, batches)
    again = deliver(counting, data.draw(batched(data.draw(st.permutations(list(first))))))
    assert not any(verdict.repeated for verdict in first.values())
    assert again == {span: verdict._replace(repeated=True) for span, verdict in first.items()}


@many
@given(deliveries(), st.data())
def test_repeats_among_first_deliveries_change_no_verdict(batches: Batches, data: st.DataObject) -> None:
    with_repeats: Batches = []
    sent: list[ForestSpan] = []
    for batch in batches:
        repeats = data.draw(st.lists(st.sampled_from(sent), max_size=2)) if sent else []
        with_repeats += [batch, repeats]
        sent += batch
    counting = window()
    first: dict[ForestSpan, Verdict] = {}
    for batch in with_repeats:
        for span, verdict in deliver(counting, [batch]).items():
            first.setdefault(span, verdict)
    assert first == deliver(window(), batches)


@many
@given(forests())
def test_one_by_one_in_the_order_of_ends_is_the_same_as_together(forest: list[ForestSpan]) -> None:
    assert deliver(window(), [[span] for span in forest]) == deliver(window(), [forest])


@many
@given(st.lists(times, min_size=1, max_size=40), st.data())
def test_calls_of_one_scope_that_look_alike_all_count(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    alike = [ForestSpan(n, n + 1, 0, 1, "sdk", time, "", (100, 10)) for n, time in enumerate(spans)]
    verdicts = deliver(window(), data.draw(batched(data.draw(st.permutations(alike)))))
    assert [verdict.kind for verdict in verdicts.values()] == [COUNTED] * len(spans)


@many
@given(st.integers(1, 20), st.integers(2, 4), st.data())
def test_parallel_calls_that_look_alike_count_once_whatever_the_order_of_their_twins(
    calls: int, scopes: int, data: st.DataObject
) -> None:
    alike = [
        ForestSpan(n, n + 1, 0, scope, f"scope {scope}", (n, 100 + n), "", (100, 10))
        for n in range(calls)
        for scope in range(1, scopes + 1)
    ]
    in_order = sorted(alike, key=lambda span: span.trace)
    verdicts = deliver(window(), data.draw(batched(in_order)))
    kinds = Counter(verdict.kind for verdict in verdicts.values())
    assert kinds == Counter({COUNTED: calls, DUPLICATE: calls * (scopes - 1)})


@many
@given(st.integers(1, 15), st.data())
def test_parallel_pairs_of_two_scopes_are_one_call_each_in_any_order(calls: int, data: st.DataObject) -> None:
    alike = [
        ForestSpan(n, n + 1, 0, scope, f"scope {scope}", (n, 100 + n), "", (100, 10))
        for n in range(calls)
        for scope in (1, 2)
    ]
    verdicts = deliver(window(), data.draw(batched(data.draw(st.permutations(alike)))))
    kinds = Counter(verdict.kind for verdict in verdicts.values())
    assert kinds == {COUNTED: calls, DUPLICATE: calls}


@many
@given(times, times)
def test_twins_in_other_traces_are_one_call_exactly_when_they_overlap(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    counting = window()
    counting.judge(candidate(1, trace=1, scope="a", times_ns=one))
    shared = min(one[1], other[1]) - max(one[0], other[0])
    overlap = shared > 0 or (shared == 0 and (one[0] == one[1] or other[0] == other[1]))
    assert counting.judge(candidate(1, trace=2, scope="b", times_ns=other)).kind == (DUPLICATE if overlap else COUNTED)


@many
@given(st.permutations(["none", "usage", "usage too"]), st.sampled_from(["a", "b"]))
def test_a_call_reported_with_and_without_usage_is_one_operation_with_one_usage(order: list[str], scope: str) -> None:
    reports = {
        "none": candidate(1, trace=1, response_id="resp-1", tokens=NO_TOKENS),
        "usage": candidate(1, trace=2, response_id="resp-1", scope=scope),
        "usage too": candidate(1, trace=3, response_id="resp-1", scope=scope),
    }
    counting = window()
    verdicts = {name: counting.judge(reports[name]) for name in order}
    operations = [name for name, verdict in verdicts.items() if verdict.kind == COUNTED and not verdict.upgrades]
    usages = [name for name, verdict in verdicts.items() if verdict.kind == COUNTED and name != "none"]
    assert operations == order[:1]
    assert len(usages) == 1
