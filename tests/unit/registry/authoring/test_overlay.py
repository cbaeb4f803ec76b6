from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import EnergyCoefficient, GridIntensity, Region, Site
from otel_carbon.registry.places import place_of_call
from tests.unit.registry.authoring.fact_directory import FactDirectory

REPOSITORY = Path(__file__).resolve().parents[4]

OVERLAY = """\
version: acme-2026.11
sources:
  acme-meter-2026:
    accessed: 2026-11-20
    licence: own data
    producer: Acme
    redistributable: facts
    title: Meter readings of the hall in Narvik
    url: https://acme.example/meters
    year: 2026
shared:
  evidence: supplier
  published: 2026-11-20
  sources: [acme-meter-2026]
  valid_from: 2026-01-01
facts:
  region/narvik-1@2026:
    cloud: acme
    region: narvik-1
    site: acme-narvik
    zone: SWE
  site/acme-narvik@2026:
    pue: {mid: 1.06, range: range/regional-pue@2026-11}
    site: acme-narvik
    wue_l_per_it_kwh: {low: 0.01, mid: 0.02, high: 0.05}
"""


@pytest.fixture
def overlay(tmp_path: Path) -> FactDirectory:
    facts = FactDirectory(tmp_path)
    (tmp_path / "sources.yaml").unlink()
    facts.write("facts.yaml", OVERLAY)
    return facts


def test_an_overlay_refers_to_bundled_ranges_and_zones(overlay: FactDirectory) -> None:
    assert overlay.problems(read_bundled()) == ()
    amount = overlay.compiled(read_bundled()).facts["site/acme-narvik@2026"]["pue"]
    assert amount == {"low": 1.06 * 0.97, "mid": 1.06, "high": 1.06 * 1.03}


def test_an_overlay_holds_its_own_facts_only(overlay: FactDirectory) -> None:
    compiled = overlay.compiled(read_bundled())
    assert sorted(compiled.facts) == ["region/narvik-1@2026", "site/acme-narvik@2026"]
    assert sorted(compiled.sources) == ["acme-meter-2026"]


def test_the_overlay_in_the_documentation_compiles(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "registry.md").read_text(encoding="utf-8")
    example = page.partition("<!-- overlay example: tested -->\n```yaml\n")[2].partition("```")[0]
    (tmp_path / "acme.yaml").write_text(example, encoding="utf-8")
    compiled = tmp_path / "my-facts.json"
    compiled.write_bytes(compile_directory(tmp_path, read_bundled()))
    place = place_of_call(Registry.bundled().with_overlay(compiled), "acme", None, "", date(2026, 11, 22))
    assert place is not None
    assert (place.site.id, place.grid.zone) == ("site/acme-lulea@2026-11", "SWE")


def test_without_its_base_an_overlay_has_unresolved_names(overlay: FactDirectory) -> None:
    assert overlay.problems() == (
        (
            "facts.yaml:21: facts.region/narvik-1@2026.zone: names 'SWE', which no zone fact is about; "
            "add that fact or correct the name"
        ),
        (
            "facts.yaml:23: facts.site/acme-narvik@2026.pue.range: names 'range/regional-pue@2026-11', "
            "which no range fact has as its id; add it or correct the id"
        ),
    )


def test_a_bundled_id_cannot_be_redefined(overlay: FactDirectory) -> None:
    overlay.change("facts.yaml", "  acme-meter-2026:\n", "  ember-yearly-2025:\n")
    overlay.change("facts.yaml", "sources: [acme-meter-2026]", "sources: [ember-yearly-2025]")
    overlay.append("  site/generic@2026-11:\n    pue: {low: 1, mid: 1, high: 1}\n    site: generic\n")
    overlay.append("    wue_l_per_it_kwh: {low: 0, mid: 0, high: 0}\n")
    assert overlay.problems(read_bundled()) == (
        (
            "facts.yaml:3: sources.ember-yearly-2025: is the id of a bundled source; "
            "refer to it, or choose an id of your own"
        ),
        (
            "facts.yaml:26: facts.site/generic@2026-11: is the id of a bundled fact; choose an id of your own, "
            "it wins over the bundled one"
        ),
    )


def test_a_mix_may_have_bundled_members(overlay: FactDirectory) -> None:
    overlay.append("  zone/acme@2026:\n    names: [acme]\n    water_zone: SWE\n    zone: acme\n")
    overlay.append("  grid/acme/location@2026:\n    basis: location\n    zone: acme\n    gco2e_per_kwh:\n      mix:\n")
    overlay.append("        grid/SWE/location-lifecycle@2024: 1\n        grid/FRA/location-lifecycle@2024: 1\n")
    amount = overlay.compiled(read_bundled()).facts["grid/acme/location@2026"]["gco2e_per_kwh"]
    assert amount["mid"] == (35.89 + 44.18) / 2


def test_an_overlay_answers_through_the_registry(overlay: FactDirectory, tmp_path: Path) -> None:
    overlay.append(
        "  energy/acme/gpt-4o@2026:\n    aliases: []\n    assumptions: []\n    boundary: it\n    developer: acme\n"
        "    input_wh_per_ktoken: {low: 1, mid: 1, high: 1}\n    method: metered\n    models: [gpt-4o]\n"
        "    open_weights: false\n    operations: [chat]\n    output_wh_per_ktoken: {low: 2, mid: 2, high: 2}\n"
    )
    compiled = tmp_path / "overlay.json"
    compiled.write_bytes(compile_directory(overlay.root, read_bundled()))
    registry = Registry.bundled().with_overlay(compiled)
    region = registry.about(Region, "narvik-1", None)
    model = registry.about(EnergyCoefficient, "gpt-4o", None)
    assert region is not None
    assert model is not None
    assert model.id == "energy/acme/gpt-4o@2026"
    dated = registry.about(EnergyCoefficient, "gpt-4o-2024-11-20", None)
    assert dated is not None
    assert dated.id == "energy/openai/gpt-4o@2026-11-26"
    assert registry.about(Site, region.site, None) == registry.fact("site/acme-narvik@2026")
    assert registry.about(GridIntensity, f"{region.zone}/location", None) is not None


def test_a_successor_that_begins_later_than_the_bundled_fact_is_refused(overlay: FactDirectory) -> None:
    overlay.append(
        "  region/us-east-1@2026:\n    cloud: acme\n    region: us-east-1\n    site: acme-narvik\n"
        "    supersedes: region/us-east-1@2026-11\n    zone: SWE\n"
    )
    assert overlay.problems(read_bundled()) == (
        (
            "facts.yaml:30: facts.region/us-east-1@2026.supersedes: begins on 2026-01-01, later than the "
            "superseded fact (2024-01-01); the days between would have no fact: begin on the same "
            "day, or leave `supersedes` out"
        ),
    )


def test_a_successor_claims_all_that_the_bundled_fact_claims(overlay: FactDirectory) -> None:
    overlay.change("facts.yaml", "valid_from: 2026-01-01", "valid_from: 2024-01-01")
    overlay.change("facts.yaml", "    zone: SWE\n", "    supersedes: region/us-east-1@2026-11\n    zone: SWE\n")
    assert overlay.problems(read_bundled()) == (
        (
            "facts.yaml:21: facts.region/narvik-1@2026.supersedes: leaves 'us-east-1' of region/us-east-1@2026-11 "
            "without a fact; claim all that it claimed"
        ),
    )
