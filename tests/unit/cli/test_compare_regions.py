from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.golden import check_golden

if TYPE_CHECKING:
    from tests.unit.cli.conftest import RunCli

GOLDEN = Path(__file__).parent / "golden"
CALL = ("--model", "gpt-4o", "--input-tokens", "800", "--output-tokens", "300", "--at", "2026-11-26")
THREE = ("--regions", "us-east-1,eu-north-1, eu-west-1")


def test_the_page_of_three_regions_is_exactly_this(run_cli: RunCli) -> None:
    code, out, err = run_cli("compare", *CALL, *THREE)
    assert (code, err) == (0, "")
    check_golden(GOLDEN / "compare-regions.txt", out)


def test_numbers_stand_below_each_other(run_cli: RunCli) -> None:
    head, _, *rows = run_cli("compare", *CALL, *THREE).out.splitlines()[1:6]
    ends = [head.index("embodied") + len("embodied"), head.index("electricity, mL") + len("electricity, mL")]
    assert [row[end - 1].isdigit() and row[end] == " " for row in rows for end in ends] == [True] * 6


def test_the_json_is_what_estimate_says_of_each_region(run_cli: RunCli) -> None:
    document = json.loads(run_cli("compare", *CALL, *THREE, "--json").out)
    assert document["status"] == "compared"
    assert document["criteria"] == ["emissions_gco2e", "water_on_site_l", "water_electricity_l"]
    assert [each["region"] for each in document["regions"]] == ["eu-north-1", "eu-west-1", "us-east-1"]
    for each in document["regions"]:
        alone = json.loads(run_cli("estimate", *CALL, "--region", each["region"], "--json").out)
        names = (*document["criteria"], "emissions_operational_gco2e", "emissions_embodied_gco2e", "energy_kwh")
        assert {name: each[name] for name in names} == {name: alone[name] for name in names}
    sweden = document["regions"][0]
    assert (sweden["grid_zone"], sweden["water_zone"], sweden["water_id"]) == ("SWE", "SWE", "water/SWE@2020")
    assert (sweden["pareto_optimal"], sweden["carbon_for_water"]) == (True, True)


def test_all_takes_every_region_and_says_whose_water_is_not_known(run_cli: RunCli) -> None:
    listed = json.loads(run_cli("registry", "list", "--kind", "region", "--json").out)["facts"]
    out = run_cli("compare", *CALL, "--regions", "all").out
    document = json.loads(run_cli("compare", *CALL, "--regions", "all", "--json").out)
    assert len(document["regions"]) == len(listed)
    assert "have no water factor of their own country and take that of WOR" in out
    assert "above it in water for electricity: " in out


def test_a_call_without_an_estimate_anywhere_exits_3_and_says_why(run_cli: RunCli) -> None:
    arguments = ("compare", "--model", "acme-1", "--output-tokens", "5", "--strict", *THREE)
    code, out, err = run_cli(*arguments, "--json")
    document = json.loads(out)
    assert (code, document["status"]) == (3, "unestimated")
    assert {each["emissions_gco2e"] for each in document["regions"]} == {None}
    assert err == "the call has no estimate in any of these regions; the result says why\n"
    assert "no figure for eu-north-1: " in run_cli(*arguments).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--regions", "us-est-1"), "--regions: no region or grid zone 'us-est-1'"),
        (("--regions", " , "), "--regions names no region; write such as us-east-1,eu-north-1, or all"),
        ((*THREE, "--region", "us-east-1"), "several regions; leave out --region"),
        ((*THREE, "--flat-gco2e-per-ktoken", "0.5"), "several regions; leave out --flat-gco2e-per-ktoken"),
        ((*THREE, "--ecologits-retired"), "several regions; leave out --ecologits-retired"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_option(run_cli: RunCli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run_cli("compare", *CALL, *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
