"""The way to one footprint, step by step, for people who check the figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.interval import Interval


@dataclass(frozen=True, slots=True)
class Step:
    """One quantity: its formula, the inputs that went in, the result with its unit, and the facts and sources."""

    name: str
    formula: str
    inputs: Mapping[str, Interval | int]
    result: Interval
    unit: str
    fact_ids: tuple[str, ...]
    source_ids: tuple[str, ...]


class StepOutline(NamedTuple):
    """What a step computes, whatever the call: names are those of `Footprint` and `Factors`."""

    name: str
    formula: str
    quantities: tuple[str, ...]
    """The steps it builds on."""
    factors: tuple[str, ...]
    """The factors it brings in."""
    unit: str


OUTLINE = (
    StepOutline(
        "it_energy_kwh",
        (
            "input_uncached * input_kwh + cache_read * cache_read_kwh + cache_write * cache_write_kwh"
            " + (output_visible + output_reasoning) * output_kwh"
        ),
        (),
        ("energy_per_token",),
        "kWh",
    ),
    StepOutline("energy_kwh", "it_energy_kwh * pue", ("it_energy_kwh",), ("pue",), "kWh"),
    StepOutline(
        "emissions_operational_gco2e",
        "energy_kwh * grid_gco2e_per_kwh",
        ("energy_kwh",),
        ("grid_gco2e_per_kwh",),
        "gCO2e",
    ),
    StepOutline(
        "emissions_embodied_gco2e",
        "it_energy_kwh * embodied_gco2e_per_it_kwh",
        ("it_energy_kwh",),
        ("embodied_gco2e_per_it_kwh",),
        "gCO2e",
    ),
    StepOutline(
        "emissions_gco2e",
        "emissions_operational_gco2e + emissions_embodied_gco2e",
        ("emissions_operational_gco2e", "emissions_embodied_gco2e"),
        (),
        "gCO2e",
    ),
    StepOutline("water_on_site_l", "it_energy_kwh * wue_l_per_it_kwh", ("it_energy_kwh",), ("wue_l_per_it_kwh",), "L"),
    StepOutline("water_electricity_l", "energy_kwh * ewif_l_per_kwh", ("energy_kwh",), ("ewif_l_per_kwh",), "L"),
    StepOutline(
        "water_l",
        "water_on_site_l + water_electricity_l",
        ("water_on_site_l", "water_electricity_l"),
        (),
        "L",
    ),
)
MARKET_STEP = StepOutline(
    "emissions_market_gco2e",
    "energy_kwh * market_gco2e_per_kwh + emissions_embodied_gco2e",
    ("energy_kwh", "emissions_embodied_gco2e"),
    ("market_gco2e_per_kwh",),
    "gCO2e",
)
ASSESSED_STEPS = (
    StepOutline("emissions_gco2e", "(output_visible + output_reasoning) * assessed.gco2e", (), ("assessed",), "gCO2e"),
    StepOutline("water_l", "(output_visible + output_reasoning) * assessed.water_l", (), ("assessed",), "L"),
)
"""In place of emissions and water where the supplier of the service had it assessed."""
CONTEXT_STEP = OUTLINE[0]._replace(formula=OUTLINE[0].formula + " + attended * context_kwh")
"""In place of the first where the model's energy for its context is known."""
METERED_STEP = OUTLINE[0]._replace(formula="metered_nj * metered_kwh")
"""In place of the first where a meter gave the energy."""
_ENERGY_STEPS = 2


def steps_of(footprint: Footprint) -> tuple[Step, ...]:
    """The steps in the order of the formulas; a step's facts include those of the quantities it builds on.

    The market-based step comes last, where a market factor is known.
    """
    provenance = footprint.provenance
    facts: dict[str, tuple[str, ...]] = {}
    steps = []
    outline = _outline(footprint)
    for name, formula, quantities, factors, unit in outline:
        behind = [fact for quantity in quantities for fact in facts[quantity]]
        behind += [fact for factor in factors for fact in provenance.fact_ids[factor]]
        facts[name] = tuple(dict.fromkeys(behind))
        sources = tuple(dict.fromkeys(source for fact in facts[name] for source in provenance.source_ids[fact]))
        inputs = _inputs(footprint, quantities, factors)
        steps.append(Step(name, formula, inputs, getattr(footprint, name), unit, facts[name], sources))
    return tuple(steps)


def _outline(footprint: Footprint) -> tuple[StepOutline, ...]:
    factors = footprint.factors
    per_token = factors.energy_per_token
    first = OUTLINE[0] if per_token.context_kwh is None else CONTEXT_STEP
    if per_token.metered_kwh is not None:
        first = METERED_STEP
    if factors.assessed is not None:
        return (first, *OUTLINE[1:_ENERGY_STEPS], *ASSESSED_STEPS)
    return (first, *OUTLINE[1:], *(() if factors.market_gco2e_per_kwh is None else (MARKET_STEP,)))


def _inputs(footprint: Footprint, quantities: tuple[str, ...], factors: tuple[str, ...]) -> dict[str, Interval | int]:
    if factors == ("energy_per_token",):
        per_token = footprint.factors.energy_per_token
        if per_token.metered_kwh is not None:
            return {"metered_nj": footprint.units, "metered_kwh": per_token.metered_kwh}
        kinds = ("input_kwh", "cache_read_kwh", "cache_write_kwh", "output_kwh")
        found = {**footprint.tokens._asdict(), **{kind: getattr(per_token, kind) for kind in kinds}}
        if per_token.context_kwh is not None:
            found |= {"attended": footprint.units, "context_kwh": per_token.context_kwh}
        return found
    if factors == ("assessed",) and footprint.factors.assessed is not None:
        tokens = {kind: getattr(footprint.tokens, kind) for kind in ("output_visible", "output_reasoning")}
        return {**tokens, **{f"assessed.{name}": each for name, each in footprint.factors.assessed._asdict().items()}}
    inputs: dict[str, Interval | int] = {name: getattr(footprint, name) for name in quantities}
    return inputs | {name: getattr(footprint.factors, name) for name in factors}
