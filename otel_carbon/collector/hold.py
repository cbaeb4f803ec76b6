"""The hold window: requests wait for a time, bounded in bytes, and are then decided together on one thread."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Batch, Signal
from otel_carbon.collector.storage.records import StoredBody
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from otel_carbon.errors import MalformedBody

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.collector.byte_queue import SendingQueue
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.storage.file_storage import FileStorage

_STORE_AGAIN_S = 1.0
BY_TIME, BY_SIZE, BY_STOP = "time", "size", "stop"
_logger = logging.getLogger(__name__)


class Sized(Protocol):
    """What a processor has read of a request."""

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory with the request itself, in bytes."""


R = TypeVar("R")


class HoldingProcessor(Protocol[R]):
    """A stage of a traces pipeline that can decide several requests together."""

    def read(self, body: bytes, /) -> R:
        """Read a request, so that what is wrong with it shows before it is held.

        Raises:
            MalformedBody: the bytes are no `ExportTraceServiceRequest`.
        """

    def finish(self, requests: Sequence[R], /) -> Sequence[bytes]:
        """Decide what was read together, and write each request; called again after an error, it repeats itself."""


@dataclass(frozen=True, slots=True)
class HoldSettings:
    """When requests that are held are decided.

    Attributes:
        hold_s: how long the first of them waits, in seconds.
        capacity_bytes: bound of what waits and of what is being decided, in bytes of memory.
        early_bytes: from this size on what waits is decided early, in bytes of memory.
    """

    hold_s: float
    capacity_bytes: int
    early_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """A request that waits.

    Attributes:
        body: the request as it came.
        read: what was read of it; None when reading failed, and it goes on as it came.
        items: how many spans it holds.
        queues: where it goes; each has room reserved for it.
        reserved_bytes: the room in each queue and here, in bytes.
        stored_id: what the storage calls it as it came; 0 where it is in memory only.
    """

    body: bytes
    read: Sized | None
    items: int
    queues: tuple[SendingQueue, ...]
    reserved_bytes: int
    stored_id: int = 0

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return BATCH_OVERHEAD_BYTES + (len(self.body) if self.read is None else self.read.size_bytes)


