from __future__ import annotations

from otel_carbon.collector.storage.database import LogEntry
from otel_carbon.collector.storage.state_log import StateLog


def added(log: StateLog, *entries: bytes, now_s: float) -> tuple[list[int], int]:
    """Plan and apply; returns the numbers that were given and how many old entries went."""
    plan = log.plan(entries, now_s)
    log.apply(plan)
    return [entry.number for entry in plan.added], plan.dropped


def test_numbers_go_on_where_they_were() -> None:
    log = StateLog([LogEntry(7, 100.0, 3)], ttl_s=60.0, max_size_bytes=100)
    assert added(log, b"a", b"b", now_s=101.0) == ([8, 9], 0)
    assert added(log, b"c", now_s=102.0) == ([10], 0)


def test_entries_go_once_they_are_of_no_use() -> None:
    log = StateLog([LogEntry(1, 100.0, 3), LogEntry(2, 130.0, 3)], ttl_s=60.0, max_size_bytes=100)
    plan = log.plan([], now_s=161.0)
    assert (plan.dropped, plan.first_kept) == (1, 2)
    assert log.plan([], now_s=161.0) == plan  # nothing has changed before it is applied
    log.apply(plan)
    assert log.plan([], now_s=161.0).dropped == 0


def test_the_oldest_go_when_there_is_too_much() -> None:
    log = StateLog([], ttl_s=60.0, max_size_bytes=10)
    assert added(log, b"1234", now_s=1.0) == ([1], 0)
    assert added(log, b"5678", now_s=2.0) == ([2], 0)
    plan = log.plan([b"9abc"], now_s=3.0)
    assert (plan.dropped, plan.first_kept) == (1, 2)


def test_when_all_go_the_next_is_the_first() -> None:
    log = StateLog([LogEntry(5, 1.0, 3)], ttl_s=1.0, max_size_bytes=10)
    plan = log.plan([b"x"], now_s=10.0)
    assert (plan.dropped, plan.first_kept, plan.added) == (1, 6, [LogEntry(6, 10.0, 1)])
