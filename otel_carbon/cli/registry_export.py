"""`otel-carbon registry export`: the facts as tables and configuration for the official OpenTelemetry Collector."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.call_options import check_region
from otel_carbon.cli.output import output_option, write_result
from otel_carbon.cli.registry_choice import as_of_option, chosen_registry, registry_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from otel_carbon.exporting.selection import Selection

FLAT_FORMS = ("csv", "lookup-yaml")


@click.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice((*FLAT_FORMS, "ottl")),
    required=True,
    help="ottl is the configuration of a transform processor; the others are tables for a lookup processor.",
)
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Only that provider; repeatable.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Only that model, matched as a call's would be; repeatable. Default: every name that the registry lists.",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="NAME",
    help="That cloud region or grid zone; repeatable. without any, ottl has all and a table only usual places.",
)
@as_of_option
@registry_option
@output_option
def export(
    form: str,
    providers: tuple[str, ...],
    models: tuple[str, ...],
    regions: tuple[str, ...],
    as_of: date | None,
    registry_file: Path | None,
    output: Path,
) -> int:
    """Write the facts for the official OpenTelemetry Collector.

    It then adds the same attributes as ours to spans that it can handle, without counting each call once and without
    intensities by the hour. Facts are those that apply today, or on the day of --as-of.

    Example: otel-carbon registry export --format ottl -o otel-carbon-transform.yaml
    """
    from otel_carbon.exporting.selection import Selection

    if form in FLAT_FORMS and not providers:
        msg = f"--format {form} needs --provider: every provider with every model is millions of rows"
        raise click.UsageError(msg)
    day = as_of or datetime.now(UTC).date()
    registry = chosen_registry(registry_file, as_of)
    for region in regions:
        check_region(registry, region)
    selection = Selection.of(registry, day, providers, models, regions)
    write_result(_writer(form)(selection).encode(), output)
    return exit_codes.DONE


def _writer(form: str) -> Callable[[Selection], str]:
    from otel_carbon.exporting.flat_forms import csv_form, lookup_yaml_form
    from otel_carbon.exporting.ottl_form import ottl_form

    return {"csv": csv_form, "lookup-yaml": lookup_yaml_form, "ottl": ottl_form}[form]
