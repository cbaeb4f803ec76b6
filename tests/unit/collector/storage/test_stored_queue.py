"""A queue on the disk, as a sender sees it."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.batching import BatchSettings
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError, RetrySettings, Sender, drain_all
from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Batch, Signal
from otel_carbon.collector.storage.file_storage import FileStorage
from otel_carbon.collector.storage.records import Backlog, StoredBody
from otel_carbon.collector.storage.stored_queue import StoredQueue
from otel_carbon.collector.storage.work import Work
from tests.unit.collector.test_sender import Backend, counters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEBIBYTE = 1024 * 1024
TIMEOUT_S = 20.0
FAST = RetrySettings(initial_interval_s=0.001, max_interval_s=0.002, max_elapsed_time_s=0)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FileStorage]:
    opened = FileStorage("file_storage", tmp_path, 64 * MEBIBYTE)
    opened.open([])
    opened.start()
    yield opened
    opened.close(time.monotonic() + TIMEOUT_S)


def put(storage: FileStorage, queue: StoredQueue, *bodies: bytes, signal: Signal = Signal.TRACES) -> None:
    """Store bodies one after the other and queue them, as an intake does."""
    for body in bodies:

        def queued(numbers: list[int], body: bytes = body) -> None:
            batch = Batch(signal, body, 1, numbers[0])
            queue.put(batch, reserved_bytes=batch.size_bytes)

        assert queue.reserve(len(body) + BATCH_OVERHEAD_BYTES)
        storage.submit(Work([StoredBody(signal, 1, body, (queue.exporter,))], on_stored=queued)).result(TIMEOUT_S)  # type: ignore[arg-type] # a list


def bodies(batches: list[Batch]) -> list[bytes]:
    return [batch.body for batch in batches]


def test_batches_are_read_in_the_order_they_came_and_only_once(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage)
    put(storage, queue, b"one", b"two", b"three")
    queue.close()
    assert [bodies(queue.take()) for _ in range(4)] == [[b"one"], [b"two"], [b"three"], []]


def test_batches_of_one_signal_travel_together_up_to_a_size(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage, BatchSettings(2 + 2 * BATCH_OVERHEAD_BYTES))
    put(storage, queue, b"1", b"2", b"3")
    put(storage, queue, b"4", signal=Signal.LOGS)
    assert [bodies(queue.take()) for _ in range(3)] == [[b"1", b"2"], [b"3"], [b"4"]]


def test_what_an_earlier_process_left_is_sent_first(storage: FileStorage) -> None:
    put(storage, StoredQueue("backend", MEBIBYTE, storage), b"left")
    queue = StoredQueue("backend", MEBIBYTE, storage)
    queue.resume(storage.database.backlogs()["backend"])
    put(storage, queue, b"new")
    assert queue.held_bytes == 4 + 3 + 2 * BATCH_OVERHEAD_BYTES
    assert [bodies(queue.take()), bodies(queue.take())] == [[b"left"], [b"new"]]


def test_a_body_that_is_on_the_disk_and_not_yet_put_is_not_taken_before(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage, BatchSettings(MEBIBYTE))
    put(storage, queue, b"put")
    late: list[int] = []
    work = Work([StoredBody(Signal.TRACES, 1, b"stored", ("backend",))], on_stored=late.extend)
    storage.submit(work).result(TIMEOUT_S)
    assert bodies(queue.take()) == [b"put"]
    queue.put(Batch(Signal.TRACES, b"stored", 1, late[0]), 0)
    assert bodies(queue.take()) == [b"stored"]


def test_the_bound_is_given_back_when_batches_are_dealt_with(storage: FileStorage) -> None:
    queue = StoredQueue("backend", 100 + BATCH_OVERHEAD_BYTES, storage)
    put(storage, queue, bytes(100))
    assert not queue.reserve(100)
    queue.settle(queue.take())
    assert queue.reserve(100)


def test_what_fills_the_disk_for_minutes_takes_no_memory_of_the_queue(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage)
    queue.resume(Backlog(requests=10**6, items=10**8, size_bytes=10**11))
    held = [name for name in vars(queue) if isinstance(getattr(queue, name), list | dict | tuple)]
    assert held == []


def test_a_sender_deletes_what_it_has_sent(storage: FileStorage) -> None:
    backend, queue, metrics = Backend(), StoredQueue("otlp_http", MEBIBYTE, storage), SelfMetrics()
    metrics.watch_queue(queue)
    put(storage, queue, b"one", b"two")
    sender = Sender(backend, queue, FAST, metrics)
    sender.start()
    assert drain_all([sender], time.monotonic() + TIMEOUT_S) == 0
    storage.submit(Work([])).result(TIMEOUT_S)
    assert bodies(backend.attempts) == [b"one", b"two"]
    assert storage.database.backlogs() == {}
    assert counters(metrics) == {"sent": 2, "failed": 0}


def test_what_could_not_be_sent_in_time_is_neither_lost_nor_counted_as_such(storage: FileStorage) -> None:
    backend = Backend(script=[RetryableExportError("away", 30.0)] * 3)
    queue, metrics = StoredQueue("otlp_http", MEBIBYTE, storage), SelfMetrics()
    metrics.watch_queue(queue)
    put(storage, queue, b"one", b"two")
    sender = Sender(backend, queue, FAST, metrics)
    sender.start()
    assert drain_all([sender], time.monotonic() + 0.2) == 0
    assert storage.database.backlogs()["otlp_http"].requests == 2
    assert counters(metrics) == {"sent": 0, "failed": 0}


def test_what_the_backend_refuses_for_good_is_counted_and_deleted(storage: FileStorage) -> None:
    backend = Backend(script=[PermanentExportError("never")])
    queue, metrics = StoredQueue("otlp_http", MEBIBYTE, storage), SelfMetrics()
    metrics.watch_queue(queue)
    put(storage, queue, b"bad", b"good")
    sender = Sender(backend, queue, FAST, metrics)
    sender.start()
    drain_all([sender], time.monotonic() + TIMEOUT_S)
    storage.submit(Work([])).result(TIMEOUT_S)
    assert storage.database.backlogs() == {}
    assert counters(metrics) == {"sent": 1, "failed": 1}


def test_several_consumers_send_everything_once(storage: FileStorage) -> None:
    backend, queue, metrics = Backend(), StoredQueue("otlp_http", MEBIBYTE, storage), SelfMetrics()
    metrics.watch_queue(queue)
    sender = Sender(backend, queue, FAST, metrics, consumers=4)
    sender.start()
    everything = [b"%d" % number for number in range(60)]
    put(storage, queue, *everything)
    assert drain_all([sender], time.monotonic() + TIMEOUT_S) == 0
    assert sorted(bodies(backend.attempts)) == sorted(everything)


def test_a_waiting_taker_wakes_up_when_the_queue_closes(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage)
    answers: list[list[Batch]] = []
    taker = threading.Thread(target=lambda: answers.append(queue.take()))
    taker.start()
    queue.close()
    taker.join(5)
    assert answers == [[]]


def test_more_tiny_batches_travel_together_than_a_statement_has_parameters(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage, BatchSettings(MEBIBYTE))
    put(storage, queue, b"1", b"2", b"3", b"4")
    reader = storage.disk._readers["backend"] = storage.database.connect()
    reader.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 3)  # builds differ: 999, 32,766 or 250,000
    assert bodies(queue.take()) == [b"1", b"2", b"3", b"4"]


def test_room_of_what_is_missing_on_the_disk_is_given_back(
    storage: FileStorage, caplog: pytest.LogCaptureFixture
) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage)
    put(storage, queue, b"gone")
    storage.database._writer.execute("DELETE FROM owed")
    queue.close()
    assert queue.take() == []
    assert queue.held_bytes == 0
    assert "backend: of what was queued, 1 are missing" in caplog.text


def test_a_queue_that_is_closed_and_empty_lets_go_of_the_database(storage: FileStorage) -> None:
    queue = StoredQueue("backend", MEBIBYTE, storage)
    put(storage, queue, b"one")
    queue.close()
    assert [bodies(queue.take()), bodies(queue.take())] == [[b"one"], []]
    assert storage.disk._readers == {}
