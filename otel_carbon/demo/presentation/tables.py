"""The demo's tables as text, the same for the terminal and the page: headings, cells and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.demo.presentation.scales import emissions_scale, energy_scale, water_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.core.interval import Interval
    from otel_carbon.demo.figures import Figures, Row
    from otel_carbon.demo.presentation.scales import Scale

UNKNOWN = "unknown"


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


def model_table(figures: Figures) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The terminal's table by model: headings, and cells row by row with the total last."""
    rows = [*figures.models, figures.overall]
    scales = scales_for(rows)
    headings = (
        "model",
        "calls",
        "unestimated",
        "tokens",
        f"{scales.emissions.unit} low/mid/high",
        f"{scales.energy.unit} low/mid/high",
        f"{scales.water.unit} low/mid/high",
    )
    return headings, [_model_cells(row, scales) for row in rows]


def _model_cells(row: Row, scales: Scales) -> tuple[str, ...]:
    amounts = row.amounts
    return (
        row.name[-1],
        f"{row.calls:,}",
        f"{row.unestimated:,}",
        f"{row.input_tokens + row.output_tokens:,}",
        low_mid_high(amounts.emissions_gco2e if amounts else None, scales.emissions),
        low_mid_high(amounts.energy_kwh if amounts else None, scales.energy),
        low_mid_high(amounts.water_l if amounts else None, scales.water),
    )
