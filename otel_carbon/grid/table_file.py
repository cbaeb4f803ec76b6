"""The file of a grid table: one CSV, its rows in the order of their versions, each version with its digest."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.errors import GridError
from otel_carbon.grid.table import GridRow, GridTable, GridVersion, check_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ROW_COLUMNS = ("zone", "start", "end", "gco2e_per_kwh", "basis", "source", "licence")
COLUMNS = (*ROW_COLUMNS, "retrieved_at", "version", "sha256")
DIGEST_CHARACTERS = 12


class _Place(NamedTuple):
    file: str
    line: int

    def error(self, what: str) -> GridError:
        return GridError(f"{self.file}:{self.line}: {what}")


def read_grid_table(path: Path) -> GridTable:
    """Read a table and check that no version was changed since it was written.

    Raises:
        GridError: there is no such file, or it is no grid table, or was edited; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{path}: cannot read the grid table: {error.strerror}; `otel-carbon grid refresh` makes one"
        raise GridError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: no grid table: not UTF-8"
        raise GridError(msg) from error
    return grid_table_from_text(text, str(path))


def grid_table_from_text(text: str, name: str) -> GridTable:
    """A table from its text; `name` is the file named in errors, which are those of `read_grid_table`."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    versions: list[GridVersion] = []
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise _Place(name, 1).error(f"no grid table: the columns must be {','.join(COLUMNS)}")
        pending: list[GridRow] = []
        last: Mapping[str, str] | None = None
        for record in reader:
            place = _Place(name, reader.line_num)
            if None in record or None in record.values():
                raise place.error(f"must have {len(COLUMNS)} columns")
            if last is not None and record["version"] != last["version"]:
                versions.append(_version(pending, last, versions, name))
                pending = []
            pending.append(row_from_texts(record, place.file, place.line))
            last = record
    except csv.Error as error:
        raise _Place(name, reader.line_num).error(f"no CSV: {error}") from error
    if last is not None:
        versions.append(_version(pending, last, versions, name))
    return GridTable(tuple(versions))


def row_from_texts(record: Mapping[str, str], file: str, line: int) -> GridRow:
    """A row from the texts of its columns.

    Raises:
        GridError: one of them is wrong; the message names file, line and column.
    """
    place = _Place(file, line)
    try:
        gco2e_per_kwh = float(record["gco2e_per_kwh"])
    except ValueError:
        raise place.error(f"gco2e_per_kwh is {record['gco2e_per_kwh']!r}, not a number of gCO2e per kWh") from None
    row = GridRow(
        record["zone"],
        _moment(record, "start", place),
        _moment(record, "end", place),
        gco2e_per_kwh,
        record["basis"],
        record["source"],
        record["licence"],
    )
    if wrong := check_row(row):
        raise place.error(wrong)
    return row


def _moment(record: Mapping[str, str], column: str, place: _Place) -> datetime:
    moment = moment_from_text(record[column])
    if moment is None:
        raise place.error(f"{column} is {record[column]!r}, not a moment with a time zone such as 2026-11-26T13:00Z")
    return moment


def moment_from_text(text: str) -> datetime | None:
    """A moment in UTC from ISO 8601 with a time zone; `None` when the text is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def text_from_moment(moment: datetime) -> str:
    """A moment in UTC as ISO 8601 with `Z`, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _version(rows: list[GridRow], record: Mapping[str, str], earlier: list[GridVersion], name: str) -> GridVersion:
    """A version whose rows are complete, held against its digest."""
    retrieved_at = moment_from_text(record["retrieved_at"])
    digest = _digest(rows, record["retrieved_at"], earlier[-1].sha256 if earlier else "")
    named = record["version"].endswith(f"+{digest[:DIGEST_CHARACTERS]}")
    if retrieved_at is None or digest != record["sha256"] or not named:
        msg = (
            f"{name}: the rows of version {record['version']} were changed since they were written; "
            "take the file from a backup, or make a new one with `otel-carbon grid refresh --table`"
        )
        raise GridError(msg)
    return GridVersion(record["version"], retrieved_at, digest, tuple(rows))


def with_new_version(table: GridTable, rows: Iterable[GridRow], retrieved_at: datetime) -> GridTable:
    """The table with one version more; the table itself where the rows say nothing new.

    The version's id is the day, a number within the day, and the start of the digest, such as
    `2026-11-26.1+0123456789ab`.
    """
    fresh = table.unknown_of(rows)
    if not fresh:
        return table
    day = retrieved_at.astimezone(UTC).date().isoformat()
    number = 1 + sum(each.id.startswith(f"{day}.") for each in table.versions)
    digest = _digest(fresh, text_from_moment(retrieved_at), table.versions[-1].sha256 if table.versions else "")
    version = f"{day}.{number}+{digest[:DIGEST_CHARACTERS]}"
    whole_second = retrieved_at.astimezone(UTC).replace(microsecond=0)
    return GridTable((*table.versions, GridVersion(version, whole_second, digest, fresh)))


def grid_table_text(table: GridTable) -> str:
    """The text of a table, as `grid_table_from_text` reads it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for version in table.versions:
        behind = (text_from_moment(version.retrieved_at), version.id, version.sha256)
        writer.writerows((*_texts(row), *behind) for row in version.rows)
    return out.getvalue()


def _texts(row: GridRow) -> tuple[str, ...]:
    start, end = text_from_moment(row.start), text_from_moment(row.end)
    return (row.zone, start, end, repr(row.gco2e_per_kwh), row.basis, row.source, row.licence)


def _digest(rows: Iterable[GridRow], retrieved_at: str, before: str) -> str:
    """Over the digest of the version before, so that no version can be changed or taken away unseen."""
    lines = [before, retrieved_at, *("\t".join(_texts(row)) for row in rows)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
