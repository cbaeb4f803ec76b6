from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.cli.estimate_json import AMOUNTS
from otel_carbon.registry.catalog import Registry
from tests.support.golden import check_golden

if TYPE_CHECKING:
    from tests.unit.cli.conftest import RunCli

GOLDEN = Path(__file__).parent / "golden"
EXAMPLE = ("--provider", "openai", "--model", "gpt-4o-2024-11-20", "--input-tokens", "800", "--output-tokens", "300")
EXAMPLE_HERE = ("estimate", *EXAMPLE, "--region", "us-east-1")


def mids(document: dict[str, Any], *names: str) -> list[float]:
    return [document[name]["mid"] for name in names]


def test_the_json_of_the_example_is_exactly_this(run_cli: RunCli) -> None:
    code, out, err = run_cli(*EXAMPLE_HERE, "--json")
    assert (code, err) == (0, "")
    check_golden(GOLDEN / "estimate-example.json", out)


def test_the_page_of_the_example_is_exactly_this(run_cli: RunCli) -> None:
    code, out, err = run_cli(*EXAMPLE_HERE)
    assert (code, err) == (0, "")
    check_golden(GOLDEN / "estimate-example.txt", out)


def test_the_example_is_the_arithmetic_of_its_facts(run_cli: RunCli) -> None:
    document = json.loads(run_cli(*EXAMPLE_HERE, "--json").out)
    it_kwh = (800 * 0.206 + 300 * 0.687) / 1000 / 1000  # Wh per 1,000 tokens -> kWh
    facility_kwh = it_kwh * 1.15
    operational, embodied = facility_kwh * 297, it_kwh * 60
    assert mids(document, "it_energy_kwh", "energy_kwh") == pytest.approx([it_kwh, facility_kwh], rel=1e-12)
    assert mids(document, "emissions_operational_gco2e", "emissions_embodied_gco2e", "emissions_gco2e") == (
        pytest.approx([operational, embodied, operational + embodied], rel=1e-12)
    )
    on_site, electricity = it_kwh * 0.12, facility_kwh * 3.13
    assert mids(document, "water_on_site_l", "water_electricity_l", "water_l") == (
        pytest.approx([on_site, electricity, on_site + electricity], rel=1e-12)
    )


def test_every_step_names_facts_and_sources_of_the_registry(run_cli: RunCli) -> None:
    document = json.loads(run_cli(*EXAMPLE_HERE, "--json").out)
    registry = Registry.bundled()
    assert [step["name"] for step in document["steps"]] == [
        "it_energy_kwh",
        "energy_kwh",
        "emissions_operational_gco2e",
        "emissions_embodied_gco2e",
        "emissions_gco2e",
        "water_on_site_l",
        "water_electricity_l",
        "water_l",
    ]
    for step in document["steps"]:
        assert set(step) == {"name", "formula", "inputs", "result", "unit", "fact_ids", "source_ids"}
        assert step["result"] == document[step["name"]]
        behind = {source for fact_id in step["fact_ids"] for source in registry.fact(fact_id).sources}
        assert behind == set(step["source_ids"])
        assert {registry.source(source_id).id for source_id in behind} == behind


def test_market_based_emissions_are_unknown_and_say_why(run_cli: RunCli) -> None:
    document = json.loads(run_cli(*EXAMPLE_HERE, "--json").out)
    assert document["emissions_market_gco2e"] is None
    assert document["emissions_market_gco2e_reason"] == "no_market_factor"


def test_estimated_and_unestimated_json_have_the_same_keys(run_cli: RunCli) -> None:
    estimated = json.loads(run_cli(*EXAMPLE_HERE, "--json").out)
    unestimated = json.loads(run_cli("estimate", "--model", "acme-1", "--output-tokens", "5", "--json").out)
    reasons = {f"{name}_reason" for name in AMOUNTS} | {"reason_text"}
    assert set(unestimated) - reasons == set(estimated) - reasons


