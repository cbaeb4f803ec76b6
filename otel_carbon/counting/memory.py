"""What counting remembers, for how long and how much of it; the newest of it as objects, the rest in the archive."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from otel_carbon.counting.archive import Archive, Entries
from otel_carbon.counting.rotating_map import RotatingMap
from otel_carbon.counting.shapes import ShapeIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_carbon.counting.candidate import Call, Nested, Seen

DEFAULT_TTL_S = 600.0
DEFAULT_MAX_CALLS = 1_000_000
YOUNG_PART = 16
MAX_YOUNG_CALLS = 1024
"""One part in so many of all calls is kept as objects, where judging is fastest, and never more than so many.

Then they are archived all at once, during which others wait: some 5 ms.
"""
MOST_PATIENCE = 16
"""How many times as many they may become where archiving writes long lists of calls of one shape, each time anew."""
MOST_OVERFULL = 2.0
"""How many times the young calls that should be there may be, before whoever brings more has to wait."""
COUNTED_PART = 512
"""Whether there is room is looked up each time that one part in so many may have been filled since."""


class Memory:
    """The maps of counting behind one lock: entries live for `ttl_s` to twice as long, and there are `max_calls` calls.

    Args:
        monotonic_s: the clock, in seconds.
        ttl_s: how long a call is remembered at least, in seconds.
        max_calls: how many calls are remembered at most.
        archives: whether calls that are no longer young are packed: some 250 bytes each instead of some 800.
        archives_apart: whether that happens on a thread of its own; who need not wait may look at `is_archiving`.
    """

    def __init__(
        self,
        monotonic_s: Callable[[], float],
        *,
        ttl_s: float = DEFAULT_TTL_S,
        max_calls: int = DEFAULT_MAX_CALLS,
        archives: bool = True,
        archives_apart: bool = False,
    ) -> None:
        self._lock = threading.RLock()  # the garbage collector may end a span while one is judged
        self._clock = monotonic_s
        self._ttl_s = ttl_s
        self._rotated_at_s = monotonic_s()
        self._period = 0
        self._max_calls = max_calls
        self._archives = archives
        self._archives_apart = archives and archives_apart
        self.is_archiving = False
        """Whether the window is locked for as long as archiving takes, or soon will be."""
        young_calls = max(1, min(max_calls // YOUNG_PART, MAX_YOUNG_CALLS)) if archives else max_calls
        self._archive = Archive(max_calls, young_calls)
        self._spans: RotatingMap[Seen] = RotatingMap(2 * young_calls)
        self._calls_below: RotatingMap[Call | Nested] = RotatingMap(2 * young_calls)
        self._calls_by_response: RotatingMap[Call] = RotatingMap(young_calls)
        self._shapes = ShapeIndex(young_calls, self._archive)
        self._maps: tuple[RotatingMap[Any], ...] = (
            self._spans,
            self._calls_below,
            self._calls_by_response,
            self._shapes.entries,
        )
        self._bounded = (*self._maps, self._archive.revived)
        self._patience = 1
        """How many times their capacity the young entries may fill before they are archived."""
        self._counted_every = max(1, young_calls // COUNTED_PART)
        self._uncounted = 0
        self._batch = 0
        self._position = 0
        self._look_in_archive()

    @contextmanager
    def as_of(self, at_s: float) -> Iterator[None]:
        """Let what is judged meanwhile count as judged then; from one time to the next `at_s` must not fall."""
        with self._lock:
            clock, self._clock = self._clock, lambda: at_s
            self._rotated_at_s = min(self._rotated_at_s, at_s)
            try:
                yield
            finally:
                self._clock = clock

    @property
    def evicted(self) -> int:
        """Entries dropped for lack of room: above zero, a duplicate may have been missed."""
        return self._shapes.evicted + self._archive.evicted + sum(entries.evicted for entries in self._maps)

    def _now_s(self, spans: int = 1) -> float:
        """The time, before `spans` are judged; what is too old or too much by then has been forgotten or archived."""
        now_s = self._clock()
        if now_s - self._rotated_at_s >= self._ttl_s:
            self._rotated_at_s = now_s
            self._rotate()
        self._uncounted += spans
        if self._uncounted >= self._counted_every:
            self._uncounted = 0
            fullness = self._fullness()
            if fullness > 1.0 and not (fullness < MOST_OVERFULL and self._archive_soon()):
                self._make_room()
        return now_s

    def _archive_soon(self) -> bool:
        """Let another thread archive once the lock is free; False where there is none."""
        if not self.is_archiving and self._archives_apart:
            self.is_archiving = True
            try:
                threading.Thread(target=self._archive_apart, name="archiving of calls", daemon=True).start()
            except RuntimeError:  # no thread is to be had
                self.is_archiving = False
        return self.is_archiving

    def _archive_apart(self) -> None:
        archived: list[dict[int, Any]] = []
        try:
            with self._lock:
                if self._fullness() > 1.0:  # else somebody could not wait
                    archived = self._make_room()
        finally:
            self.is_archiving = False
        for entries in archived:  # freed all at once they would keep the interpreter from others for that long
            while entries:
                entries.popitem()

    def _fullness(self) -> float:
        """How full the fullest of the young maps is, 1.0 where it may be no fuller."""
        return max(len(entries) / entries.capacity for entries in self._bounded) / self._patience

    def _rotate(self) -> None:
        """Start a period."""
        for entries in self._maps:
            entries.rotate()
        self._archive.forget_before(self._period)
        self._period += 1
        self._look_in_archive()

    def _make_room(self) -> list[dict[int, Any]]:
        """Archive all that is young, each part in its own period, or forget the oldest; returns what was archived."""
        if not self._archives:
            for entries in self._maps:
                entries.shrink()
            return []
        spans, below = self._spans.take_all(), self._calls_below.take_all()
        responses, shapes = self._calls_by_response.take_all(), self._shapes.entries.take_all()
        for part, period in enumerate((self._period - 1, self._period)):
            self._archive.settle(Entries(spans[part], below[part], responses[part], shapes[part]), period)
        self._look_in_archive()
        listed = self._archive.listed_per_call
        if listed > 1.0:
            self._patience = min(2 * self._patience, MOST_PATIENCE)
        elif listed < 1.0 / 4:
            self._patience = max(self._patience // 2, 1)
        return [*spans, *below, *responses, *shapes]

    def _look_in_archive(self) -> None:
        """Let what is not young be looked for in the archive too, as long as there is anything in it."""
        archive = self._archive
        self._find_span = archive.spans.finder(self._spans.get)
        self._find_below = archive.below.finder(self._calls_below.get)
        self._find_response = archive.responses.finder(self._calls_by_response.get)
        self._shapes.find = archive.shapes.finder(self._shapes.entries.get)
