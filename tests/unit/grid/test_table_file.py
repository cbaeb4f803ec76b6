from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from otel_carbon.errors import GridError
from otel_carbon.grid.table import GridTable
from otel_carbon.grid.table_file import (
    COLUMNS,
    grid_table_from_text,
    grid_table_text,
    read_grid_table,
    text_from_moment,
    with_new_version,
)
from tests.unit.grid.test_table import START, row

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 26, 12, 0, 0, 250_000, tzinfo=UTC)
FIRST = with_new_version(GridTable(), [row(0, 300.0), row(1, 310.5)], NOON)
SECOND = with_new_version(FIRST, [row(0, 330.0)], NOON + timedelta(hours=1))


def test_the_file_is_exactly_this() -> None:
    version = FIRST.versions[0]
    behind = f"maps,own,2026-11-26T12:00:00Z,{version.id},{version.sha256}"
    assert grid_table_text(FIRST) == (
        "zone,start,end,gco2e_per_kwh,basis,source,licence,retrieved_at,version,sha256\n"
        f"DEU,2026-11-25T00:00:00Z,2026-11-25T01:00:00Z,300.0,lifecycle,{behind}\n"
        f"DEU,2026-11-25T01:00:00Z,2026-11-25T02:00:00Z,310.5,lifecycle,{behind}\n"
    )


def test_what_is_written_is_read_again() -> None:
    read = grid_table_from_text(grid_table_text(SECOND), "table.csv")
    assert read.versions == SECOND.versions
    assert [version.id[:13] for version in read.versions] == ["2026-11-26.1+", "2026-11-26.2+"]
    assert read.versions[0].id.endswith(read.versions[0].sha256[:12])


def test_a_new_version_leaves_the_rows_of_earlier_ones_as_they_are() -> None:
    assert SECOND.versions[0] == FIRST.versions[0]
    assert grid_table_text(SECOND).startswith(grid_table_text(FIRST))


def test_nothing_new_is_no_version() -> None:
    assert with_new_version(FIRST, [row(1, 310.5)], NOON) is FIRST


def test_an_empty_table_is_a_table() -> None:
    assert grid_table_from_text(",".join(COLUMNS) + "\n", "table.csv").versions == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [("330.0", "33.0"), ("300.0", "30.0"), ("2026-11-26T12:00:00Z", "2026-11-26T12:00:01Z"), (",own,", ",mine,")],
)
def test_an_edit_is_noticed_in_every_version(old: str, new: str) -> None:
    with pytest.raises(GridError, match=r"table.csv: the rows of version 2026-11-26.\d\+\w+ were changed"):
        grid_table_from_text(grid_table_text(SECOND).replace(old, new), "table.csv")


def test_a_version_that_was_taken_away_is_noticed() -> None:
    head, *lines = grid_table_text(SECOND).splitlines(keepends=True)
    with pytest.raises(GridError, match="were changed"):
        grid_table_from_text(head + "".join(lines[2:]), "table.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("310.5", "many", "table.csv:3: gco2e_per_kwh is 'many', not a number of gCO2e per kWh"),
        ("2026-11-25T02:00:00Z", "soon", "table.csv:3: end is 'soon', not a moment with a time zone such as 2026"),
        ("2026-11-25T02:00:00Z", "2026-11-25T02:00:00", "table.csv:3: end is '2026-11-25T02:00:00', not a moment"),
        ("310.5,lifecycle", "310.5,marginal", "table.csv:3: basis is 'marginal'"),
        ("310.5,lifecycle,", "310.5,", "table.csv:3: must have 10 columns"),
        ("zone,start", "zone,begin", "table.csv:1: no grid table: the columns must be zone,start,end,"),
    ],
)
def test_mistakes_are_named_with_file_line_and_column(old: str, new: str, message: str) -> None:
    with pytest.raises(GridError) as raised:
        grid_table_from_text(grid_table_text(FIRST).replace(old, new), "table.csv")
    assert str(raised.value).startswith(message)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(GridError, match="No such file or directory; `otel-carbon grid refresh` makes one"):
        read_grid_table(tmp_path / "table.csv")


def test_moments_are_written_in_utc() -> None:
    assert text_from_moment(START) == "2026-11-25T00:00:00Z"
