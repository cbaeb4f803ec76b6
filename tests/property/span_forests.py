"""Generated traces in which response ids or ancestry say which spans are one call, so that the truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from otel_carbon.counting.candidate import NO_TOKENS, Verdict
from tests.unit.counting.candidates import candidate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.counting.candidate import Candidate
    from otel_carbon.counting.window import CountingWindow

MAX_CALLS = 6
MAX_DEPTH = 3
MAX_ECHOES = 2
NO_CALL = -1
ECHO_TRACE = 9
ROOTS_END_NS = 10**9
SHAPES = ((100, 10), (100, 11), (7, None))
"""Few, so that different calls look alike; only calls with a response id use them."""


EQUAL_TRUST: Mapping[str, int] = {}
SCOPES = ("sdk", "wrapper", "framework", "gateway")


class ForestSpan(NamedTuple):
    """A span with the number of the call that it reports; `NO_CALL` is a sum over others."""

    call: int
    number: int
    parent: int
    trace: int
    scope: str
    times_ns: tuple[int, int]
    response_id: str = ""
    tokens: tuple[int | None, int | None] = NO_TOKENS

    def candidate(self, trust: Mapping[str, int] = EQUAL_TRUST) -> Candidate:
        """What counting sees of it; `trust` is by scope, 1 where it says nothing."""
        return candidate(
            self.number,
            parent=self.parent,
            trace=self.trace,
            scope=self.scope,
            times_ns=self.times_ns,
            response_id=self.response_id,
            tokens=self.tokens,
            trust=trust.get(self.scope, 1),
        )


Batches = list[list[ForestSpan]]


@st.composite
def forests(draw: st.DrawFn) -> list[ForestSpan]:
    """The spans of some calls, in the order of their ends.

    A call is a chain of spans, each above the last, perhaps under an aggregate root.
    With a response id, other traces may hold echoes of it.
    Without one, its tokens are its own, and spans that are not each other's parents differ in scope.
    """
    spans = [
        ForestSpan(NO_CALL, trace, 0, trace, "framework", (0, ROOTS_END_NS + trace))
        for trace in draw(st.sets(st.integers(1, 3)))
    ]
    roots = {span.trace for span in spans}
    for call in range(draw(st.integers(1, MAX_CALLS))):
        spans += _call(draw, call, roots)
    return sorted(spans, key=lambda span: span.times_ns[1])


def _call(draw: st.DrawFn, call: int, roots: set[int]) -> list[ForestSpan]:
    trace, depth = draw(st.integers(1, 3)), draw(st.integers(1, MAX_DEPTH))
    has_id = draw(st.booleans())
    response_id = f"chatcmpl-of-call-{call}" if has_id else ""
    tokens = draw(st.sampled_from(SHAPES)) if has_id else (1000 + call, 10)
    first = 100 * (call + 1)
    start_ns = 1000 * draw(st.integers(1, 20))
    scopes = ["sdk"] * depth if depth < MAX_DEPTH and draw(st.booleans()) else ["sdk", "wrapper", "framework"][:depth]
    chain = [
        ForestSpan(
            call,
            first + level,
            first + level + 1 if level + 1 < depth else (trace if trace in roots else 0),
            trace,
            scopes[level],
            (start_ns - 10 * level, start_ns + 5000 + 10 * level + call),
            response_id,
            tokens,
        )
        for level in range(depth)
    ]
    echoes = draw(st.integers(0, MAX_ECHOES)) if has_id else 0
    return chain + [_echo(draw, chain[0], number) for number in range(echoes)]


def _echo(draw: st.DrawFn, span: ForestSpan, number: int) -> ForestSpan:
    start_ns = 100_000 * (number + 1) + 100 * span.call
    return span._replace(
        number=span.number + 50 + number,
        parent=0,
        trace=ECHO_TRACE,
        scope=draw(st.sampled_from(["sdk", "gateway"])),
        times_ns=(start_ns, start_ns + 50),
    )


@st.composite
def deliveries(draw: st.DrawFn) -> Batches:
    """A forest in batches, in any order."""
    return draw(batched(draw(st.permutations(draw(forests())))))


@st.composite
def batched(draw: st.DrawFn, spans: Sequence[ForestSpan]) -> Batches:
    """Spans in batches, in the order given."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=len(spans), max_size=len(spans)))
    batches, at = [], 0
    for size in sizes:
        if at < len(spans):
            batches.append(list(spans[at : at + size]))
            at += size
    return batches


def deliver(
    counting: CountingWindow, batches: Batches, trust: Mapping[str, int] = EQUAL_TRUST
) -> dict[ForestSpan, Verdict]:
    """Judge batch after batch, sums first as the enricher does; the last verdict of each span."""
    verdicts: dict[ForestSpan, Verdict] = {}
    for batch in batches:
        for span in batch:
            if span.call == NO_CALL:
                noted = counting.note_structure(span.candidate(), aggregate=True)
                assert noted is not None
                verdicts[span] = noted
        calls = [span for span in batch if span.call != NO_CALL]
        judged = counting.judge_together([span.candidate(trust) for span in calls])
        verdicts.update(zip(calls, judged, strict=True))
    return verdicts
