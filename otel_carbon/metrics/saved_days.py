"""Days as rows of text that outlive the process: one for each day that is over, and one for the open one."""

from __future__ import annotations

import base64
import json
import logging
import zlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from otel_carbon.metrics.counted import NOTHING, Counted
from otel_carbon.metrics.days import MAX_DAYS, OpenDay
from otel_carbon.metrics.labels import SeriesLabels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.metrics.days import DailyHistory

_DAYS, _OPEN = "days", "open"
_logger = logging.getLogger(__name__)


class SavedDays:
    """The rows of a history. A day that is forgotten leaves its row to a later one, so their number is bounded.

    The totals must be saved with or after these rows: a day is what they have grown by since it was opened.

    Args:
        history: the days.
        name: tells the rows of several histories apart.
    """

    def __init__(self, history: DailyHistory, name: str) -> None:
        self._history = history
        self._name = name
        self._slots: dict[date, int] = {}

    def changed_rows(self) -> dict[str, str]:
        """The rows that have changed since the last call."""
        opened, days = self._history.take_unsaved()
        if opened is None and not days:
            return {}
        kept = self._history.closed_days()
        self._slots = {each: slot for each, slot in self._slots.items() if each in kept}
        rows = {
            json.dumps([_DAYS, self._name, self._slot(each)]): _packed([each.isoformat(), *_plain(day.counted)])
            for each, day in days.items()
        }
        if opened is not None:
            started = [opened.date.isoformat(), opened.since.isoformat(), *_plain(opened.at_start)]
            rows[json.dumps([_DAYS, self._name, _OPEN])] = _packed(started)
        return rows

    def restore(self, rows: Mapping[str, str]) -> None:
        """Take up the days of an earlier process; those that cannot be read are forgotten."""
        opened: OpenDay | None = None
        days: dict[date, Counted] = {}
        unreadable = 0
        for key, value in rows.items():
            kind, *names = json.loads(key)
            if kind != _DAYS or names[0] != self._name:
                continue
            try:
                day, *rest = _unpacked(value)
                if names[1] == _OPEN:
                    opened = OpenDay(date.fromisoformat(day), _counted(*rest[1:]), datetime.fromisoformat(rest[0]))
                else:
                    days[date.fromisoformat(day)] = _counted(*rest)
                    self._slots[date.fromisoformat(day)] = int(names[1])
            except (ValueError, TypeError, LookupError, zlib.error):
                unreadable += 1
        if unreadable:
            _logger.error("%d rows of the history by day cannot be read; what they say is forgotten", unreadable)
        if opened is not None:
            self._history.restore(opened, dict(sorted(days.items())))

    def _slot(self, day: date) -> int:
        if day not in self._slots:
            taken = set(self._slots.values())
            self._slots[day] = next(slot for slot in range(MAX_DAYS) if slot not in taken)
        return self._slots[day]


def _plain(counted: Counted) -> list[list[Any]]:
    return [
        [[*labels, *sums] for labels, sums in counted.rows.items()],
        [[*key, count] for key, count in counted.outcomes.items()],
    ]


def _counted(rows: list[list[Any]], outcomes: list[list[Any]]) -> Counted:
    labels = len(SeriesLabels._fields)
    found = {SeriesLabels(*map(str, row[:labels])): tuple(map(float, row[labels:])) for row in rows}
    if any(len(sums) != len(NOTHING) for sums in found.values()):
        raise ValueError(f"a row of a day has not {len(NOTHING)} sums")
    return Counted(found, {(str(status), str(reason)): int(count) for status, reason, count in outcomes})


def _packed(document: list[Any]) -> str:
    return base64.b85encode(zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 6)).decode()


def _unpacked(text: str) -> list[Any]:
    return list(json.loads(zlib.decompress(base64.b85decode(text))))
