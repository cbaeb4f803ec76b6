"""`OTEL_CARBON_*` read for an application: mistakes are logged, never raised into the host."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.enricher import EnrichSettings
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import Region, Zone
from otel_carbon.registry.places import is_known_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger(__name__)

DISABLED = "OTEL_CARBON_DISABLED"
REGISTRY = "OTEL_CARBON_REGISTRY"
REGION = "OTEL_CARBON_REGION"
ATTRIBUTES = "OTEL_CARBON_ATTRIBUTES"
MAX_SUGGESTIONS = 3
SIMILARITY = 0.5
TRUE_WORDS = ("true", "1", "yes", "on")


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the user switched otel-carbon off."""
    return environ.get(DISABLED, "").strip().lower() in TRUE_WORDS


def settings_from_environment(environ: Mapping[str, str], registry: Registry | None = None) -> EnrichSettings:
    """The settings, with defaults for what is absent or wrong.

    Regions are looked up in `registry`, or else in the one that the environment names; an unknown one is logged
    and kept, because to fall back to the provider's default place would show a figure for the wrong place.
    """
    level = environ.get(ATTRIBUTES, "core").strip().lower() or "core"
    if level not in ("core", "full"):
        logger.warning("%s=%s is neither core nor full; using core", ATTRIBUTES, level)
    regions = regions_from_text(environ.get(REGION, ""))
    if regions:
        _warn_of_unknown_regions(regions, registry or _registry_or_bundled(environ)[0])
    return EnrichSettings(full=level == "full", configured_regions=regions)


def unknown_region(registry: Registry, region: str) -> str | None:
    """What is wrong with the name of a region and what to write instead; `None` when the registry knows it."""
    if is_known_region(registry, region):
        return None
    from difflib import get_close_matches  # an application with a correct region needs none of it

    spelt = {name.lower(): name for name in _region_names(registry)}
    near = [spelt[name] for name in get_close_matches(region.lower(), spelt, MAX_SUGGESTIONS, SIMILARITY)]
    question = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"unknown region {region!r}; {question}All: `otel-carbon registry list --kind region`; "
        "a grid zone does as well (`--kind zone`)"
    )


def _region_names(registry: Registry) -> Iterator[str]:
    for region in registry.facts("region"):
        if isinstance(region, Region):
            yield region.region
    for zone in registry.facts("zone"):
        if isinstance(zone, Zone):
            yield from (zone.zone, *zone.names)


def _warn_of_unknown_regions(regions: Mapping[str, str], registry: Registry) -> None:
    for region in dict.fromkeys(regions.values()):
        problem = unknown_region(registry, region)
        if problem is not None:
            providers = ", ".join(provider for provider in regions if regions[provider] == region)
            logger.warning("%s: %s; calls to %s get no estimate", REGION, problem, providers)


def regions_from_text(text: str) -> dict[str, str]:
    """`provider=region,...` as a mapping; pairs that are none are logged and left out."""
    regions: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        provider, equals, region = (part.strip() for part in pair.partition("="))
        if equals and provider and region:
            regions[provider.lower()] = region
        else:
            logger.warning("%s: %r is not provider=region; ignored", REGION, pair)
    return regions


def registry_from_environment(environ: Mapping[str, str]) -> Registry:
    """The bundled registry with the overlay that the user names, when that can be read."""
    registry, error = _registry_or_bundled(environ)
    if error is not None:
        logger.warning("%s ignored, bundled facts only: %s", REGISTRY, error)
    return registry


def _registry_or_bundled(environ: Mapping[str, str]) -> tuple[Registry, Exception | None]:
    """The registry, and why the overlay is not part of it."""
    path = environ.get(REGISTRY, "").strip()
    if not path:
        return Registry.bundled(), None
    try:
        return Registry.bundled().with_overlay(Path(path)), None
    except Exception as error:  # whatever is wrong with the file, the application must start
        return Registry.bundled(), error
