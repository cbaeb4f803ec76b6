"""Grid tables with round numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from otel_carbon.grid.table import LIFECYCLE, GridRow, GridTable
from otel_carbon.grid.table_file import grid_table_text, with_new_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RETRIEVED = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours_of(zone: str, day: date, figures: Mapping[int, float], basis: str = LIFECYCLE) -> list[GridRow]:
    """Rows of some hours of a day, in gCO2e per kWh."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [
        GridRow(zone, midnight + hour * HOUR, midnight + (hour + 1) * HOUR, figure, basis, "maps", "own")
        for hour, figure in figures.items()
    ]


def table_of(*refreshes: list[GridRow]) -> GridTable:
    """A table with one version for each list of rows."""
    table = GridTable()
    for rows in refreshes:
        table = with_new_version(table, rows, RETRIEVED)
    return table


def written_table(path: Path, table: GridTable) -> Path:
    """The file of a table."""
    path.write_text(grid_table_text(table), encoding="utf-8")
    return path
