from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.grid import KEY_VARIABLE
from otel_carbon.cli.grid_options import default_table_path
from otel_carbon.grid.table_file import read_grid_table
from tests.support.grid_source import KEY, GridSourceServer, grid_source, maps_history, maps_past_range, uk_intensity

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Ran, RunCli

__all__ = ["grid_source"]

HEAD = "zone,start,end,gco2e_per_kwh,basis\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "data" / "grid-table.csv"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


def _maps(run_cli: RunCli, server: GridSourceServer, table: Path, *more: str) -> Ran:
    source = ("--source", "electricity-maps", "--endpoint", server.url, "--table", str(table))
    return run_cli("grid", "refresh", *source, *(more or ("--zone", "DE")))


def test_a_refresh_writes_a_table_and_says_its_version_and_terms(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path
) -> None:
    grid_source.answer(maps_history([322, 318]))
    code, out, err = _maps(run_cli, grid_source, table)
    written = read_grid_table(table)
    day = datetime.now(UTC).date()
    assert (code, out) == (0, f"{table}: version {written.version}, 2 of 2 rows new\n")
    assert written.version.startswith(f"{day}.1+")
    assert [row.zone for row in written.versions[0].rows] == ["DEU", "DEU"]
    assert "under ODbL 1.0" in err
    assert "do not pass it on" in err


def test_a_second_refresh_adds_a_version_and_keeps_the_first(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path
) -> None:
    grid_source.answer(maps_history([322, 318]))
    grid_source.answer(maps_history([322, 311, 305]))
    _maps(run_cli, grid_source, table)
    before = table.read_text(encoding="utf-8")
    assert ", 2 of 3 rows new" in _maps(run_cli, grid_source, table).out
    assert table.read_text(encoding="utf-8").startswith(before)
    assert [len(version.rows) for version in read_grid_table(table).versions] == [2, 2]
    assert ": nothing new in 3 rows; version " in _maps(run_cli, grid_source, table).out
    assert len(read_grid_table(table).versions) == 2


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 401, f"refuses the key in {KEY_VARIABLE}"),
        ({}, 404, "knows no zone DE"),
        (b"Sorry", 200, "something else than JSON"),
        (maps_history(["much"]), 200, "history[0].carbonIntensity is 'much'"),
    ],
)
def test_a_failed_refresh_keeps_the_old_table_and_the_key_to_itself(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path, body: object, status: int, message: str
) -> None:
    grid_source.answer(maps_history([322]))
    _maps(run_cli, grid_source, table)
    before = table.read_bytes()
    grid_source.answer(body, status)
    grid_source.answer(body, status)
    _maps(run_cli, grid_source, table)  # the first answer once more
    code, out, err = _maps(run_cli, grid_source, table)
    assert (code, out) == (2, "")
    assert message in err
    assert KEY not in out + err
    assert table.read_bytes() == before
    assert [each.name for each in table.parent.iterdir()] == [table.name]


def test_a_zone_may_have_another_name_at_the_source(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path
) -> None:
    grid_source.answer(maps_history([200], zone="US-CAL-CISO"))
    assert _maps(run_cli, grid_source, table, "--zone", "USA-CAMX=US-CAL-CISO").code == 0
    assert [row.zone for row in read_grid_table(table).versions[0].rows] == ["USA-CAMX"]


def test_a_time_in_the_past_is_asked_for(run_cli: RunCli, grid_source: GridSourceServer, table: Path) -> None:
    grid_source.answer(maps_past_range([300, 310]))
    times = ("--from", "2026-11-25", "--to", "2026-11-25T02:00Z")
    assert _maps(run_cli, grid_source, table, "--zone", "DE", *times).code == 0
    (asked,) = grid_source.asked
    assert asked.path == "/carbon-intensity/past-range"
    assert (asked.parameters["start"], asked.parameters["end"]) == ("2026-11-25T00:00:00Z", "2026-11-25T02:00:00Z")


