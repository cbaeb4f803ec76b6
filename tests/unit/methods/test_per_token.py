from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from otel_carbon.core.factors import Factors
from otel_carbon.core.footprint import Unestimated, footprint_of
from otel_carbon.core.interval import Interval
from otel_carbon.core.steps import steps_of
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient
from tests.support.small_registry import DAY, MODEL, OPEN_MODEL, SMALL, energy, fact, grid, small_registry

TOO_EARLY = date(2024, 12, 31)
CALL = CallSubject("acme", MODEL, "chat", None, "default", DAY)
IN_THE_HALL = CALL._replace(region="north-1", region_evidence="reported")
WH_PER_KTOKEN = 1e-6
"""kWh per token."""


def _factors(call: CallSubject = CALL, *more: dict[str, Any], **kwargs: Any) -> Factors:
    found = resolve_factors(small_registry(*more), call, **kwargs)
    assert isinstance(found, Factors)
    return found


def _reason(call: CallSubject, registry: Registry | None = None) -> tuple[str, str]:
    found = resolve_factors(registry or small_registry(), call)
    assert isinstance(found, Unestimated)
    return found.reason, found.detail


def _about(interval: Interval) -> Any:
    return pytest.approx((interval.low, interval.mid, interval.high), rel=1e-12, abs=0)


def test_coefficients_become_kwh_per_token() -> None:
    per_token = _factors().energy_per_token
    assert _about(per_token.input_kwh) == (0.5 * WH_PER_KTOKEN, 1 * WH_PER_KTOKEN, 2 * WH_PER_KTOKEN)
    assert _about(per_token.output_kwh) == (1 * WH_PER_KTOKEN, 2 * WH_PER_KTOKEN, 4 * WH_PER_KTOKEN)


def test_cached_tokens_cost_their_ratio_of_an_input_token() -> None:
    per_token = _factors().energy_per_token
    assert _about(per_token.cache_read_kwh) == (0.5e-6 * 0.1, 1e-6 * 0.2, 2e-6 * 0.5)
    assert _about(per_token.cache_write_kwh) == (0.5e-6 * 1, 1e-6 * 1.25, 2e-6 * 1.5)


def test_the_place_brings_its_factors() -> None:
    factors = _factors()
    assert factors.pue == Interval.exactly(1.25)
    assert factors.wue_l_per_it_kwh == Interval.exactly(0.5)
    assert factors.grid_gco2e_per_kwh == Interval(10, 20, 40)
    assert factors.ewif_l_per_kwh == Interval(1, 2, 4)
    assert factors.embodied_gco2e_per_it_kwh == Interval(25, 50, 100)
    assert factors.market_gco2e_per_kwh is None


def test_provenance_names_what_was_used() -> None:
    registry = small_registry()
    provenance = _factors().provenance
    assert (provenance.registry_version, provenance.registry_digest) == (registry.version, registry.digest)
    assert (provenance.coefficient_id, provenance.grid_id, provenance.site_id) == (
        "energy/acme/one@1",
        "grid/NOR/location@1",
        "site/fleet@1",
    )
    assert (provenance.tier, provenance.tier_number, provenance.method) == ("token_physical", 1, "parametric")
    assert (provenance.provider, provenance.region, provenance.region_evidence) == ("acme", "NOR", "default")


def test_assumptions_are_those_of_the_coefficient_and_of_the_place() -> None:
    assert _factors().provenance.assumptions == ("size_guessed", "provider_default_place")
    assert _factors(IN_THE_HALL).provenance.assumptions == ("size_guessed",)


@pytest.mark.parametrize(
    ("model", "match"),
    [("one", "exact"), ("ONE", "exact"), ("one-2025-01-01", "exact"), ("acme/one", "alias"), ("Acme/One", "alias")],
)
def test_a_match_is_exact_when_the_fact_lists_the_id_itself(model: str, match: str) -> None:
    assert _factors(CALL._replace(model=model)).provenance.match == match


@pytest.mark.parametrize("call", [CALL, IN_THE_HALL, CALL._replace(region="SWE"), CALL._replace(model=OPEN_MODEL)])
def test_every_factor_has_facts_and_every_fact_has_sources(call: CallSubject) -> None:
    registry = small_registry()
    provenance = _factors(call).provenance
    for factor, fact_ids in provenance.fact_ids.items():
        assert fact_ids, factor
        for fact_id in fact_ids:
            assert provenance.source_ids[fact_id] == registry.fact(fact_id).sources


def test_facts_that_led_to_the_place_stand_behind_its_factors() -> None:
    fact_ids = _factors(IN_THE_HALL).provenance.fact_ids
    assert fact_ids["grid_gco2e_per_kwh"] == ("grid/SWE/location@1", "region/north-1@1")
    assert fact_ids["pue"] == ("site/hall@1", "region/north-1@1")


