"""`otel-carbon budget`: check budgets, turn them into Prometheus rules, and say where they stand."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.extras import needs_extra
from otel_carbon.cli.output import output_option, result_console, write_result
from otel_carbon.errors import BudgetError, PrometheusUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.budgets.model import Budgets

    Command = Callable[..., Any]

EXTRA = "budget"
DEFAULT_FILE = "budgets.yaml"
URL_VARIABLE = "OTEL_CARBON_PROMETHEUS_URL"
TOKEN_VARIABLE = "OTEL_CARBON_PROMETHEUS_TOKEN"
DEFAULT_RUNBOOKS = "docs/runbooks/"


def _file_argument(command: Command) -> Command:
    return click.argument(
        "budget_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        default=DEFAULT_FILE,
        metavar="[FILE]",
    )(command)


@click.group()
def budget() -> None:
    """Budgets for modelled CO2e, energy and water, and for tokens, with alerts.

    FILE is budgets.yaml unless given.

    Example: otel-carbon budget check budgets.yaml
    """


@budget.command()
@_file_argument
def check(budget_file: Path) -> int:
    """Check a file of budgets.

    Exits 2 and names every mistake with its line; budgets that overlap are a warning.

    Example: otel-carbon budget check budgets.yaml
    """
    budgets = _budgets(budget_file)
    if budgets is None:
        return exit_codes.WRONG_USAGE
    count = len(budgets.budgets)
    click.echo(f"{budget_file}: valid, {count} {'budget' if count == 1 else 'budgets'}")
    return exit_codes.DONE


@budget.command()
@_file_argument
@click.option(
    "--runbooks",
    default=DEFAULT_RUNBOOKS,
    show_default=True,
    metavar="PREFIX",
    help="What comes before the name of a runbook's page in the alerts, such as https://wiki.example/runbooks/.",
)
@output_option
def rules(budget_file: Path, runbooks: str, output: Path) -> int:
    """Write Prometheus rules for the budgets: their series, and alerts on thresholds and on the pace.

    Generate them anew when the budgets change, and once in six years for the clocks of time zones.

    Example: otel-carbon budget rules budgets.yaml -o budget-rules.yaml
    """
    budgets = _budgets(budget_file)
    if budgets is None:
        return exit_codes.WRONG_USAGE
    from otel_carbon.budgets.rules import rules_text

    text = rules_text(budgets, datetime.now(UTC), runbooks)
    write_result(text.encode(), output, [budget_file])
    return exit_codes.DONE


@budget.command()
@_file_argument
@click.option(
    "--prometheus",
    "url",
    envvar=URL_VARIABLE,
    show_envvar=True,
    required=True,
    metavar="URL",
    help="Where Prometheus is, such as http://localhost:9090.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.1, 300),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@output_option
def status(budget_file: Path, url: str, timeout_s: float, as_json: bool, output: Path) -> int:
    """Show what each budget has used, what is left, and what it comes to at the end of its window.

    Reads what the rules have recorded, or the counters where no rules run. A token for Prometheus is read from
    OTEL_CARBON_PROMETHEUS_TOKEN. Exits 1 when a budget is spent, and 3 when Prometheus does not answer or has no
    data for a budget.

    Example: otel-carbon budget status budgets.yaml --prometheus http://localhost:9090
    """
    budgets = _budgets(budget_file)
    if budgets is None:
        return exit_codes.WRONG_USAGE
    with needs_extra(EXTRA):
        from otel_carbon.budgets.prometheus import Prometheus
    from otel_carbon.budgets.status import overflowing_labels, statuses_of
    from otel_carbon.cli.budget_page import show_statuses, statuses_json

    if not url.startswith(("http://", "https://")):
        msg = "--prometheus must begin with http:// or https://"
        raise click.UsageError(msg)
    prometheus, now = Prometheus(url, timeout_s, os.environ.get(TOKEN_VARIABLE, "").strip()), datetime.now(UTC)
    try:
        found = statuses_of(budgets, prometheus, now)
        overflowing = tuple(overflowing_labels(budgets, prometheus))
    except PrometheusUnavailable as error:
        click.echo(f"{error}; nothing is known about the budgets", err=True)
        return exit_codes.NOTHING_ESTIMATED
    if as_json:
        write_result(statuses_json(found, now).encode(), output, [budget_file])
    else:
        with result_console(output, [budget_file]) as console:
            show_statuses(console, found)
    for label, values in overflowing:
        click.echo(f"warning: label {label.name} has {values} values; max_values is {label.max_values}", err=True)
    if any(each.is_spent for each in found):
        return exit_codes.ANSWER_IS_NO
    return exit_codes.NOTHING_ESTIMATED if any(each.used is None for each in found) else exit_codes.DONE


def _budgets(path: Path) -> Budgets | None:
    """The budgets of a file, None when it has mistakes; those and warnings are shown."""
    with needs_extra(EXTRA):
        from otel_carbon.budgets.read import read_budgets
    from otel_carbon.cli.console import printable

    try:
        found = read_budgets(path)
    except BudgetError as error:
        for problem in error.problems:
            click.echo(printable(problem), err=True)
        count = len(error.problems)
        click.echo(f"Error: {count} {'mistake' if count == 1 else 'mistakes'} in {path}", err=True)
        return None
    for warning in found.warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    return found.budgets
