from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tenacity import Future, RetryCallState, Retrying

from otel_carbon.collector.batching import BatchSettings
from otel_carbon.collector.byte_queue import ByteQueue, SendingQueue
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.sender import (
    LAST_ANSWER_S,
    PermanentExportError,
    RetryableExportError,
    RetrySettings,
    Sender,
    drain_all,
    retry_delay_s,
)
from otel_carbon.collector.signals import Batch, Signal

FAST = RetrySettings(initial_interval_s=0.001, max_interval_s=0.002, max_elapsed_time_s=30)


@dataclass
class Backend:
    """Answers each attempt as scripted, then accepts everything."""

    script: list[Exception | int] = field(default_factory=list)
    attempts: list[Batch] = field(default_factory=list)
    closed: bool = False

    def send(self, batch: Batch) -> int:
        self.attempts.append(batch)
        answer = self.script.pop(0) if self.script else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def batch(number: int = 0, items: int = 3) -> Batch:
    return Batch(Signal.TRACES, b"batch %d" % number, items)


def queued(queue: SendingQueue, *batches: Batch) -> None:
    for one in batches:
        assert queue.reserve(one.size_bytes)
        queue.put(one, one.size_bytes)


def run(
    backend: Backend, retry: RetrySettings = FAST, *, batches: int = 1, together_bytes: int = 0
) -> dict[str, float]:
    """Send `batches` batches of 3 spans to the end and return the sender's counters."""
    metrics = SelfMetrics()
    queue = ByteQueue("otlp_http", 100_000, BatchSettings(together_bytes))
    metrics.watch_queue(queue)
    sender = Sender(backend, queue, retry, metrics)
    queued(queue, *(batch(number) for number in range(batches)))
    sender.start()
    assert drain_all([sender], time.monotonic() + 20) == 0
    assert queue.held_bytes == 0
    assert backend.closed
    return counters(metrics)


def counters(metrics: SelfMetrics) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.render().decode())
    samples = {sample.name: sample.value for family in families for sample in family.samples}
    return {
        "sent": samples["otelcol_exporter_sent_spans_total"],
        "failed": samples["otelcol_exporter_send_failed_spans_total"],
    }


def test_every_batch_is_sent_once_and_in_order() -> None:
    backend = Backend()
    assert run(backend, batches=5) == {"sent": 5 * 3, "failed": 0}
    assert backend.attempts == [batch(number) for number in range(5)]


def test_what_waits_is_sent_as_one_request() -> None:
    backend = Backend()
    assert run(backend, batches=5, together_bytes=10_000) == {"sent": 5 * 3, "failed": 0}
    assert backend.attempts == [Batch(Signal.TRACES, b"batch 0batch 1batch 2batch 3batch 4", 15)]


def test_a_joined_request_that_is_refused_for_good_goes_piece_by_piece() -> None:
    backend = Backend([PermanentExportError("one is bad"), PermanentExportError("this one")])
    assert run(backend, batches=3, together_bytes=10_000) == {"sent": 2 * 3, "failed": 3}
    assert backend.attempts[1:] == [batch(0), batch(1), batch(2)]


def test_a_retryable_refusal_is_sent_again_until_it_passes() -> None:
    backend = Backend([RetryableExportError("busy"), RetryableExportError("busy")])
    assert run(backend) == {"sent": 3, "failed": 0}
    assert backend.attempts == [batch()] * 3


def test_a_permanent_refusal_is_dropped_and_the_next_batch_is_sent() -> None:
    backend = Backend([PermanentExportError("bad request")])
    assert run(backend, batches=2) == {"sent": 3, "failed": 3}
    assert backend.attempts == [batch(0), batch(1)]


def test_the_log_tells_when_batches_begin_to_be_dropped_also_after_other_failures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "otel_carbon.collector.sender")
    refused = PermanentExportError("answered 401")
    run(Backend([RetryableExportError("nobody there"), refused, refused]), batches=4)
    run(Backend([refused]))
    assert caplog.messages == [
        "otlp_http: cannot send: nobody there",
        "otlp_http: dropped 3 items of traces, further ones are only counted: answered 401",
        "otlp_http: sends again",
        "otlp_http: dropped 3 items of traces, further ones are only counted: answered 401",
    ]


def test_the_log_tells_when_the_longest_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    run(Backend([RetryableExportError("busy")]), RetrySettings(enabled=False))
    cannot_send, dropped = caplog.messages
    assert cannot_send == "otlp_http: cannot send: busy"
    assert dropped.startswith("otlp_http: dropped 3 items of traces")


def test_an_unexpected_error_does_not_end_the_worker() -> None:
    backend = Backend([ZeroDivisionError("a fault of ours")])
    assert run(backend, batches=2) == {"sent": 3, "failed": 3}


def test_partial_success_counts_the_rejected_spans() -> None:
    assert run(Backend([2])) == {"sent": 1, "failed": 2}


def test_a_backend_that_claims_to_reject_more_than_it_got_makes_no_negative_count() -> None:
    assert run(Backend([99])) == {"sent": 0, "failed": 3}


def test_without_retry_the_first_refusal_is_the_last() -> None:
    backend = Backend([RetryableExportError("busy")])
    assert run(backend, RetrySettings(enabled=False)) == {"sent": 0, "failed": 3}
    assert len(backend.attempts) == 1


