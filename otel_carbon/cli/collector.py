"""`otel-carbon collector`: run the pipeline, or check its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.extras import needs_extra
from otel_carbon.cli.registry_choice import chosen_registry, registry_option

if TYPE_CHECKING:
    from otel_carbon.collector.assembly import BuildCarbon, CarbonStage
    from otel_carbon.collector.config import CarbonConfig, CollectorConfig

EXTRA = "collector"
_config_file = click.Path(path_type=Path, dir_okay=False)


@click.group(invoke_without_command=True)
@click.option(
    "--config",
    "config_file",
    type=_config_file,
    metavar="FILE",
    help="collector.yaml; without it OTLP on localhost 4317 and 4318, Prometheus on 9464.",
)
@registry_option
@click.pass_context
def collector(context: click.Context, config_file: Path | None, registry_file: Path | None) -> int:
    """Run the pipeline: OTLP in, footprints added, OTLP out.

    Inference spans are enriched and counted once; Prometheus reads the counters.

    Runs until it is told to stop (Ctrl-C or SIGTERM), then sends what is queued and exits 0.

    Example: otel-carbon collector --config collector.yaml
    """
    if context.invoked_subcommand is not None:
        if config_file is not None:
            msg = f"write --config after {context.invoked_subcommand}"
            raise click.UsageError(msg)
        return exit_codes.DONE
    with needs_extra(EXTRA):
        from otel_carbon.collector.app import run_collector
        from otel_carbon.collector.load_config import default_config
    config = default_config() if config_file is None else _loaded(config_file)
    return run_collector(config, build_carbon=_carbon_builder(registry_file))


@collector.command()
@click.option(
    "--config", "config_file", type=_config_file, required=True, metavar="FILE", help="The collector.yaml to check."
)
def validate(config_file: Path) -> int:
    """Check a configuration without running it.

    Exits 2 and names every mistake.

    Example: otel-carbon collector validate --config collector.yaml
    """
    _loaded(config_file)
    click.echo(f"{config_file}: valid")
    return exit_codes.DONE


def _loaded(config_file: Path) -> CollectorConfig:
    with needs_extra(EXTRA):
        from otel_carbon.collector.load_config import load_config
    loaded = load_config(config_file)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    return loaded.config


def _carbon_builder(registry_file: Path | None) -> BuildCarbon:
    """How the collector gets its carbon processor; the overlay of the configuration wins over that of the option."""

    def build_carbon(config: CarbonConfig) -> CarbonStage:
        from otel_carbon.collector.assembly import CarbonStage
        from otel_carbon.enricher import Enricher, EnrichSettings
        from otel_carbon.metrics.exposition import Exposition
        from otel_carbon.otlp.traces import TracesEnricher

        registry = chosen_registry(Path(config.registry) if config.registry else registry_file)
        settings = EnrichSettings(
            full=config.attributes == "full",
            configured_regions=config.regions,
            tenant_attribute=config.tenant_attribute,
            already_enriched="count" if config.already_enriched == "count" else "trust",
        )
        enricher = Enricher(registry, settings)
        return CarbonStage(TracesEnricher(enricher), Exposition(enricher.totals).render)

    return build_carbon
