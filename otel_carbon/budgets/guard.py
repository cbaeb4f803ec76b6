"""Tell an application when it has used up a budget; never in the way of a call."""

from __future__ import annotations

import logging
import threading
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.budgets.spent import SpentMeasure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.budgets.model import Budget
    from otel_carbon.budgets.spent import Crossing
    from otel_carbon.metrics.totals import Totals

logger = logging.getLogger(__name__)

DEFAULT_CHECK_INTERVAL_S = 15.0
_STOP_TIMEOUT_S = 5.0


class CarbonBudgetWarning(UserWarning):
    """A threshold of a budget was passed; `crossing` says which."""

    def __init__(self, crossing: Crossing) -> None:
        super().__init__(
            f"budget {crossing.budget.name}: {crossing.used:.4g} of {crossing.limit:.4g} {crossing.unit} used in this "
            f"process, {crossing.share:.0%} or more; owner: {crossing.budget.owner}"
        )
        self.crossing = crossing


def warn(crossing: Crossing) -> None:
    """Emit a `CarbonBudgetWarning`."""
    warnings.warn(CarbonBudgetWarning(crossing), stacklevel=2)


class BudgetGuard:
    """Looks at the totals of this process now and then, and calls a hook once for each threshold that is passed.

    It runs on a thread of its own and counts from its start on, and this process only: it is a brake inside an
    application, not the budget of a company. What the hook raises is logged and goes nowhere else.

    Args:
        totals: the running totals, such as `CarbonSpanProcessor().totals`.
        budgets: what to watch, such as `read_budgets(path).budgets.budgets`.
        on_crossing: called on the guard's thread; emits a `CarbonBudgetWarning` unless given.
        check_interval_s: seconds between two looks.
        now: the clock, aware.
    """

    def __init__(
        self,
        totals: Totals,
        budgets: Sequence[Budget],
        on_crossing: Callable[[Crossing], object] = warn,
        *,
        check_interval_s: float = DEFAULT_CHECK_INTERVAL_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._totals = totals
        self._on_crossing = on_crossing
        self._check_interval_s = check_interval_s
        self._now = now
        self._checking = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = False
        snapshot, began = totals.snapshot(), now()
        self._spent = [
            SpentMeasure(budget, measure, snapshot, began) for budget in budgets for measure in budget.measures
        ]

    def start(self) -> BudgetGuard:
        """Look now and then from here on; a forked child has no guard until it starts one of its own."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="otel-carbon budget guard", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Look a last time and end."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_STOP_TIMEOUT_S)

    def check(self) -> tuple[Crossing, ...]:
        """Look now, and tell what was passed; never raises an `Exception`."""
        try:
            with self._checking:
                snapshot, now = self._totals.snapshot(), self._now()
                crossings = tuple(crossing for each in self._spent for crossing in each.advance(snapshot, now))
        except Exception as error:  # nothing of ours may reach the application
            self._report(error)
            return ()
        for crossing in crossings:
            try:
                self._on_crossing(crossing)
            except Exception as error:  # the user's own hook, or warnings that are made errors
                self._report(error)
        return crossings

    def _run(self) -> None:
        while not self._stopping.wait(self._check_interval_s):
            self.check()
        self.check()

    def _report(self, error: Exception) -> None:
        """Say it once."""
        if not self._failed:
            self._failed = True
            logger.warning("the budget guard failed; the application is unaffected", exc_info=error)
