from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.sdk.environment import (
    ACCOUNTING_POINT,
    MODELS,
    REGION,
    REGISTRY,
    STRICT,
    settings_from_environment,
    unknown_model,
    unknown_region,
)
from tests.unit.cli.overlay import OVERLAY, write_overlay

if TYPE_CHECKING:
    from pathlib import Path

ATLANTIS = """\
  zone/ATL/acme@2026-11:
    {zone: ATL, names: [Atlantis], water_zone: FRA, sources: [acme-lab-2026],
     evidence: supplier, published: 2026-11-22, valid_from: 2024-01-01, note: ""}
"""
ADVICE = "All: `otel-carbon registry list --kind region`; a grid zone does as well (`--kind zone`)"


@pytest.fixture
def atlantis(tmp_path: Path) -> Path:
    """A compiled overlay with a grid zone of its own."""
    path = tmp_path / "acme.json"
    path.write_bytes(compile_directory(write_overlay(tmp_path / "facts", OVERLAY + ATLANTIS), read_bundled()))
    return path


@pytest.mark.parametrize("region", ["us-east-1", "US-East-1", "FRA", "fr", "France"])
def test_regions_and_grid_zones_are_known_in_any_letter_case(region: str) -> None:
    assert unknown_region(Registry.bundled(), region) is None


def test_an_unknown_region_is_answered_with_the_nearest_names() -> None:
    problem = unknown_region(Registry.bundled(), "US-EAST-9")
    assert problem is not None
    assert problem.startswith("unknown region 'US-EAST-9'; did you mean ")
    assert "us-east-1" in problem
    assert problem.endswith(f"? {ADVICE}")


def test_a_name_like_no_other_gets_no_guesses() -> None:
    assert unknown_region(Registry.bundled(), "qqqqqqqq") == f"unknown region 'qqqqqqqq'; {ADVICE}"


def test_an_unknown_region_is_logged_once_with_its_variable_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_from_environment({REGION: "openai=eastus9,anthropic=FRA,acme=eastus9"})
    assert settings.configured_regions == {"openai": "eastus9", "anthropic": "FRA", "acme": "eastus9"}
    (message,) = caplog.messages
    assert message.startswith("OTEL_CARBON_REGION: unknown region 'eastus9'; did you mean eastus")
    assert message.endswith("; calls to openai, acme get no estimate")


def test_a_zone_of_the_overlay_is_known_with_the_overlay(atlantis: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings_from_environment({REGION: "openai=Atlantis", REGISTRY: str(atlantis)})
    settings_from_environment({REGION: "openai=Atlantis"}, Registry.bundled().with_overlay(atlantis))
    assert caplog.messages == []
    settings_from_environment({REGION: "openai=Atlantis"})
    assert len(caplog.messages) == 1


def test_an_overlay_that_cannot_be_read_is_not_told_of_here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_from_environment({REGION: "openai=FRA", REGISTRY: str(tmp_path / "none.json")})
    assert (settings.configured_regions, caplog.messages) == ({"openai": "FRA"}, [])


@pytest.mark.parametrize("text", ["openai=\x00", "openai=" + "x" * 100_000, "openai==", "openai=é%s%d"])
def test_no_text_is_raised_at_the_application(text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert list(settings_from_environment({REGION: text}).configured_regions) == ["openai"]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("strict", "meaning"),
    [("true", "get no estimate"), ("", "get the estimate of its family, its size or any model")],
)
def test_models_behind_deployments_are_read_and_an_unknown_one_is_logged_and_kept(
    strict: str, meaning: str, caplog: pytest.LogCaptureFixture
) -> None:
    named = "azure.ai.openai/prod=gpt-4oo,Other=gpt-4oo"
    settings = settings_from_environment({STRICT: strict, MODELS: f"my-gpt4o = gpt-4o, {named}"})
    assert settings.models == {"my-gpt4o": "gpt-4o", "azure.ai.openai/prod": "gpt-4oo", "Other": "gpt-4oo"}
    (message,) = caplog.messages
    assert message.startswith("OTEL_CARBON_MODELS: unknown model 'gpt-4oo'; did you mean gpt-4o")
    assert message.endswith(f"; calls to azure.ai.openai/prod, Other {meaning}")


@pytest.mark.parametrize("model", ["gpt-4o", "GPT-4o", "gpt-4o-2024-11-20"])
def test_models_are_known_by_every_name_in_any_letter_case(model: str) -> None:
    assert unknown_model(Registry.bundled(), model) is None


def test_a_part_that_maps_no_name_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert settings_from_environment({MODELS: "prod,=gpt-4o,chat=gpt-4o,"}).models == {"chat": "gpt-4o"}
    assert caplog.messages == [
        "OTEL_CARBON_MODELS: 'prod' is not name=model; ignored",
        "OTEL_CARBON_MODELS: '=gpt-4o' is not name=model; ignored",
    ]


@pytest.mark.parametrize(
    ("text", "counting", "passing", "problems"),
    [
        ("", set(), set(), []),
        ("vllm-prod", {"vllm-prod"}, set(), []),
        ("*", {"*"}, set(), []),
        (" vllm-prod , -llm-gateway,- other ", {"vllm-prod"}, {"llm-gateway", "other"}, []),
        ("a,-,b", {"a", "b"}, set(), ["'-' names no service"]),
        ("-*", set(), set(), ["'-*' would let no call count; name the gateways"]),
        ("*,-gate", {"*"}, {"gate"}, []),
        ("a,-a", set(), {"a"}, ["'a' is named both to count calls and to pass them through; keep one"]),
    ],
)
def test_services_count_or_pass_through_behind_a_minus(
    text: str, counting: set[str], passing: set[str], problems: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_from_environment({ACCOUNTING_POINT: text})
    assert set(settings.accounting_point) == counting
    assert set(settings.pass_through) == passing
    assert caplog.messages == [f"OTEL_CARBON_ACCOUNTING_POINT: {problem}" for problem in problems]


def test_without_the_variables_calls_count_where_they_are_made() -> None:
    settings = settings_from_environment({})
    assert (settings.models, settings.accounting_point, settings.pass_through) == ({}, frozenset(), frozenset())


@pytest.mark.parametrize(("word", "strict"), [("true", True), ("ON", True), ("0", False), ("", False)])
def test_strict_is_read_from_the_usual_words(word: str, strict: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert settings_from_environment({STRICT: word}).strict is strict
    assert caplog.messages == []


def test_a_word_that_is_neither_true_nor_false_is_logged_and_taken_as_false(caplog: pytest.LogCaptureFixture) -> None:
    assert not settings_from_environment({STRICT: "maybe"}).strict
    assert caplog.messages == ["OTEL_CARBON_STRICT=maybe is neither true nor false; taken as false"]
