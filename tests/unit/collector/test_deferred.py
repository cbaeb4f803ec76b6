"""What is done after the answer: nothing is lost, nobody sees less than was answered, and not too much waits."""

from __future__ import annotations

from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.deferred import MOST_BYTES, MOST_REQUESTS, Deferred
from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.pipeline import Intake, Pipeline, QueueFull
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import MalformedBody
from tests.unit.collector.test_pipeline import queued, request

if TYPE_CHECKING:
    from collections.abc import Callable


def test_what_waits_is_done_in_its_order_by_who_comes_first() -> None:
    deferred, done = Deferred(), list[str]()
    deferred.put(partial(done.append, "a"), 1)
    deferred.put(partial(done.append, "b"), 1)
    assert done == []
    assert deferred.work_off_one()
    assert done == ["a"]
    deferred.work_off()
    assert done == ["a", "b"]
    assert deferred.work_off_one()  # nothing waits


def test_who_reads_sees_all_that_was_answered() -> None:
    deferred, counter = Deferred(), [0]
    read = deferred.up_to_date(lambda what: f"{what}: {counter[0]}")
    deferred.put(lambda: counter.__setitem__(0, 64), 1)
    assert read("spans") == "spans: 64"


def _note_what_is_done(done: list[str]) -> None:
    done.append(f"read after {done}")


def test_who_reads_waits_for_what_another_thread_is_doing() -> None:
    deferred, began, may_end, done = Deferred(), Event(), Event(), list[str]()

    def work() -> None:
        began.set()
        assert may_end.wait(10)
        done.append("all")

    deferred.put(work, 1)
    worker = Thread(target=deferred.work_off)
    worker.start()
    assert began.wait(10)
    reader = Thread(target=deferred.up_to_date(partial(_note_what_is_done, done)))
    reader.start()
    reader.join(0.05)
    assert reader.is_alive()
    may_end.set()
    for thread in (worker, reader):
        thread.join(10)
    assert done == ["all", "read after ['all']"]


def test_nothing_is_tried_while_it_would_have_to_wait() -> None:
    busy, done = [True], list[str]()
    deferred = Deferred(lambda: busy[0])
    assert deferred.work_off_one()  # nothing waits
    deferred.put(partial(done.append, "a"), 1)
    assert not deferred.work_off_one()
    assert done == []
    busy[0] = False
    assert deferred.work_off_one()
    assert done == ["a"]


@pytest.mark.parametrize(("requests", "size_bytes"), [(MOST_REQUESTS, 1), (1, MOST_BYTES + 1)])
def test_it_is_full_by_requests_or_by_bytes_and_has_room_again_when_they_are_done(
    requests: int, size_bytes: int
) -> None:
    deferred = Deferred()
    for _ in range(requests):
        assert not deferred.is_full
        deferred.put(lambda: None, size_bytes)
    assert deferred.is_full
    deferred.work_off()
    assert not deferred.is_full


class Answering:
    """An intake whose processor is prepared before the answer; it notes what happens in which order."""

    def __init__(self, room_bytes: int = 100_000, process: Callable[[bytes], bytes] | None = None) -> None:
        self.happened: list[str] = []
        self.queue = ByteQueue("backend", room_bytes)
        self.deferred = Deferred()
        self._process = process or (lambda body: body + b"!")
        pipeline = Pipeline("traces", Signal.TRACES, (("carbon", self._process),), (self.queue,), prepare=self._prepare)
        self.intake = Intake("otlp", Signal.TRACES, (pipeline,), SelfMetrics(), deferred=self.deferred)

    def accept(self, body: bytes) -> None:
        """Accept a request as a receiver that answers first does."""
        self.intake.accept(body, "http", lambda: self.happened.append("deferred"))

    def _prepare(self, body: bytes) -> tuple[int, Callable[[], bytes]]:
        if body == request(13):
            raise MalformedBody("thirteen")
        if body == request(14):
            raise ArithmeticError("fourteen")
        self.happened.append("checked")

        def finish() -> bytes:
            self.happened.append("processed")
            return self._process(body)

        return count_items(Signal.TRACES, body), finish


