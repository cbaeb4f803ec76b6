"""From a received request to every exporter queue, some by way of a hold: bytes in, bytes out, all queues or none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NoReturn, Protocol

from otel_carbon.collector.deferred import Deferred
from otel_carbon.collector.hold import Held
from otel_carbon.collector.item_counts import count_items, refuse_crowds
from otel_carbon.collector.refusals import RETRY_AFTER_S, MemoryShort, TryLater
from otel_carbon.collector.reserving import Reserved, reserve
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.collector.storage.records import StoredBody
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from otel_carbon.collector.byte_queue import Room, SendingQueue
    from otel_carbon.collector.hold import Hold, Sized
    from otel_carbon.collector.memory_limiter import MemoryLimiter
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.storage.file_storage import FileStorage

_logger = logging.getLogger(__name__)


class QueueFull(TryLater):
    """A queue has no room now; the client should try again after `retry_after_s` seconds.

    `what` is the queue in words.
    """

    def __init__(self, what: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(f"{what} is full", retry_after_s)


class Processor(Protocol):
    """A stage of a pipeline: a serialized `Export...ServiceRequest` in, another one, or the same, out."""

    def __call__(self, body: bytes, /) -> bytes:
        """Process one request.

        Raises:
            MalformedBody: the bytes are not such a request.
        """


Prepare = Callable[[bytes], tuple[int, Callable[[], bytes]]]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of the configuration.

    Attributes:
        name: as configured, `traces` or `traces/name`.
        signal: what flows through it.
        processors: component id and callable of each stage, in order; empty for logs.
        prepare: checks a request for the only processor, and returns how many items it has and what is to be done;
            None where only processing it tells whether it is one.
        queues: the queues of its exporters.
        hold: where its requests wait for its processor, which is then none of `processors`; None without waiting.
        limiter: refuses requests while memory is short; None without a limit.
    """

    name: str
    signal: Signal
    processors: tuple[tuple[str, Processor], ...]
    queues: tuple[SendingQueue, ...]
    hold: Hold | None = None
    limiter: MemoryLimiter | None = None
    prepare: Prepare | None = None


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A request that was processed, with room for it everywhere.

    Attributes:
        deliveries: what each pipeline made of it, and the queues that get that.
        read: what was read of it for the hold.
        body: the request as it came.
        items: how many spans, metric points or log records it holds.
        reserved: its room.
        held_for: the queues that get it once it was held.
    """

    deliveries: Sequence[tuple[Batch, tuple[SendingQueue, ...]]]
    read: Sized | None
    body: bytes
    items: int
    reserved: Reserved
    held_for: tuple[SendingQueue, ...]


class Intake:
    """What one receiver does with the requests of one signal: all pipelines, then all queues, or none.

    Args:
        receiver: component id of the receiver, for the counters.
        signal: what it takes.
        pipelines: where it goes; those that hold share one hold.
        metrics: counts what was accepted and refused.
        storage: where requests are stored before they are answered; None when they stay in memory.
        deferred: takes what is done for a request after it was answered; None does all of it before.
    """

    def __init__(
        self,
        receiver: str,
        signal: Signal,
        pipelines: tuple[Pipeline, ...],
        metrics: SelfMetrics,
        storage: FileStorage | None = None,
        deferred: Deferred | None = None,
    ) -> None:
        self.receiver = receiver
        self.signal = signal
        self._metrics = metrics
        self._work = {
            name: metrics.processor_work(name, signal) for pipeline in pipelines for name, _ in pipeline.processors
        }
        is_concerned = any(
            pipeline.processors or pipeline.hold or any(queue.is_durable for queue in pipeline.queues)
            for pipeline in pipelines
        )
        self._storage = storage if is_concerned else None
        self._pipelines = tuple(pipeline for pipeline in pipelines if pipeline.hold is None)
        self._holding = tuple(pipeline for pipeline in pipelines if pipeline.hold is not None)
        self._hold = next((pipeline.hold for pipeline in self._holding), None)
        self._limiter = next((pipeline.limiter for pipeline in pipelines if pipeline.limiter is not None), None)
        only = pipelines[0] if len(pipelines) == 1 else None
        in_memory = self._storage is None and self._hold is None
        self._prepare = only.prepare if only is not None and in_memory and deferred is not None else None
        self._deferred = deferred or Deferred()
        self._queues = tuple(pipeline.queues for pipeline in (*self._pipelines, *self._holding))
        rooms: tuple[Room | None, ...] = (self._hold, self._storage)
        self._rooms = tuple(room for room in rooms if room is not None)

    def admit(self, transport: str) -> None:
        """Refuse a request before it is decompressed or decoded, while memory is short.

        Args:
            transport: `grpc` or `http`, for the counters.

        Raises:
            TryLater: memory is short.
        """
        if self._limiter is not None and self._limiter.is_short:
            self._limiter.refused()
            self._metrics.request(self.receiver, transport, "refused")
            raise MemoryShort("the collector is short of memory", self._limiter.retry_after_s)

    @property
    def answers_first(self) -> bool:
        """Whether `accept` only checks a request where it may defer the rest."""
        return self._prepare is not None

    def note_unreadable(self, transport: str) -> None:
        """Count a request whose compression or JSON cannot be read."""
        self._metrics.request(self.receiver, transport, "failure")

    def work_off(self) -> None:
        """Do all that `accept` has deferred."""
        self._deferred.work_off()

    def work_off_one(self, most_bytes: int) -> bool:
        """Do one request that `accept` has deferred, if no larger; returns whether it was not left waiting."""
        return self._deferred.work_off_one(most_bytes)

    def accept(self, body: bytes, transport: str, defer: Callable[[], None] | None = None) -> Future[None] | None:
        """Process a request and queue it for every exporter; returning means that all queues have it, or its hold.

        With `defer` returning may mean that it was checked and has room in all of them; the rest is up to `work_off`.
        A request without items is accepted and goes nowhere.

        Args:
            body: the serialized request, decompressed.
            transport: `grpc` or `http`, for the counters.
            defer: asks for `work_off` soon after the request is answered; None to have everything done.

        Returns:
            None when the request is taken over; else it is once the future is done, which may raise `TryLater`.

        Raises:
            MalformedBody: the bytes are not a request of this signal.
            BodyTooLarge: they hold more than is read.
            TryLater: an exporter queue, the hold or the disk has no room, or memory is short; no queue got it.
        """
        try:
            if self._prepare is None:
                items, prepared = count_items(self.signal, body), None
            else:
                refuse_crowds(self.signal, body)
                items, prepared = self._prepared(self._prepare, body)
        except (MalformedBody, BodyTooLarge):
            self._metrics.request(self.receiver, transport, "failure")
            raise
        stored = None
        if prepared is not None and items:
            self._forward_prepared(prepared, body, items, transport, defer)
        elif items:
            stored = self._forward(body, items, transport)
        if stored is None:
            self._count_taken(items, transport)
        return stored

    def _count_taken(self, items: int, transport: str) -> None:
        self._metrics.accepted(self.receiver, transport, self.signal, items)
        self._metrics.request(self.receiver, transport, "success")

    def _count_refused(self, items: int, transport: str) -> None:
        self._metrics.refused(self.receiver, transport, self.signal, items)
        self._metrics.request(self.receiver, transport, "refused")

    def _reserve(self, body: bytes, items: int, transport: str) -> Reserved:
        reserved = reserve(self._queues, self._rooms, Batch(self.signal, body, items).size_bytes)
        if not isinstance(reserved, Reserved):
            self._refuse(reserved, items, transport)
        self._note_passed_over(reserved, items)
        return reserved

    def _forward_prepared(
        self,
        prepared: Callable[[], bytes],
        body: bytes,
        items: int,
        transport: str,
        defer: Callable[[], None] | None,
    ) -> None:
        """Reserve room, then process and queue, or leave that for later: nothing can refuse the request any more."""
        reserved = self._reserve(body, items, transport)
        is_late = defer is None or self._deferred.is_full
        self._deferred.put(lambda: self._finish(prepared, body, items, reserved), len(body))
        if is_late:
            self._deferred.work_off()  # what came earlier is counted earlier
        elif defer is not None:
            defer()

    def _prepared(self, prepare: Prepare, body: bytes) -> tuple[int, Callable[[], bytes]]:
        try:
            return prepare(body)
        except (MalformedBody, BodyTooLarge):
            raise
        except Exception as fault:
            self._note_fault(self._pipelines[0], self._pipelines[0].processors[0][0], fault)
            return count_items(self.signal, body), lambda: body

    def _finish(self, prepared: Callable[[], bytes], body: bytes, items: int, reserved: Reserved) -> None:
        (pipeline,), (queues,) = self._pipelines, reserved.queues
        name, _ = pipeline.processors[0]
        try:
            processed = self._processed(pipeline, name, prepared, body, items)
        except MalformedBody as fault:  # it was none when it was answered
            self._note_fault(pipeline, name, fault)
            processed = body
        batch = Batch(self.signal, processed, items)
        for queue in queues:
            queue.put(batch, reserved.size_bytes)

    def _forward(self, body: bytes, items: int, transport: str) -> Future[None] | None:
        """Reserve room, process, queue: once a request has been processed, and booked, it is never refused.

        Only a disk that fails refuses it then: asked again, it is known, and booked no second time.
        What is held is only read here; `Hold` processes and queues it.
        """
        reserved = self._reserve(body, items, transport)
        try:
            read = self._hold.read(body) if self._hold is not None else None
            deliveries = [
                (Batch(self.signal, self._process(pipeline, body, items), items), queues)
                for pipeline, queues in zip(self._pipelines, reserved.queues, strict=False)
            ]
        except BaseException:
            reserved.release()
            self._metrics.failed(self.receiver, transport, self.signal, items)
            self._metrics.request(self.receiver, transport, "failure")
            raise
        held_for = tuple(queue for queues in reserved.queues[len(self._pipelines) :] for queue in queues)
        accepted = _Accepted(deliveries, read, body, items, reserved, held_for)
        if self._storage is None:
            self._queue(accepted, ())
            return None
        return self._store(self._storage, accepted, transport)

    def _note_passed_over(self, reserved: Reserved, items: int) -> None:
        """Count what goes on without a full queue; log when that begins and when its backend works again.

        A small request may still find room where a large one did not; that is no end.
        """
        for queue in reserved.passed_over:
            self._metrics.enqueue_failed(queue.exporter, self.signal, items)
            if not queue.is_passed_over:
                queue.is_passed_over = True
                what = "%s: its queue is full and its backend fails; what comes is dropped, and others take it"
                _logger.error(what, queue.exporter)
        for queue in chain.from_iterable(reserved.queues):
            if queue.is_passed_over and not queue.is_failing:
                queue.is_passed_over = False
                _logger.info("%s: has room again", queue.exporter)

    def _queue(self, accepted: _Accepted, numbers: Sequence[int]) -> None:
        """Put a request into its queues and its hold; `numbers` are those of its bodies that were stored, in order."""
        stored = iter(numbers)
        reserved_bytes = accepted.reserved.size_bytes
        for batch, queues in accepted.deliveries:
            if any(queue.is_durable for queue in queues):
                batch = replace(batch, stored_id=next(stored))  # noqa: PLW2901 - the same batch with its number
            for queue in queues:
                queue.put(batch, reserved_bytes)
        if self._hold is not None:
            number = next(stored, 0)
            held = Held(accepted.body, accepted.read, accepted.items, accepted.held_for, reserved_bytes, number)
            self._hold.put(held)

    def _store(self, storage: FileStorage, accepted: _Accepted, transport: str) -> Future[None]:
        bodies = [
            StoredBody(self.signal, batch.items, batch.body, owing)
            for batch, queues in accepted.deliveries
            if (owing := tuple(queue.exporter for queue in queues if queue.is_durable))
        ]
        if any(queue.is_durable for queue in accepted.held_for):
            owing = tuple(queue.exporter for queue in accepted.held_for)
            bodies.append(StoredBody(self.signal, accepted.items, accepted.body, owing, is_held=True))

        def take_over(numbers: Sequence[int]) -> None:
            self._queue(accepted, numbers)
            storage.release(accepted.reserved.size_bytes)
            self._metrics.accepted(self.receiver, transport, self.signal, accepted.items)

        def count_answer(stored: Future[None]) -> None:
            if stored.exception() is None:
                self._metrics.request(self.receiver, transport, "success")
            else:  # where the disk hangs it may be taken over yet, and come again: then it counts as both
                self._count_refused(accepted.items, transport)

        work = Work(bodies, on_stored=take_over, on_refused=accepted.reserved.release)
        work.stored.add_done_callback(count_answer)
        return storage.submit(work)

    def _refuse(self, full: Room, items: int, transport: str) -> NoReturn:
        exporter = getattr(full, "exporter", None)
        if exporter is not None:
            self._metrics.enqueue_failed(exporter, self.signal, items)
        self._count_refused(items, transport)
        if full is self._storage and self._storage.is_failing:
            raise StorageUnavailable(f"{full.what} cannot be written to now")
        raise QueueFull(full.what)

    def _process(self, pipeline: Pipeline, body: bytes, items: int) -> bytes:
        for name, processor in pipeline.processors:
            body = self._processed(pipeline, name, partial(processor, body), body, items)
        return body

    def _processed(self, pipeline: Pipeline, name: str, work: Callable[[], bytes], body: bytes, items: int) -> bytes:
        began_s = time.perf_counter()
        try:
            body = work()
        except MalformedBody:
            raise
        except Exception as fault:
            self._note_fault(pipeline, name, fault)
        self._work[name].add(items, time.perf_counter() - began_s)
        return body

    def _note_fault(self, pipeline: Pipeline, processor: str, fault: Exception) -> None:
        """Telemetry is never lost to a fault of ours: it goes on as it came, and the counter tells."""
        self._metrics.processor_failed(processor)
        what = "%s: processor %s failed; the request goes on unprocessed"
        _logger.error(what, pipeline.name, processor, exc_info=fault)
