from __future__ import annotations

from dataclasses import replace

import pytest

from otel_carbon.core import formulas
from otel_carbon.core.interval import Interval
from otel_carbon.core.tokens import attended_pairs
from tests.unit.core.samples import PER_TOKEN, TOKENS


def test_it_energy_is_the_sum_over_token_kinds() -> None:
    low = 100 * 1.0 + 40 * 0.1 + 10 * 1.0 + (30 + 20) * 4.0
    mid = 100 * 2.0 + 40 * 0.2 + 10 * 2.5 + (30 + 20) * 8.0
    high = 100 * 3.0 + 40 * 0.5 + 10 * 4.0 + (30 + 20) * 16.0
    assert (low, mid, high) == (314.0, 633.0, 1160.0)
    assert formulas.it_energy_kwh(TOKENS, PER_TOKEN) == Interval(314.0, 633.0, 1160.0)


def test_reasoning_tokens_cost_what_visible_output_costs() -> None:
    all_visible = TOKENS._replace(output_visible=50, output_reasoning=0)
    all_reasoning = TOKENS._replace(output_visible=0, output_reasoning=50)
    assert formulas.it_energy_kwh(all_visible, PER_TOKEN) == formulas.it_energy_kwh(all_reasoning, PER_TOKEN)


def test_each_output_token_looks_back_at_all_tokens_before_it() -> None:
    before = [100 + 40 + 10 + written for written in range(30 + 20)]
    assert attended_pairs(TOKENS) == sum(before) == 50 * 150 + 50 * 49 // 2


def test_context_adds_its_energy_for_each_pair_where_it_is_known() -> None:
    known = replace(PER_TOKEN, context_kwh=Interval(0.0, 0.5, 1.0))
    assert formulas.it_energy_kwh(TOKENS, known, 200) == Interval(314.0, 633.0 + 200 * 0.5, 1160.0 + 200 * 1.0)
    assert formulas.it_energy_kwh(TOKENS, PER_TOKEN, 200) == Interval(314.0, 633.0, 1160.0)


def test_facility_energy_is_it_energy_times_pue() -> None:
    energy = formulas.facility_energy_kwh(Interval(2.0, 4.0, 8.0), Interval(1.0, 1.25, 1.5))
    assert energy == Interval(2.0 * 1.0, 4.0 * 1.25, 8.0 * 1.5)


def test_operational_emissions_are_facility_energy_times_grid() -> None:
    emissions = formulas.operational_emissions_gco2e(Interval(2.0, 5.0, 12.0), Interval(10.0, 20.0, 40.0))
    assert emissions == Interval(20.0, 100.0, 480.0)


def test_embodied_emissions_go_by_it_energy() -> None:
    emissions = formulas.embodied_emissions_gco2e(Interval(2.0, 4.0, 8.0), Interval(25.0, 50.0, 100.0))
    assert emissions == Interval(50.0, 200.0, 800.0)


def test_total_emissions_are_operational_plus_embodied() -> None:
    total = formulas.total_emissions_gco2e(Interval(20.0, 100.0, 480.0), Interval(50.0, 200.0, 800.0))
    assert total == Interval(70.0, 300.0, 1280.0)


def test_water_on_site_goes_by_it_energy() -> None:
    water = formulas.water_on_site_l(Interval(2.0, 4.0, 8.0), Interval(0.5, 1.0, 2.0))
    assert water == Interval(1.0, 4.0, 16.0)


def test_water_of_electricity_goes_by_facility_energy() -> None:
    water = formulas.water_electricity_l(Interval(2.0, 5.0, 12.0), Interval(1.0, 2.0, 4.0))
    assert water == Interval(2.0, 10.0, 48.0)


def test_water_is_both_together() -> None:
    assert formulas.water_l(Interval(1.0, 4.0, 16.0), Interval(2.0, 10.0, 48.0)) == Interval(3.0, 14.0, 64.0)


@pytest.mark.parametrize(
    "formula",
    [
        formulas.it_energy_kwh,
        formulas.facility_energy_kwh,
        formulas.operational_emissions_gco2e,
        formulas.embodied_emissions_gco2e,
        formulas.total_emissions_gco2e,
        formulas.water_on_site_l,
        formulas.water_electricity_l,
        formulas.water_l,
    ],
)
@pytest.mark.parametrize("heading", ["Formula: `", "Boundary: ", "Source: "])
def test_a_formula_says_its_terms_boundary_and_source(formula: object, heading: str) -> None:
    assert heading in (formula.__doc__ or "")
