from __future__ import annotations

from otel_carbon.collector.receivers.slow_calls import (
    MOST_CLIENT_SLOW_CALLS,
    MOST_SLOW_CALLS,
    SLOW_AFTER_S,
    SlowCalls,
    WaitingCall,
)

DEADLINE_S = 30.0


def begin(calls: SlowCalls, client: str, now_s: float) -> WaitingCall:
    call = calls.begin(client, now_s, lambda: None)
    assert call is not None
    return call


def test_calls_that_wait_for_a_moment_are_not_slow_however_many() -> None:
    calls = SlowCalls(DEADLINE_S)
    for _ in range(100):
        begin(calls, "a", 0.0)
    assert calls.overdue(SLOW_AFTER_S * 0.9) == ()


def test_of_one_client_the_newest_slow_calls_beyond_its_bound_are_given_up() -> None:
    calls = SlowCalls(DEADLINE_S)
    begun = [begin(calls, "a", index / 100) for index in range(MOST_CLIENT_SLOW_CALLS + 2)]
    other = begin(calls, "b", 0.06)
    assert calls.overdue(2.0) == tuple(begun[MOST_CLIENT_SLOW_CALLS:])
    assert calls.overdue(2.0) == ()
    assert calls.end(other)


def test_a_client_with_too_many_slow_calls_may_begin_no_other() -> None:
    calls = SlowCalls(DEADLINE_S)
    begun = [begin(calls, "a", 0.0) for _ in range(MOST_CLIENT_SLOW_CALLS)]
    assert calls.begin("a", SLOW_AFTER_S, lambda: None) is None
    begin(calls, "b", SLOW_AFTER_S)
    assert calls.end(begun[0])
    begin(calls, "a", SLOW_AFTER_S)


def test_of_many_clients_the_oldest_slow_calls_beyond_the_bound_of_all_are_given_up() -> None:
    calls = SlowCalls(DEADLINE_S)
    begun = [begin(calls, f"client {index}", index / 100) for index in range(MOST_SLOW_CALLS + 3)]
    assert calls.overdue(2.0) == tuple(begun[:3])


def test_a_call_over_the_deadline_is_given_up() -> None:
    calls = SlowCalls(DEADLINE_S)
    call = begin(calls, "a", 0.0)
    assert calls.overdue(DEADLINE_S) == ()
    assert calls.overdue(DEADLINE_S + 0.1) == (call,)


def test_a_call_that_was_given_up_is_told_so_when_its_message_comes_after_all() -> None:
    calls = SlowCalls(DEADLINE_S)
    call = begin(calls, "a", 0.0)
    calls.overdue(DEADLINE_S + 0.1)
    assert calls.end(call) is False
