"""How energy follows from the size of a model: every term of the method in words."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from otel_carbon.methodology.document import Code, Link, Section, paragraph, table
from otel_carbon.methodology.sections.arithmetic import size_formulas_table
from otel_carbon.methodology.tables import prose
from otel_carbon.registry.facts import Fact, SizeMethod

if TYPE_CHECKING:
    from otel_carbon.methodology.document import Block, Cell
    from otel_carbon.registry.catalog import Registry

TERMS = {
    "method": ("name of the method", ""),
    "intercept": ("constant of the fit of ln(joules per output token)", ""),
    "ln_active_b": ("weight of ln(parameters that work on one token)", "per ln of billions"),
    "ln_total_b": ("weight of ln(all parameters)", "per ln of billions"),
    "ln_batch": ("weight of ln(batch / batch_origin)", ""),
    "ln_batch_squared": ("weight of its square", ""),
    "fp8": ("added where weights have 8 bits, as is assumed of hosted models", ""),
    "b200": ("added on B200 accelerators; not used, as H100 is assumed", ""),
    "batch_origin": ("the batch at which the terms of the batch are zero", "requests"),
    "fitted_active_b_low": ("fewest working parameters that the fit has seen", "billions"),
    "fitted_active_b_high": ("most working parameters that it has seen", "billions"),
    "fitted_total_b_low": ("fewest parameters in all that it has seen", "billions"),
    "fitted_total_b_high": ("most parameters in all that it has seen", "billions"),
    "batch": ("requests that the hardware serves together", "requests"),
    "it_per_accelerator": ("accelerator, host and idle reserve relative to the accelerators alone", "factor"),
    "fit_factor": ("95 % of models lie within this factor of the fit, either way", "factor"),
    "size_factor": ("how far a guessed size may be off, in energy, either way", "factor"),
    "serving_factor": ("how far software and hardware may be off where the weights were benchmarked", "factor"),
    "input_per_output": ("energy of an input token relative to an output token", "share"),
    "input_divisor_low": ("from mid to low of an input token: divided by", "factor"),
    "input_factor_high": ("from mid to high of an input token: multiplied with", "factor"),
    "suspect_factor_high": ("from mid to high where the price contradicts a guessed size", "factor"),
    "floor_j_per_active_b": ("joules that no benchmark has come below, for a token and billion parameters", "J"),
    "kwh_per_usd": ("most electricity at the facility that comes with a dollar of hardware", "kWh per USD"),
    "kwh_per_usd_own_chips": ("the same for makers of their own chips", "kWh per USD"),
    "own_chips": ("the developers who make their own chips", ""),
    "least_kwh_per_usd": ("with less for a dollar of list price a guessed size is suspect", "kWh per USD"),
    "facility_per_it": ("the PUE at which prices are compared", "kWh per kWh"),
    "prefill_flops_per_s": ("operations a second of an accelerator at 16 bits; for models that only read", "1 per s"),
    "prefill_utilisation": ("share of these operations that is used", "share"),
    "prefill_watts": ("power of an accelerator while it reads", "W"),
    "context_j_per_gb": ("energy of the accelerators for reading a gigabyte of keys and values", "J per GB"),
}
"""Field of a method fact: what it means, and its unit."""


def method_section(registry: Registry) -> Section:
    """The methods that make coefficients from sizes, term by term."""
    blocks: list[Block] = [paragraph(prose("method_steps")), paragraph(prose("method_by_hand")), size_formulas_table()]
    columns = (("term", "term"), ("meaning", "meaning"), ("amount", "amount"), ("unit", "unit"))
    for fact in registry.current(SizeMethod):
        blocks.append(table(fact.id, f"Terms of {fact.id}", columns, tuple(_rows(fact))))
        said: list[str | Code | Link] = [
            f"Evidence: {fact.evidence}; valid from {fact.valid_from}. {fact.note} Sources: "
        ]
        for source in fact.sources:
            said += [Link(source, f"#{source}"), " "]
        blocks.append(paragraph(*said))
    return Section("method", "From the size of a model to its energy", tuple(blocks))


def _rows(fact: SizeMethod) -> list[tuple[Cell, ...]]:
    common = {field.name for field in fields(Fact)}
    rows: list[tuple[Cell, ...]] = []
    for field in fields(fact):
        if field.name not in common:
            words, unit = TERMS[field.name]
            rows.append((Code(field.name), words, getattr(fact, field.name), unit))
    return rows
