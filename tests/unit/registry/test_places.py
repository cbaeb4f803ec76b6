from __future__ import annotations

from datetime import date

import pytest

from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import Region, Zone
from otel_carbon.registry.places import is_known_region, place_of_call
from tests.support.small_registry import DAY, grid, site, small_registry, zone


def test_without_a_region_a_call_ran_where_its_provider_runs() -> None:
    place = place_of_call(small_registry(), "acme", None, "default", DAY)
    assert place is not None
    assert (place.grid.zone, place.site.site, place.region, place.evidence) == ("NOR", "fleet", "NOR", "default")
    assert place.assumptions == ("provider_default_place",)
    assert [named.id for named in place.named_by] == ["provider/acme@1"]


@pytest.mark.parametrize("evidence", ["reported", "configured", "derived"])
def test_a_named_region_beats_the_provider_and_so_does_its_site(evidence: str) -> None:
    place = place_of_call(small_registry(), "acme", "north-1", evidence, DAY)
    assert place is not None
    assert (place.grid.zone, place.site.site, place.region, place.evidence) == ("SWE", "hall", "north-1", evidence)
    assert place.assumptions == ()
    assert [named.id for named in place.named_by] == ["region/north-1@1"]


def test_a_region_needs_no_provider() -> None:
    place = place_of_call(small_registry(), "nobody", "north-1", "reported", DAY)
    assert place is not None
    assert (place.provider, place.grid.zone, place.site.site) == ("nobody", "SWE", "hall")


@pytest.mark.parametrize("country", ["SWE", "swe", "SE", "Sweden"])
def test_a_country_is_a_grid_with_the_providers_site(country: str) -> None:
    place = place_of_call(small_registry(), "acme", country, "configured", DAY)
    assert place is not None
    assert (place.grid.zone, place.site.site, place.region) == ("SWE", "fleet", "SWE")
    assert place.assumptions == ()
    assert [named.id for named in place.named_by] == ["zone/SWE@1", "provider/acme@1"]


def test_a_country_with_an_unknown_provider_gets_the_generic_site_and_says_so() -> None:
    place = place_of_call(small_registry(), "nobody", "NOR", "reported", DAY)
    assert place is not None
    assert (place.grid.zone, place.site.site) == ("NOR", "generic")
    assert place.assumptions == ("generic_site",)
    assert [named.id for named in place.named_by] == ["zone/NOR@1", "provider/self_hosted@1"]


def test_an_unknown_region_is_no_place_even_when_the_provider_is_known() -> None:
    assert place_of_call(small_registry(), "acme", "atlantis-1", "reported", DAY) is None


def test_an_unknown_provider_without_a_region_is_no_place() -> None:
    assert place_of_call(small_registry(), "nobody", None, "default", DAY) is None


def test_a_day_before_the_facts_is_no_place() -> None:
    assert place_of_call(small_registry(), "acme", None, "default", date(2024, 12, 31)) is None
    assert place_of_call(small_registry(), "acme", "north-1", "reported", date(2024, 12, 31)) is None


@pytest.mark.parametrize("missing", ["grid/NOR/location@1", "site/fleet@1", "water/NOR@1", "zone/NOR@1"])
def test_a_place_without_grid_site_or_water_is_no_place(missing: str) -> None:
    assert place_of_call(small_registry(without=(missing,)), "acme", None, "default", DAY) is None


def test_water_is_that_of_the_zone_which_the_zone_names() -> None:
    place = place_of_call(small_registry(), "acme", "SWE", "reported", DAY)
    assert place is not None
    assert place.water.id == "water/NOR@1"


def test_a_market_factor_is_found_where_there_is_one() -> None:
    registry = small_registry(grid("grid/NOR/market@1", "NOR", 5, basis="market"))
    with_market = place_of_call(registry, "acme", None, "default", DAY)
    without = place_of_call(registry, "acme", "SWE", "reported", DAY)
    assert with_market is not None
    assert without is not None
    assert with_market.market is not None
    assert (with_market.market.id, with_market.grid.id) == ("grid/NOR/market@1", "grid/NOR/location@1")
    assert without.market is None


def test_a_cloud_region_wins_over_a_zone_of_the_same_name() -> None:
    registry = small_registry(zone("north-1"), grid("grid/north-1/location@1", "north-1", 500))
    place = place_of_call(registry, "acme", "north-1", "reported", DAY)
    assert place is not None
    assert place.grid.zone == "SWE"


@pytest.mark.parametrize("region", ["north-1", "North-1", "NOR", "norway"])
def test_regions_and_zones_are_known_by_any_of_their_names(region: str) -> None:
    assert is_known_region(small_registry(), region)


@pytest.mark.parametrize("region", ["", "north", "hall", "acme"])
def test_other_names_are_no_regions(region: str) -> None:
    assert not is_known_region(small_registry(site("north", 1.1, 0.1)), region)


def test_every_bundled_region_and_zone_is_a_complete_place() -> None:
    bundled = Registry.bundled()
    regions = [each.region for each in bundled.facts("region") if isinstance(each, Region)]
    zones = [name for each in bundled.facts("zone") if isinstance(each, Zone) for name in each.names]
    nowhere = [name for name in (*regions, *zones) if place_of_call(bundled, "openai", name, "reported", DAY) is None]
    assert len(regions) > 5
    assert nowhere == []
