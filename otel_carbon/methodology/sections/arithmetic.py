"""The formulas as the code has them, what their terms mean, and one call worked through."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from otel_carbon.core import formulas, parametric
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.core.steps import ASSESSED_STEPS, CONTEXT_STEP, MARKET_STEP, METERED_STEP, OUTLINE, steps_of
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.methodology.document import Code, Link, Section, paragraph, table
from otel_carbon.methodology.tables import prose

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from otel_carbon.methodology.document import Block, Table
    from otel_carbon.registry.catalog import Registry

FUNCTIONS: dict[str, Callable[..., object]] = {
    "it_energy_kwh": formulas.it_energy_kwh,
    "energy_kwh": formulas.facility_energy_kwh,
    "emissions_operational_gco2e": formulas.operational_emissions_gco2e,
    "emissions_embodied_gco2e": formulas.embodied_emissions_gco2e,
    "emissions_gco2e": formulas.total_emissions_gco2e,
    "water_on_site_l": formulas.water_on_site_l,
    "water_electricity_l": formulas.water_electricity_l,
    "water_l": formulas.water_l,
}
"""Step to the function that computes it, whose docstring says boundary and source."""

TERMS = {
    "input_uncached": ("input tokens that were neither read from nor written to a prompt cache", "tokens"),
    "cache_read": ("input tokens read from a prompt cache", "tokens"),
    "cache_write": ("input tokens written to a prompt cache", "tokens"),
    "output_visible": ("output tokens that the user sees", "tokens"),
    "output_reasoning": ("output tokens of reasoning", "tokens"),
    "input_kwh": ("energy of an uncached input token, from the model's coefficient", "kWh of IT"),
    "cache_read_kwh": ("energy of a token read from a cache: input_kwh times the ratio of cache reads", "kWh of IT"),
    "cache_write_kwh": ("energy of a token written to a cache: input_kwh times the ratio of cache writes", "kWh of IT"),
    "output_kwh": ("energy of an output token, from the model's coefficient", "kWh of IT"),
    "attended": ("pairs of an output token and a token before it: output * input + output * (output - 1) / 2", "pairs"),
    "context_kwh": ("energy of such a pair, from the model's bytes of keys and values", "kWh of IT"),
    "metered_nj": ("energy that a meter gave for the call", "nJ"),
    "metered_kwh": ("energy of the servers for each metered nanojoule, by what the meter covers", "kWh of IT"),
    "it_energy_kwh": ("energy of the servers", "kWh"),
    "energy_kwh": ("energy at the facility, drawn from the grid", "kWh"),
    "pue": ("facility energy per IT energy, of the site", "kWh per kWh"),
    "grid_gco2e_per_kwh": ("life-cycle emissions of the zone's electricity, yearly average", "gCO2e per kWh"),
    "market_gco2e_per_kwh": ("emissions of contracted electricity, only where a fact says so", "gCO2e per kWh"),
    "embodied_gco2e_per_it_kwh": ("manufacture of the servers", "gCO2e per IT kWh"),
    "emissions_operational_gco2e": ("emissions of the electricity", "gCO2e"),
    "emissions_embodied_gco2e": ("share of making the servers", "gCO2e"),
    "assessed.gco2e": ("emissions of an output token by the supplier's own assessment", "gCO2e"),
    "assessed.water_l": ("water of an output token by the same", "L"),
    "wue_l_per_it_kwh": ("water evaporated on site", "L per IT kWh"),
    "ewif_l_per_kwh": ("water consumed by power stations", "L per kWh"),
    "water_on_site_l": ("water evaporated on site", "L"),
    "water_electricity_l": ("water consumed by power stations", "L"),
}
"""Every name in a formula: what it means, and its unit."""

_LABELLED = re.compile(r"(Formula|Boundary|Source): (.+?)(?=\s(?:Formula|Boundary|Source): |$)")
EXAMPLE = ("openai", "gpt-4o", 800, 300, "us-east-1")


def arithmetic_section(registry: Registry, day: date) -> Section:
    """Formulas, terms, and an example that can be checked by hand."""
    blocks: list[Block] = [
        paragraph(prose("formulas")),
        _formulas_table(),
        _terms_table(),
    ]
    example = _example_table(registry, day)
    if example is not None:
        provider, model, inputs, outputs, region = EXAMPLE
        said = prose("example", provider=provider, model=model, inputs=inputs, outputs=outputs, region=region)
        blocks += [paragraph(said), example]
    return Section("formulas", "The formulas", tuple(blocks))


def docstring_part(function: Callable[..., object], label: str) -> str:
    """What a docstring says under `Formula:`, `Boundary:` or `Source:`; empty where it has none (`python -OO`)."""
    found = dict(_LABELLED.findall(" ".join((inspect.getdoc(function) or "").split())))
    return str(found.get(label, "")).rstrip(".").replace("`", "")


def _formulas_table() -> Table:
    rows = [
        (
            Code(step.name),
            Code(step.formula),
            step.unit,
            docstring_part(FUNCTIONS[step.name], "Boundary"),
            docstring_part(FUNCTIONS[step.name], "Source"),
        )
        for step in OUTLINE
    ]
    context = "instead of the first: IT, of models whose keys and values have a published size"
    source = docstring_part(FUNCTIONS[CONTEXT_STEP.name], "Source")
    rows.append((Code(CONTEXT_STEP.name), Code(CONTEXT_STEP.formula), CONTEXT_STEP.unit, context, source))
    metered = "instead of the first: IT, where a meter gave the energy of the call"
    rows.append(
        (Code(METERED_STEP.name), Code(METERED_STEP.formula), METERED_STEP.unit, metered, "the span; the meter")
    )
    market = "life cycle of contracted electricity and the hardware; shown beside, where a market factor is known"
    rows.append((Code(MARKET_STEP.name), Code(MARKET_STEP.formula), MARKET_STEP.unit, market, "your own market fact"))
    assessed = "instead of the above: as the supplier had its own service assessed, hardware within, whatever the grid"
    rows += [
        (Code(each.name), Code(each.formula), each.unit, assessed, "the assessment of the model")
        for each in ASSESSED_STEPS
    ]
    return table("formulas", "Formulas of a call", _FORMULA_COLUMNS, tuple(rows))


_FORMULA_COLUMNS = (
    ("quantity", "quantity"),
    ("formula", "formula"),
    ("unit", "unit"),
    ("boundary", "boundary"),
    ("source", "where its factors come from"),
)


def size_formulas_table() -> Table:
    """The formulas that lead from a model's size to its coefficient."""
    functions = (
        parametric.accelerator_wh_per_ktoken,
        parametric.prefill_wh_per_ktoken,
        parametric.context_wh_per_ktoken_ktoken,
    )
    rows = tuple(
        (
            Code(each.__name__),
            Code(docstring_part(each, "Formula")),
            "Wh",
            docstring_part(each, "Boundary"),
            "the method",
        )
        for each in functions
    )
    return table("size_formulas", "From size to energy of 1,000 tokens", _FORMULA_COLUMNS, rows)


