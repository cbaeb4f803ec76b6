from __future__ import annotations

from datetime import date

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import (
    Embodied,
    GridIntensity,
    ProviderPlace,
    Region,
    Site,
    WaterIntensity,
    Zone,
)

DAY = date(2026, 11, 22)
NATIONAL_LIFECYCLE = 383.55
NATIONAL_DIRECT = 349.67


def _grid(zone: str) -> Interval:
    grid = Registry.bundled().about(GridIntensity, f"{zone}/location", DAY)
    assert grid is not None
    return grid.gco2e_per_kwh


def _derivation(zone: str) -> str:
    grid = Registry.bundled().about(GridIntensity, f"{zone}/location", DAY)
    assert grid is not None
    return grid.derivation


def _site(site: str) -> Site:
    found = Registry.bundled().about(Site, site, DAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("zone", "published", "subregion_direct"),
    [
        ("USA-SRVC", 297, 270.48),
        ("USA-MROW", 461, 420.3),
        ("USA-RFCW", 456, 415.54),
        ("USA-ERCT", 366, 334.12),
        ("USA-CAMX", 214, 195.04),
        ("USA-NWPP", 316, 288.17),
        ("USA-AZNM", 351, 320.33),
        ("USA-RMPA", 519, 472.87),
    ],
)
def test_a_subregion_is_the_nation_scaled_by_its_direct_emissions(
    zone: str, published: float, subregion_direct: float
) -> None:
    grid = _grid(zone)
    assert grid.mid == published
    assert f" * {subregion_direct:g} (sub-region direct, 2023) / 349.67 (national direct, 2023) = " in _derivation(zone)
    assert abs(NATIONAL_LIFECYCLE * subregion_direct / NATIONAL_DIRECT - published) <= 0.5
    assert grid.low == pytest.approx(published * 0.9)
    assert grid.high == pytest.approx(published * 1.1)


@pytest.mark.parametrize(
    ("zone", "published"),
    [
        ("USA", 383.55),
        ("GBR", 215.79),
        ("DEU", 342.06),
        ("FRA", 44.18),
        ("SWE", 35.89),
        ("IRL", 279.79),
        ("NLD", 252.7),
        ("JPN", 483.73),
        ("IND", 708.96),
        ("CHN", 557.5),
        ("BEL", 117.58),
        ("WOR", 458.29),
    ],
)
def test_a_country_lies_within_a_factor_of_1_3(zone: str, published: float) -> None:
    grid = _grid(zone)
    assert grid.mid == published
    assert grid.low == pytest.approx(published / 1.3, rel=1e-5)
    assert grid.high == pytest.approx(published * 1.3, rel=1e-5)


def test_the_mix_of_openai_weighs_its_subregions() -> None:
    mean = (2 * 297 + 461 + 456 + 2 * 366 + 214 + 316 + 351 + 519) / (2 + 1 + 1 + 2 + 1 + 1 + 1 + 1)
    mix = _grid("mix-openai")
    assert mix.mid == pytest.approx(mean, rel=1e-5)
    assert mix.low == pytest.approx(214 * 0.9)  # cleanest and dirtiest member
    assert mix.high == pytest.approx(519 * 1.1)


def test_the_mix_of_anthropic_weighs_its_subregions() -> None:
    mean = (3 * 297 + 3 * 456 + 3 * 316 + 2 * 214 + 461 + 366 + 351) / (3 + 3 + 3 + 2 + 1 + 1 + 1)
    mix = _grid("mix-anthropic")
    assert mix.mid == pytest.approx(mean, rel=1e-5)
    assert mix.low == pytest.approx(214 * 0.9)
    assert mix.high == pytest.approx(461 * 1.1)


def test_the_mix_of_google_weighs_its_subregions() -> None:
    mean = (4 * 461 + 2 * 297 + 456 + 366 + 2 * 316 + 214 + 351) / (4 + 2 + 1 + 1 + 2 + 1 + 1)
    mix = _grid("mix-google")
    assert mix.mid == pytest.approx(mean, rel=1e-5)
    assert mix.low == pytest.approx(214 * 0.9)
    assert mix.high == pytest.approx(461 * 1.1)


