"""How much of the world the bundled registry knows, and that what it knows hangs together."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

from otel_carbon import TokenUsage, estimate
from otel_carbon.core.factors import Factors
from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import DirectIntensity, GridIntensity, ProviderPlace, Region, Site, Zone
from otel_carbon.registry.places import is_known_region, place_of_call
from otel_carbon.sdk.environment import unknown_region
from otel_carbon.spans.providers import provider_name
from tests.unit.registry.test_facts_sources import DATA

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.core.interval import Interval

DAY = date(2026, 11, 26)
BUNDLED = Registry.bundled()
ROUNDED_POUND_G = 0.03
"""The sub-regions that were released first rest on rates in tenths of a pound per MWh, 0.045 g per kWh."""
TABLES = sorted(DATA.rglob("*.csv"))


def _grid(zone: str) -> GridIntensity:
    found = BUNDLED.about(GridIntensity, f"{zone}/location", DAY)
    assert found is not None
    return found


def _direct(zone: str) -> float:
    found = BUNDLED.about(DirectIntensity, zone, DAY)
    assert found is not None
    return found.direct_gco2e_per_kwh.mid


def _zones() -> list[str]:
    return [fact.zone for fact in BUNDLED.facts("zone") if isinstance(fact, Zone)]


def test_213_countries_27_subregions_the_world_and_9_mixes_are_zones() -> None:
    zones = _zones()
    countries = [zone for zone in zones if len(zone) == 3 and zone.isupper() and zone != "WOR"]
    assert len(countries) == 11 + 202
    assert len([zone for zone in zones if zone.startswith("USA-")]) == 8 + 19
    assert len([zone for zone in zones if zone.startswith("mix-")]) == 3 + 6
    assert len(zones) == 213 + 27 + 1 + 9


def test_a_country_goes_by_its_two_iso_codes_and_its_name() -> None:
    for zone in BUNDLED.facts("zone"):
        if isinstance(zone, Zone) and len(zone.zone) == 3 and zone.zone not in ("WOR", "USA"):
            alpha_2, alpha_3, name, *_ = zone.names
            assert (len(alpha_2), alpha_3, name[0].isupper()) == (2, zone.zone, True)


def test_a_country_whose_figure_is_published_as_zero_is_unknown() -> None:
    assert not is_known_region(BUNDLED, "CAF")
    assert all(fact.gco2e_per_kwh.mid > 0 for fact in BUNDLED.facts("grid") if isinstance(fact, GridIntensity))


@pytest.mark.parametrize(
    ("zone", "year", "published"),
    [("NOR", 2024, 30.75), ("HKG", 2023, 681.99), ("UGA", 2022, 57.39), ("GIB", 2024, 590.91), ("XKX", 2024, 958.72)],
)
def test_a_country_has_its_newest_figure(zone: str, year: int, published: float) -> None:
    grid = _grid(zone)
    assert grid.id == f"grid/{zone}/location-lifecycle@{year}"
    assert grid.gco2e_per_kwh.mid == published
    assert grid.gco2e_per_kwh.high == pytest.approx(published * 1.3, rel=1e-5)


def test_canada_is_too_uneven_for_the_range_of_a_country() -> None:
    canada = _grid("CAN").gco2e_per_kwh
    assert canada.low == pytest.approx(184.99 / 6, rel=1e-5)
    assert canada.high == pytest.approx(184.99 * 3, rel=1e-5)


@pytest.mark.parametrize(
    ("zone", "lifecycle"), [("USA-SRVC", 297), ("USA-MROW", 461), ("USA-CAMX", 214), ("USA-NWPP", 316)]
)
def test_the_subregions_of_egrid_2023_that_the_methodology_names(zone: str, lifecycle: float) -> None:
    assert _grid(zone).gco2e_per_kwh.mid == lifecycle


@pytest.mark.parametrize("zone", [zone for zone in _zones() if zone.startswith("USA-")])
def test_every_subregion_is_scaled_within_one_year_of_egrid(zone: str) -> None:
    grid = _grid(zone)
    subregion, nation = _direct(zone), _direct("USA")
    assert nation == 349.67  # 770.884 lb per MWh * 0.45359237
    assert grid.id.endswith("@2023")
    assert grid.gco2e_per_kwh.mid == pytest.approx(383.55 * subregion / nation, abs=0.5 + ROUNDED_POUND_G)
    written = re.search(r"\* ([\d.]+) \(sub-region direct, 2023\) / 349.67 \(national direct, 2023\)", grid.derivation)
    assert written is not None
    assert float(written[1]) == pytest.approx(subregion, abs=ROUNDED_POUND_G)


def test_every_region_of_a_cloud_has_a_grid_a_site_and_water() -> None:
    regions = [fact for fact in BUNDLED.facts("region") if isinstance(fact, Region)]
    assert Counter(region.cloud for region in regions) == {"aws": 38, "azure": 67, "gcp": 44, "ibm": 11}
    for region in regions:
        place = place_of_call(BUNDLED, "openai", region.region, "reported", DAY)
        assert place is not None, region.id
        assert (place.grid.zone, place.site.site) == (region.zone, region.site)
        assert place.site.wue_l_per_it_kwh.high > 0


@pytest.mark.parametrize(
    ("region", "zone", "site"),
    [
        ("northcentralus", "USA-RFCW", "azure-northcentralus"),  # Chicago: PJM
        ("westus", "USA-CAMX", "azure-westus"),
        ("me-central1", "QAT", "google-fleet"),
        ("me-central-1", "ARE", "aws-me-central-1"),
        ("eu-west-2", "GBR", "aws-fleet"),
        ("uksouth", "GBR", "azure-fleet"),
    ],
)
def test_a_region_stands_where_its_provider_says(region: str, zone: str, site: str) -> None:
    found = BUNDLED.about(Region, region, DAY)
    assert found is not None
    assert (found.zone, found.site) == (zone, site)


def test_a_group_of_regions_is_no_region() -> None:
    assert not is_known_region(BUNDLED, "asiapacific")


@pytest.mark.parametrize(
    ("site", "pue", "wue"),
    [
        ("aws-fleet", 1.14, 0.15),
        ("azure-fleet", 1.17, 0.27),
        ("google-fleet", 1.09, 1.15),
        ("aws-ap-south-1", 1.42, 0.15),
    ],
)
def test_a_site_without_a_figure_of_its_own_has_that_of_the_fleet(site: str, pue: float, wue: float) -> None:
    found = BUNDLED.about(Site, site, DAY)
    assert found is not None
    assert (found.pue.mid, found.wue_l_per_it_kwh.mid) == (pue, wue)


@pytest.mark.parametrize("region", ["US", "USA", "us-east-1", "eastus", "us-central1", "SE", "Sweden", "Côte d'Ivoire"])
def test_what_a_user_may_configure_is_known(region: str) -> None:
    assert unknown_region(BUNDLED, region) is None
    usage = TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=300, region=region, at=DAY)
    assert isinstance(estimate(usage), Footprint)


@pytest.mark.parametrize("region", ["atlantis", "CAF", "asiapacific", "us-east-99"])
def test_an_unknown_place_is_told_and_gets_no_estimate(region: str) -> None:
    assert str(unknown_region(BUNDLED, region)).startswith(f"unknown region {region!r}")
    usage = TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=300, region=region, at=DAY)
    assert isinstance(estimate(usage), Unestimated)


@pytest.mark.parametrize(
    ("spelled", "zone", "site"),
    [
        ("azure", "mix-azure", "azure-fleet"),
        ("az.ai.inference", "mix-azure", "azure-fleet"),
        ("bedrock", "mix-aws", "aws-fleet"),
        ("vertex_ai", "mix-google", "google-fleet"),
        ("google_genai", "mix-google", "google-fleet"),
        ("cohere", "mix-usa", "leased"),
        ("deepseek", "CHN", "china"),
        ("xai", "mix-x_ai", "leased"),
        ("groq", "mix-usa", "groq-fleet"),
        ("together", "mix-usa", "leased"),
        ("fireworks", "mix-fireworks_ai", "leased"),
        ("openrouter", "mix-clouds", "leased"),
        ("perplexity", "mix-usa", "leased"),
        ("moonshot", "CHN", "china"),
        ("alibaba", "CHN", "alibaba-fleet"),
        ("zhipu", "CHN", "china"),
        ("meta", "mix-usa", "meta-fleet"),
        ("cerebras", "mix-usa", "leased"),
        ("hf", "mix-usa", "leased"),
        ("mistral", "FRA", "mistral-fleet"),
    ],
)
def test_a_provider_has_a_default_place_under_the_name_that_spans_give_it(spelled: str, zone: str, site: str) -> None:
    for name in (spelled, provider_name(spelled)):
        found = BUNDLED.about(ProviderPlace, name, DAY)
        assert found is not None, name
        assert (found.zone, found.site, found.evidence) == (zone, site, "assumed")
        assert found.note


@pytest.mark.parametrize("configured", ["azure", "azure.ai.openai", "azure_openai"])
def test_a_region_configured_under_any_name_of_a_provider_wins_over_its_default(configured: str) -> None:
    call = CallSubject("azure.ai.openai", "gpt-4o", "chat", None, "default", DAY)
    factors = resolve_factors(BUNDLED, call, {configured: "swedencentral"})
    assert isinstance(factors, Factors)
    assert factors.provenance.grid_id == "grid/SWE/location-lifecycle@2024"
    assert factors.provenance.region_evidence == "configured"


def test_a_provider_whose_place_nobody_knows_has_none() -> None:
    assert BUNDLED.about(ProviderPlace, "nobody", DAY) is None


def test_deepseek_has_the_published_band_of_pue() -> None:
    china = BUNDLED.about(Site, "china", DAY)
    assert china is not None
    assert (china.pue.low, china.pue.mid, china.pue.high) == (1.1, 1.25, 1.56)


def test_xai_lies_around_the_grid_of_memphis() -> None:
    memphis: Interval = _grid("mix-x_ai").gco2e_per_kwh
    valley = _grid("USA-SRTV").gco2e_per_kwh
    assert memphis.mid == valley.mid == 449  # 383.55 * 409.73 / 349.67
    assert memphis.low < valley.low
    assert memphis.high > valley.high


def test_a_mix_of_clouds_is_the_mean_over_their_regions() -> None:
    zones = [fact.zone for fact in BUNDLED.facts("region") if isinstance(fact, Region) and fact.cloud == "azure"]
    grids = [_grid(zone).gco2e_per_kwh for zone in zones]
    mix = _grid("mix-azure").gco2e_per_kwh
    assert mix.mid == pytest.approx(sum(grid.mid for grid in grids) / len(zones), rel=1e-5)
    assert (mix.low, mix.high) == (min(grid.low for grid in grids), max(grid.high for grid in grids))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_rows_of_a_table_are_in_the_order_of_their_ids(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    ids = [row[0] for row in csv.reader(lines)][1:]
    assert ids == sorted(ids)
    if path.name != "aliases.csv":
        assert set(ids) <= {fact.id for fact in BUNDLED.facts()}
