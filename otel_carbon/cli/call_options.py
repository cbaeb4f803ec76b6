"""Options that say what a call was, shared by the commands that look at one call, and what they stand for."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from otel_carbon.cli.registry_choice import time_from_text
from otel_carbon.core.usage import TokenUsage
from otel_carbon.errors import UsageError
from otel_carbon.registry.facts import ProviderPlace, Region, Zone
from otel_carbon.registry.ladder import match_model
from otel_carbon.registry.places import is_known_region
from otel_carbon.registry.spellings import nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from otel_carbon.registry.catalog import Registry

    Command = Callable[..., Any]

_NOT_GIVEN = re.compile(r" ?= ?None")
_COUNT_NAME = re.compile(r"\b(input|output|cache_read|cache_write|reasoning)_tokens\b")
_OPTIONS = (
    click.option("--model", required=True, metavar="MODEL", help="The model that answered, as the provider names it."),
    click.option(
        "--provider", default="", metavar="NAME", help="Who ran it, such as openai, anthropic or self_hosted."
    ),
    click.option("--input-tokens", type=int, metavar="N", help="All input tokens, cache reads and writes included."),
    click.option("--output-tokens", type=int, metavar="N", help="All output tokens, reasoning included."),
    click.option("--cache-read-tokens", type=int, metavar="N", help="Input tokens that were read from a prompt cache."),
    click.option(
        "--cache-write-tokens", type=int, metavar="N", help="Input tokens that were written to a prompt cache."
    ),
    click.option("--reasoning-tokens", type=int, metavar="N", help="Output tokens that were reasoning."),
    click.option("--operation", default="chat", show_default=True, metavar="OP", help="What the call did."),
    click.option("--region", metavar="REGION", help="Cloud region or grid zone, such as us-east-1 or FRA."),
    click.option(
        "--at",
        type=time_from_text,
        metavar="DATE",
        help="The day of the call in UTC, today unless given; with an hour, 2026-11-26T13:00Z, for a grid table.",
    ),
)


def call_options(command: Command) -> Command:
    """The options of a call, each a parameter of the name that `TokenUsage` has for it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def usage_from_options(call: dict[str, Any]) -> TokenUsage:
    """The usage that the options name, in the region of `OTEL_CARBON_REGION` where none is given.

    Raises:
        click.UsageError: the model is empty, or a count is impossible; the message names the option.
    """
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


def check_region(registry: Registry, region: str | None, option: str = "--region") -> None:
    """Raise `click.UsageError` with the nearest names when the registry does not know a region of an option."""
    if region is None or is_known_region(registry, region):
        return
    near = nearest_names(region, _region_names(registry))
    advice = f"did you mean {' or '.join(near)}?" if near else "`otel-carbon registry list --kind region` shows all"
    zones = "a grid zone works too: `otel-carbon registry list --kind zone`"
    msg = f"{option}: no region or grid zone {region!r} in registry {registry.version}; {advice}; {zones}"
    raise click.UsageError(msg)


def _region_names(registry: Registry) -> Iterator[str]:
    for fact in registry.facts("region"):
        if isinstance(fact, Region):
            yield fact.region
    for fact in registry.facts("zone"):
        if isinstance(fact, Zone):
            yield from (fact.zone, *fact.names)


def with_developer(registry: Registry, usage: TokenUsage) -> TokenUsage:
    """Take the developer for the provider where only the developer can host the model and its place is known."""
    known = match_model(registry, usage.model, usage.operation, usage.at)
    coefficient = known.fact if known else None
    if coefficient is None or coefficient.open_weights:
        return usage
    if registry.about(ProviderPlace, coefficient.developer, usage.at) is None:
        return usage
    return replace(usage, provider=coefficient.developer)
