"""What of the page outlives the process: rows that are made when the totals are looked at, and wait to be stored."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.budgets.standing import BudgetWatch
    from otel_carbon.metrics.saved_days import SavedDays


class RowChanges(NamedTuple):
    """Rows that changed; there is no log."""

    rows: dict[str, str]
    log: bytes = b""


class PageState:
    """Days and budgets as a file storage keeps them; whoever writes them waits for no look.

    Args:
        days: the days as rows.
        budgets: the budgets as rows.
    """

    log_ttl_s = 0.0

    def __init__(self, days: SavedDays, budgets: BudgetWatch) -> None:
        self._days = days
        self._budgets = budgets
        self._lock = Lock()
        self._rows: dict[str, str] = {}

    def note_changes(self) -> None:
        """Make the rows of what a look has changed; on the thread that looked."""
        rows = self._days.changed_rows() | self._budgets.changed_rows()
        with self._lock:
            self._rows |= rows

    def take_changes(self) -> RowChanges:
        """The rows that were made since the last call."""
        with self._lock:
            rows, self._rows = self._rows, {}
        return RowChanges(rows)

    def restore(self, log: Iterable[tuple[float, bytes]], rows: Mapping[str, str]) -> None:  # noqa: ARG002 - no log
        """Take up what an earlier process had; nothing was looked at yet."""
        self._days.restore(rows)
        self._budgets.restore(rows)
