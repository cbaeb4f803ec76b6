"""What is done for requests once they are answered: in their order, on the thread that comes first."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 2 * 1024 * 1024
MOST_REQUESTS = 64
"""Beyond either, who brings a request does what waits before it is answered: clients then come as fast as we work."""
Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Deferred:
    """Work for requests that were checked, have room everywhere and were answered.

    Whoever reads what that work changes does it first (`up_to_date`), so that nobody sees less than was answered.

    Args:
        is_busy: whether the work would have to wait for something else now.
    """

    def __init__(self, is_busy: Callable[[], bool] = lambda: False) -> None:
        self._is_busy = is_busy
        self._working = Lock()
        self._lock = Lock()
        """Guards what waits; never held while work is done."""
        self._waiting: deque[tuple[Callable[[], None], int]] = deque()
        self._waiting_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether so much waits that no more should."""
        return self._waiting_bytes > MOST_BYTES or len(self._waiting) >= MOST_REQUESTS

    def put(self, work: Callable[[], None], size_bytes: int) -> None:
        """Let a request wait; `work` raises nothing."""
        with self._lock:
            self._waiting_bytes += size_bytes
            self._waiting.append((work, size_bytes))

    def work_off(self) -> None:
        """Do all that waits now, and wait for what another thread does."""
        with self._working:
            for _ in range(len(self._waiting)):
                self._do_next()

    def work_off_one(self, most_bytes: int = MOST_BYTES) -> bool:
        """Do what waits longest, if it is no larger than that; returns whether it was not left waiting."""
        with self._lock:
            if not self._waiting:
                return True
            _, size_bytes = self._waiting[0]
        if size_bytes > most_bytes or self._is_busy() or not self._working.acquire(blocking=False):
            return False
        try:
            self._do_next()
        finally:
            self._working.release()
        return True

    def _do_next(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            work, size_bytes = self._waiting.popleft()
            self._waiting_bytes -= size_bytes
        work()

    def up_to_date(self, read: Callable[[*Arguments], Result]) -> Callable[[*Arguments], Result]:
        """What reads after all that waited is done."""

        def read_all(*arguments: *Arguments) -> Result:
            self.work_off()
            return read(*arguments)

        return read_all
