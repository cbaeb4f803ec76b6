from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.config.carbon import AttributeSet, CarbonConfig
from otel_carbon.estimating import day_from_unix_ns
from otel_carbon.registry.catalog import Registry
from otel_carbon.sdk.environment import GRID_TABLE, settings_from_environment
from tests.support.grid_tables import hours_of, table_of, written_table
from tests.unit.cli.test_collector_carbon import CONFIG, request, written
from tests.unit.cli.test_enrich import START_NS, span_attributes
from tests.unit.cli.test_enrich_settings import call_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

DAY = date(2026, 11, 25)
HOURS = hours_of("DEU", DAY, {hour: 300.0 if hour < 18 else 700.0 for hour in range(24)})
TABLE = table_of(HOURS, hours_of("DEU", DAY, {13: 340.0}))
CALL = ("--model", "gpt-4o", "--output-tokens", "300", "--region", "eu-central-1")


@pytest.fixture
def table(tmp_path: Path) -> str:
    return str(written_table(tmp_path / "table.csv", TABLE))


def _document(run_cli: RunCli, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run_cli("estimate", *CALL, *arguments, "--json").out)
    return document


def _grid(document: dict[str, Any]) -> float:
    grams: float = document["emissions_operational_gco2e"]["mid"]
    return grams / float(document["energy_kwh"]["mid"])


@pytest.mark.parametrize(
    ("at", "gco2e_per_kwh"),
    [
        ("2026-11-25T13:00Z", 340.0),
        ("2026-11-25T15:30+02:00", 340.0),
        ("2026-11-25T20:59", 700.0),
        ("2026-11-25", (17 * 300.0 + 340.0 + 6 * 700.0) / 24),
    ],
)
def test_the_hour_of_the_call_or_its_day_gives_the_intensity(
    run_cli: RunCli, table: str, at: str, gco2e_per_kwh: float
) -> None:
    document = _document(run_cli, "--grid-table", table, "--at", at)
    assert _grid(document) == pytest.approx(gco2e_per_kwh, rel=1e-12)
    assert document["grid_id"] == f"table/DEU@{TABLE.version}"
    assert "grid_of_the_hour" in document["assumptions"]


def test_the_range_of_the_hour_is_that_of_the_registry(run_cli: RunCli, table: str) -> None:
    step = next(
        step
        for step in _document(run_cli, "--grid-table", table, "--at", "2026-11-25T13:00Z")["steps"]
        if step["name"] == "emissions_operational_gco2e"
    )
    assert step["inputs"]["grid_gco2e_per_kwh"] == pytest.approx({"low": 340 * 0.9, "mid": 340.0, "high": 340 * 1.1})
    assert "range/grid-hour@2026-11-26" in step["fact_ids"]
    assert "maps" in step["source_ids"]


def test_an_earlier_version_gives_the_earlier_figure(run_cli: RunCli, table: str) -> None:
    first = TABLE.versions[0].id
    at = ("--grid-table", table, "--at", "2026-11-25T13:00Z")
    document = _document(run_cli, *at, "--grid-version", first)
    assert _grid(document) == pytest.approx(300.0, rel=1e-12)
    assert document["grid_id"] == f"table/DEU@{first}"


