"""From a received request to every exporter queue: bytes in, bytes out, all queues or none."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from otel_carbon.collector.byte_queue import ByteQueue, reserve_in_all
from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import MalformedBody, OtelCarbonError

if TYPE_CHECKING:
    from otel_carbon.collector.self_metrics import SelfMetrics

RETRY_AFTER_S = 1.0
_logger = logging.getLogger(__name__)


class QueueFull(OtelCarbonError):
    """An exporter queue has no room now; the client should try again after `retry_after_s` seconds."""

    def __init__(self, exporter: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(f"the queue of exporter {exporter} is full")
        self.retry_after_s = retry_after_s


class TracesProcessor(Protocol):
    """A stage of a traces pipeline: a serialized `ExportTraceServiceRequest` in, another one out."""

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
        processors: component id and callable of each stage, in order; empty for metrics and logs.
        queues: the queues of its exporters.
    """

    name: str
    signal: Signal
    processors: tuple[tuple[str, TracesProcessor], ...]
    queues: tuple[ByteQueue, ...]


class Intake:
    """What one receiver does with the requests of one signal: all pipelines, then all queues, or none.

    Args:
        receiver: component id of the receiver, for the counters.
        signal: what it takes.
        pipelines: where it goes.
        metrics: counts what was accepted and refused.
    """

    def __init__(self, receiver: str, signal: Signal, pipelines: tuple[Pipeline, ...], metrics: SelfMetrics) -> None:
        self.receiver = receiver
        self.signal = signal
        self._pipelines = pipelines
        self._metrics = metrics

    def accept(self, body: bytes, transport: str) -> None:
        """Process a request and queue it for every exporter; returning means that all queues have it.

        A request without items is accepted and goes nowhere.

        Args:
            body: the serialized request, decompressed.
            transport: `grpc` or `http`, for the counters.

        Raises:
            MalformedBody: the bytes are not a request of this signal.
            QueueFull: at least one exporter queue has no room; no queue got it.
        """
        try:
            items = count_items(self.signal, body)
        except MalformedBody:
            self._metrics.request(self.receiver, transport, "failure")
            raise
        if items:
            self._forward(body, items, transport)
        self._metrics.accepted(self.receiver, transport, self.signal, items)
        self._metrics.request(self.receiver, transport, "success")

    def _forward(self, body: bytes, items: int, transport: str) -> None:
        """Reserve room, process, queue: once a request has been processed, and booked, it is never refused."""
        reserved_bytes = Batch(self.signal, body, items).size_bytes
        queues = [queue for pipeline in self._pipelines for queue in pipeline.queues]
        full = reserve_in_all(queues, reserved_bytes)
        if full:
            self._metrics.enqueue_failed(full.exporter, self.signal, items)
            self._metrics.refused(self.receiver, transport, self.signal, items)
            self._metrics.request(self.receiver, transport, "refused")
            raise QueueFull(full.exporter)
        try:
            deliveries = self._deliveries(body, items)
        except BaseException:
            for queue in queues:
                queue.release(reserved_bytes)
            raise
        for queue, batch in deliveries:
            queue.put(batch, reserved_bytes)

    def _deliveries(self, body: bytes, items: int) -> list[tuple[ByteQueue, Batch]]:
        deliveries = []
        for pipeline in self._pipelines:
            batch = Batch(self.signal, self._process(pipeline, body), items)
            deliveries += [(queue, batch) for queue in pipeline.queues]
        return deliveries

    def _process(self, pipeline: Pipeline, body: bytes) -> bytes:
        for name, processor in pipeline.processors:
            try:
                body = processor(body)
            except MalformedBody:
                raise
            except Exception:
                # Spans are never lost to a fault of ours: they go on as they came, and the counter tells.
                self._metrics.processor_failed(name)
                _logger.exception("%s: processor %s failed; the request goes on unprocessed", pipeline.name, name)
        return body
