"""The facts behind the figures: those that spans name, and those that follow from them."""

from __future__ import annotations

from datetime import date

from otel_carbon.demo.figures import FactIds
from otel_carbon.demo.presentation.evidence import Evidence, evidence_for
from otel_carbon.registry.catalog import Registry
from tests.unit.demo.samples import COEFFICIENT, GRID

DAY = date(2026, 11, 22)
NOTHING = FactIds((), (), (), (), {})


def ids_of(evidence: Evidence, heading: str) -> tuple[str, ...]:
    return tuple(fact.id for found, facts in evidence.facts if found == heading for fact in facts)


def test_facts_that_spans_name_are_listed_with_amounts_and_units() -> None:
    evidence = evidence_for(Registry.bundled(), FactIds((COEFFICIENT,), (GRID,), (), (), {}), DAY)
    assert ids_of(evidence, "Energy of the models") == (COEFFICIENT,)
    energy = next(facts for heading, facts in evidence.facts if heading == "Energy of the models")[0]
    assert energy.amounts[0].startswith("output 0.687 (")
    assert energy.amounts[-1] == "Wh of IT energy per 1,000 tokens"


def test_a_grid_brings_the_water_of_its_zone() -> None:
    evidence = evidence_for(Registry.bundled(), FactIds((), (GRID,), (), (), {}), DAY)
    assert ids_of(evidence, "Water of electricity") == ("water/USA@2020",)


def test_what_holds_for_every_call_is_always_listed() -> None:
    evidence = evidence_for(Registry.bundled(), NOTHING, DAY)
    assert len(ids_of(evidence, "Cached tokens")) == 2
    assert len(ids_of(evidence, "Manufacture of the hardware")) == 1


def test_a_region_is_a_fact_and_so_is_a_default_place() -> None:
    places = (("aws.bedrock", "us-west-2", "derived"), ("mistral_ai", "FRA", "default"))
    evidence = evidence_for(Registry.bundled(), FactIds((), (), (), places, {}), DAY)
    assert ids_of(evidence, "Cloud regions") == ("region/us-west-2@2026-11",)
    assert ids_of(evidence, "Where providers run when nobody says") == ("provider/mistral@2026-11",)


def test_an_open_model_at_a_private_address_rests_on_the_place_of_self_hosters() -> None:
    places = (("openai", "WOR", "default"),)
    evidence = evidence_for(Registry.bundled(), FactIds((), (), (), places, {}), DAY)
    assert ids_of(evidence, "Where providers run when nobody says") == ("provider/self_hosted@2026-11-26",)


def test_sources_are_numbered_in_the_order_of_their_list() -> None:
    registry = Registry.bundled()
    evidence = evidence_for(registry, FactIds((COEFFICIENT,), (GRID,), (), (), {}), DAY)
    for _, facts in evidence.facts:
        for fact in facts:
            cited = {evidence.sources[number - 1].id for number in fact.sources}
            assert cited == set(registry.fact(fact.id).sources)
