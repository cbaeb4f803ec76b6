"""Looks at the totals now and then, so that days, the last minutes and the windows of budgets have a beginning."""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.budgets.standing import BudgetWatch
from otel_carbon.collector.page.state import PageState
from otel_carbon.metrics.counted import counted_in
from otel_carbon.metrics.days import DailyHistory
from otel_carbon.metrics.saved_days import SavedDays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.budgets.model import Budget
    from otel_carbon.budgets.standing import Standing
    from otel_carbon.collector.storage.records import DurableState
    from otel_carbon.metrics.counted import Sums
    from otel_carbon.metrics.days import Look
    from otel_carbon.metrics.totals import Totals

LOOK_INTERVAL_S = 60.0
"""A look takes as long as reading the counters for a scrape does, and scrapers come more often."""
RECENT_S = 300.0
_MARK_APART_S = 5.0
_STOP_TIMEOUT_S = 2.0
_logger = logging.getLogger(__name__)


class Recent(NamedTuple):
    """What was counted in the last `duration_s` seconds."""

    duration_s: float
    sums: Sums


class Seen(NamedTuple):
    """All of a look."""

    look: Look
    recent: Recent
    standings: Sequence[Standing]


class RecentMarks:
    """Sums as they were in the last minutes, a few seconds apart at least."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, Sums]] = deque()

    def take_in(self, at_s: float, sums: Sums) -> Recent:
        """What was counted since about `RECENT_S` ago, or since the first mark.

        Args:
            at_s: a clock that never goes back, in seconds.
            sums: all that was counted by then.
        """
        marks = self._marks
        while len(marks) > 1 and marks[1][0] <= at_s - RECENT_S:
            marks.popleft()
        if not marks or marks[-1][0] <= at_s - _MARK_APART_S:
            marks.append((at_s, sums))
        since_s, before = marks[0]
        return Recent(at_s - since_s, tuple(now - then for now, then in zip(sums, before, strict=True)))


class TotalsWatch:
    """The thread that looks, and whoever else wants to.

    Args:
        totals: what is counted.
        budgets: whose standing is told.
        name: tells several watches apart where they outlive the process.
        catch_up: counts what was answered and is not counted yet, before each look.
        now: the clock, aware.
        monotonic_s: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        totals: Totals,
        budgets: Sequence[Budget],
        *,
        name: str,
        catch_up: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._history = DailyHistory(totals, now)
        self._budgets = BudgetWatch(budgets, name)
        self._state: PageState | None = None
        self._name = name
        self._recent = RecentMarks()
        self._catch_up = catch_up
        self._now = now
        self._monotonic_s = monotonic_s
        self._lock = Lock()
        self._stopping = Event()
        self._failed = False
        self._thread = Thread(target=self._run, name="totals watch", daemon=True)

    def keep_state(self) -> DurableState:
        """Begin to tell what of it outlives the process, to be saved with the totals or before them."""
        self._state = PageState(SavedDays(self._history, self._name), self._budgets)
        return self._state

    def start(self) -> None:
        """Look for the first time, and now and then from here on."""
        self._look_safely()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_TIMEOUT_S)

    def look(self) -> Seen:
        """Take in what was counted since the last look; one at a time."""
        self._catch_up()
        with self._lock:
            look = self._history.look()
            recent = self._recent.take_in(self._monotonic_s(), counted_in(look.snapshot).overall())
            standings = self._budgets.look(look.snapshot, look.at)
            if self._state is not None:
                self._state.note_changes()
            return Seen(look, recent, standings)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_s()):
            self._look_safely()

    def _pause_s(self) -> float:
        """Until the next look; one is just after midnight in UTC."""
        now = self._now().astimezone(UTC)
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return min(LOOK_INTERVAL_S, (midnight - now).total_seconds() + 0.001)

    def _look_safely(self) -> None:
        """A fault here costs the page, and nothing else."""
        try:
            self.look()
        except Exception:
            if not self._failed:
                self._failed = True
                _logger.exception("the built-in page cannot read the totals; telemetry is unaffected")
