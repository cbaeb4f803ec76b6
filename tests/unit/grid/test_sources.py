from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from otel_carbon.errors import GridError, GridSourceUnavailable
from otel_carbon.grid.fetching.electricity_maps import KEY_HEADER, read_electricity_maps
from otel_carbon.grid.fetching.json_client import ATTEMPTS, JsonClient
from otel_carbon.grid.fetching.own_csv import read_own_csv
from otel_carbon.grid.fetching.spans_of_time import Times
from otel_carbon.grid.fetching.uk_carbon_intensity import read_uk_carbon_intensity
from otel_carbon.grid.table import DIRECT, LIFECYCLE
from tests.support.grid_source import (
    HOUR,
    KEY,
    START,
    GridSourceServer,
    grid_source,
    maps_entry,
    maps_history,
    maps_past_range,
    uk_intensity,
)

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.grid.table import GridRow

__all__ = ["grid_source"]

VARIABLE = "SOME_KEY"
DAY = timedelta(days=1)


def _client(server: GridSourceServer, waits: list[float] | None = None) -> JsonClient:
    kept: list[float] = [] if waits is None else waits
    return JsonClient(server.url, {KEY_HEADER: KEY}, wait=kept.append)


def _maps(server: GridSourceServer, times: Times | None = None, basis: str = LIFECYCLE) -> list[GridRow]:
    return list(read_electricity_maps(_client(server), "DEU", "DE", basis, times, VARIABLE))


def test_the_last_day_of_electricity_maps_becomes_rows(grid_source: GridSourceServer) -> None:
    grid_source.answer(maps_history([322, 318.5, None, 301]))
    rows = _maps(grid_source)
    assert [(row.start - START, row.gco2e_per_kwh) for row in rows] == [
        (0 * HOUR, 322.0),
        (HOUR, 318.5),
        (3 * HOUR, 301.0),
    ]
    assert {(row.zone, row.end - row.start, row.basis, row.source) for row in rows} == {
        ("DEU", HOUR, LIFECYCLE, "electricity-maps")
    }
    (asked,) = grid_source.asked
    assert (asked.path, asked.key) == ("/carbon-intensity/history", KEY)
    assert (asked.parameters["zone"], asked.parameters["emissionFactorType"]) == ("DE", "lifecycle")


def test_hours_that_electricity_maps_has_estimated_say_so(grid_source: GridSourceServer) -> None:
    body = {"zone": "DE", "history": [maps_entry(START, 322, isEstimated=True, estimationMethod="TIME_SLICER_AVERAGE")]}
    grid_source.answer(body)
    assert [row.source for row in _maps(grid_source)] == ["electricity-maps/estimated"]


def test_a_long_time_is_asked_in_parts_of_ten_days(grid_source: GridSourceServer) -> None:
    grid_source.answer(maps_past_range([300]))
    grid_source.answer(maps_past_range([400], START + 10 * DAY))
    grid_source.answer(maps_past_range([500, 510], START + 20 * DAY))
    rows = _maps(grid_source, Times(START, START + 20 * DAY + HOUR))
    assert [row.gco2e_per_kwh for row in rows] == [300.0, 400.0, 500.0]  # the hour after the time is left out
    assert [(asked.parameters["start"][:10], asked.parameters["end"][:10]) for asked in grid_source.asked] == [
        ("2026-11-25", "2026-12-05"),
        ("2026-12-05", "2026-12-15"),
        ("2026-12-15", "2026-12-15"),
    ]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_the_variable_and_not_the_key(grid_source: GridSourceServer, status: int) -> None:
    grid_source.answer({"message": "Invalid auth-token"}, status)
    with pytest.raises(GridError) as raised:
        _maps(grid_source)
    assert f"refuses the key in {VARIABLE}" in str(raised.value)
    assert KEY not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert KEY not in repr(_client(grid_source))


