"""Methods whose factors the user brings: a flat factor per token, and the speed and power of hardware."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import TOKENS_PER_KTOKEN, kwh_from_joules
from otel_carbon.methods.result import (
    BOUNDARY,
    CALL,
    FUNCTIONAL_UNIT,
    NO_GRID_FACTOR,
    NOT_PART_OF_METHOD,
    MethodResult,
)

if TYPE_CHECKING:
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.methods.result import Amount

VERSION = "1"
LEAST, MOST = 1e-6, 1e12
"""Bounds of the numbers that users bring: beyond them are slips, and products that no float holds."""
_NOT_PART = Unestimated(NOT_PART_OF_METHOD)


def flat_factor(usage: TokenUsage, gco2e_per_ktoken: float) -> MethodResult:
    """Emissions from one factor for every token: `(input + output) / 1000 * factor`, in gCO2e.

    Args:
        usage: the call; a count that is not given adds nothing, and a note says so.
        gco2e_per_ktoken: the user's factor, in gCO2e per 1,000 tokens.

    Raises:
        ValueError: the factor is negative or above 1e12.
    """
    if not 0.0 <= gco2e_per_ktoken <= MOST:
        msg = f"the factor must be from 0 to {MOST:g} gCO2e per 1,000 tokens, got {gco2e_per_ktoken}"
        raise ValueError(msg)
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    missing = [f"{name} not given" for name in ("input_tokens", "output_tokens") if getattr(usage, name) is None]
    return MethodResult(
        method="flat_factor",
        version=VERSION,
        boundary="Whatever the user's factor covers.",
        functional_unit=CALL,
        counts=("input_tokens", "output_tokens"),
        energy_kwh=_NOT_PART,
        emissions_gco2e=Interval.exactly(tokens * gco2e_per_ktoken / TOKENS_PER_KTOKEN),
        water_l=_NOT_PART,
        not_mid_because=(BOUNDARY,),
        notes=(f"{gco2e_per_ktoken:g} gCO2e per 1,000 tokens, given by the user", *missing),
    )


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the user says of the hardware that answers.

    Raises:
        ValueError: a number is out of bounds: no more than 1e12 and no less than 1e-6, the PUE, batch and accelerators
            no less than 1.
    """

    tokens_per_second: float
    """Output tokens of one request per second."""
    watts: float
    """Power of one accelerator under this load, in W."""
    accelerators: float = 1.0
    pue: float = 1.0
    """Facility energy per IT energy."""
    batch: float = 1.0
    """Requests that are answered at once."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            least, number = (1.0 if name in ("accelerators", "pue", "batch") else LEAST), getattr(self, name)
            if not least <= number <= MOST:
                msg = f"{name} must be from {least:g} to {MOST:g}, got {number:g}"
                raise ValueError(msg)


def hardware_formula(usage: TokenUsage, hardware: Hardware, grid_gco2e_per_kwh: Interval | None) -> MethodResult:
    """Energy from speed and power: `output tokens / speed * watts * accelerators * PUE / batch`, in kWh.

    Args:
        usage: the call; only its output tokens count.
        hardware: what the user says of it.
        grid_gco2e_per_kwh: the grid of the place, for operational emissions; None where it is not known.
    """
    energy_kwh: Amount
    if usage.output_tokens is None:
        energy_kwh = Unestimated("no_usage")
    else:
        seconds = usage.output_tokens / hardware.tokens_per_second
        joules = seconds * hardware.watts * hardware.accelerators * hardware.pue / hardware.batch
        energy_kwh = Interval.exactly(kwh_from_joules(joules))
    return MethodResult(
        method="hardware_formula",
        version=VERSION,
        boundary="Accelerators while they write, times PUE; host, idle and reading as far as the numbers hold them.",
        functional_unit=CALL,
        counts=("output_tokens", "accelerators", "pue", "electricity"),
        energy_kwh=energy_kwh,
        emissions_gco2e=_operational(energy_kwh, grid_gco2e_per_kwh),
        water_l=_NOT_PART,
        comparable=("energy_kwh",) if isinstance(energy_kwh, Interval) else (),
        not_mid_because=(BOUNDARY, FUNCTIONAL_UNIT) if usage.input_tokens else (BOUNDARY,),
        notes=(", ".join(f"{field.name} {getattr(hardware, field.name):g}" for field in fields(hardware)),),
    )


def _operational(energy_kwh: Amount, grid_gco2e_per_kwh: Interval | None) -> Amount:
    if isinstance(energy_kwh, Unestimated):
        return energy_kwh
    return Unestimated(NO_GRID_FACTOR) if grid_gco2e_per_kwh is None else energy_kwh * grid_gco2e_per_kwh
