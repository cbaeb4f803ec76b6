"""The result: a footprint with its factors, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.core import formulas
from otel_carbon.core.reasons import SENTENCES

if TYPE_CHECKING:
    from otel_carbon.core.factors import Factors, Provenance
    from otel_carbon.core.interval import Interval
    from otel_carbon.core.tokens import AdditiveTokens

HIGH_CONFIDENCE_BELOW_RATIO = 2.0
MEDIUM_CONFIDENCE_BELOW_RATIO = 5.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """Energy (kWh), emissions (gCO2e) and water (L) of one inference call; every amount is modelled.

    `energy_kwh` is facility energy; `emissions_gco2e` is operational (location-based) plus embodied.
    """

    energy_kwh: Interval
    it_energy_kwh: Interval
    emissions_gco2e: Interval
    emissions_operational_gco2e: Interval
    emissions_embodied_gco2e: Interval
    water_l: Interval
    tokens: AdditiveTokens
    factors: Factors

    @property
    def provenance(self) -> Provenance:
        """Ids of the facts used, how the model was matched, and what was assumed."""
        return self.factors.provenance

    @property
    def emissions_market_gco2e(self) -> Interval | None:
        """Market-based operational plus embodied gCO2e; `None` where no market factor is known."""
        market = self.factors.market_gco2e_per_kwh
        if market is None:
            return None
        return formulas.operational_emissions_gco2e(self.energy_kwh, market) + self.emissions_embodied_gco2e

    @property
    def confidence(self) -> str:
        """`high`, `medium` or `low`, from how far apart the energy bounds are."""
        return confidence_from_range(self.energy_kwh)


@dataclass(frozen=True, slots=True)
class Unestimated:
    """No figure, and why: `reason` is a stable code, `detail` names the value at fault."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        """The reason's sentence with the detail."""
        text = SENTENCES.get(self.reason, self.reason)
        return f"{text} ({self.detail})" if self.detail else text


def footprint_of(tokens: AdditiveTokens, factors: Factors) -> Footprint:
    """The footprint of one call: the formulas in order."""
    it_kwh = formulas.it_energy_kwh(tokens, factors.energy_per_token)
    facility_kwh = formulas.facility_energy_kwh(it_kwh, factors.pue)
    operational = formulas.operational_emissions_gco2e(facility_kwh, factors.grid_gco2e_per_kwh)
    embodied = formulas.embodied_emissions_gco2e(it_kwh, factors.embodied_gco2e_per_it_kwh)
    return Footprint(
        facility_kwh,
        it_kwh,
        formulas.total_emissions_gco2e(operational, embodied),
        operational,
        embodied,
        formulas.water_l(it_kwh, facility_kwh, factors.wue_l_per_it_kwh, factors.ewif_l_per_kwh),
        tokens,
        factors,
    )


def confidence_from_range(energy_kwh: Interval) -> str:
    """Confidence by the ratio of the bounds: `high` below 2, `medium` below 5, else `low`."""
    if energy_kwh.high < HIGH_CONFIDENCE_BELOW_RATIO * energy_kwh.low:
        return "high"
    if energy_kwh.high < MEDIUM_CONFIDENCE_BELOW_RATIO * energy_kwh.low:
        return "medium"
    return "low"
