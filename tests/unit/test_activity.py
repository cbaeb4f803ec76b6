"""Calls whose tokens nobody counted: requests times usual tokens, and characters."""

from __future__ import annotations

from typing import Any

import pytest

from otel_carbon.activity import Activity, assumed_tokens, estimate_activity
from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.core.usage import TokenUsage
from otel_carbon.errors import UnknownFact, UsageError
from otel_carbon.estimating import estimate
from otel_carbon.registry.catalog import Registry

BUNDLED = Registry.bundled()


def footprint(**known: Any) -> Footprint:
    found = estimate_activity(Activity("openai", "gpt-4o", **known))
    assert isinstance(found, Footprint)
    return found


def test_requests_take_the_usual_tokens_of_their_product() -> None:
    found = footprint(requests=14_000_000, product="copilot")
    assert sum(found.tokens) == 14_000_000 * 1_200 == 16_800_000_000
    assert (found.provenance.tier, found.provenance.tier_number) == ("request_physical", 2)
    assert "tokens_assumed" in found.provenance.assumptions
    assert found.provenance.fact_ids["tokens"] == ("activity/copilot@2026-11-26",)


def test_four_characters_are_a_token_and_it_says_so() -> None:
    found = footprint(input_characters=4_000, output_characters=1_200)
    assert (found.tokens.input_uncached, found.tokens.output_visible) == (1_000, 300)
    assert "tokens_from_characters" in found.provenance.assumptions


def test_the_mid_is_the_estimate_of_the_mid_tokens_and_the_bounds_are_wider() -> None:
    found = footprint(input_characters=4_000, output_characters=1_200)
    counted = estimate(TokenUsage("openai", "gpt-4o", input_tokens=1_000, output_tokens=300))
    assert isinstance(counted, Footprint)
    assert found.mid == counted.mid
    assert found.energy_kwh.low < counted.energy_kwh.low
    assert found.energy_kwh.high > counted.energy_kwh.high


def test_low_takes_the_fewest_tokens_and_high_the_most() -> None:
    found = footprint(output_characters=6_000)
    fewest, most = (estimate(TokenUsage("openai", "gpt-4o", 0, tokens)) for tokens in (6_000 // 5, 6_000 // 3))
    assert isinstance(fewest, Footprint)
    assert isinstance(most, Footprint)
    assert found.energy_kwh.low == pytest.approx(fewest.energy_kwh.low)
    assert found.energy_kwh.high == pytest.approx(most.energy_kwh.high)


def test_ten_requests_take_ten_times_one() -> None:
    one, ten = footprint(product="chat"), footprint(requests=10, product="chat")
    assert ten.emissions_gco2e.mid == pytest.approx(10 * one.emissions_gco2e.mid)


def test_a_product_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownFact, match=r"no activity .fax. in registry .*; there are chat, copilot"):
        estimate_activity(Activity("openai", "gpt-4o", product="fax"))


def test_a_model_without_a_figure_has_none_for_its_requests_either() -> None:
    found = estimate_activity(Activity("openai", "dall-e-image-3"))
    assert isinstance(found, Unestimated)
    assert found.reason == "model_not_registered"


@pytest.mark.parametrize("wrong", [{"requests": -1}, {"requests": 10**16}, {"output_characters": -4}])
def test_an_impossible_number_is_refused_by_its_name(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Activity("openai", "gpt-4o", **wrong)  # type: ignore[arg-type]  # numbers by name


def test_every_activity_says_its_tokens_within_bounds() -> None:
    for product in ("chat", "copilot", "reasoning"):
        activity = Activity("openai", "gpt-4o", product=product)
        tokens = assumed_tokens(BUNDLED, activity, BUNDLED.fact(f"activity/{product}@2026-11-26").valid_from)
        assert 0 < tokens.output_tokens.low < tokens.output_tokens.mid < tokens.output_tokens.high