def test_after_the_longest_time_a_batch_is_dropped() -> None:
    backend = Backend([RetryableExportError("busy")] * 1000)
    retry = RetrySettings(initial_interval_s=0.01, max_interval_s=0.01, max_elapsed_time_s=0.05)
    assert run(backend, retry) == {"sent": 0, "failed": 3}
    assert 1 < len(backend.attempts) < 20


def test_a_wish_longer_than_the_longest_time_is_not_waited_for() -> None:
    started_s = time.monotonic()
    backend = Backend([RetryableExportError("busy", retry_after_s=3600)])
    assert run(backend, FAST) == {"sent": 0, "failed": 3}
    assert time.monotonic() - started_s < 10


def test_the_drain_gives_up_at_its_deadline_and_counts_what_is_lost() -> None:
    arrived, leave = threading.Event(), threading.Event()

    class Hanging(Backend):
        def send(self, batch: Batch) -> int:
            arrived.set()
            leave.wait(20)
            return super().send(batch)

    metrics = SelfMetrics()
    queue = ByteQueue("otlp_http", 100_000)
    metrics.watch_queue(queue)
    backend = Hanging()
    sender = Sender(backend, queue, FAST, metrics)
    for number in range(3):
        queued(queue, batch(number))
    sender.start()
    assert arrived.wait(10)
    threading.Timer(0.3, leave.set).start()
    # The first batch is in flight and passes after the deadline; the two behind it are lost.
    assert drain_all([sender], time.monotonic() + 0.1) == 2 * 3
    assert counters(metrics) == {"sent": 3, "failed": 6}


def test_a_batch_that_is_still_tried_at_the_deadline_is_counted_as_lost() -> None:
    arrived = threading.Event()

    class Refusing(Backend):
        def send(self, batch: Batch) -> int:
            self.attempts.append(batch)
            arrived.set()
            raise RetryableExportError("busy")

    metrics = SelfMetrics()
    queue = ByteQueue("otlp_http", 100_000)
    metrics.watch_queue(queue)
    sender = Sender(Refusing(), queue, FAST, metrics)
    queued(queue, *(batch(number) for number in range(3)))
    sender.start()
    assert arrived.wait(10)
    # One batch of 3 is tried again and again, two wait behind it: all 9 are lost.
    assert drain_all([sender], time.monotonic() + 0.1) == 3 + 2 * 3
    assert counters(metrics) == {"sent": 0, "failed": 9}


def test_backends_that_hang_cost_others_nothing_that_waits_for_company_and_the_drain_one_second() -> None:
    leave = threading.Event()

    class Hanging(Backend):
        def send(self, batch: Batch) -> int:
            leave.wait(20)
            return super().send(batch)

    metrics = SelfMetrics()
    hanging = [Sender(Hanging(), ByteQueue(f"hanging/{number}", 100_000), FAST, metrics) for number in range(3)]
    company = BatchSettings(100_000, min_items=100, flush_timeout_s=60.0)
    alive = Sender(healthy := Backend(), ByteQueue("alive", 100_000, company), FAST, metrics)
    for sender in (*hanging, alive):
        queued(sender.queue, batch())
        sender.start()
    began_s = time.monotonic()
    assert drain_all([*hanging, alive], began_s + 0.5) == 3 * 3
    assert time.monotonic() - began_s < 0.5 + LAST_ANSWER_S + 1.0
    assert healthy.attempts == [batch()]
    leave.set()


def failed_attempt(number: int, error: Exception) -> RetryCallState:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = number
    outcome = Future(number)
    outcome.set_exception(error)
    state.outcome = outcome
    return state


@pytest.mark.parametrize(
    ("attempt", "middle_s"),
    [(1, 5.0), (2, 5.0 * 1.5), (3, 5.0 * 1.5 * 1.5), (9, 30.0), (100_000, 30.0)],
)
def test_the_delay_grows_by_half_up_to_its_maximum_and_is_spread_by_half(attempt: int, middle_s: float) -> None:
    retry = RetrySettings(initial_interval_s=5, max_interval_s=30)
    delays_s = [retry_delay_s(retry, failed_attempt(attempt, RetryableExportError("busy"))) for _ in range(200)]
    assert 0.5 * middle_s <= min(delays_s) < max(delays_s) <= 1.5 * middle_s
    assert max(delays_s) - min(delays_s) > 0.5 * middle_s


def test_the_wish_of_the_backend_replaces_our_own_delay() -> None:
    state = failed_attempt(1, RetryableExportError("busy", retry_after_s=42.0))
    assert retry_delay_s(RetrySettings(), state) == 42.0


class Answer:
    """What a backend says, of which a weak reference can be kept."""


@pytest.mark.parametrize("batches", [1, 3], ids=["alone", "joined"])
@pytest.mark.parametrize("error", [PermanentExportError("no"), RetryableExportError("not now"), ValueError("a bug")])
def test_a_refused_batch_and_its_answer_are_let_go_without_the_garbage_collector(
    error: Exception, batches: int
) -> None:
    answers: list[weakref.ref[Answer]] = []

    class Refusing(Backend):
        def send(self, batch: Batch) -> int:
            self.attempts.append(batch)
            answer = Answer()
            answers.append(weakref.ref(answer))
            raise type(error)(*error.args)

    gc.collect()
    gc.disable()
    try:
        told = run(Refusing(), RetrySettings(enabled=False), batches=batches, together_bytes=10_000)
    finally:
        gc.enable()
    assert told == {"sent": 0, "failed": 3 * batches}
    assert [answer() for answer in answers] == [None] * len(answers) != []
