"""`OTEL_CARBON_*` read for an application: mistakes are logged, never raised into the host."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient, Region, Zone
from otel_carbon.registry.ladder import known_model
from otel_carbon.registry.places import is_known_region
from otel_carbon.registry.spellings import nearest_names
from otel_carbon.sdk.setting_texts import accounting_point_from_text, pairs_from_text
from otel_carbon.switches import is_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_carbon.grid.table import GridTable

logger = logging.getLogger(__name__)

REGISTRY = "OTEL_CARBON_REGISTRY"
REGION = "OTEL_CARBON_REGION"
MODELS = "OTEL_CARBON_MODELS"
ACCOUNTING_POINT = "OTEL_CARBON_ACCOUNTING_POINT"
ATTRIBUTES = "OTEL_CARBON_ATTRIBUTES"
STRICT = "OTEL_CARBON_STRICT"
GRID_TABLE = "OTEL_CARBON_GRID_TABLE"


def settings_from_environment(environ: Mapping[str, str], registry: Registry | None = None) -> EnrichSettings:
    """The settings, with defaults for what is absent or wrong.

    Regions and models are looked up in `registry`, or else in the one that the environment names; unknown ones are
    logged and kept, because to fall back to the provider's default place would show a figure for the wrong place.
    """
    level = environ.get(ATTRIBUTES, "core").strip().lower() or "core"
    if level not in ("core", "full"):
        logger.warning("%s=%s is neither core nor full; using core", ATTRIBUTES, level)
    regions = regions_from_text(environ.get(REGION, ""))
    models = _pairs(MODELS, environ.get(MODELS, ""), "name=model")
    strict = is_on(environ, STRICT)
    if regions or models:
        known = registry or _registry_or_bundled(environ)[0]
        _warn(REGION, regions, {each: unknown_region(known, each) for each in regions.values()}, "get no estimate")
        unknown = {each: unknown_model(known, each) for each in models.values()}
        _warn(MODELS, models, unknown, unknown_model_means(strict=strict))
    accounting = accounting_point_from_text(environ.get(ACCOUNTING_POINT, ""))
    for problem in accounting.problems:
        logger.warning("%s: %s", ACCOUNTING_POINT, problem)
    return EnrichSettings(
        full=level == "full",
        configured_regions=regions,
        models=models,
        accounting_point=accounting.counting,
        pass_through=accounting.pass_through,
        strict=strict,
        grid_table=_grid_table(environ),
    )


def _grid_table(environ: Mapping[str, str]) -> GridTable | None:
    """The grid table that the user names, when that can be read."""
    path = environ.get(GRID_TABLE, "").strip()
    if not path:
        return None
    try:
        from otel_carbon.grid.table_file import read_grid_table  # most applications have no table

        return read_grid_table(Path(path))
    except Exception as error:  # whatever is wrong with the file, the application must start
        logger.warning("%s ignored, yearly averages only: %s", GRID_TABLE, error)
        return None


def unknown_region(registry: Registry, region: str) -> str | None:
    """What is wrong with the name of a region and what to write instead; `None` when the registry knows it."""
    if is_known_region(registry, region):
        return None
    return (
        f"unknown region {region!r}; {_question(nearest_names(region, region_names(registry)))}"
        "All: `otel-carbon registry list --kind region`; a grid zone does as well (`--kind zone`)"
    )


def unknown_model(registry: Registry, model: str) -> str | None:
    """What is wrong with the name of a model and what to write instead; `None` when the registry knows it."""
    if known_model(registry, model, None) is not None:
        return None
    near = nearest_names(model, model_names(registry))
    return f"unknown model {model!r}; {_question(near)}All: `otel-carbon registry list --kind energy`"


def unknown_model_means(*, strict: bool) -> str:
    """What calls get whose model is not registered, for the end of a message."""
    return "get no estimate" if strict else "get the estimate of its family, its size or any model"


def _question(near: Sequence[str]) -> str:
    return f"did you mean {' or '.join(near)}? " if near else ""


def model_names(registry: Registry) -> Iterator[str]:
    """The names of all models that have a coefficient of their own."""
    for fact in registry.facts("energy"):
        if isinstance(fact, EnergyCoefficient):
            yield from fact.models


def region_names(registry: Registry) -> Iterator[str]:
    """The names of all cloud regions and grid zones."""
    for region in registry.facts("region"):
        if isinstance(region, Region):
            yield region.region
    for zone in registry.facts("zone"):
        if isinstance(zone, Zone):
            yield from (zone.zone, *zone.names)


def _warn(variable: str, named: Mapping[str, str], problems: Mapping[str, str | None], what_calls_do: str) -> None:
    """Log each value that is wrong, with the names of what it is set for and what becomes of their calls."""
    for value, problem in problems.items():
        if problem is not None:
            names = ", ".join(name for name in named if named[name] == value)
            logger.warning("%s: %s; calls to %s %s", variable, problem, names, what_calls_do)


def regions_from_text(text: str) -> dict[str, str]:
    """`provider=region,...` as a mapping; pairs that are none are logged and left out."""
    return {provider.lower(): region for provider, region in _pairs(REGION, text, "provider=region").items()}


def _pairs(variable: str, text: str, form: str) -> dict[str, str]:
    pairs = pairs_from_text(text, form)
    for problem in pairs.problems:
        logger.warning("%s: %s; ignored", variable, problem)
    return pairs.found


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