def _terms_table() -> Table:
    rows = tuple((Code(name), words, unit) for name, (words, unit) in TERMS.items())
    return table("terms", "Terms of the formulas", (("term", "term"), ("meaning", "meaning"), ("unit", "unit")), rows)


def _example_table(registry: Registry, day: date) -> Table | None:
    provider, model, inputs, outputs, region = EXAMPLE
    usage = TokenUsage(provider, model, input_tokens=inputs, output_tokens=outputs, region=region, at=day)
    found = estimate(usage, registry=registry)
    if not isinstance(found, Footprint):
        return None
    rows = tuple(
        (
            Code(step.name),
            Code(f"{_with_numbers(step.formula, step.inputs)} = {step.result.mid:.6g}"),
            step.result,
            step.unit,
            tuple(Code(fact) for fact in step.fact_ids),
            tuple(Link(source, f"#{source}") for source in step.source_ids),
        )
        for step in steps_of(found)
    )
    columns = (
        ("quantity", "quantity"),
        ("at_mid", "at mid"),
        ("amount", "mid (low to high)"),
        ("unit", "unit"),
        ("facts", "facts"),
        ("sources", "sources"),
    )
    return table("example", "A call worked through", columns, rows)


def _with_numbers(formula: str, inputs: object) -> str:
    """The formula with each name replaced by its mid."""
    assert isinstance(inputs, dict)  # noqa: S101 - steps give no other mapping
    mids = {name: each.mid if isinstance(each, Interval) else each for name, each in inputs.items()}
    return re.sub(r"[a-z][\w.]+", lambda match: f"{mids[match.group()]:.6g}", formula)
