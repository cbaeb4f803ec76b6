"""The carbon intensity of grids by the hour, in versions: later ones add to earlier ones and never change them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.errors import GridError

if TYPE_CHECKING:
    from collections.abc import Iterable

LIFECYCLE = "lifecycle"
DIRECT = "direct"
BASES = (LIFECYCLE, DIRECT)
"""What an average intensity may cover; there is no word for marginal ones, which answer another question."""
MAX_PERIOD = timedelta(days=366)


class GridRow(NamedTuple):
    """The average intensity of a zone over a period, in gCO2e per kWh; moments are UTC, `end` is not part of it."""

    zone: str
    start: datetime
    end: datetime
    gco2e_per_kwh: float
    basis: str
    source: str
    licence: str


class GridVersion(NamedTuple):
    """What one refresh added; `sha256` is that of its rows and of the version before it."""

    id: str
    retrieved_at: datetime
    sha256: str
    rows: tuple[GridRow, ...]


class _Ranked(NamedTuple):
    start: datetime
    end: datetime
    version: int
    gco2e_per_kwh: float
    source: str


class HourlyIntensity(NamedTuple):
    """A mean over a period in gCO2e per kWh, and the sources of the rows that it is made of."""

    gco2e_per_kwh: float
    sources: tuple[str, ...]


@dataclass(slots=True, eq=False)
class GridTable:
    """All versions up to one, and look-ups in them; told apart by identity.

    Only life-cycle rows are looked up, as all estimates are life cycle; direct ones are kept for the user.
    """

    versions: tuple[GridVersion, ...] = ()
    _by_zone: dict[str, list[_Ranked]] = field(init=False, repr=False)
    _longest: dict[str, timedelta] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_zone, self._longest = {}, {}
        for number, version in enumerate(self.versions):
            for row in version.rows:
                if row.basis == LIFECYCLE:
                    ranked = _Ranked(row.start, row.end, number, row.gco2e_per_kwh, row.source)
                    self._by_zone.setdefault(row.zone, []).append(ranked)
        for zone, rows in self._by_zone.items():
            rows.sort()
            self._longest[zone] = max(row.end - row.start for row in rows)

    @property
    def version(self) -> str:
        """The id of the last version, which names the table as it is; empty when there is none."""
        return self.versions[-1].id if self.versions else ""

    def as_of(self, version: str) -> GridTable:
        """The table as it was at a version.

        Raises:
            GridError: it has no such version.
        """
        for number, each in enumerate(self.versions):
            if each.id == version:
                return GridTable(self.versions[: number + 1])
        known = ", ".join(each.id for each in self.versions) or "none"
        msg = f"the grid table has no version {version!r}; it has {known}"
        raise GridError(msg)

    def covers_zone(self, zone: str) -> bool:
        """Whether there is any life-cycle figure of a zone."""
        return zone in self._by_zone

    def end_of(self, zone: str) -> datetime | None:
        """Up to when there are life-cycle figures of a zone; `None` when there are none."""
        rows = self._by_zone.get(zone)
        return max(row.end for row in rows) if rows else None

    def mean(self, zone: str, start: datetime, end: datetime) -> HourlyIntensity | None:
        """The life-cycle mean of a zone over a period, each part of it weighted by its length.

        Of rows that overlap the newest version's holds, then the shortest. `None` unless all of the period is covered.
        """
        rows = self._overlapping(zone, start, end)
        cuts = sorted({start, end, *(moment for row in rows for moment in row[:2] if start < moment < end)})
        weighted, sources = 0.0, []
        for begin, finish in pairwise(cuts):
            covering = [row for row in rows if row.start <= begin and row.end >= finish]
            if not covering:
                return None
            best = max(covering, key=lambda row: (row.version, row.start - row.end))
            weighted += best.gco2e_per_kwh * (finish - begin).total_seconds()
            sources.append(best.source)
        return HourlyIntensity(weighted / (end - start).total_seconds(), tuple(dict.fromkeys(sources)))

    def _overlapping(self, zone: str, start: datetime, end: datetime) -> list[_Ranked]:
        rows = self._by_zone.get(zone)
        if rows is None:
            return []
        first = bisect_left(rows, start - self._longest[zone], key=_start_of)
        return [row for row in rows[first : bisect_left(rows, end, key=_start_of)] if row.end > start]

    def unknown_of(self, rows: Iterable[GridRow]) -> tuple[GridRow, ...]:
        """The rows that say something else than the newest row of the same zone, period and basis, each once."""
        known = {_key(row): row.gco2e_per_kwh for version in self.versions for row in version.rows}
        fresh = {_key(row): row for row in rows}
        return tuple(sorted(row for key, row in fresh.items() if known.get(key) != row.gco2e_per_kwh))


def _start_of(row: _Ranked) -> datetime:
    return row.start


def _key(row: GridRow) -> tuple[str, datetime, datetime, str]:
    return (row.zone, row.start, row.end, row.basis)


def check_row(row: GridRow) -> str:
    """What is wrong with a row, in words; empty when nothing is."""
    if not row.zone:
        return "zone is empty"
    if row.basis not in BASES:
        marginal = "; marginal intensities are not taken, they answer another question" if "marg" in row.basis else ""
        return f"basis is {row.basis!r}, not {' or '.join(BASES)}{marginal}"
    if not 0.0 <= row.gco2e_per_kwh < MOST_GCO2E_PER_KWH:
        return f"gco2e_per_kwh is {row.gco2e_per_kwh}, not within 0 to {MOST_GCO2E_PER_KWH:g}"
    if not timedelta(0) < row.end - row.start <= MAX_PERIOD:
        return f"end {row.end.isoformat()} is not after start {row.start.isoformat()}, by 366 days at most"
    return ""


MOST_GCO2E_PER_KWH = 5000.0
"""Above what any power station emits for a kWh: a figure like that is in another unit."""
