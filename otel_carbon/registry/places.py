"""Where a call ran: from a region or a provider to grid zone, site and water intensity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.registry.facts import GridIntensity, ProviderPlace, Region, Site, WaterIntensity, Zone

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fact

SELF_HOSTED = "self_hosted"
EVIDENCE_DEFAULT = "default"
ASSUMED_PROVIDER_PLACE = "provider_default_place"
ASSUMED_GENERIC_SITE = "generic_site"


@dataclass(frozen=True, slots=True)
class Place:
    """A place with the facts that hold there: grid, site and water, and what had to be assumed."""

    provider: str
    region: str
    evidence: str
    grid: GridIntensity
    market: GridIntensity | None
    site: Site
    water: WaterIntensity
    named_by: tuple[Fact, ...]
    """The region, zone or provider facts that led here."""
    assumptions: tuple[str, ...]


def is_known_region(registry: Registry, region: str) -> bool:
    """Whether the registry knows a cloud region or grid zone of that name, on any day."""
    return registry.about(Region, region, None) is not None or registry.about(Zone, region, None) is not None


class _Where(NamedTuple):
    zone: str
    site: str
    region: str
    evidence: str
    named_by: tuple[Fact, ...]
    assumptions: tuple[str, ...] = ()


def place_of_call(registry: Registry, provider: str, region: str | None, evidence: str, day: date) -> Place | None:
    """The place of a call: its region when named, else where the provider runs by default.

    An explicit region's site wins over the provider's.
    `None` when the region is unknown, or no region is named and the provider has no default.
    """
    home = registry.about(ProviderPlace, provider, day)
    if region is not None:
        where = _named_region(registry, region, evidence, home, day)
    elif home is not None:
        where = _Where(home.zone, home.site, home.zone, EVIDENCE_DEFAULT, (home,), (ASSUMED_PROVIDER_PLACE,))
    else:
        where = None
    return _with_facts(registry, provider, where, day) if where else None


def _named_region(
    registry: Registry, region: str, evidence: str, home: ProviderPlace | None, day: date
) -> _Where | None:
    cloud_region = registry.about(Region, region, day)
    if cloud_region is not None:
        return _Where(cloud_region.zone, cloud_region.site, cloud_region.region, evidence, (cloud_region,))
    zone = registry.about(Zone, region, day)
    if zone is None:
        return None
    if home is not None:
        return _Where(zone.zone, home.site, zone.zone, evidence, (zone, home))
    generic = registry.about(ProviderPlace, SELF_HOSTED, day)
    if generic is None:
        return None
    return _Where(zone.zone, generic.site, zone.zone, evidence, (zone, generic), (ASSUMED_GENERIC_SITE,))


def _with_facts(registry: Registry, provider: str, where: _Where, day: date) -> Place | None:
    zone = registry.about(Zone, where.zone, day)
    grid = registry.about(GridIntensity, f"{where.zone}/location", day)
    market = registry.about(GridIntensity, f"{where.zone}/market", day)
    site = registry.about(Site, where.site, day)
    water = registry.about(WaterIntensity, zone.water_zone, day) if zone else None
    if grid is None or site is None or water is None:
        return None
    return Place(provider, where.region, where.evidence, grid, market, site, water, where.named_by, where.assumptions)
