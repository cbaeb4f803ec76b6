from __future__ import annotations

import ast
import operator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from otel_carbon.core.footprint import footprint_of
from otel_carbon.core.interval import Interval
from otel_carbon.core.steps import Step, steps_of
from tests.unit.core.samples import FACTORS, FACTORS_WITH_MARKET, TOKENS

if TYPE_CHECKING:
    from collections.abc import Mapping

BOUNDS = ("low", "mid", "high")
OPERATORS = {ast.Add: operator.add, ast.Mult: operator.mul}
NAMES = [
    "it_energy_kwh",
    "energy_kwh",
    "emissions_operational_gco2e",
    "emissions_embodied_gco2e",
    "emissions_gco2e",
    "water_on_site_l",
    "water_electricity_l",
    "water_l",
]
STEPS = {step.name: step for step in steps_of(footprint_of(TOKENS, FACTORS))}
STEPS_WITH_MARKET = {step.name: step for step in steps_of(footprint_of(TOKENS, FACTORS_WITH_MARKET))}
WITH_CONTEXT = replace(
    FACTORS, energy_per_token=replace(FACTORS.energy_per_token, context_kwh=Interval(0.0, 0.001, 0.002))
)


def _evaluated(formula: str, inputs: Mapping[str, float]) -> float:
    """The value of a formula of names, `+`, `*` and brackets; anything else fails."""

    def value_of(node: ast.expr) -> float:
        if isinstance(node, ast.Name):
            return inputs[node.id]
        assert isinstance(node, ast.BinOp), f"{ast.unparse(node)} is no sum or product"
        left, right = value_of(node.left), value_of(node.right)
        return float(OPERATORS[type(node.op)](left, right))

    return value_of(ast.parse(formula, mode="eval").body)


def _at(step: Step, bound: str) -> dict[str, float]:
    return {
        name: getattr(entry, bound) if isinstance(entry, Interval) else entry for name, entry in step.inputs.items()
    }


def test_the_steps_are_the_quantities_of_a_footprint_in_the_order_of_the_formulas() -> None:
    assert list(STEPS) == NAMES


def test_the_market_based_step_is_there_when_a_market_factor_is() -> None:
    assert list(STEPS_WITH_MARKET) == [*NAMES, "emissions_market_gco2e"]
    step = STEPS_WITH_MARKET["emissions_market_gco2e"]
    assert step.inputs["market_gco2e_per_kwh"] == Interval(0.0, 5.0, 10.0)
    assert step.result == footprint_of(TOKENS, FACTORS_WITH_MARKET).emissions_market_gco2e


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("name", STEPS_WITH_MARKET)
def test_a_result_is_what_its_formula_gives_on_its_inputs(name: str, bound: str) -> None:
    step = STEPS_WITH_MARKET[name]
    assert _evaluated(step.formula, _at(step, bound)) == getattr(step.result, bound)


@pytest.mark.parametrize("name", STEPS_WITH_MARKET)
def test_a_formula_uses_exactly_the_inputs_shown(name: str) -> None:
    step = STEPS_WITH_MARKET[name]
    named = {node.id for node in ast.walk(ast.parse(step.formula)) if isinstance(node, ast.Name)}
    assert named == set(step.inputs)


def test_the_first_step_shows_the_context_where_the_model_takes_it() -> None:
    step = steps_of(footprint_of(TOKENS, WITH_CONTEXT))[0]
    assert step.formula == STEPS["it_energy_kwh"].formula + " + attended * context_kwh"
    assert step.inputs["attended"] == 50 * 150 + 50 * 49 // 2
    assert step.result.mid == _evaluated(step.formula, _at(step, "mid")) == 633.0 + 8725 * 0.001


@pytest.mark.parametrize("name", STEPS_WITH_MARKET)
def test_a_result_is_the_amount_of_the_footprint(name: str) -> None:
    assert STEPS_WITH_MARKET[name].result == getattr(footprint_of(TOKENS, FACTORS_WITH_MARKET), name)


def test_an_input_that_is_an_amount_is_the_result_of_an_earlier_step() -> None:
    seen: dict[str, Interval] = {}
    for step in STEPS_WITH_MARKET.values():
        for name, entry in step.inputs.items():
            if name in STEPS_WITH_MARKET:
                assert seen[name] == entry
        seen[step.name] = step.result


@pytest.mark.parametrize("name", STEPS_WITH_MARKET)
def test_the_unit_is_the_one_in_the_name(name: str) -> None:
    assert STEPS_WITH_MARKET[name].unit == {"kwh": "kWh", "gco2e": "gCO2e", "l": "L"}[name.rpartition("_")[2]]


@pytest.mark.parametrize("name", STEPS_WITH_MARKET)
def test_a_step_names_facts_and_all_their_sources(name: str) -> None:
    step = STEPS_WITH_MARKET[name]
    sources_of = FACTORS.provenance.source_ids
    assert step.fact_ids
    assert set(step.source_ids) == {source for fact_id in step.fact_ids for source in sources_of[fact_id]}


def test_a_step_names_the_facts_of_the_steps_it_builds_on_once() -> None:
    assert STEPS["it_energy_kwh"].fact_ids == ("energy/acme/one@1",)
    assert STEPS["energy_kwh"].fact_ids == ("energy/acme/one@1", "site/fleet@1")
    assert STEPS["emissions_gco2e"].fact_ids == (
        "energy/acme/one@1",
        "site/fleet@1",
        "grid/NOR/location@1",
        "embodied/server@1",
    )
    assert STEPS["water_on_site_l"].source_ids == ("lab", "operator")
    assert STEPS["water_electricity_l"].source_ids == ("lab", "operator", "water-office")
    assert STEPS["water_l"].source_ids == ("lab", "operator", "water-office")


def test_only_the_market_based_step_rests_on_the_market_factor() -> None:
    on_market = [name for name, step in STEPS_WITH_MARKET.items() if "grid/NOR/market@1" in step.fact_ids]
    assert on_market == ["emissions_market_gco2e"]
    assert "grid/NOR/location@1" not in STEPS_WITH_MARKET["emissions_market_gco2e"].fact_ids