def test_a_request_is_checked_before_its_answer_and_processed_and_queued_after_it() -> None:
    answering = Answering()
    answering.accept(request(2))
    assert answering.happened == ["checked", "deferred"]
    assert answering.intake.work_off_one(10**6)
    assert answering.happened == ["checked", "deferred", "processed"]
    assert queued(answering.queue) == [Batch(Signal.TRACES, request(2) + b"!", 2)]


def test_a_request_for_a_receiver_that_answers_last_is_processed_before_its_answer() -> None:
    answering = Answering()
    answering.intake.accept(request(2), "grpc")
    assert answering.happened == ["checked", "processed"]
    assert queued(answering.queue) == [Batch(Signal.TRACES, request(2) + b"!", 2)]


def test_a_request_that_is_none_is_refused_and_gives_its_room_back() -> None:
    answering = Answering(room_bytes=len(request(13)) + 256)
    for _ in range(2):
        with pytest.raises(MalformedBody, match="thirteen"):
            answering.accept(request(13))
    answering.accept(request(2))
    assert answering.happened == ["checked", "deferred"]


def test_room_is_reserved_before_the_answer() -> None:
    answering = Answering(room_bytes=1)
    answering.accept(request(1))  # an empty queue takes a request of any size
    with pytest.raises(QueueFull):
        answering.accept(request(1))
    answering.intake.work_off()
    assert len(queued(answering.queue)) == 1


def test_a_request_is_processed_before_its_answer_when_too_much_waits_already() -> None:
    answering = Answering(room_bytes=10**9)
    for _ in range(MOST_REQUESTS):
        answering.accept(request(1))
    assert "processed" not in answering.happened
    answering.accept(request(1))
    assert answering.happened.count("processed") == MOST_REQUESTS + 1  # in their order, so the others first
    assert len(queued(answering.queue)) == MOST_REQUESTS + 1


def test_a_request_whose_processing_fails_goes_on_as_it_came() -> None:
    def fail(_body: bytes) -> bytes:
        raise ArithmeticError("a fault of ours")

    answering = Answering(process=fail)
    answering.accept(request(2))
    answering.intake.work_off()
    assert queued(answering.queue) == [Batch(Signal.TRACES, request(2), 2)]


def test_a_request_that_was_answered_is_never_malformed_afterwards() -> None:
    def refuse(_body: bytes) -> bytes:
        raise MalformedBody("too late")

    answering = Answering(process=refuse)
    answering.accept(request(2))
    answering.intake.work_off()
    assert queued(answering.queue) == [Batch(Signal.TRACES, request(2), 2)]


def test_a_request_whose_check_fails_by_a_fault_of_ours_goes_on_as_it_came() -> None:
    answering = Answering()
    answering.accept(request(14))
    answering.intake.work_off()
    assert queued(answering.queue) == [Batch(Signal.TRACES, request(14), 14)]


def test_who_answers_clients_does_not_wait_for_who_works() -> None:
    deferred, began, may_end, done = Deferred(), Event(), Event(), list[str]()

    def work() -> None:
        began.set()
        assert may_end.wait(10)

    deferred.put(work, 1)
    worker = Thread(target=deferred.work_off)
    worker.start()
    assert began.wait(10)
    deferred.put(partial(done.append, "next"), 1)
    assert not deferred.work_off_one()
    may_end.set()
    worker.join(10)
    assert done == []  # it had only seen what waited then
    assert deferred.work_off_one()
    assert done == ["next"]


def test_who_answers_clients_leaves_a_large_request_and_what_came_after_it_to_others() -> None:
    deferred, done = Deferred(), list[str]()
    deferred.put(partial(done.append, "large"), 1001)
    deferred.put(partial(done.append, "small"), 1)
    assert not deferred.work_off_one(most_bytes=1000)
    assert done == []
    deferred.work_off()
    assert done == ["large", "small"]
