"""`otel-carbon enrich` with deployments mapped to models and calls counted at servers: by option and by variable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.test_enrich import otlp_json, span_attributes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

SERVED, CALLED = '"kind": 2', '"kind": 3'


def call_of(model: str) -> str:
    """One call of the service `shop`."""
    return otlp_json(
        gen_ai__operation__name="chat",
        gen_ai__provider__name="openai",
        gen_ai__request__model=model,
        gen_ai__usage__input_tokens=800,
        gen_ai__usage__output_tokens=300,
    )


@pytest.fixture
def deployment(tmp_path: Path) -> str:
    """A file with a call to a deployment that no registry knows."""
    path = tmp_path / "call.json"
    path.write_text(call_of("chat-prod"), encoding="utf-8")
    return str(path)


@pytest.fixture
def served(tmp_path: Path) -> str:
    """A file with the span of a model server."""
    path = tmp_path / "served.json"
    assert CALLED in call_of("gpt-4o")
    path.write_text(call_of("gpt-4o").replace(CALLED, SERVED), encoding="utf-8")
    return str(path)


def test_a_deployment_is_taken_for_the_model_behind_it(run_cli: RunCli, deployment: str) -> None:
    unmapped = span_attributes(run_cli("enrich", deployment).out)
    assert unmapped["otel_carbon.coefficient_id"].startswith("fallback/generic/text@")
    strict = span_attributes(run_cli("enrich", deployment, "--strict").out)
    assert strict["otel_carbon.reason"] == "strict_fallback_refused"
    for mapped in ("chat-prod=gpt-4o", "OpenAI/chat-prod=gpt-4o"):
        code, out, err = run_cli("enrich", deployment, "--model-map", "other=gpt-5", "--model-map", mapped)
        assert (code, err) == (0, "")
        assert span_attributes(out)["otel_carbon.coefficient_id"].startswith("energy/openai/gpt-4o@")


def test_an_option_wins_over_the_variable_for_its_name_only(
    run_cli: RunCli, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_CARBON_MODELS", "chat-prod=gpt-4o-mini")
    kept = span_attributes(run_cli("enrich", deployment, "--model-map", "other=gpt-4o").out)
    assert kept["otel_carbon.coefficient_id"].startswith("energy/openai/gpt-4o-mini@")
    won = span_attributes(run_cli("enrich", deployment, "--model-map", "chat-prod=gpt-4o").out)
    assert won["otel_carbon.coefficient_id"].startswith("energy/openai/gpt-4o@")


def test_a_model_that_the_registry_does_not_know_is_a_warning(run_cli: RunCli, deployment: str) -> None:
    code, out, err = run_cli("enrich", deployment, "--model-map", "chat-prod=gpt-4oo")
    assert code == 0
    assert err.startswith("warning: --model-map: unknown model 'gpt-4oo'; did you mean gpt-4o")
    assert span_attributes(out)["otel_carbon.coefficient_id"].startswith("fallback/family/gpt@")


@pytest.mark.parametrize("pair", ["chat-prod", "=gpt-4o", "chat-prod="])
def test_what_maps_no_name_is_wrong_usage(run_cli: RunCli, deployment: str, pair: str) -> None:
    code, out, err = run_cli("enrich", deployment, "--model-map", pair)
    assert (code, out) == (2, "")
    assert f"--model-map: {pair!r} is not NAME=MODEL" in err


@pytest.mark.parametrize(("services", "calls"), [(None, 0), ("shop", 1), ("*", 1), ("other", 0), ("*,-shop", 0)])
@pytest.mark.parametrize("by_option", [True, False])
def test_a_server_counts_where_it_is_the_accounting_point(
    run_cli: RunCli, served: str, monkeypatch: pytest.MonkeyPatch, services: str | None, calls: int, *, by_option: bool
) -> None:
    monkeypatch.setenv("OTEL_CARBON_ACCOUNTING_POINT", "" if by_option or services is None else services)
    option = ["--accounting-point", services] if by_option and services is not None else []
    code, out, err = run_cli("enrich", served, *option, "--summary")
    summary = json.loads(out)
    assert (code, err) == (0, "")
    assert (summary["inference_calls"], summary["duplicate"]) == (calls, 1 - calls)


def test_a_gateway_alone_may_stand_behind_its_minus(run_cli: RunCli, deployment: str) -> None:
    _, out, _ = run_cli("enrich", deployment, "--accounting-point", "-shop")
    assert span_attributes(out)["otel_carbon.reason"] == "accounting_point"


@pytest.mark.parametrize(
    ("services", "problem"), [("-", "'-' names no service"), ("-*", "would let no call count"), ("a,-a", "keep one")]
)
def test_services_that_cannot_be_meant_are_wrong_usage(
    run_cli: RunCli, served: str, services: str, problem: str
) -> None:
    code, out, err = run_cli("enrich", served, f"--accounting-point={services}")
    assert (code, out) == (2, "")
    assert "--accounting-point: " in err
    assert problem in err
