from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from otel_carbon.errors import GridError
from otel_carbon.grid.table import DIRECT, LIFECYCLE, GridRow, GridTable, GridVersion, check_row

START = datetime(2026, 11, 25, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def row(hour: float, gco2e_per_kwh: float, *, hours: float = 1, basis: str = LIFECYCLE, zone: str = "DEU") -> GridRow:
    start = START + hour * HOUR
    return GridRow(zone, start, start + hours * HOUR, gco2e_per_kwh, basis, "maps", "own")


def table(*versions: tuple[GridRow, ...]) -> GridTable:
    return GridTable(tuple(GridVersion(f"v{n}", START, "", rows) for n, rows in enumerate(versions, 1)))


def mean(found: GridTable, hour: float, hours: float = 1, zone: str = "DEU") -> float | None:
    intensity = found.mean(zone, START + hour * HOUR, START + (hour + hours) * HOUR)
    return intensity.gco2e_per_kwh if intensity else None


def test_an_hour_has_the_figure_of_its_row() -> None:
    assert mean(table((row(0, 300.0), row(1, 500.0))), 1) == 500.0


def test_half_hours_make_the_mean_of_their_hour() -> None:
    assert mean(table((row(0, 300.0, hours=0.5), row(0.5, 500.0, hours=0.5))), 0) == (300.0 + 500.0) / 2


def test_an_hour_within_a_longer_row_has_its_figure() -> None:
    assert mean(table((row(0, 300.0, hours=24),)), 7) == 300.0


def test_a_day_has_the_mean_of_its_hours() -> None:
    hours = tuple(row(hour, 300.0 if hour < 18 else 700.0) for hour in range(24))
    assert mean(table(hours), 0, 24) == (18 * 300.0 + 6 * 700.0) / 24


def test_a_day_of_which_an_hour_is_missing_has_no_mean() -> None:
    assert mean(table(tuple(row(hour, 300.0) for hour in range(24) if hour != 13)), 0, 24) is None


def test_zones_and_hours_that_the_table_does_not_have_have_no_figure() -> None:
    found = table((row(0, 300.0),))
    assert mean(found, 0, zone="FRA") is None
    assert mean(found, 1) is None
    assert mean(found, -1) is None
    assert (found.covers_zone("DEU"), found.covers_zone("FRA")) == (True, False)
    assert (found.end_of("DEU"), found.end_of("FRA")) == (START + HOUR, None)


def test_direct_figures_are_not_looked_up() -> None:
    found = table((row(0, 300.0, basis=DIRECT),))
    assert mean(found, 0) is None
    assert not found.covers_zone("DEU")


def test_a_later_version_holds_and_the_earlier_one_can_still_be_asked() -> None:
    found = table((row(0, 300.0), row(1, 310.0)), (row(0, 330.0),))
    assert (mean(found, 0), mean(found, 1)) == (330.0, 310.0)
    assert mean(found.as_of("v1"), 0) == 300.0
    assert (found.version, found.as_of("v1").version) == ("v2", "v1")


def test_of_one_version_the_shorter_row_holds() -> None:
    assert mean(table((row(0, 300.0, hours=24), row(5, 500.0))), 5) == 500.0


def test_a_version_that_is_not_there_is_an_error_that_names_the_others() -> None:
    with pytest.raises(GridError, match="the grid table has no version 'v9'; it has v1"):
        table((row(0, 300.0),)).as_of("v9")


def test_rows_that_say_the_same_are_not_new() -> None:
    found = table((row(0, 300.0), row(1, 310.0)))
    fresh = found.unknown_of([row(0, 300.0), row(1, 315.0), row(2, 320.0), row(2, 320.0)])
    assert fresh == (row(1, 315.0), row(2, 320.0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            row(0, 1.0, basis="marginal"),
            "basis is 'marginal', not lifecycle or direct; marginal intensities are not taken",
        ),
        (row(0, 1.0, basis="average"), "basis is 'average', not lifecycle or direct"),
        (row(0, -1.0), "gco2e_per_kwh is -1.0, not within 0 to 5000"),
        (row(0, float("nan")), "gco2e_per_kwh is nan"),
        (row(0, 350_000.0), "not within 0 to 5000"),
        (row(0, 1.0, hours=0), "is not after start"),
        (row(0, 1.0, hours=24 * 400), "by 366 days at most"),
        (row(0, 1.0, zone=""), "zone is empty"),
    ],
)
def test_a_row_that_cannot_be_is_said_to_be_wrong(wrong: GridRow, message: str) -> None:
    assert message in check_row(wrong)
