"""Estimates of single calls: those of otel-carbon beside those of the package EcoLogits."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.methods.ecologits_results import EcoLogitsOptions, ecologits_package_result
from otel_carbon.registry.catalog import Registry
from otel_carbon.version import VERSION
from tools.comparison.questions import CALLS, COUNTRY, EARLIER_MODELS, PLACES, REGION, Table


def versions() -> str:
    """What answered, with versions."""
    return f"otel-carbon {VERSION}, registry {Registry.bundled().version}; EcoLogits {version('ecologits')}"


def calls_table() -> Table:
    """Calls with ranges; the last but one column is what EcoLogits says of the same call."""
    rows = tuple(
        (usage.model, f"{usage.input_tokens:,}", f"{usage.output_tokens}", _ours(usage), _theirs(usage))
        for usage in CALLS
    )
    columns = ("model", "input", "output", "otel-carbon: mid (low to high)", "EcoLogits: min to max")
    return Table(f"gCO2e of a call, modelled; in {REGION}, for EcoLogits {COUNTRY}", columns, rows)


def models_table() -> Table:
    """Which models of earlier years have an estimate, and how otel-carbon found them."""
    rows = tuple((name[1], _how_found(*name), _of_ecologits(*name)) for name in EARLIER_MODELS)
    return Table("models of earlier years", ("model", "otel-carbon", "EcoLogits"), rows)


def places_table() -> Table:
    """Which names of places are taken."""
    return Table("names of places", ("place", "otel-carbon", "EcoLogits"), tuple(map(_place_row, PLACES)))


def _ours(usage: TokenUsage) -> str:
    found = estimate(usage)
    if not isinstance(found, Footprint):
        return found.reason
    grams = found.emissions_gco2e
    return f"{grams.mid:.3f} ({grams.low:.3f} to {grams.high:.3f})"


def _theirs(usage: TokenUsage) -> str:
    grams = ecologits_package_result(usage, EcoLogitsOptions(zone=COUNTRY)).emissions_gco2e
    return f"{grams.low:.3f} to {grams.high:.3f}" if isinstance(grams, Interval) else grams.reason


def _how_found(provider: str, model: str) -> str:
    operation = "embeddings" if "embedding" in model else "chat"
    output_tokens = 0 if operation == "embeddings" else 300
    usage = TokenUsage(
        provider, model, operation=operation, input_tokens=800, output_tokens=output_tokens, region=REGION
    )
    found = estimate(usage)
    return f"estimated ({found.factors.provenance.match})" if isinstance(found, Footprint) else found.reason


def _of_ecologits(provider: str, model: str) -> str:
    usage = TokenUsage(provider, model, input_tokens=800, output_tokens=300)
    grams = ecologits_package_result(usage, EcoLogitsOptions(zone=COUNTRY)).emissions_gco2e
    return "estimated" if isinstance(grams, Interval) else grams.reason


def _place_row(place: str) -> tuple[str, str, str]:
    ours = estimate(replace(CALLS[0], region=place))
    theirs = ecologits_package_result(CALLS[0], EcoLogitsOptions(zone=place)).emissions_gco2e
    return (
        place,
        "taken" if isinstance(ours, Footprint) else ours.reason,
        "taken" if isinstance(theirs, Interval) else theirs.reason,
    )
