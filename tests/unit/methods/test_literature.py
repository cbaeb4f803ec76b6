from __future__ import annotations

import re

import pytest

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.methods.literature import literature_results
from otel_carbon.methods.literature_tables import disclosures, fit_source, fits, plain_name, sources
from otel_carbon.methods.result import FUNCTIONAL_UNITS, QUANTITIES, WHY_NOT_MID, MethodResult


def _result(method: str, model: str, developer: str, input_tokens: int | None = 800) -> MethodResult:
    usage = TokenUsage(developer, model, input_tokens=input_tokens, output_tokens=300)
    (found,) = [each for each in literature_results(usage, developer) if each.method == method]
    return found


def test_a_fit_is_three_terms_at_the_facility() -> None:
    fit = fits()["gpt-4o"]
    assert (fit.input_wh_per_ktoken, fit.output_wh_per_ktoken, fit.request_wh) == (0.0009, 1.1317, 0.0814)
    result = _result("jegham_fit", "gpt-4o-2024-11-20", "openai")
    wh = 0.8 * 0.0009 + 0.3 * 1.1317 + 0.0814
    assert isinstance(result.energy_kwh, Interval)
    assert result.energy_kwh.mid == pytest.approx(wh / 1000, rel=1e-12)
    assert (result.comparable, result.not_mid_because) == (("energy_kwh",), ("inferred_from_latency",))
    assert result.emissions_gco2e == result.water_l == Unestimated("not_published")


@pytest.mark.parametrize("model", ["gpt-4", "llama-3-8b", "llama-3-70b"])
def test_a_model_with_two_points_is_not_identified(model: str) -> None:
    result = _result("jegham_fit", model, "openai")
    assert result.energy_kwh == Unestimated("not_identified")
    assert result.comparable == ()


@pytest.mark.parametrize("model", ["o1", "o1-mini", "o3", "o3-mini", "o4-mini", "deepseek-r1"])
def test_models_that_reason_have_no_fit(model: str) -> None:
    assert model not in fits()


def test_a_fit_needs_the_input_tokens() -> None:
    assert _result("jegham_fit", "gpt-4o", "openai", None).energy_kwh == Unestimated("no_input_count")


def test_a_figure_for_a_query_is_shown_as_published_and_compares_with_nothing() -> None:
    result = _result("openai", "gpt-5", "openai")
    assert result.functional_unit == "query"
    assert isinstance(result.energy_kwh, Interval)
    assert isinstance(result.water_l, Interval)
    assert result.energy_kwh.mid == pytest.approx(0.34 / 1000, rel=1e-12)
    assert result.water_l.mid == pytest.approx(0.32 / 1000, rel=1e-12)
    assert (result.comparable, result.not_mid_because) == ((), ("boundary", "functional_unit"))


def test_googles_figures_are_of_three_boundaries_and_so_say() -> None:
    result = _result("google", "gemini-2.5-flash", "google")
    assert isinstance(result.energy_kwh, Interval)
    assert result.energy_kwh.mid == pytest.approx(0.24 / 1000, rel=1e-12)
    assert "market-based" in result.boundary
    assert "on site only" in result.boundary


def test_the_life_cycle_of_an_answer_is_scaled_with_its_length() -> None:
    result = _result("mistral_lca", "mistral-large-2407", "mistral")
    assert isinstance(result.emissions_gco2e, Interval)
    assert isinstance(result.water_l, Interval)
    assert result.emissions_gco2e.mid == pytest.approx(1.14 * 300 / 400, rel=1e-12)
    assert result.water_l.mid == pytest.approx(0.045 * 300 / 400, rel=1e-12)
    assert "marginal inference" in result.boundary
    assert result.comparable == ()


def test_the_accounts_of_a_service_are_for_output_tokens() -> None:
    result = _result("deepseek_production", "deepseek-chat", "deepseek")
    assert isinstance(result.energy_kwh, Interval)
    assert result.energy_kwh.low == pytest.approx(0.18 * 0.3 / 1000, rel=1e-12)
    assert result.energy_kwh.high == pytest.approx(0.33 * 0.3 / 1000, rel=1e-12)
    assert result.comparable == ("energy_kwh",)


def test_a_model_nobody_published_about_has_no_results() -> None:
    assert literature_results(TokenUsage("acme", "acme-1", 1, 1), "acme") == ()


def test_letter_case_and_dates_of_names_do_not_matter() -> None:
    assert plain_name("GPT-4o-2024-08-06") == "gpt-4o"


@pytest.mark.parametrize("name", disclosures())
def test_every_published_figure_has_boundary_unit_and_source(name: str) -> None:
    disclosure = disclosures()[name]
    assert disclosure.source in sources()
    assert disclosure.functional_unit in FUNCTIONAL_UNITS
    assert disclosure.boundary.endswith(".")
    assert set(disclosure.not_mid_because) <= set(WHY_NOT_MID)
    assert set(disclosure.comparable) <= set(QUANTITIES)
    assert disclosure.developers or disclosure.models
    assert any((disclosure.energy_wh, disclosure.emissions_gco2e, disclosure.water_ml))


@pytest.mark.parametrize("source_id", sources())
def test_every_source_says_where_when_and_under_which_licence(source_id: str) -> None:
    source = sources()[source_id]
    assert source.url.startswith("https://")
    assert re.fullmatch(r"2026-\d\d-\d\d", source.accessed)
    assert all((source.producer, source.title, source.locator, source.licence))
    assert 2020 < source.year <= 2026


def test_the_fits_have_a_source() -> None:
    assert fit_source().source in sources()
