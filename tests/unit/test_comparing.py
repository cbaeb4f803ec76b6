from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.comparing import ComparisonOptions, compare, kwh_that_price_pays
from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.methods.user_formulas import Hardware
from otel_carbon.registry.catalog import Registry
from tests.support.small_registry import DAY, MODEL, small_registry

if TYPE_CHECKING:
    from otel_carbon.methods.result import MethodResult

SMALL_CALL = TokenUsage("acme", MODEL, input_tokens=3000, output_tokens=1000, at=DAY)
GPT_4O = TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=300, region="us-east-1")


def _by_method(usage: TokenUsage, **options: Any) -> dict[str, MethodResult]:
    results = compare(usage, options=ComparisonOptions(**options))
    found = {result.method: result for result in results}
    assert len(found) == len(results)
    return found


def test_ours_comes_first_and_is_the_estimate() -> None:
    footprint = estimate(GPT_4O)
    assert isinstance(footprint, Footprint)
    ours = compare(GPT_4O)[0]
    assert ours.method == "otel_carbon"
    assert ours.energy_kwh == footprint.energy_kwh
    assert ours.emissions_gco2e == footprint.emissions_gco2e
    assert ours.water_l == footprint.water_l
    assert ours.admissible
    assert "ml-energy-leaderboard-2026" in ours.source_ids


def test_the_registry_that_is_given_is_used() -> None:
    results = compare(SMALL_CALL, small_registry())
    ours = results[0]
    assert isinstance(ours.energy_kwh, Interval)
    assert ours.energy_kwh.mid == pytest.approx((3000 * 1 + 1000 * 2) / 1e6 * 1.25, rel=1e-12)
    names = [result.method for result in results]
    assert names == ["otel_carbon", "ecologits", "ecologits_package", "sci/ktoken", "sci/ktoken_output", "sci/call"]


def test_what_the_user_brings_stands_behind_ours() -> None:
    hardware = Hardware(tokens_per_second=100, watts=700)
    results = compare(GPT_4O, options=ComparisonOptions(flat_gco2e_per_ktoken=0.5, hardware=hardware))
    assert [result.method for result in results[:3]] == ["otel_carbon", "flat_factor", "hardware_formula"]
    assert results[1].emissions_gco2e == Interval.exactly(1100 * 0.5 / 1000)


def test_hardware_takes_the_grid_of_the_place_also_where_we_have_no_estimate() -> None:
    hardware = Hardware(tokens_per_second=100, watts=3600)
    call = TokenUsage("acme", "acme-1", output_tokens=100_000, region="FRA")
    result = _by_method(call, hardware=hardware)["hardware_formula"]
    assert isinstance(result.emissions_gco2e, Interval)
    assert result.emissions_gco2e.mid == pytest.approx(44.18, rel=1e-12)  # 1 kWh on the grid of France
    nowhere = TokenUsage("acme", "acme-1", output_tokens=100_000)
    assert _by_method(nowhere, hardware=hardware)["hardware_formula"].emissions_gco2e == Unestimated("no_grid_factor")


def test_a_region_becomes_the_country_that_ecologits_knows() -> None:
    assert _by_method(GPT_4O)["ecologits"].notes[0] == "grid zone USA"  # us-east-1, in the sub-region USA-SRVC
    in_ireland = TokenUsage("openai", "gpt-4o", 800, 300, region="eu-west-1")
    assert _by_method(in_ireland)["ecologits"].notes[0] == "grid zone IRL"
    by_name = TokenUsage("openai", "gpt-4o", 800, 300, region="France")
    assert _by_method(by_name)["ecologits"].notes[0] == "grid zone FRA"


def test_without_a_region_ecologits_takes_its_own_default() -> None:
    mistral = TokenUsage("mistral_ai", "mistral-large-2512", 800, 300)
    assert _by_method(mistral)["ecologits"].notes[0] == "grid zone SWE"


