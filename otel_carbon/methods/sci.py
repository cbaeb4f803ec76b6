"""The Software Carbon Intensity of our own estimate: `((E * I) + M) / R`.

Source: Green Software Foundation, Software Carbon Intensity (SCI) specification, ISO/IEC 21031:2024.
`E * I` is the operational, `M` the embodied part of the estimate; `I` is the location-based average of the grid,
and no market instrument enters. Consumer boundary as far as the call goes: inference alone, no tools around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.formulas import operational_emissions_gco2e, total_emissions_gco2e
from otel_carbon.core.units import TOKENS_PER_KTOKEN
from otel_carbon.methods.result import (
    CALL,
    FUNCTIONAL_UNIT,
    NO_INPUT_COUNT,
    NO_TOKENS,
    NOT_PART_OF_METHOD,
    NOT_TOLD_APART,
    PER_KTOKEN,
    PER_KTOKEN_OUTPUT,
    MethodResult,
)

if TYPE_CHECKING:
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.interval import Interval
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.methods.result import Amount

METHOD = "sci"
VERSION = "ISO/IEC 21031:2024"


def sci_score_gco2e(
    energy_kwh: Interval, grid_gco2e_per_kwh: Interval, embodied_gco2e: Interval, functional_units: float
) -> Interval:
    """Emissions per functional unit: `((E * I) + M) / R`, in gCO2e.

    Args:
        energy_kwh: E, at the facility.
        grid_gco2e_per_kwh: I, location-based.
        embodied_gco2e: M, the share of the hardware.
        functional_units: R, how many units the emissions are spread over.

    Raises:
        ValueError: R is not positive.
    """
    if functional_units <= 0:
        msg = f"the functional units must be more than 0, got {functional_units}"
        raise ValueError(msg)
    operational = operational_emissions_gco2e(energy_kwh, grid_gco2e_per_kwh)
    return total_emissions_gco2e(operational, embodied_gco2e).scaled(1 / functional_units)


def sci_results(usage: TokenUsage, footprint: Footprint) -> tuple[MethodResult, ...]:
    """The score of a call per 1,000 tokens, per 1,000 output tokens and per call."""
    output = usage.output_tokens or 0
    every = Unestimated(NO_INPUT_COUNT) if usage.input_tokens is None else usage.input_tokens + output
    return (
        _result(footprint, PER_KTOKEN, every),
        _result(footprint, PER_KTOKEN_OUTPUT, output),
        _result(footprint, CALL, None),
    )


def _result(footprint: Footprint, unit: str, tokens: int | Unestimated | None) -> MethodResult:
    """One score; `tokens` is None where the call itself is the unit."""
    return MethodResult(
        method=f"{METHOD}/{unit}",
        version=VERSION,
        boundary="Our own estimate: operational emissions of the facility and embodied, location-based average.",
        functional_unit=unit,
        counts=("input_tokens", "cache", "output_tokens", "pue", "electricity", "embodied"),
        energy_kwh=Unestimated(NOT_PART_OF_METHOD),
        emissions_gco2e=_score(footprint, tokens),
        water_l=Unestimated(NOT_PART_OF_METHOD),
        # Our own figure once more, divided: it may neither widen the spread nor stand as another mid.
        not_mid_because=() if unit == CALL else (FUNCTIONAL_UNIT,),
    )


def _score(footprint: Footprint, tokens: int | Unestimated | None) -> Amount:
    if isinstance(tokens, Unestimated):
        return tokens
    if tokens == 0:
        return Unestimated(NO_TOKENS)
    units = 1.0 if tokens is None else tokens / TOKENS_PER_KTOKEN
    embodied = footprint.emissions_embodied_gco2e
    if embodied is None:
        return Unestimated(NOT_TOLD_APART)
    return sci_score_gco2e(footprint.energy_kwh, footprint.factors.grid_gco2e_per_kwh, embodied, units)