def test_an_unknown_zone_is_named(grid_source: GridSourceServer) -> None:
    grid_source.answer({"status": "error", "message": "zone not found"}, 404)
    with pytest.raises(GridError, match="Electricity Maps knows no zone DE; write it as --zone OURS=CODE"):
        _maps(grid_source)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"zone": "DE"}, "electricity-maps: history is None, not a list"),
        ([], "electricity-maps: the answer is [], not an object"),
        (maps_history(["322"]), "electricity-maps: history[0].carbonIntensity is '322', not a number of gCO2e per kWh"),
        (maps_history([300, True]), "electricity-maps: history[1].carbonIntensity is True"),
        (maps_history([322], zone="FR"), "electricity-maps: zone is 'FR', not the zone DE that was asked for"),
        (
            {"zone": "DE", "history": [maps_entry(START, 322, datetime="yesterday")]},
            "electricity-maps: history[0].datetime is 'yesterday', not a moment in UTC",
        ),
        (
            {"zone": "DE", "history": [maps_entry(START, 322, emissionFactorType="direct")]},
            "electricity-maps: history[0].emissionFactorType is 'direct', not lifecycle, which was asked for",
        ),
        (
            {"zone": "DE", "history": [], "temporalGranularity": "daily"},
            "electricity-maps: temporalGranularity is 'daily', not hourly",
        ),
        (maps_history([-5]), "gco2e_per_kwh is -5.0, not within 0 to 5000"),
    ],
)
def test_a_malformed_answer_names_the_field(grid_source: GridSourceServer, body: object, message: str) -> None:
    grid_source.answer(body)
    with pytest.raises(GridError) as raised:
        _maps(grid_source)
    assert message in str(raised.value)


def test_an_answer_that_is_no_json_says_so(grid_source: GridSourceServer) -> None:
    grid_source.answer(b"<html>Sorry</html>")
    with pytest.raises(GridError, match="/carbon-intensity/history answered with something else than JSON"):
        _maps(grid_source)


def test_what_may_pass_is_tried_again_after_a_growing_pause(grid_source: GridSourceServer) -> None:
    grid_source.answer({}, 503)
    grid_source.answer({}, 429, retry_after="20")
    grid_source.answer(maps_history([322]))
    waits: list[float] = []
    rows = list(read_electricity_maps(_client(grid_source, waits), "DEU", "DE", LIFECYCLE, None, VARIABLE))
    assert [row.gco2e_per_kwh for row in rows] == [322.0]
    assert 1.0 <= waits[0] <= 2.0  # one second and up to another one of jitter
    assert waits[1] == 20.0  # what the source asked for


def test_a_source_that_stays_away_is_given_up(grid_source: GridSourceServer) -> None:
    grid_source.answer({}, 500)
    with pytest.raises(GridSourceUnavailable, match="/carbon-intensity/history answered 500"):
        _maps(grid_source)
    assert len(grid_source.asked) == ATTEMPTS


def test_an_address_where_nobody_listens_is_unavailable() -> None:
    waits: list[float] = []
    client = JsonClient("http://127.0.0.1:1", wait=waits.append)
    with pytest.raises(GridSourceUnavailable, match=r"http://127.0.0.1:1/x: no answer \(ConnectError\)"):
        client.read("/x")


def test_a_redirect_is_not_followed_with_the_key(grid_source: GridSourceServer) -> None:
    grid_source.answer({}, 302, location="http://127.0.0.1:1/elsewhere")
    with pytest.raises(GridError, match="answered 302"):
        _maps(grid_source)
    assert len(grid_source.asked) == 1


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("http://maps.example/v3", "would send your key unencrypted; use https"),
        ("maps.example", "'maps.example' is no address such as https://host/path"),
        ("ftp://maps.example", "is no address"),
    ],
)
def test_an_endpoint_that_is_none_or_not_safe_is_refused(endpoint: str, message: str) -> None:
    with pytest.raises(GridError, match=message):
        JsonClient(endpoint, {KEY_HEADER: KEY})