def test_the_table_of_the_environment_is_taken(run_cli: RunCli, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_GRID_TABLE", table)
    assert _document(run_cli, "--at", "2026-11-25T13:00Z")["grid_id"] == f"table/DEU@{TABLE.version}"


def test_an_hour_that_is_not_there_is_noted_and_the_yearly_average_taken(run_cli: RunCli, table: str) -> None:
    code, out, err = run_cli("estimate", *CALL, "--grid-table", table, "--at", "2026-11-26T01:00Z")
    assert code == 0
    assert err == "note: the grid table has no figure of DEU for the time of the call; the yearly average is taken\n"
    assert "grid      grid/DEU/" in out


def test_a_stale_table_is_a_warning(run_cli: RunCli, table: str) -> None:
    code, out, err = run_cli("estimate", *CALL, "--grid-table", table, "--at", "2026-12-24", "--json")
    warning = err.splitlines()[-1]
    assert (code, json.loads(out)["grid_id"].split("/")[0]) == (0, "grid")
    assert warning == (
        "warning: the grid table is stale: its figures of DEU end at 2026-11-26T00:00:00Z, more than 7 days before "
        "the call; the yearly average is taken, `otel-carbon grid refresh` helps"
    )


def test_other_zones_are_as_without_a_table(run_cli: RunCli, table: str) -> None:
    call = ("estimate", "--model", "gpt-4o", "--output-tokens", "300", "--region", "us-east-1", "--at", "2026-11-25")
    assert run_cli(*call, "--grid-table", table) == run_cli(*call)


def test_compare_takes_the_table_for_our_own_figure_and_for_regions(run_cli: RunCli, table: str) -> None:
    at = ("--grid-table", table, "--at", "2026-11-25T13:00Z")
    ours = json.loads(run_cli("compare", *CALL, *at, "--json").out)["results"][0]
    assert ours["emissions_gco2e"] == _document(run_cli, *at)["emissions_gco2e"]
    call = ("compare", "--model", "gpt-4o", "--output-tokens", "300", "--regions", "eu-central-1,us-east-1", *at)
    found = {each["region"]: each for each in json.loads(run_cli(*call, "--json").out)["regions"]}
    assert (found["eu-central-1"]["grid_id"], found["eu-central-1"]["grid_zone"]) == (
        f"table/DEU@{TABLE.version}",
        "DEU",
    )
    assert found["us-east-1"]["grid_id"].startswith("grid/")
    note = "At the time of the call by the grid table: eu-central-1; the others at their yearly average.\n"
    assert note in run_cli(*call).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid-table", "no-such.csv"), "no-such.csv: cannot read the grid table: No such file or directory"),
        (("--grid-version", "1"), "--grid-version needs --grid-table FILE (or OTEL_CARBON_GRID_TABLE)"),
        (("--at", "2026-11-25T25:00Z"), "'2026-11-25T25:00Z' is no date; write YEAR-MONTH-DAY, or a moment such as"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_option(run_cli: RunCli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run_cli("estimate", *CALL, *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


def test_spans_of_a_file_take_the_table(run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_REGION", "openai=eu-central-1")
    path = tmp_path / "call.json"
    path.write_text(call_of("gpt-4o"), encoding="utf-8")
    start = day_from_unix_ns(START_NS)
    table = table_of(hours_of("DEU", start, dict.fromkeys(range(24), 300.0)))
    file = written_table(tmp_path / "table.csv", table)
    code, out, err = run_cli("enrich", str(path), "--full", "--grid-table", str(file))
    assert (code, err) == (0, "")
    assert span_attributes(out)["otel_carbon.grid_id"] == f"table/DEU@{table.version}"


def test_an_application_reads_the_table_of_its_environment(table: str) -> None:
    settings = settings_from_environment({GRID_TABLE: table})
    assert settings.grid_table is not None
    assert settings.grid_table.version == TABLE.version
    assert settings_from_environment({}).grid_table is None


def test_a_table_that_cannot_be_read_is_logged_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert settings_from_environment({GRID_TABLE: str(tmp_path / "none.csv")}, Registry.bundled()).grid_table is None
    (told,) = caplog.messages
    assert told.startswith("OTEL_CARBON_GRID_TABLE ignored, yearly averages only: ")


def test_the_collector_takes_the_table_of_its_configuration(tmp_path: Path) -> None:
    # The span of `request` is of 2026-11-18 10:40 UTC.
    hours = hours_of("DEU", date(2026, 11, 18), {11: 123.0})
    path = written_table(tmp_path / "table.csv", table_of(hours))
    config = CarbonConfig(grid_table=str(path), regions={"openai": "eu-central-1"}, attributes=AttributeSet.FULL)
    enriched = carbon_builder(None)(config).process(request(1))
    assert b"table/DEU@2026-11-26.1+" in enriched


def test_a_table_that_the_collector_cannot_read_is_a_problem_with_its_line(run_cli: RunCli, tmp_path: Path) -> None:
    text = CONFIG.replace("carbon:\n", f"carbon:\n    grid_table: {tmp_path / 'none.csv'}\n")
    path = written(tmp_path, text)
    code, _, err = run_cli("collector", "validate", "--config", str(path))
    assert code == 2
    assert f"{path}:4: processors.carbon.grid_table: {tmp_path / 'none.csv'}: cannot read the grid table" in err