@pytest.mark.parametrize(
    ("region", "zone", "pue", "wue"),
    [
        ("us-east-1", "USA-SRVC", 1.15, 0.12),
        ("us-west-2", "USA-NWPP", 1.12, 0.16),
        ("eu-west-1", "IRL", 1.11, 0.03),
        ("eu-central-1", "DEU", 1.35, 0.01),
        ("eastus", "USA-SRVC", 1.14, 0.17),
        ("swedencentral", "SWE", 1.16, 0.16),
        ("westus3", "USA-AZNM", 1.13, 2.24),
        ("us-central1", "USA-MROW", 1.11, 1.15),
        ("europe-west1", "BEL", 1.08, 1.15),
        ("europe-west4", "NLD", 1.08, 1.15),
    ],
)
def test_a_region_has_its_zone_and_site(region: str, zone: str, pue: float, wue: float) -> None:
    found = Registry.bundled().about(Region, region, DAY)
    assert found is not None
    site = _site(found.site)
    assert (found.zone, site.pue.mid, site.wue_l_per_it_kwh.mid) == (zone, pue, wue)
    assert site.pue.low == pytest.approx(max(1.0, pue * 0.97), rel=1e-5)
    assert site.pue.high == pytest.approx(pue * 1.03, rel=1e-5)
    assert site.wue_l_per_it_kwh.low == pytest.approx(wue / 2)
    assert site.wue_l_per_it_kwh.high == pytest.approx(wue * 2)


@pytest.mark.parametrize(
    ("name", "zone", "pue", "wue"),
    [
        ("openai", "mix-openai", Interval(1.1, 1.16, 1.3), Interval(0.05, 0.27, 0.6)),
        ("anthropic", "mix-anthropic", Interval(1.06, 1.12, 1.3), Interval(0.12, 0.5, 1.2)),
        ("gcp.vertex_ai", "mix-google", Interval(1.06, 1.09, 1.15), Interval(1.0, 1.15, 1.4)),
        ("mistral_ai", "FRA", Interval(1.1, 1.2, 1.5), Interval(0.2, 0.5, 1.9)),
        ("self_hosted", "WOR", Interval(1.1, 1.25, 1.56), Interval(0.12, 0.5, 1.9)),
    ],
)
def test_a_provider_has_a_default_place(name: str, zone: str, pue: Interval, wue: Interval) -> None:
    provider = Registry.bundled().about(ProviderPlace, name, DAY)
    assert provider is not None
    site = _site(provider.site)
    assert (provider.zone, site.pue, site.wue_l_per_it_kwh) == (zone, pue, wue)


def test_every_zone_has_a_grid_and_water() -> None:
    registry = Registry.bundled()
    zones = [zone for zone in registry.facts("zone") if isinstance(zone, Zone)]
    assert len(zones) == 213 + 1 + 27 + 9  # countries, the world, sub-regions, mixes
    for zone in zones:
        assert registry.about(GridIntensity, f"{zone.zone}/location", DAY) is not None
        assert registry.about(WaterIntensity, zone.water_zone, DAY) is not None


@pytest.mark.parametrize(("name", "zone"), [("US", "USA"), ("se", "SWE"), ("Germany", "DEU"), ("srvc", "USA-SRVC")])
def test_a_zone_goes_by_several_names(name: str, zone: str) -> None:
    found = Registry.bundled().about(Zone, name, DAY)
    assert found is not None
    assert found.zone == zone


def test_water_of_electricity_lies_within_a_factor_of_two() -> None:
    water = Registry.bundled().about(WaterIntensity, "USA", DAY)
    assert water is not None
    assert water.l_per_kwh == Interval(3.13 / 2, 3.13, 3.13 * 2)


def test_the_example_call_emits_0_149_g_and_takes_1_38_ml() -> None:
    region = Registry.bundled().about(Region, "us-east-1", DAY)
    embodied = Registry.bundled().about(Embodied, "any", DAY)
    water = Registry.bundled().about(WaterIntensity, "USA", DAY)
    assert region is not None
    assert embodied is not None
    assert water is not None
    site = _site(region.site)
    it_kwh = (0.8 * 0.206 + 0.3 * 0.687) / 1000
    facility_kwh = it_kwh * site.pue.mid
    operational_g = facility_kwh * _grid(region.zone).mid
    embodied_g = it_kwh * embodied.gco2e_per_it_kwh.mid
    water_ml = 1000 * (it_kwh * site.wue_l_per_it_kwh.mid + facility_kwh * water.l_per_kwh.mid)
    assert round(facility_kwh * 1e4, 2) == 4.27
    assert (round(operational_g, 3), round(embodied_g, 3)) == (0.127, 0.022)
    assert round(operational_g + embodied_g, 3) == 0.149
    assert round(water_ml, 2) == 1.38


def test_places_are_dated_from_2024_on() -> None:
    registry = Registry.bundled()
    for kind in ("grid", "site", "water", "embodied", "ratio"):
        assert {fact.valid_from for fact in registry.facts(kind)} == {date(2024, 1, 1)}
