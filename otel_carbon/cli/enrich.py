"""`otel-carbon enrich`: a file of traces in, the same file with footprints on its inference spans out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.console import Console
from otel_carbon.cli.extras import needs_extra
from otel_carbon.cli.grid_options import chosen_table, grid_table_options
from otel_carbon.cli.output import STANDARD_STREAM, refuse_own_input, write_result
from otel_carbon.cli.registry_choice import chosen_registry, registry_option, strict_option
from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from otel_carbon.enrich_settings import EnrichSettings
    from otel_carbon.otlp.file_enrichment import EnrichedFile
    from otel_carbon.registry.catalog import Registry


_SUMMARY_HELP = (
    "Print a summary as JSON; the traces then go to -o only. "
    "Failed requests without usage do not count as inference calls; they are under unestimated_by_reason."
)
_ACCOUNTING_POINT_HELP = (
    "Services whose server spans count as calls, * for all; behind a minus, gateways whose clients report the calls."
)


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    metavar="FILE",
    help="Write the enriched traces to FILE, whole or not at all; - is standard output (the default).",
)
@click.option("--summary", is_flag=True, help=_SUMMARY_HELP)
@click.option("--full", is_flag=True, help="Add every attribute, not only the core ones.")
@click.option(
    "--model-map",
    "model_map",
    multiple=True,
    metavar="NAME=MODEL",
    help="The model behind the NAME of a deployment or alias, or behind PROVIDER/NAME; may be given several times.",
)
@click.option("--accounting-point", metavar="SERVICE,...", help=_ACCOUNTING_POINT_HELP)
@strict_option
@registry_option
@grid_table_options
def enrich(
    file: Path,
    output: Path | None,
    model_map: tuple[str, ...],
    accounting_point: str | None,
    registry_file: Path | None,
    grid_file: Path | None,
    grid_version: str | None,
    *,
    summary: bool,
    full: bool,
    strict: bool,
) -> int:
    """Add footprints to the inference spans of an OTLP trace file.

    Protobuf, OTLP JSON, JSON lines or a file of the collector's file exporter, detected.
    The output has the encoding of the input. - reads standard input.
    A gzipped file is read too, and comes out uncompressed when anything was added.
    The whole file is decided together, each inference counted once.
    Exits 3 when the file holds no GenAI span.

    Example: otel-carbon enrich traces.binpb -o enriched.binpb --summary
    """
    if summary and output == STANDARD_STREAM:
        msg = "--summary and -o - both want standard output; give the traces a file with -o FILE"
        raise click.UsageError(msg)
    if output is not None:
        refuse_own_input(output, [file])
    registry = chosen_registry(registry_file)
    table = chosen_table(grid_file, grid_version)
    settings = replace(_settings(registry, model_map, accounting_point), grid_table=table)
    enriched = _enriched(
        file, registry, replace(settings, full=full or settings.full, strict=strict or settings.strict)
    )
    if output is not None or not summary:
        _write_traces(enriched, output or STANDARD_STREAM, file)
    if summary:
        click.echo(json.dumps(enriched.summary, indent=2, ensure_ascii=False, allow_nan=False))
    if enriched.summary["spans"] == enriched.summary["not_genai"]:
        click.echo(f"{_name(file)}: no GenAI span in {enriched.summary['spans']} spans; nothing was added", err=True)
        return exit_codes.NOTHING_ESTIMATED
    return exit_codes.DONE


def _settings(registry: Registry, model_map: tuple[str, ...], accounting_point: str | None) -> EnrichSettings:
    """Those of the environment, over which the options win."""
    from otel_carbon.sdk.environment import settings_from_environment, unknown_model
    from otel_carbon.sdk.setting_texts import accounting_point_from_text, pairs_from_text

    settings = settings_from_environment(os.environ, registry)
    pairs = pairs_from_text(",".join(model_map), "NAME=MODEL")
    _refuse("--model-map", pairs.problems)
    for problem in filter(None, (unknown_model(registry, model) for model in dict.fromkeys(pairs.found.values()))):
        click.echo(f"warning: --model-map: {problem}", err=True)
    models = {**settings.models, **pairs.found}
    settings = replace(settings, models=models, already_enriched="count")  # else a summary lacks amounts
    if accounting_point is None:
        return settings
    accounting = accounting_point_from_text(accounting_point)
    _refuse("--accounting-point", accounting.problems)
    return replace(settings, accounting_point=accounting.counting, pass_through=accounting.pass_through)


def _refuse(option: str, problems: tuple[str, ...]) -> None:
    if problems:
        msg = f"{option}: {'; '.join(problems)}"
        raise click.UsageError(msg)


def _enriched(file: Path, registry: Registry, settings: EnrichSettings) -> EnrichedFile:
    with needs_extra("otlp"):
        from otel_carbon.otlp.file_enrichment import enrich_file_bytes
    from otel_carbon.enricher import Enricher

    body = sys.stdin.buffer.read() if file == STANDARD_STREAM else file.read_bytes()
    try:
        with Console(sys.stdout, sys.stderr).working(f"enriching {_name(file)}, {len(body):,} bytes"):
            return enrich_file_bytes(body, Enricher(registry, settings))
    except (MalformedBody, BodyTooLarge) as error:
        msg = f"{_name(file)}: {error}"
        raise click.UsageError(msg) from error


def _write_traces(enriched: EnrichedFile, output: Path, file: Path) -> None:
    if output == STANDARD_STREAM and enriched.encoding.endswith("protobuf") and sys.stdout.isatty():
        msg = "the traces are protobuf, which a terminal cannot show; name a file with -o FILE"
        raise click.UsageError(msg)
    write_result(enriched.body, output, [file])


def _name(file: Path) -> str:
    return "standard input" if file == STANDARD_STREAM else os.fsdecode(file)
