"""The bounded queue between receivers and one exporter; its bound is in bytes."""

from __future__ import annotations

import time
from collections import deque
from threading import Condition
from typing import TYPE_CHECKING, Protocol

from otel_carbon.collector.batching import BatchSettings, Together, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.collector.signals import Batch


class Room(Protocol):
    """What has a bound in bytes."""

    @property
    def what(self) -> str:
        """What it is called in a message."""

    def reserve(self, size_bytes: int) -> bool:
        """Promise room; False if there is none."""

    def release(self, size_bytes: int) -> None:
        """Give back room that was promised."""


class SendingQueue(Room, Protocol):
    """What stands between the receivers and one exporter, in memory or on the disk.

    Attributes:
        exporter: component id of the exporter that empties it.
        capacity_bytes: its bound, in bytes.
        is_durable: whether what is in it outlives the process.
        isolates: whether, full while its backend fails, it lets requests go on to others without it.
        is_failing: whether its backend fails now, as the sender has seen it.
        is_passed_over: whether requests go on to others without it now, and the log says so.
    """

    exporter: str
    capacity_bytes: int
    is_durable: bool
    isolates: bool
    is_failing: bool
    is_passed_over: bool

    @property
    def held_bytes(self) -> int:
        """Bytes queued, reserved or being sent now."""

    def put(self, batch: Batch, reserved_bytes: int) -> None:
        """Queue a batch whose room was reserved."""

    def take(self) -> list[Batch]:
        """Wait for the next batches that travel together; none when the queue is closed and empty."""

    def settle(self, batches: Sequence[Batch]) -> None:
        """Let go of batches that were taken and dealt with."""

    def close(self) -> None:
        """Accept nothing more; what is queued can still be taken."""

    def clear(self) -> list[Batch]:
        """Take out what waits and is lost by that."""


class ByteQueue:
    """First in, first out; counts the bytes that are queued, promised and in flight.

    Room is first reserved and then filled, so that one request can be offered to several queues and end up in
    all of them or in none. An empty queue accepts one batch of any size: a batch larger than the capacity
    would otherwise be refused for ever.

    Args:
        exporter: component id of the exporter that empties it.
        capacity_bytes: bound on the bytes held, in bytes.
        batch: which batches are taken together, and when.
        clock_s: a monotonic clock, in seconds.
    """

    is_durable = False

    def __init__(
        self,
        exporter: str,
        capacity_bytes: int,
        batch: BatchSettings | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.exporter = exporter
        self.capacity_bytes = capacity_bytes
        self.isolates = False
        self.is_failing = False
        self.is_passed_over = False
        self._batch = batch or BatchSettings()
        self._waiting = Waiting(self._batch, clock_s)
        self._held_bytes = 0
        self._batches: deque[Batch] = deque()
        self._closed = False
        self._changed = Condition()

    @property
    def what(self) -> str:
        """What it is called in a message."""
        return f"the queue of exporter {self.exporter}"

    @property
    def held_bytes(self) -> int:
        """Bytes queued, reserved or being sent now."""
        return self._held_bytes

    def reserve(self, size_bytes: int) -> bool:
        """Promise room for a batch; False if there is none. Follow it by `put` or `release`."""
        with self._changed:
            if not self._fits(size_bytes):
                return False
            self._held_bytes += size_bytes
            return True

    def release(self, size_bytes: int) -> None:
        """Give back bytes that were reserved and not used, or that have been dealt with."""
        with self._changed:
            self._held_bytes -= size_bytes
            self._changed.notify_all()

    def put(self, batch: Batch, reserved_bytes: int) -> None:
        """Queue a batch whose room was reserved; what processing has added to it since is taken in all the same."""
        with self._changed:
            self._held_bytes += batch.size_bytes - reserved_bytes
            self._batches.append(batch)
            self._waiting.add(batch.items, batch.size_bytes)
            self._changed.notify()

    def take(self) -> list[Batch]:
        """Wait for the next batch, and take those behind it that travel with it.

        Their bytes stay counted until `settle`.

        Returns:
            At least one batch, all of one signal; none when the queue is closed and empty.
        """
        with self._changed:
            self._wait()
            taken: list[Batch] = []
            together = Together(self._batch)
            while self._batches:
                first = self._batches[0]
                if not together.takes(first.signal, first.items, first.size_bytes):
                    break
                taken.append(self._batches.popleft())
            self._forget_waiting(taken)
            if self._batches:
                self._changed.notify()  # there may be another consumer
            return taken

    def settle(self, batches: Sequence[Batch]) -> None:
        """Let go of batches that were taken and dealt with."""
        self.release(sum(batch.size_bytes for batch in batches))

    def close(self) -> None:
        """Accept nothing more; what is queued can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def clear(self) -> list[Batch]:
        """Take out everything that waits, to be counted as lost."""
        with self._changed:
            waiting = list(self._batches)
            self._batches.clear()
            self._forget_waiting(waiting)
            self._held_bytes -= sum(batch.size_bytes for batch in waiting)
            return waiting

    def _wait(self) -> None:
        """Wait until something is due, or the queue is closed."""
        while not self._closed:
            due_in_s = self._waiting.due_in_s()
            if due_in_s == 0:
                return
            self._changed.wait(due_in_s)

    def _forget_waiting(self, batches: Sequence[Batch]) -> None:
        if batches:
            sizes_bytes = sum(batch.size_bytes for batch in batches)
            self._waiting.take(sum(batch.items for batch in batches), sizes_bytes, len(batches))

    def _fits(self, size_bytes: int) -> bool:
        if self._closed:
            return False
        return self._held_bytes == 0 or self._held_bytes + size_bytes <= self.capacity_bytes
