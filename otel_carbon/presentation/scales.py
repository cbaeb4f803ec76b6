"""Units that suit the size of what a table shows: one unit and one number of decimals for a whole column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.core.interval import Interval

DASH = "\N{EN DASH}"
DIGITS = 4
"""How many digits the largest amount of a column shows; rows far smaller need the decimals."""
_ENERGY = ((1000.0, "MWh", 0.001), (1.0, "kWh", 1.0), (0.0, "Wh", 1000.0))
_EMISSIONS = ((1_000_000.0, "tCO2e", 1e-6), (1000.0, "kgCO2e", 0.001), (0.0, "gCO2e", 1.0))
_WATER = ((1000.0, "m³", 0.001), (1.0, "L", 1.0), (0.0, "mL", 1000.0))


@dataclass(frozen=True, slots=True)
class Scale:
    """How amounts of one column are written: `factor` turns the base unit into `unit`."""

    unit: str
    factor: float
    decimals: int

    def coarser(self) -> Scale:
        """The same with one decimal less, for an amount that stands alone."""
        return Scale(self.unit, self.factor, max(0, self.decimals - 1))

    def number(self, amount: float) -> str:
        """An amount in the column's unit; what would round to zero is shown as below the last digit."""
        scaled = amount * self.factor
        smallest = 10.0**-self.decimals
        if 0.0 < scaled < smallest / 2:
            return f"<{smallest:.{self.decimals}f}"
        return f"{scaled:,.{self.decimals}f}"

    def bounds(self, interval: Interval) -> str:
        """Low and high of an amount, with a dash between."""
        return f"{self.number(interval.low)} {DASH} {self.number(interval.high)}"


def energy_scale(kwh: Iterable[float]) -> Scale:
    """The scale for amounts of energy given in kWh."""
    return _scale(_ENERGY, kwh)


def emissions_scale(gco2e: Iterable[float]) -> Scale:
    """The scale for emissions given in gCO2e."""
    return _scale(_EMISSIONS, gco2e)


def water_scale(litres: Iterable[float]) -> Scale:
    """The scale for water given in L."""
    return _scale(_WATER, litres)


def _scale(steps: tuple[tuple[float, str, float], ...], amounts: Iterable[float]) -> Scale:
    largest = max(amounts, default=0.0)
    unit, factor = next((unit, factor) for least, unit, factor in steps if largest >= least)
    whole_digits = len(str(int(largest * factor)))
    return Scale(unit, factor, max(0, DIGITS - whole_digits))
