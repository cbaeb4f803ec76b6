"""What sampled calls stand for beyond themselves: an extrapolation, kept apart from what was booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.units import JOULES_PER_KWH

if TYPE_CHECKING:
    from otel_carbon.core.footprint import Footprint


class Unseen(NamedTuple):
    """Calls that sampling dropped, with their energy (J) and emissions (gCO2e), as the kept ones suggest."""

    calls: float = 0.0
    energy_j: float = 0.0
    emissions_gco2e: float = 0.0

    def plus(self, calls: float, footprint: Footprint | None, *, operation: bool) -> Unseen:
        """With the calls that one call stands for beyond itself; without `operation` they are counted already."""
        energy_j = emissions_gco2e = 0.0
        if footprint is not None:
            energy_j = calls * footprint.energy_kwh.mid * JOULES_PER_KWH
            emissions_gco2e = calls * footprint.emissions_gco2e.mid
        return Unseen(self.calls + calls * operation, self.energy_j + energy_j, self.emissions_gco2e + emissions_gco2e)
