from __future__ import annotations

import pytest

from otel_carbon.collector.batching import BatchSettings, Together, Waiting
from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Batch, Signal
from tests.unit.counting.candidates import Clock

BY_BYTES = BatchSettings(max_size_bytes=1000, min_size_bytes=500, flush_timeout_s=0.2)
BY_ITEMS = BatchSettings(max_size_bytes=1000, max_items=10, min_items=8, flush_timeout_s=0.2)


def test_without_a_timeout_what_waits_is_due_at_once() -> None:
    waiting = Waiting(BatchSettings(max_size_bytes=1000), Clock())
    assert waiting.due_in_s() is None
    waiting.add(items=1, size_bytes=1)
    assert waiting.due_in_s() == 0


def test_a_little_waits_for_more_until_its_time_is_over() -> None:
    clock = Clock(5.0)
    waiting = Waiting(BY_BYTES, clock)
    waiting.add(items=1, size_bytes=499)
    assert waiting.due_in_s() == pytest.approx(0.2)
    clock.now_s = 5.25
    assert waiting.due_in_s() == 0


def test_enough_bytes_do_not_wait() -> None:
    waiting = Waiting(BY_BYTES, Clock())
    waiting.add(items=1, size_bytes=499)
    waiting.add(items=1, size_bytes=1)
    assert waiting.due_in_s() == 0


def test_enough_items_do_not_wait_and_neither_do_few_large_ones() -> None:
    many, large = Waiting(BY_ITEMS, Clock()), Waiting(BY_ITEMS, Clock())
    many.add(items=8, size_bytes=10)
    large.add(items=1, size_bytes=1000)
    assert (many.due_in_s(), large.due_in_s()) == (0, 0)


def test_the_time_of_what_is_left_begins_anew() -> None:
    clock = Clock(0.0)
    waiting = Waiting(BY_BYTES, clock)
    waiting.add(items=2, size_bytes=900, requests=2)
    clock.now_s = 10.0
    waiting.take(items=1, size_bytes=800, requests=1)
    assert waiting.due_in_s() == pytest.approx(0.2)


def test_the_first_request_is_taken_whatever_its_size_and_no_other_beyond_a_bound() -> None:
    together = Together(BY_ITEMS)
    assert together.takes(Signal.TRACES, 50, 5000)
    assert not together.takes(Signal.TRACES, 1, 1)


def test_requests_join_up_to_the_bounds_of_both() -> None:
    by_items, by_bytes = Together(BY_ITEMS), Together(BY_ITEMS)
    assert [by_items.takes(Signal.TRACES, 5, 1) for _ in range(3)] == [True, True, False]
    assert [by_bytes.takes(Signal.TRACES, 1, 400) for _ in range(3)] == [True, True, False]


def test_signals_do_not_mix() -> None:
    together = Together(BY_BYTES)
    assert together.takes(Signal.TRACES, 1, 1)
    assert not together.takes(Signal.LOGS, 1, 1)


def test_a_queue_gives_what_waited_for_company_as_one_when_it_is_closed() -> None:
    queue = ByteQueue("backend", 10_000, BatchSettings(5000, min_items=100, flush_timeout_s=60.0))
    sent = [Batch(Signal.TRACES, b"%d" % number, 1) for number in range(3)]
    for each in sent:
        assert queue.reserve(each.size_bytes)
        queue.put(each, each.size_bytes)
    queue.close()  # nothing is waited for any more
    assert queue.take() == sent
    assert queue.held_bytes == 3 * (1 + BATCH_OVERHEAD_BYTES)
