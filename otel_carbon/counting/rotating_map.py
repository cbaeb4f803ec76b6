"""A dict that forgets: bounded in entries, and in age by periods."""

from __future__ import annotations

from itertools import islice
from typing import TypeVar, cast

V = TypeVar("V")
_EVICTED_TOGETHER = 64
"""One part in so many of a full map is forgotten at once."""


class RotatingMap(dict[int, V]):
    """Keys to values, in the order in which they were last refreshed.

    `rotate`, called once a period, forgets what was last refreshed before the previous period started:
    an entry lives for one to two periods.
    `shrink` forgets the oldest entries once there are more than `capacity`, a few more than needed at a time,
    as finding the oldest is slow; `evicted` counts those, not the ones that were too old.
    `take_all` takes the entries out, to be kept elsewhere.
    Reads and plain writes are those of a dict, as several of them run for each span; nothing else may delete.
    """

    __slots__ = ("_period", "capacity", "evicted")

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self._period: _PeriodStart | None = None
        self.evicted = 0

    def refresh(self, key: int, value: V) -> None:
        """Set a key and start its life anew; a plain write to a known key leaves its age."""
        self.pop(key, None)
        self[key] = value

    def rotate(self) -> None:
        """Start a period."""
        self._take_before_period()
        self._period = _PeriodStart()
        self[self._period] = cast("V", None)

    def shrink(self) -> None:
        """Make room."""
        over = len(self) - self.capacity - (self._period is not None)
        if over <= 0:
            return
        over += self.capacity // _EVICTED_TOGETHER
        for key in list(islice(self, over + 1)):
            if key is self._period:
                self._period = None
            elif over:
                over -= 1
                self.evicted += 1
            else:
                break
            del self[key]

    def take_all(self) -> tuple[dict[int, V], dict[int, V]]:
        """Leave nothing: returns what was last refreshed before the period started, and what since."""
        before = self._take_before_period()
        since = dict(self)
        self.clear()
        return before, since

    def _take_before_period(self) -> dict[int, V]:
        """Take out what is older than the period, and the mark of its start."""
        taken: dict[int, V] = {}
        if self._period is not None:
            for key in list(self):
                value = self.pop(key)
                if key is self._period:
                    self._period = None
                    break
                taken[key] = value
        return taken


class _PeriodStart(int):
    """A key that stands between the entries of two periods; unlike a number it equals itself only."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other
