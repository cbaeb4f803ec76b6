"""What was counted in a stretch of time: sums by label set and calls by outcome, that can be added and subtracted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.core.tokens import KINDS
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.metrics.labels import OVERFLOW, SeriesLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from typing import TypeVar

    from otel_carbon.metrics.totals import Snapshot

    Group = TypeVar("Group", bound=Hashable)

Sums = tuple[float, ...]
"""Energy (J), emissions (gCO2e) and water (L), each as mid, low, high; token kinds; calls; calls with an estimate."""

CALLS, ESTIMATED = AMOUNTS + len(KINDS), AMOUNTS + len(KINDS) + 1
NOTHING: Sums = (0.0,) * (ESTIMATED + 1)


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums by label set, and calls by status and reason."""

    rows: Mapping[SeriesLabels, Sums]
    outcomes: Mapping[tuple[str, str], int]

    def overall(self) -> Sums:
        """All label sets as one."""
        return _added(self.rows.values())


EMPTY = Counted({}, {})


def counted_in(snapshot: Snapshot) -> Counted:
    """All that totals had come to."""
    rows = {labels: [*sums, 0.0, 0.0] for labels, sums in snapshot.rows.items()}
    outcomes: dict[tuple[str, str], int] = {}
    for key, count in snapshot.operations.items():
        outcome = (key.status, key.reason)
        outcomes[outcome] = outcomes.get(outcome, 0) + count
        row = rows.setdefault(key.labels, [*NOTHING])
        row[CALLS] += count
        row[ESTIMATED] += count if key.status == ours.STATUS_ESTIMATED else 0
    return Counted({labels: tuple(row) for labels, row in rows.items()}, outcomes)


def grown(later: Counted, earlier: Counted) -> Counted:
    """What came between two counts; totals never fall, so what did is of a process that started anew."""
    rows = {labels: _grown(sums, earlier.rows.get(labels, NOTHING)) for labels, sums in later.rows.items()}
    outcomes = {key: count - earlier.outcomes.get(key, 0) for key, count in later.outcomes.items()}
    return Counted(
        {labels: sums for labels, sums in rows.items() if any(sums)},
        {key: count for key, count in outcomes.items() if count > 0},
    )


def together(parts: Iterable[Counted]) -> Counted:
    """Several counts as one."""
    rows: dict[SeriesLabels, Sums] = {}
    outcomes: dict[tuple[str, str], int] = {}
    for part in parts:
        for labels, sums in part.rows.items():
            known = rows.get(labels)
            rows[labels] = sums if known is None else _added((known, sums))
        for key, count in part.outcomes.items():
            outcomes[key] = outcomes.get(key, 0) + count
    return Counted(rows, outcomes)


def folded(counted: Counted, most: int) -> Counted:
    """The same with so many label sets at most: those with the fewest calls become `OVERFLOW`."""
    if len(counted.rows) <= most:
        return counted
    ranked = sorted(counted.rows, key=lambda labels: (-counted.rows[labels][CALLS], labels))
    kept = [labels for labels in ranked if labels != OVERFLOW][: most - 1]
    rows = {labels: counted.rows[labels] for labels in kept}
    rows[OVERFLOW] = _added(counted.rows[labels] for labels in counted.rows.keys() - rows.keys())
    return Counted(rows, counted.outcomes)


def grouped(counted: Counted, group_of: Callable[[SeriesLabels], Group]) -> dict[Group, Sums]:
    """The sums of the label sets that have something in common."""
    groups: dict[Group, list[Sums]] = {}
    for labels, sums in counted.rows.items():
        groups.setdefault(group_of(labels), []).append(sums)
    return {group: _added(members) for group, members in groups.items()}


def _grown(later: Sums, earlier: Sums) -> Sums:
    return tuple(now - before if now >= before else now for now, before in zip(later, earlier, strict=True))


def _added(rows: Iterable[Sums]) -> Sums:
    return tuple(map(math.fsum, zip(NOTHING, *rows, strict=True)))
