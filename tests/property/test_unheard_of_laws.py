"""The law of the short way: a span that shares nothing with others is remembered as the long way remembers it."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.counting import memory
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, NO_TOKENS, Call, Nested, Seen
from otel_carbon.counting.open_calls import OpenCalls
from otel_carbon.counting.window import CountingWindow
from tests.unit.counting.candidates import Clock, candidate

if TYPE_CHECKING:
    from otel_carbon.counting.candidate import Candidate
    from otel_carbon.counting.window import JudgedTogether

many = settings(max_examples=300, deadline=None)
TTL_S = 600.0
YOUNG_CALLS = 2
"""So that most of what is remembered is archived at once."""
MAX_CALLS = (8, 1000)
"""With and without forgetting for lack of room."""
PASSES_S = (0.0, 0.0, 0.0, 200.0, 600.0, 1500.0)

candidates = st.builds(
    candidate,
    st.integers(0, 12),
    parent=st.just(0) | st.integers(0, 12),
    trace=st.integers(0, 3),
    scope=st.sampled_from("abc"),
    times_ns=st.tuples(st.integers(-3, 40), st.integers(0, 20)).map(lambda time: (time[0], sum(time))),
    response_id=st.sampled_from(["", "", "short-1", "short-2", "a-long-response-id-1", "a-long-response-id-2"]),
    model=st.sampled_from(["", "gpt-4o", "gpt-4o-2024-08-06", "o3"]),
    tokens=st.sampled_from([NO_TOKENS, (7, None)]) | st.tuples(st.integers(1, 9), st.integers(1, 9)),
    trust=st.integers(1, 2),
)
candidates = st.builds(lambda span, leaf: replace(span, leaf=leaf), candidates, st.booleans())


class Told(NamedTuple):
    """What a window is told at once, and how long after the last time."""

    what: str
    spans: list[Candidate]
    after_s: float

    def to(self, window: CountingWindow) -> JudgedTogether | object:
        """What the window says."""
        first = self.spans[0]
        if self.what == "alone":
            return [window.judge(span) for span in self.spans]
        if self.what == "together":
            return window.judge_with_twins(self.spans)
        if self.what in (COUNTED, DUPLICATE, AGGREGATE):
            return window.note_judged(first, self.what)
        if self.what == "relay":
            return window.note_relay(first)  # type: ignore[func-returns-value]  # nothing: what it leaves is compared
        return window.note_structure(first, aggregate=self.what == "sum")


told = st.builds(
    Told,
    st.sampled_from(["together"] * 4 + ["alone"] * 2 + [COUNTED, DUPLICATE, AGGREGATE, "relay", "step", "sum"]),
    st.lists(candidates, min_size=1, max_size=4),
    st.sampled_from(PASSES_S),
)


class LongWay(CountingWindow):
    """A window that looks every span up as if others might be of its call."""

    def _is_unheard_of(self, candidate: Candidate) -> bool:  # noqa: ARG002 - the method that it replaces
        return False


def _memory(window: CountingWindow) -> list[object]:
    """Everything that is young, in its order; marks of periods, which equal themselves only, by their kind."""
    maps = (window._spans, window._calls_below, window._calls_by_response, window._shapes.entries)
    return [
        [(key if type(key) is int else "period", _shown(value)) for key, value in entries.items()] for entries in maps
    ]


def _shown(value: object) -> object:
    match value:
        case Call():
            return astuple(value)
        case Nested(call):
            return ("nested", astuple(call))
        case Seen(verdict, parent_key, call, relays):
            return (verdict, parent_key, _shown(call), relays)
        case OpenCalls():
            return ([_shown(call) for call in value.calls], list(value.ends_ns), value.scopes, value.longest_ns)
    return value


@many
@given(st.lists(told, min_size=4, max_size=30), st.sampled_from(MAX_CALLS), st.booleans())
def test_the_short_way_leaves_what_the_long_way_would(history: list[Told], max_calls: int, archives: bool) -> None:
    clock = Clock()
    with patch.object(memory, "YOUNG_PART", max_calls // YOUNG_CALLS):
        short, long = (
            kind(clock, ttl_s=TTL_S, max_calls=max_calls, archives=archives) for kind in (CountingWindow, LongWay)
        )
    for each in history:
        clock.now_s += each.after_s
        assert each.to(short) == each.to(long)
        assert _memory(short) == _memory(long)
        assert short.evicted == long.evicted
