from __future__ import annotations

import threading

from otel_carbon.collector.byte_queue import ByteQueue, put_in_all
from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Batch, Signal


def batch(body_bytes: int) -> Batch:
    return Batch(Signal.TRACES, b"x" * body_bytes, 1)


def queue(name: str = "otlp_http", *, batches: int = 2, body_bytes: int = 100) -> ByteQueue:
    """A queue with room for exactly `batches` batches of `body_bytes` bytes."""
    return ByteQueue(name, batches * (body_bytes + BATCH_OVERHEAD_BYTES))


def test_the_bound_is_in_bytes_and_counts_what_is_in_flight() -> None:
    backend = queue(batches=2)
    assert put_in_all([(backend, batch(100))]) is None
    assert put_in_all([(backend, batch(100))]) is None
    assert put_in_all([(backend, batch(100))]) is backend
    taken = backend.take()
    assert taken is not None
    assert put_in_all([(backend, batch(100))]) is backend
    backend.release(taken.size_bytes)
    assert put_in_all([(backend, batch(100))]) is None
    assert backend.held_bytes == 2 * (100 + BATCH_OVERHEAD_BYTES)


def test_an_empty_queue_accepts_one_batch_of_any_size() -> None:
    backend = queue(batches=1)
    assert put_in_all([(backend, batch(100_000))]) is None
    assert put_in_all([(backend, batch(0))]) is backend


def test_a_full_queue_keeps_the_batch_out_of_the_others() -> None:
    full, free = queue("full", batches=1), queue("free", batches=1)
    assert put_in_all([(full, batch(100))]) is None
    assert put_in_all([(free, batch(100)), (full, batch(100))]) is full
    assert free.held_bytes == 0
    free.close()
    assert free.take() is None


def test_batches_leave_in_the_order_they_came() -> None:
    backend = queue(batches=10)
    sent = [batch(size) for size in (1, 2, 3)]
    for each in sent:
        put_in_all([(backend, each)])
    assert [backend.take() for _ in sent] == sent


def test_a_closed_queue_gives_what_it_has_and_takes_nothing() -> None:
    backend = queue()
    put_in_all([(backend, batch(1))])
    backend.close()
    assert not backend.has_room(1)
    assert put_in_all([(backend, batch(1))]) is backend
    assert backend.take() == batch(1)
    assert backend.take() is None


def test_clear_gives_the_room_back() -> None:
    backend = queue(batches=2)
    put_in_all([(backend, batch(100))])
    put_in_all([(backend, batch(100))])
    assert backend.clear() == [batch(100), batch(100)]
    assert backend.held_bytes == 0


def test_a_waiting_taker_wakes_up_when_the_queue_closes() -> None:
    backend = queue()
    answers: list[Batch | None] = []
    taker = threading.Thread(target=lambda: answers.append(backend.take()))
    taker.start()
    backend.close()
    taker.join(5)
    assert answers == [None]
