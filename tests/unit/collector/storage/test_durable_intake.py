"""What an intake and a hold do with a storage: nobody is answered, and no sender told, before it is on the disk."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.hold import Hold, HoldSettings
from otel_carbon.collector.pipeline import Intake, Pipeline, QueueFull
from otel_carbon.collector.queue_assembly import Durable
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.collector.storage.file_storage import FileStorage
from otel_carbon.collector.storage.records import StoredBody
from otel_carbon.collector.storage.stored_queue import StoredQueue
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from tests.integration.collector_under_test import counter
from tests.support.waiting import wait_until
from tests.unit.collector.storage.states import State
from tests.unit.collector.test_pipeline import queued, request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from otel_carbon.collector.storage.records import Backlog, DurableState

MEBIBYTE = 1024 * 1024
TIMEOUT_S = 20.0


class Setup:
    """An intake before a queue on the disk and one in memory; `state` notes what was processed."""

    def __init__(self, folder: Path, *, size_bytes: int = 16 * MEBIBYTE, write_timeout_s: float = 5.0) -> None:
        self.state, self.metrics = State(), SelfMetrics()
        self.storage = FileStorage("file_storage", folder, size_bytes, write_timeout_s=write_timeout_s)
        self.storage.open([self.state])
        self.on_disk = StoredQueue("on_disk", self.storage.capacity_bytes, self.storage)
        self.in_memory = ByteQueue("in_memory", 10 * MEBIBYTE)
        queues = (self.on_disk, self.in_memory)
        pipeline = Pipeline("traces", Signal.TRACES, (("carbon", self.process),), queues)
        self.intake = Intake("otlp", Signal.TRACES, (pipeline,), self.metrics, self.storage)

    def process(self, body: bytes) -> bytes:
        self.state.note(b"%d" % len(body))
        return body + b"!"


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    made = Setup(tmp_path)
    yield made
    made.storage.close(time.monotonic() + TIMEOUT_S)


def test_nobody_is_answered_before_the_disk_has_it(setup: Setup) -> None:
    answer = setup.intake.accept(request(2), "grpc")
    assert answer is not None
    assert not answer.done()
    assert (setup.in_memory.held_bytes, setup.metrics.render().count(b"accepted_spans_total{")) == (
        len(request(2)) + 256,
        0,
    )
    setup.storage.start()
    answer.result(TIMEOUT_S)
    assert [batch.body for batch in setup.on_disk.take()] == [request(2) + b"!"]
    assert [batch.body for batch in queued(setup.in_memory)] == [request(2) + b"!"]
    assert counter(setup.metrics.render().decode(), "otelcol_receiver_accepted_spans_total") == 2
    assert setup.storage.database.rows() == {"count": "1"}


def test_a_client_that_goes_away_takes_nothing_back(setup: Setup) -> None:
    answer = setup.intake.accept(request(1), "http")
    assert answer is not None
    assert not answer.cancel()
    setup.storage.start()
    answer.result(TIMEOUT_S)


def test_what_the_disk_refuses_gives_its_room_back_and_is_counted_as_refused(setup: Setup) -> None:
    setup.storage.database._writer.execute("PRAGMA query_only = ON")  # every write fails from here on
    answer = setup.intake.accept(request(3), "grpc")
    assert answer is not None
    setup.storage.start()
    with pytest.raises(StorageUnavailable, match="cannot be written to now"):
        answer.result(TIMEOUT_S)
    assert (setup.on_disk.held_bytes, setup.in_memory.held_bytes, setup.storage.held_bytes) == (0, 0, 0)
    page = setup.metrics.render().decode()
    assert counter(page, "otelcol_receiver_refused_spans_total") == 3
    assert counter(page, "otelcol_receiver_requests_total", outcome="refused") == 1
    with pytest.raises(StorageUnavailable, match="cannot be written to now"):  # it is not even processed
        setup.intake.accept(request(1), "grpc")
    assert setup.state.count == 1


def test_a_disk_without_room_is_full_and_not_broken(setup: Setup) -> None:
    assert setup.storage.reserve(setup.storage.capacity_bytes)
    with pytest.raises(QueueFull, match="the disk space of extension file_storage is full"):
        setup.intake.accept(request(1), "grpc")


def test_many_threads_are_answered_together(setup: Setup) -> None:
    setup.storage.start()
    answered: list[int] = []

    def send(number: int) -> None:
        answer = setup.intake.accept(request(1), "grpc")
        assert answer is not None
        answer.result(TIMEOUT_S)
        answered.append(number)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert sorted(answered) == list(range(20))
    assert setup.storage.database.backlogs()["on_disk"].requests == 20
    assert setup.storage.database.rows() == {"count": "20"}


@dataclass(frozen=True)
class Read:
    body: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.body)


class Joining:
    """Marks what was decided together."""

    def read(self, body: bytes) -> Read:
        return Read(body)

    def finish(self, requests: Sequence[Read]) -> list[bytes]:
        return [each.body + b"of %d" % len(requests) for each in requests]


def test_what_is_held_is_on_the_disk_as_it_came_and_then_as_it_was_decided(setup: Setup) -> None:
    hold = Hold("carbon", Joining(), HoldSettings(60.0, MEBIBYTE, MEBIBYTE), setup.metrics, storage=setup.storage)
    pipeline = Pipeline("traces", Signal.TRACES, (), (setup.on_disk, setup.in_memory), hold)
    intake = Intake("otlp", Signal.TRACES, (pipeline,), setup.metrics, setup.storage)
    setup.storage.start()
    for spans in (1, 2):
        answer = intake.accept(request(spans), "grpc")
        assert answer is not None
        answer.result(TIMEOUT_S)
    assert [held.body for _, held in setup.storage.database.held()] == [request(1), request(2)]
    hold.start()
    assert hold.drain(time.monotonic() + TIMEOUT_S) == 0
    assert setup.storage.database.held() == []
    setup.on_disk.close()
    decided = [batch.body for batches in iter(setup.on_disk.take, []) for batch in batches]
    assert decided == [request(1) + b"of 2", request(2) + b"of 2"]
    assert len(queued(setup.in_memory)) == 2
    assert hold.held_bytes == 0


def test_a_hold_that_cannot_write_waits_and_loses_nothing_at_the_end(setup: Setup) -> None:
    hold = Hold("carbon", Joining(), HoldSettings(60.0, MEBIBYTE, MEBIBYTE), setup.metrics, storage=setup.storage)
    pipeline = Pipeline("traces", Signal.TRACES, (), (setup.on_disk,), hold)
    setup.storage.start()
    answer = Intake("otlp", Signal.TRACES, (pipeline,), setup.metrics, setup.storage).accept(request(1), "grpc")
    assert answer is not None
    answer.result(TIMEOUT_S)
    setup.storage.database._writer.execute("PRAGMA query_only = ON")
    hold.start()
    assert hold.drain(time.monotonic() + 0.5) == 0
    wait_until(lambda: setup.storage.is_failing, timeout_s=TIMEOUT_S, what="storage that fails")
    assert [held.body for _, held in setup.storage.database.held()] == [request(1)]


def test_what_was_counted_as_lost_at_the_end_is_not_sent_when_the_disk_has_caught_up(setup: Setup) -> None:
    hold = Hold("carbon", Joining(), HoldSettings(60.0, MEBIBYTE, MEBIBYTE), setup.metrics, storage=setup.storage)
    pipeline = Pipeline("traces", Signal.TRACES, (), (setup.in_memory,), hold)
    answer = Intake("otlp", Signal.TRACES, (pipeline,), setup.metrics, setup.storage).accept(request(2), "grpc")
    assert answer is not None
    setup.storage._write([setup.storage._works.pop()], {})  # of a disk that then writes nothing for a while
    hold.start()
    assert hold.drain(time.monotonic() + 0.3) == 2
    setup.storage.start()
    setup.storage.submit(Work(())).result(TIMEOUT_S)
    assert queued(setup.in_memory) == []


def test_a_held_request_of_an_earlier_process_is_decided_with_the_others(setup: Setup) -> None:
    hold = Hold("carbon", Joining(), HoldSettings(60.0, MEBIBYTE, MEBIBYTE), setup.metrics)
    hold.restore(7, StoredBody(Signal.TRACES, 1, request(1), ("in_memory",), is_held=True), (setup.in_memory,))
    hold.start()
    hold.drain(time.monotonic() + TIMEOUT_S)
    assert queued(setup.in_memory) == [Batch(Signal.TRACES, request(1) + b"of 1", 1)]


def test_a_full_disk_at_the_start_leaves_what_was_held_for_the_next_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = FileStorage("file_storage", tmp_path, 16 * MEBIBYTE)
    before.open([])
    before.start()
    held = StoredBody(Signal.TRACES, 1, request(1), ("on_disk",), is_held=True)
    before.submit(Work([held])).result(TIMEOUT_S)
    before.close(time.monotonic() + TIMEOUT_S)
    storage = FileStorage("file_storage", tmp_path, 16 * MEBIBYTE)
    queue = StoredQueue("on_disk", MEBIBYTE, storage)
    opened = storage.open

    def open_full(states: Sequence[DurableState]) -> Mapping[str, Backlog]:
        backlogs = opened(states)
        storage.database._writer.execute("PRAGMA query_only = ON")
        return backlogs

    storage.open = open_full  # type: ignore[method-assign] # every write fails from the start on
    Durable(storage, [], {"on_disk": queue}, {}, None).start()
    assert [body for _, body in storage.database.held()] == [held]
    assert "a held request waits for the next start" in caplog.text
    storage.close(time.monotonic() + TIMEOUT_S)
