"""`otel-carbon compare`: one call by many methods, or in many regions, side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.call_options import call_options, check_region, usage_from_options, with_developer
from otel_carbon.cli.compare_json import comparison_json
from otel_carbon.cli.compare_options import hardware_from_text, sizes_from_file
from otel_carbon.cli.compare_page import show_comparison
from otel_carbon.cli.grid_options import chosen_table, grid_table_options
from otel_carbon.cli.output import output_option, result_console, write_result
from otel_carbon.cli.regions_page import regions_json, show_regions
from otel_carbon.cli.registry_choice import as_of_option, chosen_registry, registry_option, strict_option
from otel_carbon.comparing import ComparisonOptions
from otel_carbon.comparing import compare as compare_methods
from otel_carbon.comparing_regions import compare_regions, regions_known
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.methods.result import CALL, QUANTITIES
from otel_carbon.methods.user_formulas import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.result import MethodResult
    from otel_carbon.registry.catalog import Registry

    Command = Callable[..., Any]


ALL_REGIONS = "all"


def _no_less_than_zero(_context: click.Context, parameter: click.Parameter, number: float | None) -> float | None:
    if number is not None and not 0.0 <= number <= MOST:
        msg = f"{number} must be a number from 0 to {MOST:g}"
        raise click.BadParameter(msg, param=parameter)
    return number


_OPTIONS = (
    click.option(
        "--flat-gco2e-per-ktoken",
        type=float,
        callback=_no_less_than_zero,
        metavar="G",
        help="Compare with a flat factor, in gCO2e per 1,000 tokens of input and output.",
    ),
    click.option(
        "--hardware",
        type=hardware_from_text,
        metavar="KEYS",
        help="Compare with your own hardware: tokens_per_second=100,watts=700,accelerators=8,pue=1.2,batch=64. "
        "The speed is that of one request, the watts those of one accelerator.",
    ),
    click.option(
        "--ecologits-parameters",
        "sizes_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="YAML or JSON with sizes that replace EcoLogits' own guesses.",
    ),
    click.option(
        "--ecologits-retired",
        is_flag=True,
        help="Let EcoLogits use models that its version 0.11.3 no longer knows.",
    ),
    click.option(
        "--request-latency",
        "request_latency_s",
        type=float,
        callback=_no_less_than_zero,
        metavar="SECONDS",
        help="How long the call took; only EcoLogits makes use of it.",
    ),
)

METHOD_OPTIONS = ("flat_gco2e_per_ktoken", "hardware", "sizes_file", "ecologits_retired", "request_latency_s")
"""Parameters of the options above, which say something of other methods."""


def _comparison_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@call_options
@_comparison_options
@click.option(
    "--regions",
    metavar="NAMES",
    help="Compare regions instead of methods: such as us-east-1,eu-north-1, or all that the registry knows.",
)
@strict_option
@as_of_option
@registry_option
@grid_table_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON with boundaries, reasons and sources.")
@output_option
def compare(
    registry_file: Path | None,
    as_of: date | None,
    grid_file: Path | None,
    grid_version: str | None,
    as_json: bool,
    output: Path,
    regions: str | None,
    **given: Any,  # noqa: ANN401 - click's options, typed by TokenUsage and ComparisonOptions
) -> int:
    """Compare what different methods say of one call: ours, EcoLogits, published figures, your own factors.

    With --regions the same call in different regions instead: emissions, and water on site and for electricity.

    Without --provider the developer of a closed model is taken, without --region the provider's usual places.
    The spread is that of amounts with the same boundary. Exits 3 when no method has a figure for the call.

    Example: otel-carbon compare --model gpt-4o --input-tokens 800 --output-tokens 300
    """
    registry = chosen_registry(registry_file, as_of)
    table = chosen_table(grid_file, grid_version)
    if regions is not None:
        return _by_region(registry, regions, given, output, as_json=as_json, table=table)
    options = replace(_taken_options(given), grid_table=table)
    usage = usage_from_options(given)
    check_region(registry, usage.region)
    named = usage if usage.provider else with_developer(registry, usage)
    results = compare_methods(named, registry, options)
    estimated = _speaks_of_the_call(results)
    if as_json:
        write_result(comparison_json(named, results, estimated).encode(), output)
    else:
        with result_console(output) as console:
            show_comparison(console, named, results)
    if estimated:
        return exit_codes.DONE
    click.echo("no method has a figure for this call; the result says why for each", err=True)
    return exit_codes.NOTHING_ESTIMATED


def _by_region(
    registry: Registry, regions: str, given: dict[str, Any], output: Path, *, as_json: bool, table: GridTable | None
) -> int:
    _refuse_beside_regions(given)
    strict = _taken_options(given).strict
    usage = usage_from_options(given)
    named = usage if usage.provider else with_developer(registry, usage)
    results = compare_regions(named, _region_names(registry, regions, named), registry, strict=strict, grid_table=table)
    if as_json:
        write_result(regions_json(named, results, registry).encode(), output)
    else:
        with result_console(output) as console:
            show_regions(console, named, results, registry)
    if any(isinstance(result.outcome, Footprint) for result in results):
        return exit_codes.DONE
    click.echo("the call has no estimate in any of these regions; the result says why", err=True)
    return exit_codes.NOTHING_ESTIMATED


def _refuse_beside_regions(given: dict[str, Any]) -> None:
    """Raise for options that would say nothing beside `--regions`."""
    parameters = {parameter.name: parameter for parameter in click.get_current_context().command.params}
    said = [name for name in (*METHOD_OPTIONS, "region") if given[name] not in (None, False)]
    if said:
        msg = f"--regions compares our own estimate in several regions; leave out {parameters[said[0]].opts[0]}"
        raise click.UsageError(msg)


def _region_names(registry: Registry, regions: str, usage: TokenUsage) -> tuple[str, ...]:
    if regions.strip().lower() == ALL_REGIONS:
        return regions_known(registry, usage.at)
    names = tuple(name.strip() for name in regions.split(",") if name.strip())
    if not names:
        msg = "--regions names no region; write such as us-east-1,eu-north-1, or all"
        raise click.UsageError(msg)
    for name in names:
        check_region(registry, name, "--regions")
    return names


def _taken_options(given: dict[str, Any]) -> ComparisonOptions:
    """Take what is about methods out of the options, so that those about the call are left."""
    sizes_file: Path | None = given.pop("sizes_file")
    latency_s: float | None = given.pop("request_latency_s")
    return ComparisonOptions(
        flat_gco2e_per_ktoken=given.pop("flat_gco2e_per_ktoken"),
        hardware=given.pop("hardware"),
        ecologits_sizes=sizes_from_file(sizes_file) if sizes_file else None,
        ecologits_sizes_from=sizes_file.name if sizes_file else "",
        ecologits_retired=given.pop("ecologits_retired"),
        strict=given.pop("strict"),
        request_latency_s=math.inf if latency_s is None else latency_s,
    )


def _speaks_of_the_call(results: Sequence[MethodResult]) -> bool:
    return any(
        isinstance(result.amounts()[quantity], Interval)
        for result in results
        if result.functional_unit == CALL
        for quantity in QUANTITIES
    )
