"""What of the built-in page is stored: made by whoever looks, so that whoever writes the durable queue never waits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.metrics.pacing import never_rest
from tests.support.page_server import Counting, SetClock

if TYPE_CHECKING:
    from otel_carbon.metrics.pacing import Rest
    from otel_carbon.metrics.totals import Snapshot

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_rows_are_told_once_and_only_when_a_day_began() -> None:
    counting = Counting(SetClock(NOON))
    watch = counting.watch()
    state = watch.keep_state()
    assert state.take_changes().rows == {}
    watch.look()
    assert list(state.take_changes().rows) == ['["days", "prometheus", "open"]']
    counting.book(1)
    watch.look()
    assert state.take_changes().rows == {}
    counting.clock.pass_by(days=1)
    watch.look()
    assert set(state.take_changes().rows) == {'["days", "prometheus", 0]', '["days", "prometheus", "open"]'}


def test_whoever_writes_waits_for_no_look() -> None:
    counting = Counting(SetClock(NOON))
    watch = counting.watch()
    state = watch.keep_state()
    began, go_on = threading.Event(), threading.Event()
    snapshot = counting.totals.snapshot

    def slow_snapshot(rest: Rest = never_rest) -> Snapshot:
        began.set()
        assert go_on.wait(30)
        return snapshot(rest)

    counting.totals.snapshot = slow_snapshot  # type: ignore[method-assign] # a look that takes as long as it is told to
    looking = threading.Thread(target=watch.look)
    looking.start()
    try:
        assert began.wait(30)
        assert state.take_changes().rows == {}
    finally:
        go_on.set()
        looking.join(30)
    assert len(state.take_changes().rows) == 1
