"""The bounded queue between receivers and one exporter; its bound is in bytes."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from threading import Condition
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

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


R = TypeVar("R", bound=Room)


class ByteQueue:
    """First in, first out; counts the bytes that are queued, promised and in flight.

    Room is first reserved and then filled, so that one request can be offered to several queues and end up in
    all of them or in none. An empty queue accepts one batch of any size: a batch larger than the capacity
    would otherwise be refused for ever.

    Args:
        exporter: component id of the exporter that empties it.
        capacity_bytes: bound on the bytes held, in bytes.
    """

    def __init__(self, exporter: str, capacity_bytes: int) -> None:
        self.exporter = exporter
        self.capacity_bytes = capacity_bytes
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
            self._changed.notify_all()

    def take(self, together_bytes: int = 0) -> list[Batch]:
        """Wait for the next batch, and take those behind it that may travel with it.

        Their bytes stay counted until `release`.

        Args:
            together_bytes: up to this size batches of one signal are taken together.

        Returns:
            At least one batch, all of one signal; none when the queue is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._batches or self._closed)
            taken: list[Batch] = []
            size_bytes = 0
            while self._batches:
                size_bytes += self._batches[0].size_bytes
                if taken and (size_bytes > together_bytes or self._batches[0].signal != taken[0].signal):
                    break
                taken.append(self._batches.popleft())
            return taken

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
            self._held_bytes -= sum(batch.size_bytes for batch in waiting)
            return waiting

    def _fits(self, size_bytes: int) -> bool:
        if self._closed:
            return False
        return self._held_bytes == 0 or self._held_bytes + size_bytes <= self.capacity_bytes


def reserve_in_all(rooms: Iterable[R], size_bytes: int) -> R | None:
    """Reserve room in every queue, or in none of them.

    Returns:
        None when all have room, else the one that has none.
    """
    with ExitStack() as undo:
        for room in rooms:
            if not room.reserve(size_bytes):
                return room
            undo.callback(room.release, size_bytes)
        undo.pop_all()
    return None
