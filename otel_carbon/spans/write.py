"""What we write onto spans: our own attributes, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.core.factors import Provenance
    from otel_carbon.core.footprint import Footprint

    AttributeValue = str | int | float | Sequence[str]


def status_attributes(status: str, reason: str) -> dict[str, AttributeValue]:
    """The attributes of a span without a figure: its status and why."""
    return {ours.STATUS: status, ours.REASON: reason}


def footprint_attributes(footprint: Footprint, *, full: bool) -> dict[str, AttributeValue]:
    """The attributes of an estimated span: the core set, or all of them."""
    texts = footprint_texts(footprint.factors.provenance, footprint.confidence, full=full)
    return {**footprint_amounts(footprint, full=full), **texts}


def footprint_amounts(footprint: Footprint, *, full: bool) -> dict[str, float]:
    """The amounts, which differ from call to call; always the same keys in the same order."""
    low, mid, high = footprint.low, footprint.mid, footprint.high
    amounts = {
        ours.ENERGY_KWH: mid.energy_kwh,
        ours.ENERGY_KWH_LOW: low.energy_kwh,
        ours.ENERGY_KWH_HIGH: high.energy_kwh,
        ours.EMISSIONS_GCO2E: mid.emissions_gco2e,
        ours.EMISSIONS_GCO2E_LOW: low.emissions_gco2e,
        ours.EMISSIONS_GCO2E_HIGH: high.emissions_gco2e,
        ours.WATER_L: mid.water_l,
    }
    if full:
        amounts[ours.WATER_L_LOW] = low.water_l
        amounts[ours.WATER_L_HIGH] = high.water_l
        amounts[ours.IT_ENERGY_KWH] = mid.it_energy_kwh
        amounts[ours.EMISSIONS_OPERATIONAL_GCO2E] = mid.emissions_operational_gco2e
        amounts[ours.EMISSIONS_EMBODIED_GCO2E] = mid.emissions_embodied_gco2e
        market = footprint.emissions_market_gco2e
        if market is not None:
            amounts[ours.EMISSIONS_MARKET_GCO2E] = market.mid
    return amounts


@lru_cache(maxsize=4096)
def footprint_texts(provenance: Provenance, confidence: str, *, full: bool) -> Mapping[str, AttributeValue]:
    """The rest, made once for all footprints of one provenance and confidence."""
    texts: dict[str, AttributeValue] = {
        ours.STATUS: ours.STATUS_ESTIMATED,
        ours.COEFFICIENT_ID: provenance.coefficient_id,
        ours.GRID_ID: provenance.grid_id,
        ours.TIER: provenance.tier,
        ours.CONFIDENCE: confidence,
        ours.REGISTRY_VERSION: provenance.registry_version,
    }
    if full:
        texts[ours.METHOD] = provenance.method
        texts[ours.TIER_NUMBER] = provenance.tier_number
        texts[ours.MATCH] = provenance.match
        texts[ours.SITE_ID] = provenance.site_id
        texts[ours.REGION] = provenance.region
        texts[ours.REGION_EVIDENCE] = provenance.region_evidence
        texts[ours.ASSUMPTIONS] = provenance.assumptions
    return MappingProxyType(texts)