def test_half_hours_of_great_britain_are_direct_and_only_those_that_happened(grid_source: GridSourceServer) -> None:
    # The API begins with the half hour that ends where the time begins.
    grid_source.answer(uk_intensity([99, 149, 156, None], START - HOUR / 2))
    rows = list(read_uk_carbon_intensity(JsonClient(grid_source.url), "GBR", Times(START, START + 2 * HOUR)))
    assert [(row.start - START, row.gco2e_per_kwh) for row in rows] == [(0 * HOUR, 149.0), (HOUR / 2, 156.0)]
    assert {(row.zone, row.basis, row.licence) for row in rows} == {("GBR", DIRECT, "CC-BY-4.0")}
    (asked,) = grid_source.asked
    assert (asked.path, asked.key) == ("/intensity/2026-11-25T00:00Z/2026-11-25T02:00Z", None)


def test_a_malformed_half_hour_names_the_field(grid_source: GridSourceServer) -> None:
    grid_source.answer({"data": [{"from": "2026-11-25T00:00Z", "to": "2026-11-25T00:30Z", "intensity": 3}]})
    with pytest.raises(GridError, match=r"uk-carbon-intensity: data\[0\].intensity is 3, not an object"):
        list(read_uk_carbon_intensity(JsonClient(grid_source.url), "GBR", Times(START, START + HOUR)))


HEAD = "zone,start,end,gco2e_per_kwh,basis\n"
LINE = "DE,2026-11-25T01:00+01:00,2026-11-25T02:00+01:00,322,lifecycle\n"


def _own(path: Path, text: str) -> list[GridRow]:
    path.write_text(text, encoding="utf-8")
    return list(read_own_csv(path, {"DE": "DEU"}.get))


def test_a_file_of_the_users_becomes_rows_in_utc(tmp_path: Path) -> None:
    (row,) = _own(tmp_path / "own.csv", "\ufeff" + HEAD + LINE)
    assert (row.zone, row.start, row.end, row.gco2e_per_kwh) == ("DEU", START, START + HOUR, 322.0)
    assert (row.source, row.licence) == ("csv/own.csv", "own")


def test_a_file_may_name_its_source_and_licence(tmp_path: Path) -> None:
    head, line = HEAD.strip() + ",source,licence\n", LINE.strip() + ",operator,CC0-1.0\n"
    (row,) = _own(tmp_path / "own.csv", head + line)
    assert (row.source, row.licence) == ("operator", "CC0-1.0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "zone,start,end,gco2e_per_kwh\n",
            "own.csv:1: basis missing; the columns are zone,start,end,gco2e_per_kwh,basis",
        ),
        (
            HEAD.strip() + ",marginal_gco2e_per_kwh\n",
            "own.csv:1: marginal_gco2e_per_kwh unknown or doubled; the columns are",
        ),
        (
            HEAD + LINE.replace("lifecycle", "marginal"),
            "own.csv:2: basis is 'marginal', not lifecycle or direct; marginal",
        ),
        (HEAD + LINE.replace("DE,", "XX,"), "own.csv:2: zone is 'XX', which `otel-carbon registry list --kind zone`"),
        (
            HEAD + LINE.replace("322", "0.322 kg"),
            "own.csv:2: gco2e_per_kwh is '0.322 kg', not a number of gCO2e per kWh",
        ),
        (HEAD + LINE.replace("+01:00", ""), "own.csv:2: start is '2026-11-25T01:00', not a moment with a time zone"),
        (
            HEAD + LINE + LINE + LINE.replace("322", "70"),
            "own.csv:4: gco2e_per_kwh is 70, line 2 has 322 for the same; keep one",
        ),
        (HEAD + LINE + "DE,1\n", "own.csv:3: has more or fewer columns than the first line"),
    ],
)
def test_mistakes_of_a_file_are_named_with_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(GridError) as raised:
        _own(tmp_path / "own.csv", text)
    assert message in str(raised.value)
