"""Which entries the log of counting has: those that are too old go, and the oldest when there are too many."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.collector.storage.database import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class LogPlan(NamedTuple):
    """What is to be written: entries to add, and the number of the oldest that stays."""

    added: list[LogEntry]
    first_kept: int
    dropped: int


class StateLog:
    """The numbers, times and sizes of the entries; what is in them is on the disk only.

    Args:
        entries: what there is, oldest first.
        ttl_s: how long an entry is of use, in seconds.
        max_size_bytes: bound of all entries, in bytes.
    """

    def __init__(self, entries: Iterable[LogEntry], ttl_s: float, max_size_bytes: int) -> None:
        self._entries = deque(entries)
        self._last = self._entries[-1].number if self._entries else 0
        self._size_bytes = sum(entry.size_bytes for entry in self._entries)
        self._ttl_s = ttl_s
        self._max_size_bytes = max_size_bytes

    def plan(self, entries: Sequence[bytes], now_s: float) -> LogPlan:
        """What is to change when `entries` are added; nothing has changed until `apply`."""
        added = [LogEntry(number, now_s, len(entry)) for number, entry in enumerate(entries, self._last + 1)]
        size_bytes = self._size_bytes + sum(entry.size_bytes for entry in added)
        dropped = 0
        for entry in self._entries:
            if entry.at_s >= now_s - self._ttl_s and size_bytes <= self._max_size_bytes:
                break
            size_bytes -= entry.size_bytes
            dropped += 1
        first_kept = self._entries[dropped].number if dropped < len(self._entries) else self._last + 1
        return LogPlan(added, first_kept, dropped)

    def apply(self, plan: LogPlan) -> None:
        """What was planned is on the disk."""
        for _ in range(plan.dropped):
            self._size_bytes -= self._entries.popleft().size_bytes
        self._entries.extend(plan.added)
        self._size_bytes += sum(entry.size_bytes for entry in plan.added)
        if plan.added:
            self._last = plan.added[-1].number