def test_great_britain_needs_no_key_and_is_said_not_to_be_used(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    grid_source.answer(uk_intensity([149, 156]))
    times = ("--from", "2026-11-25", "--to", "2026-11-26")
    source = ("--source", "uk-carbon-intensity", "--endpoint", grid_source.url, "--table", str(table))
    code, _, err = run_cli("grid", "refresh", *source, *times)
    assert (code, read_grid_table(table).covers_zone("GBR")) == (0, False)
    assert "CC BY 4.0" in err
    assert "direct emissions, not life cycle, so no estimate uses them" in err


def test_files_of_the_user_need_no_network(run_cli: RunCli, tmp_path: Path, table: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(HEAD + "Germany,2026-11-25T00:00Z,2026-11-26T00:00Z,340,lifecycle\n", encoding="utf-8")
    code, _, _ = run_cli("grid", "refresh", "--source", "csv", "--file", str(own), "--table", str(table))
    assert (code, read_grid_table(table).covers_zone("DEU")) == (0, True)


def test_a_source_without_figures_exits_3_and_writes_nothing(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path
) -> None:
    grid_source.answer(maps_history([None]))
    code, out, err = _maps(run_cli, grid_source, table)
    assert (code, out, table.exists()) == (3, "", False)
    assert "electricity-maps has no figures for that time" in err


def test_the_table_is_shown_by_version_zone_and_basis(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path
) -> None:
    grid_source.answer(maps_history([322, 318]))
    _maps(run_cli, grid_source, table)
    code, out, err = run_cli("grid", "show", "--table", str(table))
    version = read_grid_table(table).version
    assert (code, err) == (0, "")
    assert out.splitlines()[3] == (
        f"{version}  DEU   lifecycle  2026-11-25T00:00:00Z  2026-11-25T02:00:00Z     2  electricity-maps"
    )


def test_no_table_exits_3_and_says_how_to_make_one(run_cli: RunCli, table: Path) -> None:
    code, out, err = run_cli("grid", "show", "--table", str(table))
    assert (code, out) == (3, "")
    assert err == f"{table}: no grid table; `otel-carbon grid refresh` makes one\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "electricity-maps"), "--source electricity-maps needs --zone, such as --zone DE"),
        (("--source", "csv"), "--source csv needs --file with a CSV of yours"),
        (("--source", "uk-carbon-intensity", "--zone", "GB"), "--zone is for --source electricity-maps"),
        (("--source", "uk-carbon-intensity", "--basis", "direct"), "--basis is for --source electricity-maps"),
        (("--source", "electricity-maps", "--zone", "DEX"), "no grid zone 'DEX' in registry"),
        (("--source", "electricity-maps", "--zone", "DE="), "write the source's CODE of a country, or OURS=CODE"),
        (("--source", "uk-carbon-intensity", "--from", "May"), "'May' is no day such as 2026-11-26"),
        (
            ("--source", "uk-carbon-intensity", "--from", "2026-11-26", "--to", "2026-11-25"),
            "--from 2026-11-26T00:00:00Z is not before --to 2026-11-25T00:00:00Z",
        ),
        (("--source", "watt"), "'watt' is not one of 'csv', 'electricity-maps', 'uk-carbon-intensity'"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_option(
    run_cli: RunCli, table: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run_cli("grid", "refresh", "--table", str(table), *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


def test_without_a_key_the_variable_is_named(
    run_cli: RunCli, grid_source: GridSourceServer, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    code, _, err = _maps(run_cli, grid_source, table)
    assert (code, grid_source.asked) == (2, [])
    assert f"Electricity Maps needs a key: set {KEY_VARIABLE} to yours" in err


@pytest.mark.parametrize(
    ("platform", "environ", "path"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/otel-carbon/grid-table.csv"),
        ("linux", {"XDG_DATA_HOME": "not/absolute"}, "~/.local/share/otel-carbon/grid-table.csv"),
        ("linux", {}, "~/.local/share/otel-carbon/grid-table.csv"),
        ("darwin", {}, "~/Library/Application Support/otel-carbon/grid-table.csv"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/otel-carbon/grid-table.csv"),
    ],
)
def test_the_table_lies_where_the_platform_keeps_data(platform: str, environ: dict[str, str], path: str) -> None:
    assert default_table_path(environ, platform) == Path(path).expanduser()
