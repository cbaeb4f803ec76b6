from __future__ import annotations

import threading

from otel_carbon.collector.batching import BatchSettings
from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.reserving import reserve
from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Batch, Signal


def batch(body_bytes: int) -> Batch:
    return Batch(Signal.TRACES, b"x" * body_bytes, 1)


def queue(name: str = "otlp_http", *, batches: int = 2, body_bytes: int = 100, together_bytes: int = 0) -> ByteQueue:
    """A queue with room for exactly `batches` batches of `body_bytes` bytes."""
    return ByteQueue(name, batches * (body_bytes + BATCH_OVERHEAD_BYTES), BatchSettings(together_bytes))


def offered(backend: ByteQueue, each: Batch) -> bool:
    """Whether a batch found room and was queued."""
    if not backend.reserve(each.size_bytes):
        return False
    backend.put(each, each.size_bytes)
    return True


def test_the_bound_is_in_bytes_and_counts_what_is_in_flight() -> None:
    backend = queue(batches=2)
    assert [offered(backend, batch(100)) for _ in range(3)] == [True, True, False]
    (taken,) = backend.take()
    assert not offered(backend, batch(100))
    backend.settle([taken])
    assert offered(backend, batch(100))
    assert backend.held_bytes == 2 * (100 + BATCH_OVERHEAD_BYTES)


def test_an_empty_queue_accepts_one_batch_of_any_size() -> None:
    backend = queue(batches=1)
    assert offered(backend, batch(100_000))
    assert not offered(backend, batch(0))


def test_a_full_queue_takes_no_room_in_the_others() -> None:
    full, free = queue("full", batches=1), queue("free", batches=1)
    assert offered(full, batch(100))
    assert reserve([[free, full]], [], 100) is full
    assert free.held_bytes == 0
    free.close()
    assert free.take() == []


def test_what_processing_added_is_taken_in_and_counted() -> None:
    backend = queue(batches=1)
    assert backend.reserve(batch(100).size_bytes)
    backend.put(batch(170), batch(100).size_bytes)
    assert backend.held_bytes == 170 + BATCH_OVERHEAD_BYTES
    assert backend.take() == [batch(170)]


def test_batches_leave_in_the_order_they_came() -> None:
    backend = queue(batches=10)
    sent = [batch(size) for size in (1, 2, 3)]
    assert all(offered(backend, each) for each in sent)
    assert [backend.take() for _ in sent] == [[each] for each in sent]


def test_batches_of_one_signal_are_taken_together_up_to_a_size() -> None:
    two = 1 + 2 + 2 * BATCH_OVERHEAD_BYTES
    backend = queue(batches=10, together_bytes=two)
    logs = Batch(Signal.LOGS, b"x", 1)
    assert all(offered(backend, each) for each in (batch(1), batch(2), batch(3), logs, batch(4)))
    assert [backend.take() for _ in range(4)] == [[batch(1), batch(2)], [batch(3)], [logs], [batch(4)]]


def test_a_closed_queue_gives_what_it_has_and_takes_nothing() -> None:
    backend = queue()
    assert offered(backend, batch(1))
    backend.close()
    assert not offered(backend, batch(1))
    assert backend.take() == [batch(1)]
    assert backend.take() == []


def test_clear_gives_the_room_back() -> None:
    backend = queue(batches=2)
    assert all(offered(backend, batch(100)) for _ in range(2))
    assert backend.clear() == [batch(100), batch(100)]
    assert backend.held_bytes == 0


def test_a_waiting_taker_wakes_up_when_the_queue_closes() -> None:
    backend = queue()
    answers: list[list[Batch]] = []
    taker = threading.Thread(target=lambda: answers.append(backend.take()))
    taker.start()
    backend.close()
    taker.join(5)
    assert answers == [[]]
