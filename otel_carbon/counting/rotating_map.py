"""A dict that forgets: bounded in entries, and in age by periods."""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

V = TypeVar("V")


class RotatingMap(dict[int, V]):
    """Keys to values, in the order in which they were first set.

    `rotate`, called once a period, forgets what was there when the last period started:
    an entry lives for one to two periods.
    `shrink` forgets the oldest entries over `capacity`; `evicted` counts those, not the ones that were too old.
    Reads and writes are those of a dict, as several of them run for each span; nothing else may delete.
    """

    __slots__ = ("_capacity", "_old", "evicted")

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity
        self._old = 0
        self.evicted = 0

    def rotate(self) -> None:
        """Start a period."""
        self._forget_oldest(self._old)
        self._old = len(self)

    def shrink(self) -> None:
        """Make room."""
        over = len(self) - self._capacity
        if over > 0:
            self._forget_oldest(over)
            self.evicted += over

    def _forget_oldest(self, how_many: int) -> None:
        for key in list(islice(self, how_many)):
            del self[key]
        self._old = max(0, self._old - how_many)
