"""From a received request to every exporter queue, some by way of a hold: bytes in, bytes out, all queues or none."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

from otel_carbon.collector.byte_queue import ByteQueue, reserve_in_all
from otel_carbon.collector.hold import Held
from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import BodyTooLarge, MalformedBody, OtelCarbonError

if TYPE_CHECKING:
    from otel_carbon.collector.byte_queue import Room
    from otel_carbon.collector.hold import Hold
    from otel_carbon.collector.self_metrics import SelfMetrics

RETRY_AFTER_S = 1.0
_logger = logging.getLogger(__name__)


class QueueFull(OtelCarbonError):
    """A queue has no room now; the client should try again after `retry_after_s` seconds.

    `what` is the queue in words.
    """

    def __init__(self, what: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(f"{what} is full")
        self.retry_after_s = retry_after_s


class Processor(Protocol):
    """A stage of a pipeline: a serialized `Export...ServiceRequest` in, another one, or the same, out."""

    def __call__(self, body: bytes, /) -> bytes:
        """Process one request.

        Raises:
            MalformedBody: the bytes are not such a request.
        """


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of the configuration.

    Attributes:
        name: as configured, `traces` or `traces/name`.
        signal: what flows through it.
        processors: component id and callable of each stage, in order; empty for logs.
        queues: the queues of its exporters.
        hold: where its requests wait for its processor, which is then none of `processors`; None without waiting.
    """

    name: str
    signal: Signal
    processors: tuple[tuple[str, Processor], ...]
    queues: tuple[ByteQueue, ...]
    hold: Hold | None = None


class Intake:
    """What one receiver does with the requests of one signal: all pipelines, then all queues, or none.

    Args:
        receiver: component id of the receiver, for the counters.
        signal: what it takes.
        pipelines: where it goes; those that hold share one hold.
        metrics: counts what was accepted and refused.
    """

    def __init__(self, receiver: str, signal: Signal, pipelines: tuple[Pipeline, ...], metrics: SelfMetrics) -> None:
        self.receiver = receiver
        self.signal = signal
        self._metrics = metrics
        self._work = {
            name: metrics.processor_work(name, signal) for pipeline in pipelines for name, _ in pipeline.processors
        }
        self._pipelines = tuple(pipeline for pipeline in pipelines if pipeline.hold is None)
        self._queues = tuple(queue for pipeline in self._pipelines for queue in pipeline.queues)
        self._hold = next((pipeline.hold for pipeline in pipelines if pipeline.hold is not None), None)
        self._held_queues = tuple(queue for pipeline in pipelines if pipeline.hold for queue in pipeline.queues)
        rooms: list[Room] = [*self._queues, *self._held_queues]
        self._rooms = rooms if self._hold is None else [*rooms, self._hold]

    def accept(self, body: bytes, transport: str) -> None:
        """Process a request and queue it for every exporter; returning means that all queues have it, or its hold.

        A request without items is accepted and goes nowhere.

        Args:
            body: the serialized request, decompressed.
            transport: `grpc` or `http`, for the counters.

        Raises:
            MalformedBody: the bytes are not a request of this signal.
            BodyTooLarge: they hold more than is read.
            QueueFull: at least one exporter queue, or the hold, has no room; no queue got it.
        """
        try:
            items = count_items(self.signal, body)
        except (MalformedBody, BodyTooLarge):
            self._metrics.request(self.receiver, transport, "failure")
            raise
        if items:
            self._forward(body, items, transport)
        self._metrics.accepted(self.receiver, transport, self.signal, items)
        self._metrics.request(self.receiver, transport, "success")

    def _forward(self, body: bytes, items: int, transport: str) -> None:
        """Reserve room, process, queue: once a request has been processed, and booked, it is never refused.

        What is held is only read here; `Hold` processes and queues it.
        """
        reserved_bytes = Batch(self.signal, body, items).size_bytes
        full = reserve_in_all(self._rooms, reserved_bytes)
        if full is not None:
            self._refuse(full, items, transport)
        try:
            read = self._hold.read(body) if self._hold is not None else None
            deliveries = self._deliveries(body, items)
        except BaseException:
            for room in self._rooms:
                room.release(reserved_bytes)
            self._metrics.failed(self.receiver, transport, self.signal, items)
            self._metrics.request(self.receiver, transport, "failure")
            raise
        for queue, batch in deliveries:
            queue.put(batch, reserved_bytes)
        if self._hold is not None:
            self._hold.put(Held(body, read, items, self._held_queues, reserved_bytes))

    def _refuse(self, full: Room, items: int, transport: str) -> NoReturn:
        if isinstance(full, ByteQueue):
            self._metrics.enqueue_failed(full.exporter, self.signal, items)
        self._metrics.refused(self.receiver, transport, self.signal, items)
        self._metrics.request(self.receiver, transport, "refused")
        raise QueueFull(full.what)

    def _deliveries(self, body: bytes, items: int) -> list[tuple[ByteQueue, Batch]]:
        deliveries = []
        for pipeline in self._pipelines:
            batch = Batch(self.signal, self._process(pipeline, body, items), items)
            deliveries += [(queue, batch) for queue in pipeline.queues]
        return deliveries

    def _process(self, pipeline: Pipeline, body: bytes, items: int) -> bytes:
        for name, processor in pipeline.processors:
            began_s = time.perf_counter()
            try:
                body = processor(body)
            except MalformedBody:
                raise
            except Exception:
                # Telemetry is never lost to a fault of ours: it goes on as it came, and the counter tells.
                self._metrics.processor_failed(name)
                _logger.exception("%s: processor %s failed; the request goes on unprocessed", pipeline.name, name)
            self._work[name].add(items, time.perf_counter() - began_s)
        return body
