"""What an export says of places: where providers run, in which grid zone a region stands, and what holds there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.errors import RegistryError
from otel_carbon.exporting.energy_rows import Days
from otel_carbon.registry.facts import GridIntensity, ProviderPlace, Region, Site, WaterIntensity, Zone
from otel_carbon.registry.places import SELF_HOSTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from otel_carbon.core.interval import Interval
    from otel_carbon.registry.catalog import Registry

_KINDS = ("embodied", "grid", "provider", "ratio", "region", "site", "water", "zone")
_ONE_DAY = timedelta(days=1)


class HomeRow(NamedTuple):
    """A provider by its own name, and the zone and site of its calls when they name no region."""

    provider: str
    zone: str
    site: str


class RegionRow(NamedTuple):
    """The zone in which a region stands, and its site; a bare grid zone has the site of whoever is called there."""

    zone: str
    site: str


class ZoneRow(NamedTuple):
    """A zone's grid (life cycle, location-based, gCO2e per kWh) and the water of its electricity (L per kWh)."""

    grid_id: str
    gco2e_per_kwh: Interval
    l_per_kwh: Interval


class SiteRow(NamedTuple):
    """Facility energy per IT energy, and litres evaporated per kWh of IT energy."""

    pue: Interval
    wue_l_per_it_kwh: Interval


@dataclass(frozen=True, slots=True)
class PlaceTables:
    """Places by name, in lower case; `days` are those on which all of it holds."""

    homes: dict[str, HomeRow]
    regions: dict[str, RegionRow]
    zones: dict[str, ZoneRow]
    sites: dict[str, SiteRow]
    own_machines: HomeRow
    """Where calls to one's own machines run."""
    days: Days

    def limited(self, providers: Sequence[str], regions: Sequence[str]) -> PlaceTables:
        """Only these providers, under all of their names, and these regions; an empty choice is all."""
        wanted = {self.homes[name].provider for name in providers if name in self.homes}
        homes = {
            name: row
            for name, row in self.homes.items()
            if not providers or name in providers or row.provider in wanted
        }
        kept = {name: row for name, row in self.regions.items() if not regions or name in regions}
        zones, sites = _led_to(self.own_machines, homes, kept)
        return PlaceTables(
            homes,
            kept,
            {name: row for name, row in self.zones.items() if name in zones},
            {name: row for name, row in self.sites.items() if name in sites},
            self.own_machines,
            self.days,
        )


def _led_to(
    own_machines: HomeRow, homes: Mapping[str, HomeRow], regions: Mapping[str, RegionRow]
) -> tuple[set[str], set[str]]:
    """The zones and the sites that calls can come to."""
    rows: tuple[HomeRow | RegionRow, ...] = (own_machines, *homes.values(), *regions.values())
    return {row.zone for row in rows}, {row.site for row in rows}


def place_tables(registry: Registry, day: date) -> PlaceTables:
    """All places that the registry knows on a day.

    Raises:
        RegistryError: it does not know where models on one's own machines run.
    """
    zones = {zone: row for zone, row in _zones(registry, day) if row is not None}
    known = (registry.about(Site, name, day) for name in sorted(registry.subjects("site")))
    sites = {fact.site: SiteRow(fact.pue, fact.wue_l_per_it_kwh) for fact in known if fact is not None}
    homes = _homes(registry, day)
    if SELF_HOSTED not in homes:
        msg = f"the registry does not say where {SELF_HOSTED} models run on {day}"
        raise RegistryError(msg)
    return PlaceTables(homes, _regions(registry, day), zones, sites, homes[SELF_HOSTED], _days(registry, day))


def _homes(registry: Registry, day: date) -> dict[str, HomeRow]:
    named = ((name, registry.about(ProviderPlace, name, day)) for name in sorted(registry.subjects("provider")))
    return {name: HomeRow(home.provider, home.zone, home.site) for name, home in named if home is not None}


def _regions(registry: Registry, day: date) -> dict[str, RegionRow]:
    """Cloud regions and the names of zones, which cloud regions win over."""
    by_zone = ((name, registry.about(Zone, name, day)) for name in sorted(registry.subjects("zone")))
    rows = {name: RegionRow(zone.zone, "") for name, zone in by_zone if zone is not None}
    by_region = ((name, registry.about(Region, name, day)) for name in sorted(registry.subjects("region")))
    return rows | {name: RegionRow(region.zone, region.site) for name, region in by_region if region is not None}


def _zones(registry: Registry, day: date) -> Iterator[tuple[str, ZoneRow | None]]:
    for name in sorted(registry.subjects("zone")):
        zone = registry.about(Zone, name, day)
        if zone is None:
            continue
        grid = registry.about(GridIntensity, f"{zone.zone}/location", day)
        water = registry.about(WaterIntensity, zone.water_zone, day)
        yield zone.zone, ZoneRow(grid.id, grid.gco2e_per_kwh, water.l_per_kwh) if grid and water else None


def _days(registry: Registry, day: date) -> Days:
    """The days around one on which no fact about places begins or ends."""
    facts = [fact for kind in _KINDS for fact in registry.facts(kind)]
    edges = {fact.valid_from for fact in facts} | {fact.valid_to + _ONE_DAY for fact in facts if fact.valid_to}
    later = [edge for edge in edges if edge > day]
    return Days(max((edge for edge in edges if edge <= day), default=day), min(later) - _ONE_DAY if later else None)
