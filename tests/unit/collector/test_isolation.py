"""A full queue whose backend fails lets the others go on; one that is only slow makes clients wait."""

from __future__ import annotations

import logging

import pytest

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.pipeline import Intake, Pipeline, QueueFull
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Signal
from tests.integration.collector_under_test import counter
from tests.unit.collector.test_pipeline import queued, request


def queue(name: str, *, full: bool = False, failing: bool = False, isolates: bool = True) -> ByteQueue:
    made = ByteQueue(name, 10_000)
    made.isolates, made.is_failing = isolates, failing
    if full:
        assert made.reserve(10_000)
    return made


def intake(metrics: SelfMetrics, *pipelines: tuple[ByteQueue, ...]) -> Intake:
    built = tuple(Pipeline("traces", Signal.TRACES, (), queues) for queues in pipelines)
    return Intake("otlp", Signal.TRACES, built, metrics)


def test_a_dead_backend_with_a_full_queue_does_not_stop_the_others() -> None:
    metrics, dead, alive = SelfMetrics(), queue("dead", full=True, failing=True), queue("alive")
    intake(metrics, (dead, alive)).accept(request(3), "grpc")
    assert len(queued(alive)) == 1
    assert queued(dead) == []
    assert dead.held_bytes == 10_000
    page = metrics.render().decode()
    assert counter(page, "otelcol_exporter_enqueue_failed_spans_total", exporter="dead") == 3
    assert counter(page, "otelcol_receiver_accepted_spans_total") == 3


def test_the_log_tells_once_when_a_queue_begins_to_be_passed_over_and_once_when_it_is_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "otel_carbon.collector.pipeline")
    dead, alive = queue("dead", full=True, failing=True), queue("alive")
    both = intake(SelfMetrics(), (dead, alive))
    both.accept(request(3), "grpc")
    both.accept(request(3), "grpc")
    dead.release(10_000)
    both.accept(request(1), "grpc")  # room, but the backend still fails
    dead.is_failing = False
    both.accept(request(1), "grpc")
    both.accept(request(1), "grpc")
    assert caplog.messages == [
        "dead: its queue is full and its backend fails; what comes is dropped, and others take it",
        "dead: has room again",
    ]


@pytest.mark.parametrize("dead", [{"failing": False}, {"failing": True, "isolates": False}])
def test_a_full_queue_that_is_slow_or_must_have_everything_makes_clients_wait(dead: dict[str, bool]) -> None:
    metrics, full, alive = SelfMetrics(), queue("full", full=True, **dead), queue("alive")
    with pytest.raises(QueueFull, match="the queue of exporter full is full"):
        intake(metrics, (full, alive)).accept(request(1), "grpc")
    assert alive.held_bytes == 0


def test_with_one_exporter_nothing_is_dropped_for_lack_of_room() -> None:
    with pytest.raises(QueueFull):
        intake(SelfMetrics(), (queue("only", full=True, failing=True),)).accept(request(1), "grpc")


def test_when_all_are_full_clients_wait() -> None:
    both = queue("a", full=True, failing=True), queue("b", full=True, failing=True)
    with pytest.raises(QueueFull):
        intake(SelfMetrics(), both).accept(request(1), "grpc")


def test_another_pipeline_does_not_make_up_for_the_only_exporter_of_one() -> None:
    alive = queue("alive")
    with pytest.raises(QueueFull):
        intake(SelfMetrics(), (alive,), (queue("dead", full=True, failing=True),)).accept(request(1), "grpc")
    assert alive.held_bytes == 0


def test_a_request_of_any_size_fits_into_an_empty_queue_of_two_pipelines() -> None:
    shared, other = queue("shared"), queue("other", full=True)
    large = request(1) + bytes([0x1A, 0x80, 0x40]) + bytes(8192)  # a field that is not known: more than half of a queue
    intake(SelfMetrics(), (shared,), (shared,)).accept(large, "grpc")
    assert len(queued(shared)) == 2
    shared = queue("shared")
    with pytest.raises(QueueFull):
        intake(SelfMetrics(), (shared,), (shared, other)).accept(request(1), "grpc")
    assert shared.held_bytes == 0
