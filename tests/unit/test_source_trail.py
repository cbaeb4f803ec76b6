"""One source followed from the file it is written in to the span that rests on it, and to the page that shows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from otel_carbon import attributes as ours
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.steps import steps_of
from otel_carbon.core.usage import TokenUsage
from otel_carbon.enricher import Enricher
from otel_carbon.estimating import estimate
from otel_carbon.metrics.exposition import Exposition
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import GridIntensity
from otel_carbon.spans.view import MappingAttributes, SpanView, resource_view

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY / "otel_carbon" / "registry" / "data"
FACTS_PAGE = REPOSITORY / "docs" / "reference" / "facts.md"

SOURCE = "ember-yearly-2025"
GRID = "grid/FRA/location-lifecycle@2024"
COEFFICIENT = "energy/mistral/mistral-large-2512@2026-11-26"
DAY = date(2026, 11, 22)
START_NS = 1_795_305_600_000_000_000
"""Noon of that day."""


def _enriched() -> tuple[Enricher, dict[str, object]]:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.response.model": "mistral-large-2512",
        "gen_ai.usage.input_tokens": 800,
        "gen_ai.usage.output_tokens": 300,
        "cloud.region": "FRA",
    }
    span = SpanView(
        MappingAttributes(attributes),
        "test",
        resource_view(MappingAttributes({})),
        bytes(15) + b"\1",
        bytes(7) + b"\1",
        start_ns=START_NS,
        end_ns=START_NS + 1,
    )
    enricher = Enricher(Registry.bundled())
    outcome = enricher.enrich(span)
    assert outcome is not None
    return enricher, dict(outcome.attributes(full=True))


def _span_attributes() -> dict[str, object]:
    return _enriched()[1]


@pytest.fixture(scope="module")
def footprint() -> Footprint:
    found = estimate(TokenUsage("mistral_ai", "mistral-large-2512", 800, 300, region="FRA", at=DAY))
    assert isinstance(found, Footprint)
    return found


def test_the_source_is_written_in_the_file_of_sources() -> None:
    written = YAML(typ="safe").load(DATA / "sources.yaml")["sources"][SOURCE]
    compiled = read_bundled().sources[SOURCE]
    assert (compiled["producer"], compiled["url"], compiled["licence"]) == (
        written["producer"],
        written["url"],
        written["licence"],
    )


def test_the_fact_written_with_that_source_is_the_fact_compiled() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((DATA / "grid").iterdir())]
    assert sum(f"  {GRID}:\n" in text or f"\n{GRID}," in text for text in texts) == 1
    assert SOURCE in read_bundled().facts[GRID]["sources"]
    found = Registry.bundled().fact(GRID)
    assert isinstance(found, GridIntensity)
    assert Registry.bundled().source(found.sources[0]).id == SOURCE


def test_the_step_of_an_estimate_names_the_fact_and_the_source(footprint: Footprint) -> None:
    step = next(each for each in steps_of(footprint) if each.name == "emissions_operational_gco2e")
    assert GRID in step.fact_ids
    assert SOURCE in step.source_ids
    found = Registry.bundled().fact(GRID)
    assert isinstance(found, GridIntensity)
    assert step.inputs["grid_gco2e_per_kwh"] == found.gco2e_per_kwh


def test_the_span_names_the_same_facts_and_registry_as_the_estimate(footprint: Footprint) -> None:
    attributes = _span_attributes()
    assert attributes[ours.GRID_ID] == footprint.provenance.grid_id == GRID
    assert attributes[ours.COEFFICIENT_ID] == footprint.provenance.coefficient_id == COEFFICIENT
    assert attributes[ours.REGISTRY_VERSION] == Registry.bundled().version
    assert attributes[ours.EMISSIONS_GCO2E] == footprint.emissions_gco2e.mid


def test_the_counter_holds_the_grams_of_the_span_under_its_model_place_and_tier(footprint: Footprint) -> None:
    enricher, attributes = _enriched()
    page = Exposition(enricher.totals).render("")[0].decode()
    (sample,) = [line for line in page.splitlines() if line.startswith("otel_carbon_emissions_grams_total{")]
    assert (
        f'gen_ai_response_model="{footprint.factors.provenance.coefficient_id.split("/")[2].split("@")[0]}"' in sample
    )
    assert f'otel_carbon_region="{GRID.split("/")[1]}"' in sample
    assert f'otel_carbon_tier="{attributes[ours.TIER]}"' in sample
    assert float(sample.rsplit(" ", 1)[1]) == attributes[ours.EMISSIONS_GCO2E] == footprint.emissions_gco2e.mid


def test_the_page_of_facts_shows_the_facts_of_the_span_with_a_link_to_the_source() -> None:
    page = FACTS_PAGE.read_text(encoding="utf-8")
    attributes = _span_attributes()
    for key in (ours.GRID_ID, ours.COEFFICIENT_ID):
        rows = [line for line in page.splitlines() if line.startswith(f"| `{attributes[key]}` |")]
        assert len(rows) == 1
    above, _, _ = page.partition(f"| `{GRID}` |")
    shared = next(line for line in reversed(above.splitlines()) if line.startswith("Evidence: "))
    assert f"[{SOURCE}](#{SOURCE})" in shared
    assert f'<a id="{SOURCE}"></a>`{SOURCE}`' in page
    assert Registry.bundled().source(SOURCE).url in page


def test_the_version_on_a_span_is_made_of_release_and_digest() -> None:
    bundled = read_bundled()
    assert _span_attributes()[ours.REGISTRY_VERSION] == f"{bundled.version}+{bundled.digest[:12]}"
