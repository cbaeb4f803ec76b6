"""Life-cycle and direct emissions never meet in one figure, whoever is called and wherever."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon import TokenUsage, estimate
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.steps import steps_of
from otel_carbon.registry.authoring.amounts import Bounds, expand_amount
from otel_carbon.registry.authoring.check import check_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import DirectIntensity, GridIntensity, ProviderPlace, Region, Zone, kind_of
from otel_carbon.yaml_source import Entry, Problem

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 26)
BUNDLED = Registry.bundled()
NAMES = [name for fact in BUNDLED.facts("zone") if isinstance(fact, Zone) for name in fact.names] + [
    fact.region for fact in BUNDLED.facts("region") if isinstance(fact, Region)
]
PROVIDERS = [name for fact in BUNDLED.facts("provider") if isinstance(fact, ProviderPlace) for name in fact.names]
DIRECT = [fact for fact in BUNDLED.facts("direct") if isinstance(fact, DirectIntensity)]


@settings(max_examples=300, deadline=None)
@given(provider=st.sampled_from(PROVIDERS), region=st.none() | st.sampled_from(NAMES))
def test_an_estimate_rests_on_one_life_cycle_grid_and_on_no_direct_figure(provider: str, region: str | None) -> None:
    usage = TokenUsage(provider, "gpt-4o", input_tokens=800, output_tokens=300, region=region, at=DAY)
    footprint = estimate(usage)
    assert isinstance(footprint, Footprint)
    assert "/location-lifecycle@" in footprint.provenance.grid_id
    used = {fact_id for step in steps_of(footprint) for fact_id in step.fact_ids}
    assert {fact_id for fact_id in used if kind_of(fact_id) == "grid"} == {footprint.provenance.grid_id}
    assert not {fact_id for fact_id in used if kind_of(fact_id) == "direct"}


@given(fact=st.sampled_from(DIRECT))
def test_a_direct_figure_is_never_found_as_a_grid(fact: DirectIntensity) -> None:
    grid = BUNDLED.about(GridIntensity, f"{fact.zone}/location", DAY)
    assert grid is not None
    assert "/location-lifecycle@" in grid.id
    assert BUNDLED.about(DirectIntensity, fact.zone, DAY) is not None


@given(fact=st.sampled_from(DIRECT), weight=st.integers(min_value=1, max_value=9))
def test_a_mix_takes_no_direct_figure_as_its_member(fact: DirectIntensity, weight: int) -> None:
    grids = {grid.id: bounds_of(grid) for grid in BUNDLED.facts("grid") if isinstance(grid, GridIntensity)}
    problems: list[Problem] = []
    key = "facts.grid/x@2026.gco2e_per_kwh"
    mix = Entry({fact.id: Entry(weight, "x.yaml", 1, f"{key}.mix")}, "x.yaml", 1, f"{key}.mix")
    assert expand_amount(Entry({"mix": mix}, "x.yaml", 1, key), Bounds(grids=grids), 0.0, problems) is None
    assert [problem.message.partition(";")[0] for problem in problems] == ["is no grid fact with an amount of its own"]


@pytest.mark.parametrize(
    ("basis", "amount", "problem"),
    [
        ("location", "{mix: {grid/SWE/acme@2026: 1, grid/SWE/location-lifecycle@2024: 1}}", "of basis market in a mix"),
        ("market", "{mix: {grid/SWE/acme@2026: 1, grid/SWE/location-lifecycle@2024: 1}}", "of basis location in a mix"),
        (
            "market",
            (
                "{mid: 297, range: range/grid-subregion@2026-11, derived: {national_lifecycle: 383.55, "
                "subregion_direct: 270.48, national_direct: 349.67, lifecycle_year: 2024, direct_year: 2023}}"
            ),
            "makes a location figure, but the basis is market",
        ),
    ],
)
def test_no_grid_is_made_of_figures_of_another_basis(tmp_path: Path, basis: str, amount: str, problem: str) -> None:
    (tmp_path / "facts.yaml").write_text(f"""\
version: 2026.1.0
sources:
  acme-2026:
    {{producer: acme, title: t, year: 2026, url: "https://acme.example", licence: internal, accessed: 2026-11-22,
     redistributable: "limited"}}
shared: {{published: 2026-11-20, sources: [acme-2026], valid_from: 2026-01-01, evidence: supplier}}
facts:
  grid/SWE/acme@2026: {{zone: SWE, basis: market, gco2e_per_kwh: {{low: 1, mid: 2, high: 3}}}}
  grid/DEU/acme@2026: {{zone: DEU, basis: {basis}, gco2e_per_kwh: {amount}}}
""")
    found = check_directory(tmp_path, read_bundled())
    assert [problem in each for each in found] == [True], found


def bounds_of(grid: GridIntensity) -> dict[str, float]:
    """The amount of a grid as authoring keeps it."""
    return {"low": grid.gco2e_per_kwh.low, "mid": grid.gco2e_per_kwh.mid, "high": grid.gco2e_per_kwh.high}


@pytest.mark.parametrize("form", ["mix", "derived"])
def test_a_direct_figure_is_published_as_it_is_and_never_made_of_others(form: str) -> None:
    problems: list[Problem] = []
    key = "facts.direct/x@2026.direct_gco2e_per_kwh"
    grids = {"grid/SWE@2024": {"low": 20.0, "mid": 40.0, "high": 50.0}}
    parts = {form: Entry({"grid/SWE@2024": Entry(1, "x.yaml", 1, key)}, "x.yaml", 1, key)}
    assert expand_amount(Entry(parts, "x.yaml", 1, key), Bounds(grids=grids), 0.0, problems) is None
    assert len(problems) == 1
