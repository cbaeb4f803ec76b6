"""`otel-carbon estimate`: the footprint of one call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from otel_carbon.activity import estimate_activity
from otel_carbon.cli import exit_codes
from otel_carbon.cli.activity_options import activity_of, activity_options, activity_words, taken_activity
from otel_carbon.cli.call_options import call_options, check_region, usage_from_options, with_developer
from otel_carbon.cli.estimate_json import estimate_json
from otel_carbon.cli.estimate_page import show_estimate
from otel_carbon.cli.grid_options import chosen_table, grid_table_options, note_uncovered
from otel_carbon.cli.other_method import (
    CASCADE,
    has_figure,
    other_method_json,
    results_of,
    show_other_method,
    warning,
)
from otel_carbon.cli.output import output_option, result_console, write_result
from otel_carbon.cli.registry_choice import as_of_option, chosen_registry, registry_option, strict_option
from otel_carbon.core import reasons
from otel_carbon.core.assumptions import PROVIDER_IS_DEVELOPER
from otel_carbon.core.footprint import Footprint
from otel_carbon.errors import UnknownFact
from otel_carbon.estimating import estimate as estimate_usage
from otel_carbon.registry.facts import EnergyCoefficient
from otel_carbon.registry.ladder import known_model
from otel_carbon.registry.spellings import nearest_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from otel_carbon.activity import Activity
    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.result import MethodResult
    from otel_carbon.registry.catalog import Registry


@click.command()
@call_options
@activity_options
@strict_option
@as_of_option
@registry_option
@grid_table_options
@click.option(
    "--method",
    default=CASCADE,
    show_default=True,
    metavar="NAME",
    help="Whose figure to print: that of the best evidence, or another of `otel-carbon compare`, which is then said.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every step instead of a table.")
@output_option
def estimate(
    registry_file: Path | None,
    as_of: date | None,
    grid_file: Path | None,
    grid_version: str | None,
    output: Path,
    *,
    method: str,
    as_json: bool,
    strict: bool,
    **call: Any,  # noqa: ANN401 - click's options, typed by TokenUsage
) -> int:
    """Estimate energy, emissions and water of one call from its token counts.

    Where nobody counted tokens: of as many --requests as there were, or of --input-characters and --output-characters.

    Without --provider the developer of a closed model is taken, without --region the provider's usual places.
    With --grid-table the grid intensity is that of the hour of --at (now unless given), or of its whole day, where the
    table covers it. Exits 3 when there is no estimate; the JSON then says why.

    Example: otel-carbon estimate --model gpt-4o --output-tokens 300 --json
    """
    registry = chosen_registry(registry_file, as_of)
    table = chosen_table(grid_file, grid_version)
    taken = taken_activity(call)
    usage = usage_from_options(call)
    check_region(registry, usage.region)
    named = usage if usage.provider else with_developer(registry, usage)
    activity = activity_of(named, taken) if taken else None
    if method != CASCADE:
        if activity is not None:
            msg = f"--method {method} needs token counts; leave out --requests, --product and characters"
            raise click.UsageError(msg)
        results = results_of(method, named, registry, table, strict=strict)
        return _show_other(*results, named, registry, output, as_json=as_json)
    outcome = _estimated(named, activity, registry, table, strict=strict)
    if not isinstance(outcome, Footprint):
        _refuse_day(registry, outcome, usage)
        return _show_nothing(registry, outcome, usage, output if as_json else None)
    _note_future_day(usage.at)
    note_uncovered(outcome, registry, table)
    assumed = () if named is usage else (PROVIDER_IS_DEVELOPER,)
    assumptions = (*outcome.provenance.assumptions, *assumed)
    if as_json:
        write_result(estimate_json(outcome, usage, registry, assumptions, activity).encode(), output)
    else:
        with result_console(output) as console:
            words = activity_words(activity) if activity else ""
            show_estimate(console, outcome, usage, assumptions, activity=words, as_of=as_of)
    return exit_codes.DONE


def _show_other(
    result: MethodResult, ours: MethodResult, usage: TokenUsage, registry: Registry, output: Path, *, as_json: bool
) -> int:
    if as_json:
        write_result(other_method_json(result, ours, usage, registry).encode(), output)
    else:
        with result_console(output) as console:
            show_other_method(console, result, ours, usage)
    click.echo(warning(result), err=True)
    return exit_codes.DONE if has_figure(result) else exit_codes.NOTHING_ESTIMATED


def _estimated(
    usage: TokenUsage, activity: Activity | None, registry: Registry, table: GridTable | None, *, strict: bool
) -> Footprint | Unestimated:
    if activity is None:
        return estimate_usage(usage, registry=registry, strict=strict, grid_table=table)
    try:
        return estimate_activity(activity, registry=registry, strict=strict, grid_table=table)
    except UnknownFact as error:
        msg = f"--product: {error}"
        raise click.UsageError(msg) from error


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
    if outcome.reason in (reasons.MODEL_NOT_REGISTERED, reasons.STRICT_FALLBACK_REFUSED):
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
