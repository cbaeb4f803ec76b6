from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.pipeline import Intake, Pipeline, QueueFull
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import MalformedBody

if TYPE_CHECKING:
    from otel_carbon.collector.pipeline import Processor


def request(spans: int) -> bytes:
    message = ExportTraceServiceRequest()
    scope_spans = message.resource_spans.add().scope_spans.add()
    for number in range(spans):
        scope_spans.spans.add(name=f"span {number}")
    return message.SerializeToString()


class Setup:
    """An intake before one pipeline with the given processors and queues."""

    def __init__(self, *processors: Processor, queues: tuple[ByteQueue, ...] = (), pipelines: int = 1) -> None:
        self.metrics = SelfMetrics()
        self.queues = queues or (ByteQueue("backend", 10_000),)
        named = tuple((f"stage{number}", processor) for number, processor in enumerate(processors))
        pipeline = Pipeline("traces", Signal.TRACES, named, self.queues)
        self.intake = Intake("otlp", Signal.TRACES, (pipeline,) * pipelines, self.metrics)

    def counted(self, name: str) -> float:
        families = text_string_to_metric_families(self.metrics.render().decode())
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def queued(queue: ByteQueue) -> list[Batch]:
    queue.close()
    return [batch for batches in iter(queue.take, []) for batch in batches]


def test_processors_run_in_order_and_their_bytes_are_queued_with_the_count() -> None:
    setup = Setup(lambda body: body + b"a", lambda body: body + b"b")
    setup.intake.accept(request(2), "grpc")
    assert queued(setup.queues[0]) == [Batch(Signal.TRACES, request(2) + b"ab", 2)]
    assert setup.counted("otelcol_receiver_accepted_spans_total") == 2


def test_every_queue_gets_the_same_bytes() -> None:
    setup = Setup(queues=(ByteQueue("a", 10_000), ByteQueue("b", 10_000)))
    setup.intake.accept(request(1), "grpc")
    assert [queued(queue) for queue in setup.queues] == [[Batch(Signal.TRACES, request(1), 1)]] * 2


def test_a_full_queue_refuses_the_request_before_it_is_processed() -> None:
    calls: list[bytes] = []

    def remember(body: bytes) -> bytes:
        calls.append(body)
        return body

    free, full = ByteQueue("free", 10_000), ByteQueue("full", 1)
    setup = Setup(remember, queues=(free, full))
    setup.intake.accept(request(1), "http")
    with pytest.raises(QueueFull, match="the queue of exporter full is full"):
        setup.intake.accept(request(3), "http")
    assert len(calls) == 1
    assert len(queued(free)) == 1
    assert setup.counted("otelcol_receiver_refused_spans_total") == 3
    assert setup.counted("otelcol_exporter_enqueue_failed_spans_total") == 3


def test_a_request_that_was_processed_is_never_refused() -> None:
    room = len(request(1)) * 2 + 2 * 256
    setup = Setup(lambda body: body + b"grown", queues=(ByteQueue("free", 10_000), ByteQueue("tight", room)))
    setup.intake.accept(request(1), "http")
    with pytest.raises(QueueFull):
        setup.intake.accept(request(1), "http")  # there is no room for it as it came
    assert [queued(queue) for queue in setup.queues] == [[Batch(Signal.TRACES, request(1) + b"grown", 1)]] * 2


def test_a_request_that_a_processor_refuses_gives_its_room_back() -> None:
    def refuse(_body: bytes) -> bytes:
        raise MalformedBody("no traces")

    setup = Setup(refuse)
    with pytest.raises(MalformedBody):
        setup.intake.accept(request(1), "http")
    assert setup.queues[0].held_bytes == 0


def test_a_failing_processor_loses_no_span() -> None:
    def fail(_body: bytes) -> bytes:
        raise ZeroDivisionError

    setup = Setup(fail)
    setup.intake.accept(request(1), "grpc")
    assert queued(setup.queues[0]) == [Batch(Signal.TRACES, request(1), 1)]
    assert setup.counted("otel_carbon_collector_processor_failures_total") == 1


def test_a_malformed_request_goes_nowhere() -> None:
    setup = Setup()
    with pytest.raises(MalformedBody):
        setup.intake.accept(b"\xff", "grpc")
    assert queued(setup.queues[0]) == []
    assert setup.counted("otelcol_receiver_requests_total") == 1


def test_a_request_without_spans_is_accepted_and_not_queued() -> None:
    setup = Setup()
    setup.intake.accept(request(0), "grpc")
    assert queued(setup.queues[0]) == []


def test_two_pipelines_get_all_or_nothing_together() -> None:
    setup = Setup(queues=(ByteQueue("backend", len(request(1)) + 300),), pipelines=2)
    assert setup.queues[0].reserve(1)  # there is room for one of them
    with pytest.raises(QueueFull):
        setup.intake.accept(request(1), "grpc")
    assert queued(setup.queues[0]) == []
