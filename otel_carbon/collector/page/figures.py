"""Sums as the page's JSON has them: ranges by quantity, and null where calls have no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.metrics.counted import CALLS, ESTIMATED
from otel_carbon.presentation.scales import emissions_scale, energy_scale, water_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.metrics.counted import Sums
    from otel_carbon.presentation.scales import Scale

Document = dict[str, Any]


def figures(sums: Sums) -> Document:
    """Calls, tokens and ranges of energy (kWh), emissions (gCO2e) and water (L).

    Where there are calls and none has an estimate the ranges are null: that is unknown, not zero.
    """
    is_unknown = sums[CALLS] > 0 and not sums[ESTIMATED] and not any(sums[:AMOUNTS])
    return {
        "calls": int(sums[CALLS]),
        "estimated": int(sums[ESTIMATED]),
        "tokens": int(sum(sums[AMOUNTS:CALLS])),
        "energy_kwh": None if is_unknown else _range(sums, 0, 1.0 / JOULES_PER_KWH),
        "emissions_gco2e": None if is_unknown else _range(sums, 3),
        "water_l": None if is_unknown else _range(sums, 6),
    }


def scales(parts: Sequence[Document]) -> Document:
    """The units that suit the largest of some figures, one for each quantity."""
    return {
        name: _plain_scale(scale(part[name]["mid"] for part in parts if part[name]))
        for name, scale in (
            ("energy_kwh", energy_scale),
            ("emissions_gco2e", emissions_scale),
            ("water_l", water_scale),
        )
    }


def _range(sums: Sums, position: int, factor: float = 1.0) -> Document:
    """Subtracting may have moved a bound past the mid by a rounding."""
    mid, low, high = (max(0.0, amount) * factor for amount in sums[position : position + 3])
    return {"low": min(low, mid), "mid": mid, "high": max(high, mid)}


def _plain_scale(scale: Scale) -> Document:
    return {"unit": scale.unit, "factor": scale.factor, "decimals": scale.decimals}
