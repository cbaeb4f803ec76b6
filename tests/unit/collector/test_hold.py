"""The hold window: when what waits is decided, in which order, and what happens at its bound, a fault, and the end."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.hold import Hold, HoldSettings
from otel_carbon.collector.hold_assembly import early_bytes
from otel_carbon.collector.pipeline import Intake, Pipeline, QueueFull
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import MalformedBody
from tests.unit.counting.candidates import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERHEAD_BYTES = 256
HOLD_S = 2.0
ROOMY = 100_000


def request(name: str) -> bytes:
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(name=name)
    return message.SerializeToString()


BODY_BYTES = len(request("a"))
ONE_BYTES = BODY_BYTES + OVERHEAD_BYTES
"""What one request of one span takes."""


@dataclass(frozen=True)
class Read:
    """A request as the processor under test reads it."""

    body: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.body)


@dataclass
class Marking:
    """Marks each request with the number of those it was decided with; can be told to fail."""

    groups: list[int] = field(default_factory=list)
    unreadable: tuple[bytes, ...] = ()
    poison: tuple[bytes, ...] = ()

    def read(self, body: bytes) -> Read:
        if body in self.unreadable:
            raise ZeroDivisionError
        if body == request("no traces"):
            raise MalformedBody("no traces")
        return Read(body)

    def finish(self, requests: Sequence[Read]) -> list[bytes]:
        if any(each.body in self.poison for each in requests):
            raise ZeroDivisionError
        self.groups.append(len(requests))
        return [each.body + mark(len(requests)) for each in requests]


def mark(together: int) -> bytes:
    return b"\x0a\x00" * together


class Setup:
    """An intake in front of a hold, whose thread is not started: the test says when it looks at the clock."""

    def __init__(
        self,
        processor: Marking | None = None,
        *queues: ByteQueue,
        capacity_bytes: int = ROOMY,
        early: int = ROOMY,
        direct: tuple[ByteQueue, ...] = (),
    ) -> None:
        self.clock = Clock()
        self.metrics = SelfMetrics()
        self.processor = processor or Marking()
        self.queues = queues or (ByteQueue("backend", ROOMY),)
        settings = HoldSettings(HOLD_S, capacity_bytes, early)
        self.hold = Hold("carbon", self.processor, settings, self.metrics, self.clock)
        self.metrics.watch_hold(self.hold)
        pipelines = [Pipeline("traces", Signal.TRACES, (), self.queues, self.hold)]
        if direct:
            pipelines.append(Pipeline("traces/raw", Signal.TRACES, (), direct))
        self.intake = Intake("otlp", Signal.TRACES, tuple(pipelines), self.metrics)

    def accept(self, *names: str) -> None:
        for name in names:
            self.intake.accept(request(name), "grpc")

    def decide_due(self) -> int:
        """Do what the thread does when it wakes; how many requests were due."""
        group = self.hold.take_due()
        if group:
            self.hold.decide(group)
        return len(group)

    def counted(self, name: str) -> dict[str, float]:
        """The samples of a counter or gauge by the value of their last label."""
        families = text_string_to_metric_families(self.metrics.render().decode())
        samples = (sample for family in families for sample in family.samples if sample.name == name)
        return {sample.labels.get("cause", ""): sample.value for sample in samples}


def queued(queue: ByteQueue) -> list[bytes]:
    queue.close()
    return [batch.body for batches in iter(queue.take, []) for batch in batches]


def test_requests_wait_for_the_time_of_the_first_and_are_decided_together_in_order() -> None:
    setup = Setup()
    setup.accept("a")
    setup.clock.now_s = 1.5
    setup.accept("b", "c")
    assert setup.decide_due() == 0
    setup.clock.now_s = HOLD_S
    assert setup.decide_due() == 3
    assert queued(setup.queues[0]) == [request(name) + mark(3) for name in "abc"]
    assert setup.counted("otelcol_receiver_accepted_spans_total") == {"": 3}
    assert setup.counted("otel_carbon_collector_hold_decisions_total") == {"time": 1}


def test_after_a_decision_the_next_request_waits_the_whole_time_again() -> None:
    setup = Setup()
    setup.accept("a")
    setup.clock.now_s = HOLD_S
    assert setup.decide_due() == 1
    setup.accept("b")
    setup.clock.now_s = 2 * HOLD_S - 0.001
    assert setup.decide_due() == 0
    setup.clock.now_s = 2 * HOLD_S
    assert setup.decide_due() == 1


def test_a_request_with_which_the_size_is_reached_is_decided_at_once_with_all_others() -> None:
    setup = Setup(early=3 * ONE_BYTES)
    setup.accept("a", "b")
    assert setup.decide_due() == 0
    setup.accept("c")
    assert setup.decide_due() == 3
    assert queued(setup.queues[0]) == [request(name) + mark(3) for name in "abc"]
    assert setup.counted("otel_carbon_collector_hold_decisions_total") == {"size": 1}


def test_a_full_hold_refuses_the_next_request_until_it_has_decided() -> None:
    setup = Setup(capacity_bytes=2 * ONE_BYTES)
    setup.accept("a", "b")
    with pytest.raises(QueueFull, match="the hold window of processor carbon is full") as refused:
        setup.accept("c")
    assert refused.value.retry_after_s > 0
    assert setup.queues[0].held_bytes == 2 * ONE_BYTES  # what was reserved for the third is given back
    assert setup.counted("otelcol_receiver_refused_spans_total") == {"": 1}
    assert setup.counted("otelcol_exporter_enqueue_failed_spans_total") == {}
    setup.clock.now_s = HOLD_S
    setup.decide_due()
    setup.accept("c")


def test_an_empty_hold_takes_a_request_of_any_size() -> None:
    setup = Setup(capacity_bytes=1, early=1)
    setup.accept("much too long")
    assert setup.decide_due() == 1


def test_what_is_being_decided_counts_until_it_is_queued() -> None:
    setup = Setup()
    setup.accept("a", "b")
    setup.clock.now_s = HOLD_S
    group = setup.hold.take_due()
    setup.accept("c")
    assert setup.hold.held_bytes == 3 * ONE_BYTES
    setup.hold.decide(group)
    assert setup.hold.held_bytes == ONE_BYTES
    assert setup.counted("otel_carbon_collector_hold_size") == {"": ONE_BYTES}
    assert setup.counted("otel_carbon_collector_hold_capacity") == {"": ROOMY}


def test_room_in_the_queues_is_kept_while_a_request_is_held() -> None:
    tight = ByteQueue("tight", 2 * ONE_BYTES)
    setup = Setup(None, tight, ByteQueue("free", ROOMY))
    setup.accept("a", "b")
    with pytest.raises(QueueFull, match="the queue of exporter tight is full"):
        setup.accept("c")
    setup.clock.now_s = HOLD_S
    assert setup.decide_due() == 2
    assert [queued(queue) for queue in setup.queues] == [[request(name) + mark(2) for name in "ab"]] * 2
    assert tight.held_bytes == 2 * (ONE_BYTES + len(mark(2)))


def test_a_malformed_request_is_refused_before_it_is_held() -> None:
    setup = Setup()
    setup.accept("a")
    for body in (b"\xff", request("no traces")):
        with pytest.raises(MalformedBody):
            setup.intake.accept(body, "http")
    assert (setup.hold.held_bytes, setup.queues[0].held_bytes) == (ONE_BYTES, ONE_BYTES)
    setup.clock.now_s = HOLD_S
    assert setup.decide_due() == 1


def test_a_request_that_cannot_be_read_goes_on_as_it_came_and_keeps_its_place() -> None:
    setup = Setup(Marking(unreadable=(request("b"),)))
    setup.accept("a", "b", "c")
    setup.clock.now_s = HOLD_S
    setup.decide_due()
    assert queued(setup.queues[0]) == [request("a") + mark(2), request("b"), request("c") + mark(2)]
    assert setup.counted("otel_carbon_collector_processor_failures_total") == {"": 1}


def test_a_request_that_cannot_be_decided_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    setup = Setup(Marking(poison=(request("b"),)))
    setup.accept("a", "b", "c")
    setup.clock.now_s = HOLD_S
    with caplog.at_level(logging.ERROR):
        setup.decide_due()
    assert queued(setup.queues[0]) == [request("a") + mark(1), request("b"), request("c") + mark(1)]
    assert setup.counted("otel_carbon_collector_processor_failures_total") == {"": 1}
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "carbon: deciding requests together failed",
        "carbon: failed",
    ]


def test_a_pipeline_without_a_hold_gets_the_same_request_at_once() -> None:
    raw = ByteQueue("raw", ROOMY)
    setup = Setup(direct=(raw,))
    setup.accept("a")
    assert raw.take() == [Batch(Signal.TRACES, request("a"), 1)]
    assert setup.processor.groups == []


def test_pipelines_that_hold_share_one_decision() -> None:
    setup = Setup()
    more = ByteQueue("more", ROOMY)
    pipelines = tuple(Pipeline("traces", Signal.TRACES, (), (queue,), setup.hold) for queue in (setup.queues[0], more))
    Intake("otlp", Signal.TRACES, pipelines, setup.metrics).accept(request("a"), "grpc")
    setup.clock.now_s = HOLD_S
    assert setup.decide_due() == 1
    assert queued(setup.queues[0]) == queued(more) == [request("a") + mark(1)]


def test_draining_decides_what_waits_long_before_its_time() -> None:
    setup = Setup()
    setup.accept("a", "b")
    setup.hold.start()
    assert setup.hold.drain(time.monotonic() + 20) == 0
    assert queued(setup.queues[0]) == [request(name) + mark(2) for name in "ab"]
    assert setup.counted("otel_carbon_collector_hold_decisions_total") == {"stop": 1}
    with pytest.raises(QueueFull):
        setup.accept("c")


def test_the_thread_decides_when_the_time_has_come_or_the_size_is_reached() -> None:
    queue = ByteQueue("backend", 10 * ROOMY)  # decided all together, each request grows by 400 bytes
    metrics = SelfMetrics()
    hold = Hold("carbon", Marking(), HoldSettings(0.01, ROOMY, 3 * ONE_BYTES), metrics)
    intake = Intake("otlp", Signal.TRACES, (Pipeline("traces", Signal.TRACES, (), (queue,), hold),), metrics)
    hold.start()
    names = [f"{number:03}" for number in range(200)]
    for name in names:
        intake.accept(request(name), "grpc")
    assert hold.drain(time.monotonic() + 20) == 0
    assert [body.rstrip(b"\x0a\x00") for body in queued(queue)] == [request(name) for name in names]


def test_what_is_not_decided_by_the_deadline_is_counted_as_lost() -> None:
    setup = Setup(None, ByteQueue("one", ROOMY), ByteQueue("two", ROOMY))
    for queue in setup.queues:
        setup.metrics.watch_queue(queue)
    setup.accept("a", "b")
    setup.clock.now_s = HOLD_S
    group = setup.hold.take_due()  # as if the thread were in the middle of deciding
    setup.accept("c")
    setup.hold._thread = _NeverDone()  # type: ignore[assignment] # a thread that hangs, without one that does
    assert setup.hold.drain(time.monotonic()) == 6  # three requests for two queues
    setup.hold.decide(group)
    assert [queued(queue) for queue in setup.queues] == [[], []]
    assert setup.counted("otelcol_exporter_send_failed_spans_total") == {"": 3}


class _NeverDone:
    ident = 1

    def join(self, timeout_s: float) -> None:
        assert timeout_s >= 0


def test_draining_a_hold_that_was_never_started_loses_nothing() -> None:
    assert Setup().hold.drain(time.monotonic()) == 0


def test_what_is_decided_early_leaves_half_of_the_smallest_queue_to_what_comes_meanwhile() -> None:
    queues = [ByteQueue("large", 1000), ByteQueue("small", 80)]
    assert [early_bytes(100, queues), early_bytes(60, queues), early_bytes(50, [])] == [80 // 2, 60 // 2, 50 // 2]


def test_the_order_of_requests_survives_every_kind_of_decision() -> None:
    setup = Setup(Marking(unreadable=(request("07"),), poison=(request("11"),)), early=4 * ONE_BYTES)
    names = [f"{number:02}" for number in range(20)]
    for step, name in enumerate(names):
        setup.clock.now_s = step * 0.7
        setup.accept(name)
        setup.decide_due()
    setup.clock.now_s += HOLD_S
    setup.decide_due()
    sent = [names.index(next(name for name in names if request(name) in body)) for body in queued(setup.queues[0])]
    assert len(sent) == len(names)
    assert all(before < after for before, after in pairwise(sent))