class Hold:
    """Requests of one processor that wait to be decided together, in the order in which they came.

    As with a `ByteQueue` room is first reserved and then filled, and an empty hold takes a request of any size.

    Args:
        processor_id: component id of the processor, for messages and counters.
        processor: reads and decides.
        settings: for how long, and how much.
        metrics: counts decisions, failures and what is lost.
        clock_s: a monotonic clock, in seconds.
        storage: where what is held is as it came, until it is decided; None when it is in memory only.
    """

    def __init__(
        self,
        processor_id: str,
        processor: HoldingProcessor[Any],
        settings: HoldSettings,
        metrics: SelfMetrics,
        clock_s: Callable[[], float] = time.monotonic,
        storage: FileStorage | None = None,
    ) -> None:
        self.processor_id = processor_id
        self._storage = storage
        self.settings = settings
        self._processor = processor
        self._metrics = metrics
        self._work = metrics.processor_work(processor_id, Signal.TRACES)
        self._clock_s = clock_s
        self._changed = Condition()
        self._waiting: list[Held] = []
        self._waiting_bytes = 0
        self._deciding: list[Held] = []
        self._held_bytes = 0
        self._due_at_s = 0.0
        self._closed = False
        self._gave_up = False
        # A daemon as the senders are: it ends with `drain`, or with the process.
        self._thread = Thread(target=self._run, name=f"hold {processor_id}", daemon=True)

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that wait, are reserved or are being decided now."""
        return self._held_bytes

    @property
    def what(self) -> str:
        """What it is called in a message."""
        return f"the hold window of processor {self.processor_id}"

    def reserve(self, size_bytes: int) -> bool:
        """Promise room for a request; False if there is none. Follow it by `put` or `release`."""
        with self._changed:
            fits = self._held_bytes == 0 or self._held_bytes + size_bytes <= self.settings.capacity_bytes
            if self._closed or not fits:
                return False
            self._held_bytes += size_bytes
            return True

    def release(self, size_bytes: int) -> None:
        """Give back bytes that were reserved and not used, or that have been dealt with."""
        with self._changed:
            self._held_bytes -= size_bytes

    def read(self, body: bytes) -> Sized | None:
        """What the processor reads of a request; None when that failed by a fault of ours.

        Raises:
            MalformedBody: the bytes are no traces request.
        """
        try:
            read: Sized = self._processor.read(body)
        except MalformedBody:
            raise
        except Exception as error:
            self._note_failure(error)
            return None
        return read

    def put(self, held: Held) -> None:
        """Hold a request whose room was reserved; what reading has added to it is taken in all the same."""
        size_bytes = held.size_bytes
        with self._changed:
            self._held_bytes += size_bytes - held.reserved_bytes
            self._waiting_bytes += size_bytes
            self._waiting.append(held)
            if len(self._waiting) == 1:
                self._due_at_s = self._clock_s() + self.settings.hold_s
            if len(self._waiting) == 1 or self._is_due():
                self._changed.notify_all()

    def take_due(self) -> list[Held]:
        """Take out everything that waits, when its time has come, it has grown too large, or no more will come."""
        with self._changed:
            if not self._is_due():
                return []
            cause = BY_STOP if self._closed else BY_SIZE if self._is_large() else BY_TIME
            self._deciding, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._metrics.held_decided(self.processor_id, cause)
        return self._deciding

    def restore(self, number: int, stored: StoredBody, queues: tuple[SendingQueue, ...]) -> None:
        """Hold again what an earlier process held and did not decide."""
        try:
            read = self.read(stored.body)
        except MalformedBody:
            read = None
        self.put(Held(stored.body, read, stored.items, queues, 0, number))

    def decide(self, group: Sequence[Held]) -> None:
        """Decide what was taken, and queue it in the order in which it came."""
        began_s = time.perf_counter()
        bodies = self._finished(group)
        items = sum(held.items for held in group)
        self._work.add(items, time.perf_counter() - began_s)
        with self._changed:
            if self._gave_up:
                return
            if self._storage is None:
                self._deciding = []
        batches = [Batch(Signal.TRACES, body, held.items) for held, body in zip(group, bodies, strict=True)]
        if self._storage is None:
            self._queue(group, batches, ())
        elif not self._store(self._storage, group, batches):
            return
        self.release(sum(held.size_bytes for held in group))

    def _queue(
        self, group: Sequence[Held], batches: Sequence[Batch], numbers: Sequence[int], *, is_late: bool = False
    ) -> None:
        stored = iter(numbers)
        for held, batch in zip(group, batches, strict=True):
            numbered = replace(batch, stored_id=next(stored)) if _owing(held) else batch
            if is_late and not held.stored_id:
                continue  # `drain` has counted it as lost
            for queue in held.queues:
                queue.put(numbered, held.reserved_bytes)

    def _store(self, storage: FileStorage, group: Sequence[Held], batches: Sequence[Batch]) -> bool:
        """Put what was decided in the place of what came, and queue it; False when the end came first."""
        bodies = [
            StoredBody(batch.signal, batch.items, batch.body, owing)
            for held, batch in zip(group, batches, strict=True)
            if (owing := _owing(held))
        ]
        decided = [held.stored_id for held in group if held.stored_id]

        def queue(numbers: Sequence[int]) -> None:
            with self._changed:
                self._deciding = []
                is_late = self._gave_up
            self._queue(group, batches, numbers, is_late=is_late)

        while True:
            try:
                storage.submit(Work(bodies, decided, on_stored=queue, is_patient=True)).result()
            except StorageUnavailable:  # it was taken over, and is on the disk as it came: there is nobody to refuse
                with self._changed:
                    if self._changed.wait_for(lambda: self._gave_up, timeout=_STORE_AGAIN_S):
                        return False
            else:
                return True

    def start(self) -> None:
        """Begin to decide what is due."""
        self._thread.start()

    def drain(self, deadline_s: float) -> int:
        """Accept no more, decide what waits, and give up at a deadline.

        Args:
            deadline_s: `time.monotonic()` at which to give up, in seconds.

        Returns:
            How many items were not decided in time and are lost, counted for each queue they were meant for.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.ident is None:
            return 0
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        with self._changed:
            self._gave_up = True
            self._changed.notify_all()
            lost = [*self._deciding, *self._waiting]
            self._waiting = []
        return sum(self._lost(held) for held in lost)

    def _run(self) -> None:
        while group := self._wait_for_due():
            self.decide(group)

    def _wait_for_due(self) -> list[Held]:
        """What is due next; nothing when no more will come."""
        with self._changed:
            while not self._is_due() and not self._closed:
                self._changed.wait(self._due_at_s - self._clock_s() if self._waiting else None)
        return self.take_due()

    def _is_due(self) -> bool:
        return bool(self._waiting) and (self._closed or self._is_large() or self._clock_s() >= self._due_at_s)

    def _is_large(self) -> bool:
        return self._waiting_bytes >= self.settings.early_bytes

    def _finished(self, group: Sequence[Held]) -> list[bytes]:
        """The bytes to send; a request that cannot be decided goes on as it came and takes no other with it."""
        readable = [held for held in group if held.read is not None]
        try:
            together = self._processor.finish([held.read for held in readable])
        except Exception:
            _logger.exception("%s: deciding requests together failed; each is decided alone", self.processor_id)
            together = [self._finished_alone(held) for held in readable]
        finished = iter(together)
        return [held.body if held.read is None else next(finished) for held in group]

    def _finished_alone(self, held: Held) -> bytes:
        try:
            return bytes(self._processor.finish([held.read])[0])
        except Exception as error:
            self._note_failure(error)
            return held.body

    def _note_failure(self, error: Exception) -> None:
        self._metrics.processor_failed(self.processor_id)
        _logger.error("%s: failed; the request goes on unprocessed", self.processor_id, exc_info=error)

    def _lost(self, held: Held) -> int:
        if held.stored_id:  # it is on the disk, and held again after the next start
            return 0
        for queue in held.queues:
            self._metrics.send_failed(queue.exporter, Signal.TRACES, held.items)
        return held.items * max(1, len(held.queues))


def _owing(held: Held) -> tuple[str, ...]:
    """The exporters whose queues are on the disk."""
    return tuple(queue.exporter for queue in held.queues if queue.is_durable)
