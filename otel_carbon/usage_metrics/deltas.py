"""What data points add to a total: deltas as they are, cumulative ones against what was reported before."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL
from otel_carbon.counting.rotating_map import RotatingMap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DELTA, CUMULATIVE = 1, 2
"""Temporalities as OTLP numbers them."""

ADDED = "added"
BASE_LINE = "base_line"
REPEATED = "repeated"
INVALID = "invalid"
ABSURD = "absurd"

DEFAULT_MAX_SERIES = 10_000
DEFAULT_MAX_REMEMBERED = 100_000

# Guards against garbage, not facts about services: ten thousand of the largest calls in one point, and a total of a
# thousand such points.
MAX_TOKENS_ADDED = 10_000 * MAX_TOKENS_PER_CALL
MAX_TOTAL = 1_000 * MAX_TOKENS_ADDED


class Reported(NamedTuple):
    """What a data point says of a series.

    `series` is a hash of everything that tells it from others: resource, scope, metric and attributes.
    `tokens` is its sum, `None` when the point has none; `calls` the recordings of a histogram, `None` for a counter.
    `adds_up` is false for what is no total: a gauge, or a sum that may fall.
    """

    series: int
    temporality: int
    start_ns: int
    time_ns: int
    tokens: float | None
    calls: int | None
    adds_up: bool = True


class Increment(NamedTuple):
    """What a point adds, in tokens and calls, and what was made of it: `added` or why it adds nothing."""

    outcome: str
    tokens: int = 0
    calls: int = 0


class _Total(NamedTuple):
    """The newest cumulative point of a series."""

    time_ns: int
    tokens: int
    calls: int


class Deltas:
    """The memory of what was reported before, bounded; to be used by one thread at a time.

    A cumulative series that began before we did, or before a series that we have forgotten was last heard of, starts
    from its first point as the base line: what it reports of earlier times may have been counted, or was never ours.
    A start time is part of what a series is, so that several processes under one name are told apart.

    Args:
        now_ns: the clock, in Unix nanoseconds.
        max_series: how many cumulative series are known at once; the one unheard of for longest makes room.
        max_remembered: how many delta points are remembered, to be known when they are delivered again.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        max_series: int = DEFAULT_MAX_SERIES,
        max_remembered: int = DEFAULT_MAX_REMEMBERED,
    ) -> None:
        self._now_ns = now_ns
        self._max_series = max_series
        self._base_line_until_ns = now_ns()
        self._totals: OrderedDict[tuple[int, int], _Total] = OrderedDict()
        self._remembered: RotatingMap[None] = RotatingMap(max_remembered)
        self.dropped_series = 0
        """How many series were forgotten to make room; each may have lost what it added until it came again."""

    @property
    def known_series(self) -> int:
        """How many cumulative series are known."""
        return len(self._totals)

    def increments(self, points: Sequence[Reported]) -> list[Increment]:
        """What the points of one request add, in their order.

        Points of one request are never repeats of each other: a sender may have taken away what told them apart.
        """
        new: list[int] = []
        found = [self._increment(point, new) for point in points]
        self._remembered.update(dict.fromkeys(new))
        self._remembered.shrink()
        return found

    def _increment(self, point: Reported, new: list[int]) -> Increment:
        tokens = _whole(point.tokens)
        if tokens is None or not point.adds_up or not point.time_ns:
            return Increment(INVALID)
        if tokens > MAX_TOTAL or (point.calls or 0) > MAX_TOTAL:
            return Increment(ABSURD)
        if point.temporality == DELTA:
            return self._of_delta(point, tokens, new)
        if point.temporality == CUMULATIVE:
            return self._of_total(point, _Total(point.time_ns, tokens, point.calls or 0))
        return Increment(INVALID)

    def _of_delta(self, point: Reported, tokens: int, new: list[int]) -> Increment:
        key = hash(point)
        if key in self._remembered:
            return Increment(REPEATED)
        added = _checked(point, tokens, point.calls or 0)
        if added.outcome == ADDED:
            new.append(key)
        return added

    def _of_total(self, point: Reported, total: _Total) -> Increment:
        key = (point.series, point.start_ns)
        before = self._totals.get(key)
        if before is None:
            added = self._of_first(point, total)
        elif total.time_ns <= before.time_ns:
            return Increment(REPEATED)
        elif total.tokens < before.tokens or total.calls < before.calls:  # it began anew without saying when
            added = _checked(point, total.tokens, total.calls)
        else:
            added = _checked(point, total.tokens - before.tokens, total.calls - before.calls)
        if added.outcome != ABSURD:
            self._remember(key, total)
        return added

    def _of_first(self, point: Reported, total: _Total) -> Increment:
        """A total counts from its start if we were there; one without duration does not know when it began."""
        if self._base_line_until_ns < point.start_ns < point.time_ns:
            return _checked(point, total.tokens, total.calls)
        return Increment(BASE_LINE)

    def _remember(self, key: tuple[int, int], total: _Total) -> None:
        self._totals[key] = total
        self._totals.move_to_end(key)
        if len(self._totals) > self._max_series:
            _, forgotten = self._totals.popitem(last=False)
            self.dropped_series += 1
            # Not beyond now: a sender whose clock is years ahead must not make a base line of all that is to come.
            last_heard_ns = min(forgotten.time_ns, self._now_ns())
            self._base_line_until_ns = max(self._base_line_until_ns, last_heard_ns)


def _whole(tokens: float | None) -> int | None:
    """A non-negative number of tokens, `None` for anything else."""
    if tokens is None or not tokens >= 0 or tokens == float("inf") or tokens != int(tokens):
        return None
    return int(tokens)


def _checked(point: Reported, tokens: int, calls: int) -> Increment:
    """What is added, unless no service could have used that much."""
    most = MAX_TOKENS_ADDED if point.calls is None else min(calls * MAX_TOKENS_PER_CALL, MAX_TOKENS_ADDED)
    if tokens > most or calls > MAX_TOKENS_ADDED:
        return Increment(ABSURD)
    return Increment(ADDED, tokens, calls)
