"""The result: a footprint with its factors, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core import formulas
from otel_carbon.core.interval import Interval
from otel_carbon.core.reasons import SENTENCES
from otel_carbon.core.tokens import attended_pairs

if TYPE_CHECKING:
    from otel_carbon.core.factors import Factors, PerOutputToken, Provenance
    from otel_carbon.core.tokens import AdditiveTokens

_new_tuple = tuple.__new__  # makes a named tuple in half the time that calling its class takes
HIGH_CONFIDENCE_BELOW_RATIO = 2.0
MEDIUM_CONFIDENCE_BELOW_RATIO = 5.0


class Amounts(NamedTuple):
    """All quantities of a call at one bound: low, mid or high."""

    it_energy_kwh: float
    energy_kwh: float
    emissions_operational_gco2e: float
    emissions_embodied_gco2e: float
    emissions_gco2e: float
    water_l: float


_QUANTITIES = len(Amounts._fields)
_BOUNDS = ("low", "mid", "high")


def amount_position(bound: str, quantity: str) -> int:
    """Where a field of `Amounts` at `low`, `mid` or `high` stands in `Footprint.amounts`."""
    return _BOUNDS.index(bound) * _QUANTITIES + Amounts._fields.index(quantity)


_LOW_ENERGY, _HIGH_ENERGY = amount_position("low", "energy_kwh"), amount_position("high", "energy_kwh")


class Footprint(NamedTuple):
    """Energy (kWh), emissions (gCO2e) and water (L) of one inference call; every amount is modelled.

    `energy_kwh` is facility energy; `emissions_gco2e` is operational (location-based) plus embodied.
    """

    amounts: tuple[float, ...]
    """The fields of `Amounts` at the low bound, then at mid, then at the high bound, in one flat tuple."""
    tokens: AdditiveTokens
    factors: Factors
    units: int
    """What the factors multiply beside the tokens: `attended_pairs`, or metered nanojoules; 0 for tokens alone."""

    @property
    def low(self) -> Amounts:
        """All quantities at their low bound."""
        return Amounts(*self.amounts[:_QUANTITIES])

    @property
    def mid(self) -> Amounts:
        """All quantities at mid."""
        return Amounts(*self.amounts[_QUANTITIES : 2 * _QUANTITIES])

    @property
    def high(self) -> Amounts:
        """All quantities at their high bound."""
        return Amounts(*self.amounts[2 * _QUANTITIES :])

    @property
    def it_energy_kwh(self) -> Interval:
        """Energy of the servers, before PUE."""
        return self._bounds(0)

    @property
    def energy_kwh(self) -> Interval:
        """Energy at the facility."""
        return self._bounds(1)

    @property
    def emissions_operational_gco2e(self) -> Interval | None:
        """Emissions of the electricity, location-based; `None` where an assessment does not tell them apart."""
        return None if isnan(self.amounts[2]) else self._bounds(2)

    @property
    def emissions_embodied_gco2e(self) -> Interval | None:
        """Share of the hardware's manufacture; `None` where an assessment does not tell it apart."""
        return None if isnan(self.amounts[3]) else self._bounds(3)

    @property
    def emissions_gco2e(self) -> Interval:
        """Operational and embodied emissions together."""
        return self._bounds(4)

    @property
    def emissions_market_gco2e(self) -> Interval | None:
        """Market-based operational plus embodied gCO2e; `None` where no market factor is known."""
        market, embodied = self.factors.market_gco2e_per_kwh, self.emissions_embodied_gco2e
        if market is None or embodied is None:
            return None
        return formulas.operational_emissions_gco2e(self.energy_kwh, market) + embodied

    @property
    def water_l(self) -> Interval:
        """Fresh water consumed on site and for the electricity."""
        return self._bounds(5)

    @property
    def water_on_site_l(self) -> Interval | None:
        """Fresh water that cooling consumed at the data centre; `None` where an assessment does not tell it apart."""
        if self.factors.assessed is not None:
            return None
        return formulas.water_on_site_l(self.it_energy_kwh, self.factors.wue_l_per_it_kwh)

    @property
    def water_electricity_l(self) -> Interval | None:
        """Fresh water for generating the electricity; `None` where an assessment does not tell it apart."""
        if self.factors.assessed is not None:
            return None
        return formulas.water_electricity_l(self.energy_kwh, self.factors.ewif_l_per_kwh)

    @property
    def provenance(self) -> Provenance:
        """Ids of the facts used, how the model was matched, and what was assumed."""
        return self.factors.provenance

    @property
    def confidence(self) -> str:
        """`high`, `medium` or `low`, from how far apart the energy bounds are."""
        return confidence_from_range(self.amounts[_LOW_ENERGY], self.amounts[_HIGH_ENERGY])

    def _bounds(self, quantity: int) -> Interval:
        return Interval(*self.amounts[quantity::_QUANTITIES])


