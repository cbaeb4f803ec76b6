from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.comparing_regions import Cost, compare_regions, cost_of, regions_known
from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.registry.catalog import Registry
from tests.support.small_registry import DAY, MODEL, fact, grid, site, small_registry, zone

if TYPE_CHECKING:
    from otel_carbon.comparing_regions import RegionResult

CALL = TokenUsage("acme", MODEL, output_tokens=1000, at=DAY)
IT_KWH = 0.002  # 1,000 output tokens at 2 Wh per 1,000
BIG_CALL = TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=300, region="us-east-1")


def _dry_and_wet() -> Registry:
    """Beside north-1 in Sweden (40 g, WUE 0.1): dirty but dry (WUE 0), and one worse than north-1 in all."""
    return small_registry(
        zone("DRY"),
        zone("BAD"),
        grid("grid/DRY/location@1", "DRY", 400),
        grid("grid/BAD/location@1", "BAD", 500),
        site("dry-hall", 1.1, 0.0),
        site("bad-hall", 1.2, 0.2),
        fact("region/dry-1@1", region="dry-1", cloud="acme", zone="DRY", site="dry-hall"),
        fact("region/bad-1@1", region="bad-1", cloud="acme", zone="BAD", site="bad-hall"),
    )


def _by_region(*regions: str) -> dict[str, RegionResult]:
    return {result.region: result for result in compare_regions(CALL, regions, _dry_and_wet())}


def test_the_costs_of_a_region_are_its_emissions_and_both_waters() -> None:
    outcome = _by_region("north-1")["north-1"].outcome
    assert isinstance(outcome, Footprint)
    assert cost_of(outcome) == pytest.approx(
        (IT_KWH * 1.1 * 40 + IT_KWH * 50, IT_KWH * 0.1, IT_KWH * 1.1 * 2.0), rel=1e-12
    )


def test_regions_come_with_the_lowest_emissions_first_and_each_once() -> None:
    assert list(_by_region("bad-1", "dry-1", "north-1", "bad-1")) == ["north-1", "dry-1", "bad-1"]


def test_a_region_that_another_beats_in_everything_is_not_optimal() -> None:
    optimal = {region: result.pareto_optimal for region, result in _by_region("bad-1", "dry-1", "north-1").items()}
    # north-1 has the lowest emissions, dry-1 the least water on site, bad-1 is above north-1 in all three.
    assert optimal == {"north-1": True, "dry-1": True, "bad-1": False}


def test_equal_regions_are_both_optimal() -> None:
    assert not Cost(1.0, 2.0, 3.0).beats(Cost(1.0, 2.0, 3.0))
    assert Cost(1.0, 2.0, 3.0).beats(Cost(1.0, 2.0, 4.0))
    assert not Cost(1.0, 2.0, 3.0).beats(Cost(0.5, 9.0, 9.0))


def test_a_region_without_an_estimate_comes_last_with_its_reason_and_beats_nobody() -> None:
    results = compare_regions(CALL, ["atlantis-1", "bad-1"], _dry_and_wet())
    assert [result.region for result in results] == ["bad-1", "atlantis-1"]
    assert isinstance(results[1].outcome, Unestimated)
    assert (results[0].pareto_optimal, results[1].pareto_optimal) == (True, False)


def test_the_region_of_the_call_itself_is_not_looked_at() -> None:
    (result,) = compare_regions(BIG_CALL, ["eu-north-1"])
    assert isinstance(result.outcome, Footprint)
    assert result.outcome.provenance.region == "eu-north-1"


def test_sweden_is_low_in_carbon_and_high_in_the_water_of_its_electricity() -> None:
    results = compare_regions(BIG_CALL, ["us-east-1", "eu-north-1", "eu-west-1"])
    assert [result.region for result in results] == ["eu-north-1", "eu-west-1", "us-east-1"]
    costs = {each.region: cost_of(each.outcome) for each in results if isinstance(each.outcome, Footprint)}
    assert costs["eu-north-1"].emissions_gco2e < 0.3 * costs["us-east-1"].emissions_gco2e
    assert costs["eu-north-1"].water_on_site_l < costs["us-east-1"].water_on_site_l
    assert costs["eu-north-1"].water_electricity_l > 1.8 * costs["us-east-1"].water_electricity_l
    assert [result.carbon_for_water for result in results] == [True, False, False]


def test_an_assessment_of_the_supplier_is_left_out_as_it_tells_no_regions_apart() -> None:
    usage = TokenUsage("mistral", "mistral-large-2407", input_tokens=800, output_tokens=300)
    assessed = estimate(usage)
    assert isinstance(assessed, Footprint)
    assert (assessed.water_on_site_l, assessed.water_electricity_l) == (None, None)
    results = compare_regions(usage, ["europe-west9", "us-east-1"])
    grams = [each.outcome.emissions_gco2e.mid for each in results if isinstance(each.outcome, Footprint)]
    assert [each.region for each in results] == ["europe-west9", "us-east-1"]
    assert grams[0] < grams[1] < assessed.emissions_gco2e.mid


def test_all_regions_are_those_of_the_registry_on_the_day() -> None:
    assert regions_known(_dry_and_wet(), DAY) == ("bad-1", "dry-1", "north-1")
    assert len(regions_known(Registry.bundled(), None)) > 100