def test_a_market_factor_of_the_zone_is_taken_with_its_fact() -> None:
    market = grid("grid/NOR/market@1", "NOR", 5, basis="market")
    factors = _factors(CALL, market)
    assert factors.market_gco2e_per_kwh == Interval(2.5, 5, 10)
    assert factors.provenance.fact_ids["market_gco2e_per_kwh"] == ("grid/NOR/market@1", "provider/acme@1")
    assert factors.provenance.grid_id == "grid/NOR/location@1"
    last = steps_of(footprint_of(AdditiveTokens(1, 0, 0, 1, 0), factors))[-1]
    assert last.name == "emissions_market_gco2e"
    assert "grid/NOR/market@1" in last.fact_ids
    assert last.source_ids == ("lab",)


def test_without_a_market_factor_no_fact_stands_behind_one() -> None:
    assert "market_gco2e_per_kwh" not in _factors().provenance.fact_ids


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (CALL._replace(model="nine"), ("model_not_registered", "nine")),
        (CALL._replace(day=TOO_EARLY), ("outside_validity", "one on 2024-12-31")),
        (CALL._replace(operation="embeddings"), ("operation_not_covered", "embeddings")),
        (CALL._replace(model="embedder"), ("operation_not_covered", "chat")),
        (CALL._replace(region="atlantis-1"), ("zone_unknown", "region atlantis-1")),
        (CALL._replace(provider="nobody"), ("zone_unknown", "provider nobody without a region")),
        (CALL._replace(provider=""), ("zone_unknown", "provider  without a region")),
    ],
)
def test_what_the_registry_does_not_know_has_a_reason(call: CallSubject, reason: tuple[str, str]) -> None:
    assert _reason(call) == reason


@pytest.mark.parametrize("call", [CALL, CALL._replace(region="NOR"), CALL._replace(region="north-1")])
def test_place_facts_that_begin_after_the_call_are_outside_their_validity(call: CallSubject) -> None:
    later = ("provider/acme@1", "zone/NOR@1", "region/north-1@1")
    begun_later = [each | {"valid_from": "2026-06-02"} for each in SMALL if each["id"] in later]
    registry = small_registry(*begun_later, without=later)
    assert _reason(call, registry) == ("outside_validity", "place facts on 2026-06-01")


@pytest.mark.parametrize("missing", ["ratio/cache_read@1", "ratio/cache_write@1", "embodied/server@1"])
def test_a_factor_that_no_fact_gives_leaves_the_call_without_a_figure(missing: str) -> None:
    assert _reason(CALL, small_registry(without=(missing,))) == ("outside_validity", "place facts on 2026-06-01")


def test_a_later_coefficient_is_used_from_its_first_day() -> None:
    later = energy("energy/acme/one@2", MODEL, valid_from="2026-06-02")
    assert _factors(CALL, later).provenance.coefficient_id == "energy/acme/one@1"
    next_day = CALL._replace(day=date(2026, 6, 2))
    assert _factors(next_day, later).provenance.coefficient_id == "energy/acme/one@2"


def test_an_open_model_at_a_private_address_is_self_hosted() -> None:
    provenance = _factors(CALL._replace(model=OPEN_MODEL, private_host=True)).provenance
    assert (provenance.provider, provenance.site_id, provenance.grid_id) == (
        "self_hosted",
        "site/generic@1",
        "grid/SWE/location@1",
    )


def test_a_closed_model_at_a_private_address_went_through_a_proxy_to_its_provider() -> None:
    provenance = _factors(CALL._replace(private_host=True)).provenance
    assert (provenance.provider, provenance.site_id) == ("acme", "site/fleet@1")


def test_an_open_model_at_a_public_address_is_its_providers() -> None:
    assert _factors(CALL._replace(model=OPEN_MODEL)).provenance.provider == "acme"


def test_a_configured_region_wins_over_the_reported_one() -> None:
    reported_home = CALL._replace(region="NOR", region_evidence="reported")
    provenance = _factors(reported_home, configured_regions={"acme": "north-1"}).provenance
    assert (provenance.region, provenance.region_evidence) == ("north-1", "configured")


def test_a_region_configured_under_another_name_of_the_provider_counts() -> None:
    call = CallSubject("gcp.gemini", "gemini-2.5-flash", "chat", None, "default", date(2026, 11, 1))
    found = resolve_factors(Registry.bundled(), call, {"google": "swedencentral"})
    assert isinstance(found, Factors)
    assert (found.provenance.region, found.provenance.region_evidence) == ("swedencentral", "configured")


