"""Spans that carry metered energy: it gives the figure in place of the tokens, at the boundary that the span names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_carbon import attributes as ours
from otel_carbon.core.steps import METERED_STEP, steps_of
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.registry.catalog import Registry
from tests.unit.spans.chat_spans import call_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.core.footprint import Footprint
    from otel_carbon.enricher import Outcome

EMISSIONS_MID = 3
KWH = 0.0004
METERED = {ours.METERED_ENERGY_KWH: KWH, ours.METERED_BOUNDARY: "it"}
PUE = 1.16  # of OpenAI's fleet


def judged(added: Mapping[str, object | None], enricher: Enricher | None = None, number: int = 1) -> Outcome:
    outcome = (enricher or Enricher(Registry.bundled())).enrich(call_span(number, added, trace=number))
    assert outcome is not None
    return outcome


def footprint_of_call(added: Mapping[str, object | None], **settings: Any) -> Footprint:
    found = judged(added, Enricher(Registry.bundled(), EnrichSettings(**settings))).footprint
    assert found is not None
    return found


def test_the_metered_energy_is_the_mid_with_the_range_of_its_meter() -> None:
    found = footprint_of_call(METERED)
    assert found.it_energy_kwh.as_dict() == pytest.approx({"low": 0.87 * KWH, "mid": KWH, "high": 1.15 * KWH})
    assert found.energy_kwh.mid == pytest.approx(KWH * PUE)
    assert (found.provenance.tier, found.provenance.tier_number) == ("metered", 0)
    assert found.provenance.method == "metered"
    assert found.provenance.coefficient_id == "meter/it@2026-11-26"
    assert "size_guessed" not in found.provenance.assumptions


@pytest.mark.parametrize(("boundary", "it_kwh"), [("accelerator", KWH * 1.57), ("it", KWH), ("facility", KWH / PUE)])
def test_each_boundary_is_brought_to_it(boundary: str, it_kwh: float) -> None:
    found = footprint_of_call({**METERED, ours.METERED_BOUNDARY: boundary})
    assert found.it_energy_kwh.mid == pytest.approx(it_kwh)


def test_the_first_step_shows_the_meter() -> None:
    step = steps_of(footprint_of_call(METERED))[0]
    assert step.formula == METERED_STEP.formula == "metered_nj * metered_kwh"
    assert step.inputs["metered_nj"] == round(KWH * 3.6e15)
    assert step.fact_ids == ("meter/it@2026-11-26",)


def test_neither_the_model_nor_its_tokens_need_be_known() -> None:
    nothing = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
    unknown = {"gen_ai.request.model": "dall-e-3", "gen_ai.response.model": None}
    found = footprint_of_call({**METERED, **nothing, **unknown}, strict=True)
    assert found.it_energy_kwh.mid == pytest.approx(KWH)


def test_a_metered_call_need_not_name_its_model() -> None:
    nameless = {"gen_ai.request.model": None, "gen_ai.response.model": None}
    found = footprint_of_call({**METERED, **nameless})
    assert found.it_energy_kwh.mid == pytest.approx(KWH)
    assert ours.MATCH not in judged({**METERED, **nameless}).attributes(full=True)


def test_what_was_metered_at_the_facility_comes_back_with_the_range_of_its_meter_alone() -> None:
    found = footprint_of_call({**METERED, ours.METERED_BOUNDARY: "facility"})
    assert found.energy_kwh.as_dict() == pytest.approx({"low": 0.87 * KWH, "mid": KWH, "high": 1.15 * KWH})


def test_a_place_that_is_not_known_leaves_it_unestimated() -> None:
    outcome = judged({**METERED, "gen_ai.provider.name": "no-such-provider"})
    assert (outcome.status, outcome.reason) == ("unestimated", "zone_unknown")


@pytest.mark.parametrize("kwh", [0, 0.0, 1e-30, -1.0, float("nan"), float("inf"), 1001.0, "0.5", True, None, [0.5]])
def test_an_energy_that_no_call_can_take_is_unestimated_and_not_replaced_by_tokens(kwh: object) -> None:
    outcome = judged({**METERED, ours.METERED_ENERGY_KWH: kwh})
    assert (outcome.status, outcome.reason) == ("unestimated", "invalid_metered_energy")


@pytest.mark.parametrize("boundary", [None, "", "gpu", 3, "IT"])
def test_without_a_boundary_the_tokens_give_the_figure(boundary: object) -> None:
    found = footprint_of_call({**METERED, ours.METERED_BOUNDARY: boundary})
    assert found.amounts == footprint_of_call({}).amounts
    assert found.provenance.tier == "token_physical"


@given(st.lists(st.floats(min_value=1e-9, max_value=1000.0), min_size=1, max_size=20))
def test_the_counters_are_the_sum_of_the_metered_calls(energies: list[float]) -> None:
    enricher = Enricher(Registry.bundled())
    calls = [{**METERED, ours.METERED_ENERGY_KWH: kwh} for kwh in energies]
    footprints = [judged(call, enricher, number).footprint for number, call in enumerate(calls, start=1)]
    snapshot = enricher.totals.snapshot()
    booked_g = sum(row[EMISSIONS_MID] for row in snapshot.rows.values())
    assert {labels.tier for labels in snapshot.rows} == {"metered"}
    assert booked_g == pytest.approx(sum(each.emissions_gco2e.mid for each in footprints if each), rel=1e-9)


def test_calls_with_and_without_a_meter_stand_in_rows_of_their_tiers() -> None:
    enricher = Enricher(Registry.bundled())
    judged(METERED, enricher, 1)
    judged({}, enricher, 2)
    assert sorted(labels.tier for labels in enricher.totals.snapshot().rows) == ["metered", "token_physical"]
