from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.cli.compare import compare
from otel_carbon.cli.estimate import estimate
from otel_carbon.methods.result import QUANTITIES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

CALL = ("--model", "gpt-4o", "--input-tokens", "800", "--output-tokens", "300", "--region", "us-east-1")
ON_A_DAY = (*CALL, "--at", "2026-11-22")
HARDWARE = "tokens_per_second=100,watts=700,accelerators=8,pue=1.2,batch=64"


@pytest.fixture(autouse=True)
def _base_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional package, wherever the tests run."""
    for module in ("ecologits", "ecologits.tracers", "ecologits.tracers.utils"):
        monkeypatch.setitem(sys.modules, module, None)


def _document(run_cli: RunCli, *arguments: str) -> dict[str, Any]:
    code, out, err = run_cli("compare", *arguments, "--json")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


def _results(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {result["method"]: result for result in document["results"]}


def test_it_takes_all_options_of_estimate() -> None:
    ours, theirs = ({param.name for param in command.params} for command in (compare, estimate))
    one_figure = {"requests", "product", "input_characters", "output_characters", "method"}  # of one only
    assert theirs - one_figure < ours
    assert {"model", "region", "at", "output_tokens"} <= theirs


def test_the_json_has_ours_first_as_estimate_says_it(run_cli: RunCli) -> None:
    document = _document(run_cli, *CALL)
    estimated = json.loads(run_cli("estimate", *CALL, "--json").out)
    ours = document["results"][0]
    assert ours["method"] == "otel_carbon"
    assert [ours[name] for name in QUANTITIES] == [estimated[name] for name in QUANTITIES]
    assert document["status"] == "compared"
    assert document["call"]["provider"] == "openai"  # the developer, where no provider is given


def test_the_spread_is_that_of_the_comparable_mids(run_cli: RunCli) -> None:
    document = _document(run_cli, *CALL, "--hardware", HARDWARE)
    for name in QUANTITIES:
        mids = [each[name]["mid"] for each in document["results"] if name in each["comparable"]]
        spread = document["spread"][name]
        assert spread["methods"] == len(mids)
        assert spread["ratio"] == max(mids) / min(mids)
    assert document["spread"]["energy_kwh"]["lowest"] == "hardware_formula"


def test_every_result_has_the_same_keys_and_a_reason_for_every_gap(run_cli: RunCli) -> None:
    results = _document(run_cli, *CALL, "--flat-gco2e-per-ktoken", "0.5")["results"]
    assert len({frozenset(result) for result in results}) == 1
    for result in results:
        for name in QUANTITIES:
            assert (result[name] is None) == bool(result[f"{name}_reason"]) == bool(result[f"{name}_reason_text"])
        assert result["admissible_as_mid"] == (not result["not_mid_because"])


def test_published_figures_bring_their_sources(run_cli: RunCli) -> None:
    document = _document(run_cli, *CALL)
    assert _results(document)["openai"]["source_ids"] == ["openai-altman-2025"]
    assert document["sources"]["openai-altman-2025"]["year"] == 2025
    assert document["sources"]["jegham-2025"]["url"] == "https://arxiv.org/abs/2505.09598"


def test_a_flat_factor_counts_input_and_output(run_cli: RunCli) -> None:
    arguments = ("--model", "gpt-4o", "--input-tokens", "600000", "--output-tokens", "400000")
    flat = _results(_document(run_cli, *arguments, "--flat-gco2e-per-ktoken", "0.5"))["flat_factor"]
    assert flat["emissions_gco2e"] == {"low": 500.0, "mid": 500.0, "high": 500.0}


def test_hardware_is_read_from_its_keys(run_cli: RunCli) -> None:
    found = _results(_document(run_cli, *CALL, "--hardware", HARDWARE))["hardware_formula"]
    kwh = 300 / 100 * 700 * 8 * 1.2 / 64 / 3.6e6
    assert found["energy_kwh"]["mid"] == pytest.approx(kwh, rel=1e-12)
    assert found["emissions_gco2e"]["mid"] == pytest.approx(kwh * 297, rel=1e-12)  # the grid of us-east-1


def test_a_file_of_sizes_is_named_in_the_result(run_cli: RunCli, tmp_path: Path) -> None:
    file = tmp_path / "sizes.json"
    file.write_text('{"models": {"openai/gpt-4o": {"active_b": 44, "total_b": 440}}}', encoding="utf-8")
    plain = _results(_document(run_cli, *CALL))["ecologits"]
    sized = _results(_document(run_cli, *CALL, "--ecologits-parameters", str(file)))["ecologits"]
    assert sized["version"] == "0.11.3, size from sizes.json"
    assert sized["energy_kwh"]["low"] == sized["energy_kwh"]["high"] == plain["energy_kwh"]["low"]


def test_a_retired_model_needs_its_flag(run_cli: RunCli) -> None:
    call = ("--model", "claude-3-5-sonnet-20241022", "--output-tokens", "300")
    assert _results(_document(run_cli, *call))["ecologits"]["energy_kwh_reason"] == "model-not-registered"
    retired = _results(_document(run_cli, *call, "--ecologits-retired"))["ecologits"]
    assert retired["version"] == "0.11.3, retired model last seen in 0.9.1"


def test_the_latency_caps_ecologits(run_cli: RunCli) -> None:
    call = ("--model", "gpt-4o", "--provider", "openai", "--output-tokens", "300")
    capped = _results(_document(run_cli, *call, "--request-latency", "1.5"))["ecologits"]
    assert capped["energy_kwh"]["low"] == pytest.approx(0.0003965109167917642, rel=1e-9)  # reference case 24


def test_the_page_shows_rows_spread_and_reasons(run_cli: RunCli) -> None:
    code, out, err = run_cli("compare", *ON_A_DAY, "--flat-gco2e-per-ktoken", "0.5")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "gpt-4o at openai, 800 input, 300 output tokens, by method: mid (low to high)"
    rows = {line.split()[0]: line for line in lines[3:13]}
    assert rows["otel_carbon"].split("  ")[0] == "otel_carbon"
    assert " 0.550 " in rows["flat_factor"]
    assert " 0.580 (0.436 to 0.725) * " in rows["ecologits"]
    assert [line for line in lines if line.startswith("energy: the highest mid is ")] != []
    assert "ecologits_package" not in rows
    assert (
        "  not the mid: The energy is inferred from the speed of an API and a guessed number of requests at once."
        in (lines)
    )


def test_a_quantity_that_is_missing_for_this_call_alone_is_explained(run_cli: RunCli) -> None:
    out = run_cli("compare", "--model", "gpt-4o", "--output-tokens", "300", "--region", "DEU").out
    assert (
        "  no water: EcoLogits' water factor of this zone may not be copied; "
        "pip install 'otel-carbon[ecologits]' brings it. (DEU)\n"
    ) in out
    assert "no energy: The method has no such quantity." not in out


def test_a_call_that_no_method_knows_exits_3_and_says_why_for_each(run_cli: RunCli) -> None:
    code, out, err = run_cli("compare", "--model", "acme-1", "--provider", "acme", "--output-tokens", "5", "--json")
    document = json.loads(out)
    assert (code, err) == (3, "no method has a figure for this call; the result says why for each\n")
    assert document["status"] == "unestimated"
    assert {result["energy_kwh"] for result in document["results"]} == {None}


def test_a_figure_for_other_peoples_queries_is_none_for_the_call(run_cli: RunCli) -> None:
    code, out, _ = run_cli("compare", "--model", "gpt-99", "--provider", "openai", "--output-tokens", "5", "--strict")
    assert code == 3
    assert "openai " in out


def test_a_model_that_we_do_not_know_is_compared_among_the_others(run_cli: RunCli) -> None:
    arguments = ("--model", "gpt-4.1", "--provider", "openai", "--input-tokens", "800", "--output-tokens", "300")
    document = _document(run_cli, *arguments, "--as-of", "2026-11-25")
    assert document["results"][0]["energy_kwh_reason"] == "model_not_registered"
    assert document["spread"]["energy_kwh"]["methods"] == 2  # ecologits and the fit
    assert document["spread"]["water_l"] is None


def test_the_result_goes_to_the_file_that_is_named(run_cli: RunCli, tmp_path: Path) -> None:
    printed = run_cli("compare", *ON_A_DAY).out
    assert run_cli("compare", *ON_A_DAY, "-o", str(tmp_path / "x.txt")) == (0, "", "")
    assert (tmp_path / "x.txt").read_text(encoding="utf-8") == printed


def test_modelled_energy_is_not_called_measured(run_cli: RunCli) -> None:
    assert "measured" not in run_cli("compare", *CALL).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--flat-gco2e-per-ktoken", "-1"), "'--flat-gco2e-per-ktoken': -1.0 must be a number from 0 to 1e+12"),
        (("--flat-gco2e-per-ktoken", "1.7e308"), "must be a number from 0 to 1e+12"),
        (("--hardware", "tokens_per_second=1,watts=1e308"), "watts must be from 1e-06 to 1e+12, got 1e+308"),
        (("--flat-gco2e-per-ktoken", "inf"), "must be a number from 0 to 1e+12"),
        (("--request-latency", "nan"), "'--request-latency': nan must be a number from 0 to 1e+12"),
        (("--hardware", "watts=700"), "'--hardware': tokens_per_second missing"),
        (
            ("--hardware", "tokens_per_second=1,watts=700W"),
            "watts=700W: not a number; write it plainly, without a unit",
        ),
        (("--hardware", "tokens_per_second=1,gpus=8"), "'gpus' is unknown; the keys are tokens_per_second, watts"),
        (("--hardware", "watts=1,watts=2"), "'watts' is given twice"),
        (("--hardware", "tokens_per_second=0,watts=1"), "tokens_per_second must be from 1e-06 to 1e+12, got 0"),
        (("--hardware", "tokens_per_second=1,watts=1,pue=0.5"), "pue must be from 1 to 1e+12, got 0.5"),
        (("--ecologits-parameters", "no-such-file.yaml"), "no-such-file.yaml"),
        (("--region", "us-est-1"), "did you mean us-"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_option(run_cli: RunCli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run_cli("compare", "--model", "gpt-4o", "--output-tokens", "3", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