def test_a_region_configured_for_another_provider_changes_nothing() -> None:
    provenance = _factors(IN_THE_HALL, configured_regions={"other": "NOR"}).provenance
    assert (provenance.region, provenance.region_evidence) == ("north-1", "reported")


def test_a_self_hosted_model_takes_the_region_configured_for_self_hosting() -> None:
    call = CALL._replace(model=OPEN_MODEL, private_host=True)
    provenance = _factors(call, configured_regions={"self_hosted": "NOR", "acme": "north-1"}).provenance
    assert (provenance.provider, provenance.region, provenance.site_id) == ("self_hosted", "NOR", "site/generic@1")


def test_an_unknown_configured_region_is_named() -> None:
    found = resolve_factors(small_registry(), CALL, {"acme": "atlantis-1"})
    assert found == Unestimated("zone_unknown", "region atlantis-1")


def test_an_overlay_may_bring_a_ratio_of_its_own() -> None:
    newer = fact("ratio/cache_read@2", token_kind="cache_read", valid_from="2026-01-01", ratio=SMALL[4]["ratio"])
    factors = _factors(CALL, newer)
    assert factors.provenance.fact_ids["energy_per_token"] == (
        "energy/acme/one@1",
        "ratio/cache_read@2",
        "ratio/cache_write@1",
    )
    assert factors.energy_per_token.cache_read_kwh == factors.energy_per_token.cache_write_kwh


@pytest.mark.parametrize(("provider", "high"), [("groq", 0.72 / 1.2), ("meta", 0.72 / 1.2), ("self_hosted", 0.853)])
def test_the_price_of_an_open_model_bounds_what_its_hosts_can_take_and_nobody_else(provider: str, high: float) -> None:
    call = CallSubject(provider, "llama-3.1-70b", "chat", "us-east-1", "configured", date(2026, 11, 26))
    found = resolve_factors(Registry.bundled(), call)
    assert not isinstance(found, Unestimated)
    assert found.energy_per_token.output_kwh.high * 1e6 == pytest.approx(high, rel=1e-6)  # Wh of 1,000 tokens
    assert ("clipped_to_ceiling" in found.provenance.assumptions) is (provider != "self_hosted")


def test_a_price_below_the_mid_bounds_nothing() -> None:
    call = CallSubject("deepinfra", "xiaomi/mimo-v2-flash", "chat", "us-east-1", "configured", date(2026, 11, 26))
    found = resolve_factors(Registry.bundled(), call)
    assert not isinstance(found, Unestimated)
    fact = Registry.bundled().fact(found.provenance.coefficient_id)
    assert isinstance(fact, EnergyCoefficient)
    assert (fact.output_usd_per_mtok or 0.0) / 1.2 < fact.output_wh_per_ktoken.mid
    assert found.energy_per_token.output_kwh.high * 1e6 == pytest.approx(fact.output_wh_per_ktoken.high)
    assert "clipped_to_ceiling" not in found.provenance.assumptions


def test_a_name_without_a_tag_is_the_small_model_that_ollama_means() -> None:
    registry = Registry.bundled()

    def fact_of(provider: str, model: str) -> str:
        found = resolve_factors(registry, CallSubject(provider, model, "chat", "FRA", "reported", date(2026, 11, 26)))
        assert not isinstance(found, Unestimated)
        return found.provenance.coefficient_id

    assert fact_of("together_ai", "deepseek-r1") == "energy/deepseek/deepseek-v3-and-r1@2026-11-26"
    assert fact_of("ollama", "deepseek-r1") == fact_of("ollama", "deepseek-r1:latest")
    assert fact_of("ollama", "deepseek-r1") == "fallback/family/deepseek-distill@2026-11-26"
    assert fact_of("ollama", "deepseek-r1:671b") == "energy/deepseek/deepseek-v3-and-r1@2026-11-26"
    assert fact_of("ollama", "llama3.1:8b") == "energy/meta/llama-3.1-8b@2026-11-26"


def test_a_name_that_has_ended_is_told_by_its_family() -> None:
    registry = Registry.bundled()
    ended = CallSubject("deepseek", "deepseek-chat", "chat", None, "default", date(2026, 7, 25))
    found = resolve_factors(registry, ended)
    assert not isinstance(found, Unestimated)
    assert (found.provenance.coefficient_id, found.provenance.match) == (
        "fallback/family/deepseek@2026-11-26",
        "family",
    )
    refused = resolve_factors(registry, ended, strict=True)
    assert isinstance(refused, Unestimated)
    assert refused.reason == "outside_validity"
    last_day = resolve_factors(registry, ended._replace(day=date(2026, 7, 24)))
    assert not isinstance(last_day, Unestimated)
    assert last_day.provenance.coefficient_id == "energy/deepseek/api-2026-04@2026-11-26"
