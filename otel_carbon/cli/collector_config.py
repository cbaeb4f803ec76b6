"""`otel-carbon collector validate`, `schema` and `components`: what may stand in a configuration."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.collector.config.check import CheckCarbon
    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.collector.config.load import LoadedConfig
    from otel_carbon.collector.config.source.findings import Finding

    Command = Callable[..., Any]

EXTRA = "collector"
_logger = logging.getLogger(__name__)


def config_option(*, required: bool) -> Callable[[Command], Command]:
    """The option `--config`, as the parameter `config_files`."""
    return click.option(
        "--config",
        "config_files",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        required=required,
        metavar="FILE",
        help="A collector.yaml; a further one is merged into it, its lists replace."
        + ("" if required else " Without any: OTLP on localhost 4317 and 4318, Prometheus on 9464."),
    )


def setting_option(command: Command) -> Command:
    """The option `--set`, as the parameter `settings`."""
    option = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY.PATH=VALUE",
        help="A setting put over the files; its value is YAML. With :: for . where a key has a dot.",
    )
    return option(command)


def config_from(
    config_files: tuple[Path, ...], settings: tuple[str, ...], check_carbon: CheckCarbon, *, for_run: bool = False
) -> CollectorConfig | None:
    """Load a configuration and show what is wrong with it, or looks unintended; None when it cannot be run.

    Where it is going to run and its log is for programs, what looks unintended goes there.
    """
    with needs_extra(EXTRA):
        from otel_carbon.collector.config.load import default_config, load_config
        from otel_carbon.collector.config.source.findings import InvalidConfig
    try:
        if not config_files:
            return default_config(settings)
        loaded = load_config(config_files, check_carbon=check_carbon, settings=settings)
    except InvalidConfig as error:
        _show(error.findings, error.warnings)
        return None
    if for_run and loaded.config.service.telemetry.logs.encoding == "json":
        _log_warnings(loaded)
    elif loaded.findings:
        _show((), loaded.findings)
    return loaded.config


def _show(mistakes: Sequence[Finding], warnings: Sequence[Finding]) -> None:
    from otel_carbon.cli.config_findings import show_findings  # its tables of characters take 1 MiB

    show_findings(mistakes, warnings)


def _log_warnings(loaded: LoadedConfig) -> None:
    from otel_carbon.collector.logs import log_to_stderr

    log_to_stderr(loaded.config)
    for each in loaded.findings:
        _logger.warning("%s: %s (%s:%d)", each.key or "configuration", each.message, each.file, each.line)


@click.command()
@config_option(required=True)
@setting_option
@click.option("--json", "as_json", is_flag=True, help="Print mistakes and warnings as JSON.")
@click.pass_obj
def validate(
    check_carbon: CheckCarbon, config_files: tuple[Path, ...], settings: tuple[str, ...], as_json: bool
) -> int:
    """Check a configuration without running it.

    Exits 2 and names every mistake, with the line that it stands on; values that may be secret are hidden.

    Example: otel-carbon collector validate --config collector.yaml
    """
    names = [str(file) for file in config_files]
    if as_json:
        return _validate_as_json(check_carbon, config_files, settings)
    if config_from(config_files, settings, check_carbon) is None:
        return exit_codes.WRONG_USAGE
    click.echo(f"{', '.join(names)}: valid")
    return exit_codes.DONE


def _validate_as_json(check_carbon: CheckCarbon, config_files: tuple[Path, ...], settings: tuple[str, ...]) -> int:
    from otel_carbon.cli.config_findings import findings_json

    with needs_extra(EXTRA):
        from otel_carbon.collector.config.load import load_config
        from otel_carbon.collector.config.source.findings import InvalidConfig
    names = [str(file) for file in config_files]
    try:
        loaded = load_config(config_files, check_carbon=check_carbon, settings=settings)
    except InvalidConfig as error:
        click.echo(findings_json(names, error.findings, error.warnings))
        return exit_codes.WRONG_USAGE
    click.echo(findings_json(names, (), loaded.findings))
    return exit_codes.DONE


@click.command()
def schema() -> int:
    """Print the JSON Schema of collector.yaml, for editors.

    Example: otel-carbon collector schema > collector-config.schema.json
    """
    with needs_extra(EXTRA):
        from otel_carbon.collector.config.schema import config_schema
    click.echo(json.dumps(config_schema(), indent=2))
    return exit_codes.DONE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def components(as_json: bool) -> int:
    """List the components that a configuration can name.

    Example: otel-carbon collector components
    """
    with needs_extra(EXTRA):
        from otel_carbon.collector.config.catalogue import all_components
    found = all_components()
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], indent=2))
        return exit_codes.DONE
    from otel_carbon.cli.console import Console

    rows = [(each.kind, ", ".join((each.name, *each.older_names)), each.stability, each.summary) for each in found]
    Console(sys.stdout, sys.stderr).table(
        "Components of the collector", ("kind", "type", "stability", "what it does"), rows
    )
    return exit_codes.DONE
