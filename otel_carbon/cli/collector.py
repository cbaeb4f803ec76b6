"""`otel-carbon collector`: run the pipeline."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.carbon_facts import carbon_facts
from otel_carbon.cli.collector_config import (
    EXTRA,
    components,
    config_from,
    config_option,
    schema,
    setting_option,
    validate,
)
from otel_carbon.cli.extras import needs_extra
from otel_carbon.cli.main import OWN_PROCESS
from otel_carbon.cli.registry_choice import chosen_registry, registry_option
from otel_carbon.cli.traces_stage import TracesStage
from otel_carbon.cli.usage_metrics import MetricsStage
from otel_carbon.errors import GridError, RegistryError
from otel_carbon.registry.facts import ProviderPlace
from otel_carbon.registry.spellings import nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_carbon.collector.assembly import BuildCarbon, CarbonStage
    from otel_carbon.collector.config.carbon import CarbonConfig
    from otel_carbon.collector.config.check import CarbonFindings, CheckCarbon
    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.grid.table import GridTable
    from otel_carbon.registry.catalog import Registry


@click.group(invoke_without_command=True)
@config_option(required=False)
@setting_option
@registry_option
@click.pass_context
def collector(
    context: click.Context, config_files: tuple[Path, ...], settings: tuple[str, ...], registry_file: Path | None
) -> int:
    """Run the pipeline: OTLP in, footprints added, OTLP out.

    Inference spans are enriched and counted once; Prometheus reads the counters.

    Runs until it is told to stop (Ctrl-C or SIGTERM), then sends what is queued and exits 0.

    Example: otel-carbon collector --config collector.yaml
    """
    context.obj = _carbon_check(registry_file)
    if context.invoked_subcommand is not None:
        if config_files or settings:
            msg = f"write {'--config' if config_files else '--set'} after {context.invoked_subcommand}"
            raise click.UsageError(msg)
        return exit_codes.DONE
    # The gRPC library writes lines of its own to standard error, one for each handshake that a stranger spoils.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    read = partial(config_from, config_files, settings, context.obj, for_run=True)
    can_be_read_again = all(file.is_file() for file in config_files)  # a pipe can not
    own_process = context.find_root().obj is OWN_PROCESS
    config = _read_apart(read) if own_process and can_be_read_again else read()
    if config is None:
        return exit_codes.WRONG_USAGE
    with needs_extra(EXTRA):
        from otel_carbon.collector.app import run_collector
    return run_collector(config, build_carbon=carbon_builder(registry_file))


def _read_apart(read: Callable[[], CollectorConfig | None]) -> CollectorConfig | None:
    from otel_carbon.collector.config.apart import NotReadApart, read_apart

    try:
        return read_apart(read)
    except NotReadApart:
        return read()


for command in (components, schema, validate):
    collector.add_command(command)


def _registry_for(config: CarbonConfig, registry_file: Path | None) -> Registry:
    """The registry of a carbon section; the overlay of the configuration wins over that of the option."""
    return chosen_registry(Path(config.registry) if config.registry else registry_file)


def _table_for(config: CarbonConfig) -> GridTable | None:
    from otel_carbon.grid.table_file import read_grid_table

    return read_grid_table(Path(config.grid_table)) if config.grid_table else None


def _carbon_check(registry_file: Path | None) -> CheckCarbon:
    """How the places that a configuration names are looked up."""

    def check_carbon(config: CarbonConfig) -> CarbonFindings:
        from otel_carbon.collector.config.check import CarbonFindings
        from otel_carbon.collector.config.text import Problem
        from otel_carbon.sdk.environment import unknown_model, unknown_model_means, unknown_region

        try:
            registry = _registry_for(config, registry_file)
        except RegistryError as error:
            if config.registry is None:  # the option's file is wrong, not the configuration
                raise
            return CarbonFindings((Problem(("registry",), str(error)),))
        try:
            _table_for(config)
        except GridError as error:
            return CarbonFindings((Problem(("grid_table",), str(error)),))
        unknown = {provider: unknown_region(registry, region) for provider, region in config.regions.items()}
        wrong = tuple(Problem(("regions", provider), problem) for provider, problem in unknown.items() if problem)
        doubtful = (provider for provider in config.regions if registry.about(ProviderPlace, provider, None) is None)
        doubts = [Problem(("regions", each), _doubt(registry, each)) for each in doubtful]
        behind = {name: unknown_model(registry, model) for name, model in config.models.items()}
        meaning = unknown_model_means(strict=config.strict)
        doubts += (
            Problem(("models", name), f"{doubt}; its calls {meaning}") for name, doubt in behind.items() if doubt
        )
        return CarbonFindings(wrong, tuple(doubts))

    return check_carbon


def _doubt(registry: Registry, provider: str) -> str:
    near = nearest_names(provider, _provider_names(registry))
    question = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"the registry knows no provider {provider!r}{question or ', so it holds for spans that name just that one'}"


def _provider_names(registry: Registry) -> Iterator[str]:
    for fact in registry.facts("provider"):
        if isinstance(fact, ProviderPlace):
            yield from (fact.provider, *fact.names)


def carbon_builder(registry_file: Path | None) -> BuildCarbon:
    """How the collector gets its carbon processor."""

    def build_carbon(config: CarbonConfig) -> CarbonStage:
        from otel_carbon.collector.assembly import CarbonStage
        from otel_carbon.counting.window import CountingWindow
        from otel_carbon.durable_counting import DurableCounting
        from otel_carbon.enrich_settings import EnrichSettings
        from otel_carbon.enricher import Enricher
        from otel_carbon.metrics.exposition import Exposition
        from otel_carbon.otlp.traces import TracesEnricher

        settings = EnrichSettings(
            full=config.attributes == "full",
            # Providers are looked up in lower case.
            configured_regions={provider.lower(): region for provider, region in config.regions.items()},
            tenant_attribute=config.tenant_attribute,
            already_enriched="count" if config.already_enriched == "count" else "trust",
            models=config.models,
            accounting_point=frozenset(config.accounting_point.count),
            pass_through=frozenset(config.accounting_point.pass_through),
            strict=config.strict,
            grid_table=_table_for(config),
            usage_source={name: source.value for name, source in config.usage_source.services.items()},
        )
        registry = _registry_for(config, registry_file)
        enricher = Enricher(registry, settings, CountingWindow(time.monotonic, archives_apart=True))
        process = TracesStage(TracesEnricher(enricher), tell_of_trust=settings.already_enriched == "trust")
        exposition = Exposition(enricher.totals)

        def dropped_entries() -> int:
            return enricher.window.evicted

        def keep_state() -> DurableCounting:
            return DurableCounting(enricher)

        stage = CarbonStage(
            process,
            exposition.render,
            families=exposition.families,
            dropped_entries=dropped_entries,
            facts=carbon_facts(registry, settings.grid_table),
            holding=process,
            keep_state=keep_state,
            totals=enricher.totals,
            prepare=process.prepare,
            prepare_counting=partial(process.prepare, writes=False),
            is_busy=lambda: enricher.window.is_archiving,
        )
        if not config.usage_source.reads_metrics:
            return stage
        from otel_carbon.otlp.metrics import UsageFromMetrics

        metrics = MetricsStage(UsageFromMetrics(enricher, max_series=config.usage_source.max_series))
        return replace(stage, read_metrics=metrics, numbers=metrics.numbers)

    return build_carbon
