"""The demo's tables as text, the same for the terminal and the page: headings, cells and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.presentation.scales import emissions_scale, energy_scale, water_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.core.interval import Interval
    from otel_carbon.demo.figures import Figures, Row
    from otel_carbon.presentation.scales import Scale

UNKNOWN = "unknown"
MODEL_COLUMN = "model"


@dataclass(frozen=True, slots=True)
class Scales:
    """The units of one table."""

    energy: Scale
    emissions: Scale
    water: Scale


def scales_for(rows: Sequence[Row]) -> Scales:
    """Units that suit the largest amount of a table's rows."""
    known = [row.amounts for row in rows if row.amounts]
    return Scales(
        energy_scale(amounts.energy_kwh.mid for amounts in known),
        emissions_scale(amounts.emissions_gco2e.mid for amounts in known),
        water_scale(amounts.water_l.mid for amounts in known),
    )


def low_mid_high(amount: Interval | None, scale: Scale) -> str:
    """An amount as `low/mid/high` in the column's unit, or the word for not knowing."""
    if amount is None:
        return UNKNOWN
    return "/".join(scale.number(bound) for bound in (amount.low, amount.mid, amount.high))


def mid_only(amount: Interval | None, scale: Scale) -> str:
    """The mid of an amount in the column's unit, or the word for not knowing."""
    return UNKNOWN if amount is None else scale.number(amount.mid)


def model_table(figures: Figures, *, ranges: bool = True) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The terminal's table by model: headings, and cells row by row with the total last.

    Args:
        figures: what arrived.
        ranges: show low, mid and high of every amount; else the mid alone.
    """
    rows = [*figures.models, figures.overall]
    scales = scales_for(rows)
    units = (scales.emissions.unit, scales.energy.unit, scales.water.unit)
    bounds = "low/mid/high" if ranges else "mid"
    headings = (MODEL_COLUMN, "calls", "unestimated", "tokens", *(f"{unit} {bounds}" for unit in units))
    return headings, [_model_cells(row, scales, low_mid_high if ranges else mid_only) for row in rows]


def _model_cells(row: Row, scales: Scales, written: Callable[[Interval | None, Scale], str]) -> tuple[str, ...]:
    amounts = row.amounts
    return (
        row.name[-1],
        f"{row.calls:,}",
        f"{row.unestimated:,}",
        f"{row.input_tokens + row.output_tokens:,}",
        written(amounts.emissions_gco2e if amounts else None, scales.emissions),
        written(amounts.energy_kwh if amounts else None, scales.energy),
        written(amounts.water_l if amounts else None, scales.water),
    )
