from __future__ import annotations

import pytest

from otel_carbon.core.footprint import Unestimated, confidence_from_range, footprint_of
from otel_carbon.core.interval import ZERO, Interval
from otel_carbon.core.tokens import AdditiveTokens
from tests.unit.core.samples import FACTORS, FACTORS_WITH_MARKET, PROVENANCE, TOKENS

IT_LOW, IT_MID, IT_HIGH = 314.0, 633.0, 1160.0
"""The IT energy of the sample call, as `test_formulas` works it out."""


def test_every_amount_follows_from_the_factors() -> None:
    footprint = footprint_of(TOKENS, FACTORS)
    facility = Interval(IT_LOW * 1.0, IT_MID * 1.25, IT_HIGH * 1.5)
    operational = Interval(facility.low * 10, facility.mid * 20, facility.high * 40)
    embodied = Interval(IT_LOW * 25, IT_MID * 50, IT_HIGH * 100)
    assert footprint.it_energy_kwh == Interval(IT_LOW, IT_MID, IT_HIGH)
    assert footprint.energy_kwh == facility
    assert footprint.emissions_operational_gco2e == operational
    assert footprint.emissions_embodied_gco2e == embodied
    assert footprint.emissions_gco2e == operational + embodied
    assert footprint.water_l == Interval(
        IT_LOW * 0.1 + facility.low * 1, IT_MID * 0.5 + facility.mid * 2, IT_HIGH * 1.0 + facility.high * 4
    )


def test_a_footprint_keeps_the_tokens_factors_and_provenance_behind_it() -> None:
    footprint = footprint_of(TOKENS, FACTORS)
    assert (footprint.tokens, footprint.factors) == (TOKENS, FACTORS)
    assert footprint.provenance is PROVENANCE


def test_without_a_market_factor_market_based_emissions_are_unknown() -> None:
    assert footprint_of(TOKENS, FACTORS).emissions_market_gco2e is None


def test_market_based_emissions_are_the_same_energy_under_the_market_factor_plus_embodied() -> None:
    footprint = footprint_of(TOKENS, FACTORS_WITH_MARKET)
    assert footprint.emissions_market_gco2e == Interval(
        IT_LOW * 1.0 * 0.0 + IT_LOW * 25, IT_MID * 1.25 * 5.0 + IT_MID * 50, IT_HIGH * 1.5 * 10.0 + IT_HIGH * 100
    )


def test_a_market_factor_leaves_the_location_based_figure_alone() -> None:
    assert footprint_of(TOKENS, FACTORS_WITH_MARKET).emissions_gco2e == footprint_of(TOKENS, FACTORS).emissions_gco2e


def test_a_call_of_no_tokens_has_a_footprint_of_zero() -> None:
    footprint = footprint_of(AdditiveTokens(0, 0, 0, 0, 0), FACTORS)
    assert (footprint.energy_kwh, footprint.emissions_gco2e, footprint.water_l) == (ZERO, ZERO, ZERO)


@pytest.mark.parametrize(
    ("low", "high", "confidence"),
    [
        (1.0, 1.0, "high"),
        (1.0, 1.999, "high"),
        (1.0, 2.0, "medium"),
        (1.0, 4.999, "medium"),
        (1.0, 5.0, "low"),
        (0.0, 1.0, "low"),
        (1e-9, 1.5e-9, "high"),
    ],
)
def test_confidence_goes_by_the_ratio_of_the_bounds(low: float, high: float, confidence: str) -> None:
    assert confidence_from_range(low, high) == confidence


def test_the_confidence_of_a_footprint_is_that_of_its_facility_energy() -> None:
    footprint = footprint_of(TOKENS, FACTORS)
    ratio = (IT_HIGH * 1.5) / (IT_LOW * 1.0)
    assert ratio > 5
    assert footprint.confidence == "low"


def test_no_figure_says_why_and_what_was_at_fault() -> None:
    assert str(Unestimated("model_not_registered", "nine")) == (
        "The registry has no energy coefficient for this model. (nine)"
    )
    assert str(Unestimated("no_usage")) == (
        "The span carries no token usage; a stream reports it only when the client asks for it."
    )
