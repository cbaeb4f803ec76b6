"""`otel-carbon estimate`: the footprint of one call."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.estimate_json import estimate_json
from otel_carbon.cli.estimate_page import show_estimate
from otel_carbon.cli.output import output_option, result_console, write_result
from otel_carbon.cli.registry_choice import (
    as_of_option,
    chosen_registry,
    day_from_text,
    nearest_names,
    registry_option,
    strict_option,
)
from otel_carbon.core import reasons
from otel_carbon.core.assumptions import PROVIDER_IS_DEVELOPER
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.usage import TokenUsage
from otel_carbon.errors import UsageError
from otel_carbon.estimating import estimate as estimate_usage
from otel_carbon.registry.facts import EnergyCoefficient, ProviderPlace, Region, Zone
from otel_carbon.registry.ladder import known_model
from otel_carbon.registry.places import is_known_region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.registry.catalog import Registry

_NOT_GIVEN = re.compile(r" ?= ?None")
_COUNT_NAME = re.compile(r"\b(input|output|cache_read|cache_write|reasoning)_tokens\b")


@click.command()
@click.option("--model", required=True, metavar="MODEL", help="The model that answered, as the provider names it.")
@click.option("--provider", default="", metavar="NAME", help="Who ran it, such as openai, anthropic or self_hosted.")
@click.option("--input-tokens", type=int, metavar="N", help="All input tokens, cache reads and writes included.")
@click.option("--output-tokens", type=int, metavar="N", help="All output tokens, reasoning included.")
@click.option("--cache-read-tokens", type=int, metavar="N", help="Input tokens that were read from a prompt cache.")
@click.option("--cache-write-tokens", type=int, metavar="N", help="Input tokens that were written to a prompt cache.")
@click.option("--reasoning-tokens", type=int, metavar="N", help="Output tokens that were reasoning.")
@click.option("--operation", default="chat", show_default=True, metavar="OP", help="What the call did.")
@click.option("--region", metavar="REGION", help="Cloud region or grid zone, such as us-east-1 or FRA.")
@click.option("--at", type=day_from_text, metavar="DATE", help="The day of the call, in UTC; today unless given.")
@strict_option
@as_of_option
@registry_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every step instead of a table.")
@output_option
def estimate(
    registry_file: Path | None,
    as_of: date | None,
    as_json: bool,
    strict: bool,
    output: Path,
    **call: Any,  # noqa: ANN401 - click's options, typed by TokenUsage
) -> int:
    """Estimate energy, emissions and water of one call from its token counts.

    Without --provider the developer of a closed model is taken, without --region the provider's usual places.
    Exits 3 when there is no estimate; the JSON then says why.

    Example: otel-carbon estimate --model gpt-4o --output-tokens 300 --json
    """
    registry = chosen_registry(registry_file, as_of)
    usage = _usage(call)
    _check_region(registry, usage.region)
    named = usage if usage.provider else _with_developer(registry, usage)
    outcome = estimate_usage(named, registry=registry, strict=strict)
    if not isinstance(outcome, Footprint):
        _refuse_day(registry, outcome, usage)
        return _show_nothing(registry, outcome, usage, output if as_json else None)
    _note_future_day(usage.at)
    assumed = () if named is usage else (PROVIDER_IS_DEVELOPER,)
    assumptions = (*outcome.provenance.assumptions, *assumed)
    if as_json:
        write_result(estimate_json(outcome, usage, registry, assumptions).encode(), output)
    else:
        with result_console(output) as console:
            show_estimate(console, outcome, usage, assumptions)
    return exit_codes.DONE


def _usage(call: dict[str, Any]) -> TokenUsage:
    if not call["model"].strip():
        msg = "--model is empty; name the model that answered"
        raise click.UsageError(msg)
    try:
        return _in_configured_region(TokenUsage(**call))
    except UsageError as error:
        named = _COUNT_NAME.sub(lambda match: "--" + match.group().replace("_", "-"), str(error))
        raise click.UsageError(_NOT_GIVEN.sub(", which is not given", named)) from error


def _in_configured_region(usage: TokenUsage) -> TokenUsage:
    """Where nobody says the region, the one that `OTEL_CARBON_REGION` has for the provider."""
    regions = os.environ.get("OTEL_CARBON_REGION")
    if usage.region is not None or not regions:
        return usage
    from otel_carbon.sdk.environment import regions_from_text

    return replace(usage, region=regions_from_text(regions).get(usage.provider))


def _check_region(registry: Registry, region: str | None) -> None:
    if region is None or is_known_region(registry, region):
        return
    near = nearest_names(region, _region_names(registry))
    advice = f"did you mean {' or '.join(near)}?" if near else "`otel-carbon registry list --kind region` shows all"
    zones = "a grid zone works too: `otel-carbon registry list --kind zone`"
    msg = f"--region: no region or grid zone {region!r} in registry {registry.version}; {advice}; {zones}"
    raise click.UsageError(msg)


def _region_names(registry: Registry) -> Iterator[str]:
    for fact in registry.facts("region"):
        if isinstance(fact, Region):
            yield fact.region
    for fact in registry.facts("zone"):
        if isinstance(fact, Zone):
            yield from (fact.zone, *fact.names)


def _with_developer(registry: Registry, usage: TokenUsage) -> TokenUsage:
    """Take the developer for the provider where only the developer can host the model and its place is known."""
    known = known_model(registry, usage.model, usage.at)
    coefficient = known.fact if known else None
    if not isinstance(coefficient, EnergyCoefficient) or coefficient.open_weights:
        return usage
    if registry.about(ProviderPlace, coefficient.developer, usage.at) is None:
        return usage
    return replace(usage, provider=coefficient.developer)


def _refuse_day(registry: Registry, outcome: Unestimated, usage: TokenUsage) -> None:
    if outcome.reason != reasons.OUTSIDE_VALIDITY or usage.at is None:
        return
    known = known_model(registry, usage.model, None)
    coefficient = known.fact if known else None
    since = f"; the model's coefficient applies from {coefficient.valid_from}" if coefficient else ""
    end = f" up to {coefficient.valid_to}" if coefficient and coefficient.valid_to else ""
    msg = f"--at {usage.at}: the registry's facts do not cover that day ({outcome.detail}){since}{end}"
    raise click.UsageError(msg)


def _note_future_day(day: date | None) -> None:
    if day is not None and day > datetime.now(UTC).date():
        click.echo(f"note: --at {day} lies in the future; the estimate uses facts of the past", err=True)


def _show_nothing(registry: Registry, outcome: Unestimated, usage: TokenUsage, json_output: Path | None) -> int:
    """Say why there is no figure, and print the JSON of it when that was asked for."""
    if json_output is not None:
        write_result(estimate_json(outcome, usage, registry, ()).encode(), json_output)
    click.echo(
        f"not estimated: {outcome.reason}: {_explained(outcome, usage)}{_advice(registry, outcome, usage)}", err=True
    )
    return exit_codes.NOTHING_ESTIMATED


def _explained(outcome: Unestimated, usage: TokenUsage) -> str:
    if outcome.reason == reasons.NO_USAGE:
        return "The number of output tokens is not given."
    if outcome.reason == reasons.ZONE_UNKNOWN and not usage.provider:
        return "Neither a provider nor a region is given."
    return str(outcome)


def _advice(registry: Registry, outcome: Unestimated, usage: TokenUsage) -> str:
    if outcome.reason == reasons.MODEL_NOT_REGISTERED:
        near = nearest_names(usage.model, _model_names(registry))
        shown = f" Similar: {', '.join(near)}." if near else ""
        return (
            f"{shown} `otel-carbon registry list --kind energy` shows all models; "
            "docs/registry.md says how to bring a fact of your own with --registry."
        )
    if outcome.reason == reasons.NO_USAGE:
        return " Give --output-tokens; of embeddings --input-tokens."
    if outcome.reason == reasons.ZONE_UNKNOWN:
        return " Give --region, or a --provider of `otel-carbon registry list --kind provider`."
    return ""


def _model_names(registry: Registry) -> Iterator[str]:
    for fact in registry.facts("energy"):
        if isinstance(fact, EnergyCoefficient):
            yield from fact.models
