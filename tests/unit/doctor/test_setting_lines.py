"""The lines for variables of pairs: one for each variable, whatever is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otel_carbon.doctor.examine import findings_of
from otel_carbon.doctor.facts import WrongRegion, WrongSetting
from otel_carbon.doctor.setting_lines import close_spelling
from tests.unit.doctor.cases import CALL, SCOPE, ran, ran_with


def lines(examined: object) -> list[tuple[str, str]]:
    return [(each.code, each.advice) for each in findings_of(examined)]  # type: ignore[arg-type]  # as cases are


def test_several_unknown_models_are_one_finding_with_one_line() -> None:
    calls = tuple(replace(CALL, model=model, match="generic") for model in ("gtp-4o", "acme-lm-large"))
    found = findings_of(ran_with({"models": {"mine": "gpt-4o"}}, calls=calls))
    assert [(each.code, each.advice) for each in found] == [
        ("model_unknown", "OTEL_CARBON_MODELS=mine=gpt-4o,acme-lm-large=KNOWN_MODEL,gtp-4o=gpt-4o")
    ]
    assert [piece.partition(" at ")[0] for piece in found[0].evidence if " at " in piece] == ["acme-lm-large", "gtp-4o"]


def test_all_that_is_found_of_a_variable_is_in_each_of_its_lines() -> None:
    acme = replace(CALL, provider="acme", operator="", status="unestimated", reason="zone_unknown", match="", region="")
    examined = ran_with(
        {
            "regions": {"openai": "eastu5", "mistral_ai": "westeurope"},
            "wrong_regions": (WrongRegion("openai", "eastu5", ("eastus",)),),
        },
        calls=(replace(CALL, status="unestimated", reason="zone_unknown", match="", region=""), acme),
    )
    line = "OTEL_CARBON_REGION=openai=eastus,mistral_ai=westeurope,acme=REGION"
    assert lines(examined)[:2] == [("region_unknown", line), ("provider_place_unknown", line)]


def test_a_setting_and_a_call_are_mended_by_one_line() -> None:
    wrong = WrongSetting("OTEL_CARBON_MODELS", "unknown model 'x'", "", {"mine": "KNOWN_MODEL"}, is_of_pairs=True)
    examined = ran_with(
        {"models": {"mine": "x"}, "wrong_settings": (wrong,)}, calls=(replace(CALL, model="gtp-4o", match="generic"),)
    )
    line = "OTEL_CARBON_MODELS=mine=KNOWN_MODEL,gtp-4o=gpt-4o"
    assert lines(examined) == [("setting_invalid", line), ("model_unknown", line)]


def test_a_choice_stands_in_its_own_line_only() -> None:
    assumed = replace(CALL, provider="acme", operator="acme", region="USA", region_evidence="default")
    examined = ran(calls=(replace(CALL, told_region="westus"), assumed))
    assert lines(examined) == [
        ("region_contradicted", "OTEL_CARBON_REGION=openai=westus,acme=REGION # if the spans are right"),
        ("region_assumed", "OTEL_CARBON_REGION=openai=eastus,acme=REGION"),
    ]


def test_a_misspelt_provider_is_told_without_what_follows_from_it() -> None:
    assumed = replace(CALL, region="USA", region_evidence="default")
    line = "OTEL_CARBON_REGION=openai=eastus"
    examined = ran_with({"regions": {"opnai": "eastus"}}, calls=(assumed,))
    assert lines(examined) == [("region_provider_misspelt", line)]


def test_one_line_is_told_once_with_the_evidence_of_all() -> None:
    calls = tuple(replace(CALL, scope=f"{SCOPE}.{i}", status="unestimated", reason="no_usage", match="") for i in "ab")
    (found,) = findings_of(ran(calls=calls))
    assert (found.code, len(found.evidence)) == ("usage_missing", 2)


@pytest.mark.parametrize(
    ("name", "near", "meant"),
    [
        ("gtp-4o", ("gpt-4o", "gpt-4"), "gpt-4o"),
        ("gpt-5.7", ("gpt-5.1", "gpt-5.4"), ""),
        ("acme-lm-large", ("mistral-large",), ""),
        ("estus", ("westus", "eastus"), ""),
        ("easteurope", ("westeurope",), "westeurope"),
        ("x", (), ""),
    ],
)
def test_only_a_slip_of_one_name_is_corrected(name: str, near: tuple[str, ...], meant: str) -> None:
    assert close_spelling(name, near, same_digits=True) == meant
