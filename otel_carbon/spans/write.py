"""What we write onto spans: our own attributes, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.core.footprint import amount_position

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from otel_carbon.core.factors import Provenance
    from otel_carbon.core.footprint import Footprint

    AttributeValue = str | int | float | Sequence[str]


def status_attributes(status: str, reason: str) -> dict[str, AttributeValue]:
    """The attributes of a span without a figure: its status and why."""
    return {ours.STATUS: status, ours.REASON: reason}


def footprint_attributes(footprint: Footprint, *, full: bool) -> dict[str, AttributeValue]:
    """The attributes of an estimated span: the core set, or all of them; always in the same order."""
    added: dict[str, AttributeValue] = dict(zip(AMOUNT_KEYS, amount_values(footprint, full=full)))  # noqa: B905 - as many keys as there are amounts
    added |= _texts(footprint.factors.provenance, footprint.confidence, full)
    return added


_AMOUNTS = (
    (ours.ENERGY_KWH, "mid", "energy_kwh"),
    (ours.ENERGY_KWH_LOW, "low", "energy_kwh"),
    (ours.ENERGY_KWH_HIGH, "high", "energy_kwh"),
    (ours.EMISSIONS_GCO2E, "mid", "emissions_gco2e"),
    (ours.EMISSIONS_GCO2E_LOW, "low", "emissions_gco2e"),
    (ours.EMISSIONS_GCO2E_HIGH, "high", "emissions_gco2e"),
    (ours.WATER_L, "mid", "water_l"),
    (ours.WATER_L_LOW, "low", "water_l"),
    (ours.WATER_L_HIGH, "high", "water_l"),
    (ours.IT_ENERGY_KWH, "mid", "it_energy_kwh"),
    (ours.EMISSIONS_OPERATIONAL_GCO2E, "mid", "emissions_operational_gco2e"),
    (ours.EMISSIONS_EMBODIED_GCO2E, "mid", "emissions_embodied_gco2e"),
)
_CORE_AMOUNTS = 7
_WITHOUT_PARTS = 10
AMOUNT_KEYS = (*(key for key, _, _ in _AMOUNTS), ours.EMISSIONS_MARKET_GCO2E)
"""The keys of `amount_values`; the market figure is last."""
_POSITIONS = tuple(amount_position(bound, quantity) for _, bound, quantity in _AMOUNTS)
_core_amounts: Callable[[Sequence[float]], tuple[float, ...]] = itemgetter(*_POSITIONS[:_CORE_AMOUNTS])
_full_amounts: Callable[[Sequence[float]], tuple[float, ...]] = itemgetter(*_POSITIONS)


def amount_values(footprint: Footprint, *, full: bool) -> tuple[float, ...]:
    """The amounts in the order of `AMOUNT_KEYS`, ending where the level or what is known ends."""
    if not full:
        return _core_amounts(footprint.amounts)
    if footprint.factors.assessed is not None:  # operation and manufacture, the last two, are not told apart
        return _full_amounts(footprint.amounts)[:_WITHOUT_PARTS]
    market = footprint.emissions_market_gco2e
    return (*_full_amounts(footprint.amounts), *(() if market is None else (market.mid,)))


def footprint_texts(provenance: Provenance, confidence: str, *, full: bool) -> Mapping[str, AttributeValue]:
    """The rest, the same for all footprints of one provenance and confidence; to be copied, not changed."""
    return _texts(provenance, confidence, full)


@lru_cache(maxsize=4096)
def _texts(
    provenance: Provenance, confidence: str, full: bool
) -> Mapping[str, AttributeValue]:  # by position, as a keyword doubles the time of a look-up
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
        if provenance.match:  # nothing was matched where a meter gave the energy
            texts[ours.MATCH] = provenance.match
        texts[ours.SITE_ID] = provenance.site_id
        texts[ours.REGION] = provenance.region
        texts[ours.REGION_EVIDENCE] = provenance.region_evidence
        texts[ours.ASSUMPTIONS] = provenance.assumptions
    return texts