def test_an_unknown_model_exits_3_and_the_json_says_why(run_cli: RunCli) -> None:
    code, out, err = run_cli("estimate", "--model", "gpt-4p", "--output-tokens", "5", "--strict", "--json")
    document = json.loads(out)
    assert code == 3
    assert err.startswith(
        "not estimated: strict_fallback_refused: Only a fallback coefficient exists, and strict mode refuses it. "
        "(gpt-4p by family) Similar: gpt-4"
    )
    assert err.endswith("docs/registry.md says how to bring a fact of your own with --registry.\n")
    assert (document["status"], document["reason"]) == ("unestimated", "strict_fallback_refused")
    assert [document[name] for name in AMOUNTS] == [None] * len(AMOUNTS)
    assert {document[f"{name}_reason"] for name in AMOUNTS} == {"strict_fallback_refused"}
    bundled = Registry.bundled()
    assert (document["registry_version"], document["registry_digest"]) == (bundled.version, bundled.digest)


def test_an_unknown_model_without_json_prints_no_result(run_cli: RunCli) -> None:
    code, out, _ = run_cli("estimate", "--model", "acme-1", "--output-tokens", "5")
    assert (code, out) == (3, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--model", "gpt-4o", "--input-tokens", "5"),
            (
                "not estimated: no_usage: The number of output tokens is not given. "
                "Give --output-tokens; of embeddings --input-tokens.\n"
            ),
        ),
        (
            ("--model", "gpt-4o", "--output-tokens", "5", "--operation", "embeddings"),
            (
                "not estimated: operation_not_covered: "
                "The registry has no coefficient for this kind of operation. (embeddings)\n"
            ),
        ),
        (
            ("--model", "llama-3.1-8b", "--output-tokens", "5"),
            (
                "not estimated: zone_unknown: Neither a provider nor a region is given. "
                "Give --region, or a --provider of `otel-carbon registry list --kind provider`.\n"
            ),
        ),
    ],
)
def test_what_cannot_be_estimated_exits_3_and_says_what_to_do(
    run_cli: RunCli, arguments: tuple[str, ...], message: str
) -> None:
    assert run_cli("estimate", *arguments) == (3, "", message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--input-tokens", "-5", "--output-tokens", "1"), "--input-tokens must be a whole number of tokens"),
        (("--output-tokens", "3", "--reasoning-tokens", "4"), "--reasoning-tokens = 4 exceeds --output-tokens = 3"),
        (
            ("--output-tokens", "3", "--cache-read-tokens", "2"),
            "--cache-read-tokens + --cache-write-tokens = 2 exceeds --input-tokens, which is not given",
        ),
        (("--output-tokens", "100000001"), "--output-tokens is more than 100,000,000 tokens in one call"),
        (("--output-tokens", "many"), "Invalid value for '--output-tokens': 'many' is not a valid integer."),
        (("--output-tokens", "3", "--region", "us-est-1"), "no region or grid zone 'us-est-1'"),
        (("--output-tokens", "3", "--region", "us-est-1"), "did you mean us-west-1 or us-east-1 or us-west1?"),
        (("--output-tokens", "3", "--region", "%"), "`otel-carbon registry list --kind region` shows all"),
        (
            ("--output-tokens", "3", "--region", "us-est-1"),
            "a grid zone works too: `otel-carbon registry list --kind zone`",
        ),
        (("--output-tokens", "3", "--at", "yesterday"), "Invalid value for '--at': 'yesterday' is no date; write YEAR"),
        (("--output-tokens", "3", "--as-of", "2026"), "Invalid value for '--as-of': '2026' is no date"),
        (("--output-tokens", "3", "--at", "2020-01-01"), "--at 2020-01-01: the registry's facts do not cover that day"),
        (("--output-tokens", "3", "--at", "2020-01-01"), "the model's coefficient applies from 2024-05-13"),
        (("--output-tokens", "3", "--no-such"), "No such option"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_option(run_cli: RunCli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run_cli("estimate", "--model", "gpt-4o", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_a_day_in_the_future_is_estimated_with_facts_of_the_past_and_said(run_cli: RunCli) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    code, out, err = run_cli(*EXAMPLE_HERE, "--json", "--at", str(tomorrow))
    assert (code, json.loads(out)["status"]) == (0, "estimated")
    assert err == f"note: --at {tomorrow} lies in the future; the estimate uses facts of the past\n"
    assert run_cli(*EXAMPLE_HERE, "--at", "2026-11-22").err == ""


def test_a_model_without_a_name_is_wrong_usage(run_cli: RunCli) -> None:
    code, _, err = run_cli("estimate", "--model", " ", "--output-tokens", "3")
    assert code == 2
    assert "--model is empty" in err


def test_without_a_provider_the_developer_of_a_closed_model_is_assumed_and_said(run_cli: RunCli) -> None:
    arguments = ("--model", "gpt-4o", "--output-tokens", "300", "--json")
    assumed = json.loads(run_cli("estimate", *arguments).out)
    given = json.loads(run_cli("estimate", "--provider", "openai", *arguments).out)
    assert assumed["assumptions"] == [*given["assumptions"], "provider_is_developer"]
    assert {**assumed, "assumptions": given["assumptions"]} == given


def test_a_registry_of_an_earlier_day_does_not_know_later_facts(run_cli: RunCli) -> None:
    code, out, _ = run_cli("estimate", *EXAMPLE, "--as-of", "2026-11-21", "--json")
    assert (code, json.loads(out)["reason"]) == (3, "model_not_registered")


def test_an_estimate_says_as_of_which_day_it_is(run_cli: RunCli) -> None:
    arguments = ("estimate", *EXAMPLE, "--as-of", "2026-11-23")
    assert json.loads(run_cli(*arguments, "--json").out)["registry_as_of"] == "2026-11-23"
    (line,) = [line for line in run_cli(*arguments).out.splitlines() if line.startswith("registry")]
    assert line == f"registry  {Registry.bundled().version} as of 2026-11-23"


def test_the_region_of_the_environment_is_taken_when_none_is_given(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_CARBON_REGION", "openai=swedencentral")
    regions = [
        json.loads(run_cli("estimate", *EXAMPLE, *more, "--json").out)["region"]
        for more in ((), ("--region", "us-east-1"))
    ]
    assert regions == ["swedencentral", "us-east-1"]


def test_the_word_measured_is_not_used_for_what_is_modelled(run_cli: RunCli) -> None:
    out = run_cli(*EXAMPLE_HERE).out
    assert "modelled" in out
    assert "measured" not in out


def test_the_result_goes_to_the_file_that_is_named(run_cli: RunCli, tmp_path: Path) -> None:
    printed = run_cli(*EXAMPLE_HERE, "--json").out
    assert run_cli(*EXAMPLE_HERE, "--json", "-o", str(tmp_path / "x.json")) == (0, "", "")
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == printed


def test_requests_of_a_product_are_estimated_without_tokens(run_cli: RunCli) -> None:
    arguments = ("estimate", "--model", "gpt-4o", "--requests", "14000000", "--product", "copilot")
    code, out, err = run_cli(*arguments)
    assert (code, err) == (0, "")
    assert out.startswith("gpt-4o at openai, 14,000,000 requests to copilot, modelled\n")
    assert "tier 2 (request_physical)" in out
    document = json.loads(run_cli(*arguments, "--json").out)
    assert (document["tier"], document["tier_number"]) == ("request_physical", 2)
    activity = document["activity"]
    assert activity["requests"] == 14_000_000
    assert activity["input_tokens_per_request"]["mid"] + activity["output_tokens_per_request"]["mid"] == 1_200


def test_characters_are_estimated_without_tokens(run_cli: RunCli) -> None:
    arguments = ("estimate", "--model", "gpt-4o", "--input-characters", "4000", "--output-characters", "1200", "--json")
    document = json.loads(run_cli(*arguments).out)
    assert document["activity"]["input_tokens_per_request"] == {"low": 800, "mid": 1000, "high": 4000 / 3}
    assert "tokens_from_characters" in document["assumptions"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--requests", "5", "--output-tokens", "5"),
            "--requests, --output-tokens: give tokens where they were counted",
        ),
        (("--requests", "-5"), "--requests must be a whole number from 0 to"),
        (("--requests", "5", "--product", "fax"), "--product: no activity 'fax'"),
    ],
)
def test_what_cannot_be_an_activity_is_wrong_usage(run_cli: RunCli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run_cli("estimate", "--model", "gpt-4o", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
