"""Intensities from a CSV file of the user's."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from otel_carbon.errors import GridError
from otel_carbon.grid.fetching.sources import OWN_CSV
from otel_carbon.grid.table_file import row_from_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from otel_carbon.grid.table import GridRow

REQUIRED = ("zone", "start", "end", "gco2e_per_kwh", "basis")
OPTIONAL = ("source", "licence")


def read_own_csv(path: Path, zone_named: Callable[[str], str | None]) -> Iterator[GridRow]:
    """The rows of a file with the columns of `REQUIRED` and, if need be, `OPTIONAL`.

    Args:
        path: the file, UTF-8, with or without a byte-order mark.
        zone_named: our zone of a name, or `None` when it is not known.

    Raises:
        GridError: the file has a mistake; the message names file, line and column.
        OSError: it cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            _check_columns(tuple(reader.fieldnames or ()), path)
            given: dict[tuple[object, ...], tuple[float, int]] = {}
            for record in reader:
                row = _row(record, path, reader.line_num, zone_named)
                _check_given_once(row, given, path, reader.line_num)
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            msg = f"{path}:{reader.line_num}: no CSV in UTF-8: {error}"
            raise GridError(msg) from error


def _check_columns(columns: tuple[str, ...], path: Path) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in (*REQUIRED, *OPTIONAL)]
    if missing or unknown or len(set(columns)) != len(columns):
        wrong = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown) or 'a column'} unknown or doubled"
        marginal = "; marginal intensities are not taken" if any("marginal" in name.lower() for name in unknown) else ""
        msg = f"{path}:1: {wrong}; the columns are {','.join(REQUIRED)} and, if need be, {','.join(OPTIONAL)}{marginal}"
        raise GridError(msg)


def _check_given_once(row: GridRow, given: dict[tuple[object, ...], tuple[float, int]], path: Path, line: int) -> None:
    """No two figures for one zone and time: whichever came last would win, and nobody would know."""
    figure, first = given.setdefault((row.zone, row.start, row.end, row.basis), (row.gco2e_per_kwh, line))
    if figure != row.gco2e_per_kwh:
        now = row.gco2e_per_kwh
        msg = f"{path}:{line}: gco2e_per_kwh is {now:g}, line {first} has {figure:g} for the same; keep one"
        raise GridError(msg)


def _row(record: Mapping[str, str], path: Path, line: int, zone_named: Callable[[str], str | None]) -> GridRow:
    if None in record or None in record.values():
        msg = f"{path}:{line}: has more or fewer columns than the first line"
        raise GridError(msg)
    zone = zone_named(record["zone"])
    if zone is None:
        msg = f"{path}:{line}: zone is {record['zone']!r}, which `otel-carbon registry list --kind zone` does not have"
        raise GridError(msg)
    source = record.get("source") or f"{OWN_CSV.name}/{path.name}"
    licence = record.get("licence") or OWN_CSV.licence
    return row_from_texts({**record, "zone": zone, "source": source, "licence": licence}, str(path), line)
