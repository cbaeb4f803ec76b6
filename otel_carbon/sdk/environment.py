"""`OTEL_CARBON_*` read for an application: mistakes are logged, never raised into the host."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.enricher import EnrichSettings
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

DISABLED = "OTEL_CARBON_DISABLED"
REGISTRY = "OTEL_CARBON_REGISTRY"
REGION = "OTEL_CARBON_REGION"
ATTRIBUTES = "OTEL_CARBON_ATTRIBUTES"
TRUE_WORDS = ("true", "1", "yes", "on")


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the user switched otel-carbon off."""
    return environ.get(DISABLED, "").strip().lower() in TRUE_WORDS


def settings_from_environment(environ: Mapping[str, str]) -> EnrichSettings:
    """The settings, with defaults for what is absent or wrong."""
    level = environ.get(ATTRIBUTES, "core").strip().lower() or "core"
    if level not in ("core", "full"):
        logger.warning("%s=%s is neither core nor full; using core", ATTRIBUTES, level)
    return EnrichSettings(full=level == "full", configured_regions=regions_from_text(environ.get(REGION, "")))


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
    path = environ.get(REGISTRY, "").strip()
    if not path:
        return Registry.bundled()
    try:
        return Registry.bundled().with_overlay(Path(path))
    except Exception as error:  # whatever is wrong with the file, the application must start
        logger.warning("%s ignored, bundled facts only: %s", REGISTRY, error)
        return Registry.bundled()
