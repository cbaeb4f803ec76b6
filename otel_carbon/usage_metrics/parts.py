"""Counts of tokens that overlap, made additive over time: a part is taken out of its whole as soon as that is there."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.usage_metrics.sources import CACHE_READ, CACHE_WRITE, INPUT, OUTPUT, REASONING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

MAX_WAITING = 4096


class _Waiting(NamedTuple):
    """Parts whose whole has not been reported yet."""

    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


_NOTHING = _Waiting()


class Parts:
    """Takes cached and reasoning tokens out of the totals that include them.

    Both are series of their own and may come in different requests. What is booked cannot be taken back, so a part
    that comes before its whole waits; a whole that comes before its part is booked as if it had none, and the part is
    taken out of what comes next. The sums over time come out right, and no count ever falls.
    """

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting: OrderedDict[Hashable, _Waiting] = OrderedDict()

    @property
    def waiting_tokens(self) -> int:
        """Tokens in parts that wait for their whole."""
        return sum(sum(each) for each in self._waiting.values())

    def split(self, owner: Hashable, counts: Mapping[str, int]) -> AdditiveTokens:
        """The counts of one owner in one request, each token in one kind.

        Args:
            owner: whose counts they are: what is booked together.
            counts: tokens by the names in `sources.COUNTS`; input with those of a cache.
        """
        due = self._waiting.pop(owner, _NOTHING)
        given, output = counts.get(INPUT, 0), counts.get(OUTPUT, 0)
        read = counts.get(CACHE_READ, 0) + due.cache_read
        write = counts.get(CACHE_WRITE, 0) + due.cache_write
        reasoning = counts.get(REASONING, 0) + due.reasoning
        read_now = min(read, given)
        write_now = min(write, given - read_now)
        reasoning_now = min(reasoning, output)
        self._wait(owner, _Waiting(read - read_now, write - write_now, reasoning - reasoning_now))
        return AdditiveTokens(given - read_now - write_now, read_now, write_now, output - reasoning_now, reasoning_now)

    def _wait(self, owner: Hashable, left: _Waiting) -> None:
        if left != _NOTHING:
            self._waiting[owner] = left
            if len(self._waiting) > self._max_waiting:
                self._waiting.popitem(last=False)