def test_a_model_that_was_not_known_yet_has_no_figure_of_ours_and_no_score() -> None:
    earlier = Registry.bundled().as_of(date(2026, 11, 25))
    results = {result.method: result for result in compare(TokenUsage("openai", "gpt-4.1", 800, 300), earlier)}
    assert results["otel_carbon"].energy_kwh == Unestimated("model_not_registered", "gpt-4.1")
    assert results["otel_carbon"].comparable == ()
    assert isinstance(results["ecologits"].energy_kwh, Interval)
    assert isinstance(results["jegham_fit"].energy_kwh, Interval)
    assert [name for name in results if name.startswith("sci")] == []


def test_energy_that_the_price_does_not_pay_for_cannot_be_the_mid() -> None:
    """1,000 output tokens of gpt-4o-mini pay for 0.60 Wh; the fit says 1.41 Wh."""
    results = _by_method(TokenUsage("openai", "gpt-4o-mini", 0, 1000))
    assert results["jegham_fit"].not_mid_because == ("inferred_from_latency", "economics")
    assert results["otel_carbon"].not_mid_because == ()


def test_a_price_says_nothing_of_hardware_of_ones_own() -> None:
    call = TokenUsage("self_hosted", "llama-3.1-70b", 0, 1000)
    assert _by_method(call)["jegham_fit"].not_mid_because == ("inferred_from_latency",)
    hosted = TokenUsage("acme", "llama-3.1-70b", 0, 1000)
    assert _by_method(hosted)["jegham_fit"].not_mid_because == ("inferred_from_latency", "economics")


def test_a_figure_for_a_query_of_the_developer_is_shown_for_its_models() -> None:
    assert {"openai", "epoch", "oviedo"} <= set(_by_method(GPT_4O))
    assert "openai" not in _by_method(TokenUsage("mistral", "mistral-large-2407", 800, 300))
    assert "mistral_lca" in _by_method(TokenUsage("mistral", "mistral-large-2407", 800, 300))


def test_options_reach_ecologits() -> None:
    call = TokenUsage("anthropic", "claude-3-5-sonnet-20241022", 800, 300)
    assert isinstance(_by_method(call)["ecologits"].energy_kwh, Unestimated)
    assert isinstance(_by_method(call, ecologits_retired=True)["ecologits"].energy_kwh, Interval)
    with pytest.raises(ValueError, match="must be >= 0"):
        _by_method(GPT_4O, request_latency_s=-1.0)


@pytest.mark.parametrize(
    ("model", "pays_wh"),
    [
        (
            "mistral-large-2512",
            0.5 * 0.001 + 1.5 * 0.001,
        ),  # USD for a million tokens, 1,000 of each, 1 kWh for a dollar
        ("claude-sonnet-4-5", 2 * (3 * 0.001 + 15 * 0.001)),  # 2 kWh on accelerators of its maker's own
        ("acme-1", None),  # no price is known
    ],
)
def test_a_call_pays_for_as_much_energy_as_its_list_price_in_the_registry_says(
    model: str, pays_wh: float | None
) -> None:
    usage = TokenUsage("groq", model, input_tokens=1000, output_tokens=1000)
    found = kwh_that_price_pays(Registry.bundled(), usage, date(2026, 11, 26))
    assert found == (None if pays_wh is None else pytest.approx(pays_wh))


def test_energy_that_the_price_of_an_open_model_does_not_pay_for_may_not_be_the_mid() -> None:
    call = TokenUsage("groq", "llama-3.1-8b", input_tokens=1000, output_tokens=1000, region="us-east-1")
    assert "economics" in _by_method(call)["jegham_fit"].not_mid_because
    own = TokenUsage("self_hosted", "llama-3.1-8b", input_tokens=1000, output_tokens=1000, region="us-east-1")
    assert "economics" not in _by_method(own)["jegham_fit"].not_mid_because
