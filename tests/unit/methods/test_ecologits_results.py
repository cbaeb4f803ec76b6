from __future__ import annotations

import sys

import pytest

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.methods.ecologits_results import EcoLogitsOptions, ecologits_package_result, ecologits_result
from otel_carbon.methods.ecologits_tables import Ends, Size, hosts, provider_name

CALL = TokenUsage("openai", "gpt-4o", input_tokens=1000, output_tokens=300)
PLAIN = EcoLogitsOptions()


def test_the_result_is_that_of_the_reference_case_with_the_mean_as_mid() -> None:
    result = ecologits_result(CALL, PLAIN)
    low, high = 0.00043606159246743987, 0.0007246861035472108  # kWh, case 1
    assert isinstance(result.energy_kwh, Interval)
    assert (result.energy_kwh.low, result.energy_kwh.mid, result.energy_kwh.high) == pytest.approx(
        (low, (low + high) / 2, high), rel=1e-9
    )
    assert (result.method, result.version) == ("ecologits", "0.11.3")
    assert result.comparable == ("energy_kwh", "emissions_gco2e", "water_l")
    assert result.notes == ("grid zone USA", "model-arch-not-released", "model-arch-multimodal")


def test_a_call_with_a_prompt_is_only_partly_counted() -> None:
    assert ecologits_result(CALL, PLAIN).not_mid_because == ("functional_unit",)
    assert ecologits_result(TokenUsage("openai", "gpt-4o", output_tokens=300), PLAIN).admissible


def test_zone_and_latency_are_passed_on() -> None:
    result = ecologits_result(CALL, EcoLogitsOptions(zone="IRL", request_latency_s=1.5))
    plain = ecologits_result(CALL, EcoLogitsOptions(zone="IRL"))
    assert result.notes[0] == "grid zone IRL"
    assert isinstance(result.energy_kwh, Interval)
    assert isinstance(plain.energy_kwh, Interval)
    assert result.energy_kwh.mid < plain.energy_kwh.mid


def test_a_size_of_the_users_is_named_in_the_version() -> None:
    sizes = {"openai/gpt-4o": Size(Ends(50.0, 50.0), Ends(500.0, 500.0))}
    result = ecologits_result(CALL, EcoLogitsOptions(sizes=sizes, sizes_from="sizes.yaml"))
    assert result.version == "0.11.3, size from sizes.yaml"
    other = TokenUsage("openai", "gpt-4o-mini", output_tokens=300)
    assert ecologits_result(other, EcoLogitsOptions(sizes=sizes, sizes_from="sizes.yaml")).version == "0.11.3"


def test_a_retired_model_is_named_in_the_version_and_only_used_when_asked_for() -> None:
    call = TokenUsage("anthropic", "claude-3-5-sonnet-20241022", output_tokens=300)
    assert ecologits_result(call, PLAIN).energy_kwh == Unestimated(
        "model-not-registered", "anthropic/claude-3-5-sonnet-20241022"
    )
    version = ecologits_result(call, EcoLogitsOptions(retired=True)).version
    assert version == "0.11.3, retired model last seen in 0.9.1"


def test_without_output_tokens_there_is_no_figure() -> None:
    result = ecologits_result(TokenUsage("openai", "gpt-4o", input_tokens=3), PLAIN)
    assert result.energy_kwh == result.emissions_gco2e == result.water_l == Unestimated("no_usage")
    assert result.comparable == ()


def test_a_zone_without_a_water_factor_compares_in_energy_and_emissions_only() -> None:
    result = ecologits_result(CALL, EcoLogitsOptions(zone="DEU"))
    assert result.water_l == Unestimated("water_factor_not_shipped", "DEU")
    assert result.comparable == ("energy_kwh", "emissions_gco2e")


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("openai", "openai"),
        ("azure.ai.openai", "openai"),
        ("Mistral_AI", "mistralai"),
        ("gcp.vertex_ai", "google_genai"),
        ("cohere", "cohere"),
    ],
)
def test_providers_of_telemetry_have_their_names_in_ecologits(name: str, theirs: str) -> None:
    assert provider_name(name) == theirs
    assert theirs in hosts()


def test_without_the_package_its_result_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ecologits", "ecologits.tracers", "ecologits.tracers.utils"):
        monkeypatch.setitem(sys.modules, module, None)  # Python's own way to say that a module is not there
    result = ecologits_package_result(CALL, PLAIN)
    assert result.version == "absent"
    assert result.energy_kwh == Unestimated("package_not_installed", "pip install 'otel-carbon[ecologits]'")
    assert result.comparable == ()