@dataclass(frozen=True, slots=True)
class Unestimated:
    """No figure, and why: `reason` is a stable code, `detail` names the value at fault."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        """Say the reason's sentence with the detail."""
        text = SENTENCES.get(self.reason, self.reason)
        return f"{text} ({self.detail})" if self.detail else text


def footprint_of(tokens: AdditiveTokens, factors: Factors, units: int | None = None) -> Footprint:
    """The footprint of one call: the formulas of `formulas` at each of the three bounds, to the same bit.

    `units` are those of `Footprint`, summed where the tokens are of several calls; `None` takes the tokens for one call
    without a meter.

    Written out because it runs for every span: building every interval costs three times as much.
    """
    uncached, cache_read, cache_write, visible, reasoning = map(float, tokens)  # exact, as counts stay below 2**53
    output = visible + reasoning
    units = units_of(tokens, factors, units)
    other = float(units)
    amounts: tuple[float, ...] = ()
    for in_kwh, read_kwh, write_kwh, out_kwh, pue, grid, embodied, wue, ewif, unit_kwh in factors.at_bounds:
        it_kwh = uncached * in_kwh + cache_read * read_kwh + cache_write * write_kwh + output * out_kwh
        it_kwh += other * unit_kwh
        facility_kwh = it_kwh * pue
        operational = facility_kwh * grid
        embodied_gco2e = it_kwh * embodied
        water_l = it_kwh * wue + facility_kwh * ewif
        amounts += (it_kwh, facility_kwh, operational, embodied_gco2e, operational + embodied_gco2e, water_l)
    if factors.assessed is not None:
        amounts = _as_assessed(amounts, output, factors.assessed)
    return _new_tuple(Footprint, (amounts, tokens, factors, units))


def units_of(tokens: AdditiveTokens, factors: Factors, given: int | None = None) -> int:
    """`Footprint.units`: those given, else what the tokens of one call come to."""
    if given is not None:
        return given
    return attended_pairs(tokens) if factors.energy_per_token.context_kwh is not None else 0


def _as_assessed(amounts: tuple[float, ...], output: float, assessed: PerOutputToken) -> tuple[float, ...]:
    """The amounts with emissions and water of an assessment, which does not tell operation and manufacture apart."""
    found: tuple[float, ...] = ()
    for number, (gco2e, water_l) in enumerate(zip(*(each.as_dict().values() for each in assessed), strict=True)):
        it_kwh, facility_kwh = amounts[number * _QUANTITIES : number * _QUANTITIES + 2]
        found += (it_kwh, facility_kwh, nan, nan, output * gco2e, output * water_l)
    return found


def confidence_from_range(low_energy_kwh: float, high_energy_kwh: float) -> str:
    """Confidence by the ratio of the bounds: `high` below 2, `medium` below 5, else `low`."""
    if high_energy_kwh < HIGH_CONFIDENCE_BELOW_RATIO * low_energy_kwh:
        return "high"
    if high_energy_kwh < MEDIUM_CONFIDENCE_BELOW_RATIO * low_energy_kwh:
        return "medium"
    return "low"
