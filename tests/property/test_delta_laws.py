"""The laws of deltas: what is added is what was used, however processes restart and points are delivered."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.usage_metrics.deltas import CUMULATIVE, DELTA, Deltas, Reported
from otel_carbon.usage_metrics.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

OUR_START = 1_000
many = settings(max_examples=300, deadline=None)


class Run(NamedTuple):
    """One process from its start: what it used between one report and the next, in tokens and calls."""

    series: int
    start: int
    used: tuple[tuple[int, int], ...]

    @property
    def counts_from_its_start(self) -> bool:
        return self.start > OUR_START

    def points(self, temporality: int) -> list[Reported]:
        """A report every 10 ticks."""
        found = []
        tokens = calls = 0
        for number, (more_tokens, more_calls) in enumerate(self.used, start=1):
            before = (tokens, calls) if temporality == DELTA else (0, 0)
            tokens, calls = tokens + more_tokens, calls + more_calls
            since = self.start + 10 * (number - 1) if temporality == DELTA else self.start
            values = (tokens - before[0], calls - before[1])
            found.append(Reported(self.series, temporality, since, self.start + 10 * number, *values))
        return found


used = st.tuples(st.integers(0, 1_000), st.integers(1, 5))


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    """Processes of up to three series, some started before us, each at a time of its own.

    No two report at the same tick: equal deltas of equal times could not be told from one that was delivered twice.
    """
    times = st.integers(OUR_START - 200, OUR_START + 500)
    starts = draw(st.lists(times, min_size=1, max_size=6, unique_by=lambda start: start % 10))
    return [
        Run(draw(st.integers(1, 3)), start, tuple(draw(st.lists(used, min_size=1, max_size=6)))) for start in starts
    ]


@st.composite
def deliveries(draw: st.DrawFn, points: Sequence[Reported]) -> list[list[Reported]]:
    """All points at least once, in any order, some again, in requests of any size that repeat nothing themselves."""
    again = draw(st.lists(st.sampled_from(points), max_size=len(points)))
    order = draw(st.permutations([*points, *again]))
    requests: list[list[Reported]] = [[]]
    for point in order:
        if point in requests[-1] or draw(st.booleans()):
            requests.append([])
        requests[-1].append(point)
    return requests


def added_by(requests: list[list[Reported]]) -> tuple[int, int]:
    added = Deltas(lambda: OUR_START)
    increments = [each for request in requests for each in added.increments(request)]
    assert all(each.tokens >= 0 and each.calls >= 0 for each in increments)
    return sum(each.tokens for each in increments), sum(each.calls for each in increments)


def used_by(run: Run, since: int = 0) -> tuple[int, int]:
    """What a run used in total, or since its `since`th report."""
    return sum(tokens for tokens, _ in run.used[since:]), sum(calls for _, calls in run.used[since:])


def summed(amounts: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(tokens for tokens, _ in amounts), sum(calls for _, calls in amounts)


@many
@given(runs(), st.data())
def test_totals_come_to_the_true_increments_in_any_order_with_any_restarts_and_repeats(
    found: list[Run], data: st.DataObject
) -> None:
    requests = data.draw(deliveries([point for run in found for point in run.points(CUMULATIVE)]))
    in_order = [point for request in requests for point in request]
    expected = []
    for run in found:
        if run.counts_from_its_start:
            expected.append(used_by(run))
        else:  # its base line is whichever point came first
            reports = run.points(CUMULATIVE)
            first = next(point for point in in_order if point in reports)
            expected.append(used_by(run, since=reports.index(first) + 1))
    assert added_by(requests) == summed(expected)


@many
@given(runs(), st.data())
def test_deltas_come_to_the_true_increments_in_any_order_with_any_restarts_and_repeats(
    found: list[Run], data: st.DataObject
) -> None:
    requests = data.draw(deliveries([point for run in found for point in run.points(DELTA)]))
    assert added_by(requests) == summed([used_by(run) for run in found])


@many
@given(st.lists(st.lists(used, min_size=1, max_size=6), min_size=1, max_size=5))
def test_totals_of_no_known_start_come_to_all_but_the_first_report_if_every_restart_shows(
    lives: list[list[tuple[int, int]]],
) -> None:
    """A restart shows when fewer calls are reported than before it; then what was used since counts in full."""
    points, expected, time, last_calls = [], (0, 0), OUR_START, 0
    for number, life in enumerate(lives):
        tokens = calls = 0
        if number and life[0][1] >= last_calls:
            continue
        for more_tokens, more_calls in life:
            tokens, calls, time = tokens + more_tokens, calls + more_calls, time + 10
            points.append(Reported(1, CUMULATIVE, 0, time, tokens, calls))
            if len(points) > 1:
                expected = (expected[0] + more_tokens, expected[1] + more_calls)
        last_calls = calls
    assert added_by([[point] for point in points]) == expected


KINDS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
REQUESTS = 5
tokens = st.tuples(*(st.integers(0, 100) for _ in KINDS)).map(lambda each: AdditiveTokens(*each))
calls_with_requests = st.lists(
    st.tuples(tokens, st.tuples(*(st.integers(0, REQUESTS - 1) for _ in KINDS))), min_size=1, max_size=6
)


def reported(call: AdditiveTokens) -> tuple[int, ...]:
    """Its counts as telemetry has them: wholes with their parts, in the order of `KINDS`."""
    whole_input = call.input_uncached + call.cache_read + call.cache_write
    whole_output = call.output_visible + call.output_reasoning
    return (whole_input, call.cache_read, call.cache_write, whole_output, call.output_reasoning)


@many
@given(calls_with_requests)
def test_parts_and_wholes_come_to_the_true_split_whichever_comes_first(
    calls: list[tuple[AdditiveTokens, tuple[int, ...]]],
) -> None:
    """Each count of a call comes in any of five requests; one more without parts lets all that waits be taken out."""
    enough = 5 * 100 * len(calls)
    requests = [Counter[str]() for _ in range(REQUESTS)]
    for call, places in calls:
        for place, kind, count in zip(places, KINDS, reported(call), strict=True):
            requests[place][kind] += count
    requests.append(Counter(input_tokens=enough, output_tokens=enough))
    parts = Parts()
    booked = [parts.split("a", request) for request in requests]
    assert min(min(split) for split in booked) >= 0
    assert parts.waiting_tokens == 0
    last = AdditiveTokens(enough, 0, 0, enough, 0)
    truth = [sum(kind) for kind in zip(last, *(call for call, _ in calls), strict=True)]
    assert [sum(kind) for kind in zip(*booked, strict=True)] == truth
