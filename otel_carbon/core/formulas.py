"""The formulas, one quantity each: bounds combine worst case with worst case.

Low is computed from lows and high from highs, which is exact because every quantity rises with every factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.core.interval import Interval

if TYPE_CHECKING:
    from otel_carbon.core.factors import EnergyPerToken
    from otel_carbon.core.tokens import AdditiveTokens


def it_energy_kwh(tokens: AdditiveTokens, energy_per_token: EnergyPerToken, attended: int = 0) -> Interval:
    """Energy of the servers that ran the call, in kWh.

    Formula: `sum over kinds of tokens * energy_per_token + attended * context_kwh`; reasoning tokens cost what output
    tokens cost. `attended` is `tokens.attended_pairs`; where the model's `context_kwh` is not known,
    the term is left out.
    Boundary: IT (accelerator, host, idle and reserve share), before PUE.
    Source: the model's energy coefficient and the cache ratios.
    """
    uncached, read, write = tokens.input_uncached, tokens.cache_read, tokens.cache_write
    output = tokens.output_visible + tokens.output_reasoning
    e_in, e_read = energy_per_token.input_kwh, energy_per_token.cache_read_kwh
    e_write, e_out = energy_per_token.cache_write_kwh, energy_per_token.output_kwh
    by_kind = Interval(
        uncached * e_in.low + read * e_read.low + write * e_write.low + output * e_out.low,
        uncached * e_in.mid + read * e_read.mid + write * e_write.mid + output * e_out.mid,
        uncached * e_in.high + read * e_read.high + write * e_write.high + output * e_out.high,
    )
    if energy_per_token.context_kwh is None:
        return by_kind
    return by_kind + energy_per_token.context_kwh.scaled(float(attended))


def metered_it_energy_kwh(metered_nj: int, metered_kwh: Interval) -> Interval:
    """Energy of the servers that ran the call, in kWh, where a meter gave it and not the tokens.

    Formula: `metered_nj * metered_kwh`.
    Boundary: IT; what was metered at the accelerators or at the facility is brought to it by the factor.
    Source: the span, and the registry's factor for what meters cover.
    """
    return metered_kwh.scaled(float(metered_nj))


def facility_energy_kwh(it_energy_kwh: Interval, pue: Interval) -> Interval:
    """Energy drawn from the grid for the call, in kWh.

    Formula: `it_energy_kwh * pue`.
    Boundary: facility (IT plus cooling and power distribution).
    Source: the PUE of the region, else of the provider.
    """
    return it_energy_kwh * pue


def operational_emissions_gco2e(facility_energy_kwh: Interval, grid_gco2e_per_kwh: Interval) -> Interval:
    """Greenhouse gases of that electricity, in gCO2e.

    Formula: `facility_energy_kwh * grid_gco2e_per_kwh`.
    Boundary: life cycle of the electricity, average of the grid zone (location-based or market-based factor).
    Source: the grid intensity of the zone.
    """
    return facility_energy_kwh * grid_gco2e_per_kwh


def embodied_emissions_gco2e(it_energy_kwh: Interval, embodied_gco2e_per_it_kwh: Interval) -> Interval:
    """Share of the hardware's manufacture, in gCO2e.

    Formula: `it_energy_kwh * embodied_gco2e_per_it_kwh`.
    Boundary: manufacture of servers, spread over the IT energy of their life; independent of the grid.
    Source: the embodied factor.
    """
    return it_energy_kwh * embodied_gco2e_per_it_kwh


def total_emissions_gco2e(operational_gco2e: Interval, embodied_gco2e: Interval) -> Interval:
    """Operational and embodied emissions together, in gCO2e.

    Formula: `operational_gco2e + embodied_gco2e`.
    Boundary: inference only; training, networks and end devices are outside.
    Source: the two terms.
    """
    return operational_gco2e + embodied_gco2e


def water_on_site_l(it_energy_kwh: Interval, wue_l_per_it_kwh: Interval) -> Interval:
    """Fresh water that cooling consumes at the data centre, in litres.

    Formula: `it_energy_kwh * wue_l_per_it_kwh`; WUE is per IT kWh by definition.
    Boundary: on site; the water that generation consumes is apart.
    Source: the WUE of the region, else of the provider.
    """
    return it_energy_kwh * wue_l_per_it_kwh


def water_electricity_l(facility_energy_kwh: Interval, ewif_l_per_kwh: Interval) -> Interval:
    """Fresh water that generating the electricity consumes, in litres.

    Formula: `facility_energy_kwh * ewif_l_per_kwh`.
    Boundary: power stations, with what evaporates from the reservoirs of hydropower; average of the country.
    Source: the water intensity of the country's electricity.
    """
    return facility_energy_kwh * ewif_l_per_kwh


def water_l(water_on_site_l: Interval, water_electricity_l: Interval) -> Interval:
    """Fresh water consumed on site and for the electricity together, in litres.

    Formula: `water_on_site_l + water_electricity_l`.
    Boundary: both places; they mostly lie in different basins, so the parts say more than the sum.
    Source: the two terms.
    """
    return water_on_site_l + water_electricity_l
