"""The queue of one exporter on the disk: memory holds how much waits, and what is being sent."""

from __future__ import annotations

import logging
import sqlite3
import time
from threading import Condition, Lock
from typing import TYPE_CHECKING

from otel_carbon.collector.batching import BatchSettings, Together, Waiting
from otel_carbon.collector.storage.database import owed_between, read_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.collector.signals import Batch
    from otel_carbon.collector.storage.database import Database
    from otel_carbon.collector.storage.file_storage import FileStorage
    from otel_carbon.collector.storage.records import Backlog

_READ_RETRY_S = 1.0
_logger = logging.getLogger(__name__)


class StoredQueue:
    """First in, first out, of what the storage has for one exporter; to a sender it is as a `ByteQueue`.

    Args:
        exporter: component id of the exporter that empties it.
        capacity_bytes: bound on what the exporter owes, in bytes.
        storage: where the bodies are.
        batch: which of them are taken together, and when.
        clock_s: a monotonic clock, in seconds.
    """

    is_durable = True

    def __init__(
        self,
        exporter: str,
        capacity_bytes: int,
        storage: FileStorage,
        batch: BatchSettings | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.exporter = exporter
        self.capacity_bytes = capacity_bytes
        self.isolates = False
        self.is_failing = False
        self.is_passed_over = False
        self._storage = storage
        self._batch = batch or BatchSettings()
        self._waiting = Waiting(self._batch, clock_s)
        self._held_bytes = 0
        self._after = 0
        """The number of the last body that was taken."""
        self._until = 0
        """The number of the last body that was put: the disk has later ones a moment before they are put."""
        self._closed = False
        self._is_unreadable = False
        self._changed = Condition()
        self._taking = Lock()
        """Held by the one consumer whose turn it is; the disk is read without the other lock, which receivers need."""
        storage.attach(self)

    @property
    def what(self) -> str:
        """What it is called in a message."""
        return f"the queue of exporter {self.exporter}"

    @property
    def held_bytes(self) -> int:
        """Bytes owed, reserved or being sent now."""
        return self._held_bytes

    def resume(self, backlog: Backlog) -> None:
        """Go on with what an earlier process left; before anything is put."""
        with self._changed:
            self._held_bytes += backlog.size_bytes
            self._until = self._storage.last_number
            if backlog.requests:
                self._waiting.add(backlog.items, backlog.size_bytes, backlog.requests)

    def recount(self, database: Database) -> None:
        """Wait for what is there, after some was lost by damage; what was taken out is being sent all the same."""
        with self._changed:
            backlog = database.backlog_after(self.exporter, self._after)
            self._held_bytes += backlog.size_bytes - self._waiting.size_bytes
            self._waiting = Waiting(self._batch)
            if backlog.requests:
                self._waiting.add(backlog.items, backlog.size_bytes, backlog.requests)
            self._changed.notify_all()

    def reserve(self, size_bytes: int) -> bool:
        """Promise room for a batch; False if there is none. Follow it by `put` or `release`."""
        with self._changed:
            fits = self._held_bytes == 0 or self._held_bytes + size_bytes <= self.capacity_bytes
            if self._closed or not fits:
                return False
            self._held_bytes += size_bytes
            return True

    def release(self, size_bytes: int) -> None:
        """Give back bytes that were reserved and not used."""
        with self._changed:
            self._held_bytes -= size_bytes

    def put(self, batch: Batch, reserved_bytes: int) -> None:
        """Take notice of a batch that is on the disk by now; its body is read when its turn comes."""
        with self._changed:
            self._held_bytes += batch.size_bytes - reserved_bytes
            self._until = batch.stored_id
            self._waiting.add(batch.items, batch.size_bytes)
            self._changed.notify()

    def take(self) -> list[Batch]:
        """Wait for the next batches that travel together, and read them; see `ByteQueue.take`."""
        with self._taking:
            while True:
                with self._changed:
                    is_due, until = self._wait(), self._until
                if not is_due:
                    self._storage.disk.stop_reading(self.exporter)
                    return []
                try:
                    taken = self._read(until)
                except sqlite3.Error as error:
                    self._note_unreadable(error)
                    continue
                self._is_unreadable = False
                with self._changed:
                    if not taken:
                        _logger.error("%s: of what was queued, %d are missing", self.exporter, self._waiting.requests)
                        self._held_bytes -= self._waiting.size_bytes
                        self._waiting = Waiting(self._batch)
                        continue
                    self._after = taken[-1].stored_id
                    sizes_bytes = sum(batch.size_bytes for batch in taken)
                    self._waiting.take(sum(batch.items for batch in taken), sizes_bytes, len(taken))
                return taken

    def settle(self, batches: Sequence[Batch]) -> None:
        """Let go of batches that were sent, or are given up."""
        self._storage.settle(self.exporter, [batch.stored_id for batch in batches])
        self.release(sum(batch.size_bytes for batch in batches))

    def close(self) -> None:
        """Accept nothing more; what is queued can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def clear(self) -> list[Batch]:
        """Send no more; nothing is lost by it, as what is left is sent after the next start."""
        with self._changed:
            self._waiting = Waiting(self._batch)
        return []

    def _wait(self) -> bool:
        """Wait until something is due; False when the queue is closed and empty."""
        while True:
            due_in_s = self._waiting.due_in_s()
            if due_in_s is not None and (self._closed or due_in_s == 0):
                return True
            if due_in_s is None and self._closed:
                return False
            self._changed.wait(due_in_s)

    def _read(self, until: int) -> list[Batch]:
        together = Together(self._batch)

        def read(reader: sqlite3.Connection) -> list[Batch]:
            first = last = 0
            for number, signal, items, size_bytes in owed_between(reader, self.exporter, self._after, until):
                if not together.takes(signal, items, size_bytes):
                    break
                first, last = first or number, number
            return read_batches(reader, self.exporter, first, last) if first else []

        return self._storage.disk.read(self.exporter, read)

    def _note_unreadable(self, error: sqlite3.Error) -> None:
        """Say once that nothing can be read, and wait before it is tried again."""
        if not self._is_unreadable:
            self._is_unreadable = True
            _logger.warning("%s: cannot read what is queued, and tries again: %s", self.exporter, error)
        with self._changed:
            self._changed.wait(_READ_RETRY_S)
