"""The entry point of `otel-carbon`: finds the command, runs it, turns its end into an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

import otel_carbon
from otel_carbon.cli import exit_codes
from otel_carbon.cli.crash_report import crash_report
from otel_carbon.errors import OtelCarbonError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "otel-carbon"
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EPILOG = (
    "Exit codes: 0 done; 1 the answer is no; 2 wrong usage or bad input; 3 nothing could be estimated; "
    "4 could not decide; 70 unexpected error; 130 interrupted."
)

OWN_PROCESS = "own process"
"""The root context's object where the command line is that of the process, which then does nothing else."""

COMMANDS = {
    "budget": "otel_carbon.cli.budget:budget",
    "collector": "otel_carbon.cli.collector:collector",
    "compare": "otel_carbon.cli.compare:compare",
    "completion": "otel_carbon.cli.completion:completion",
    "demo": "otel_carbon.cli.demo:demo",
    "doctor": "otel_carbon.cli.doctor:doctor",
    "enrich": "otel_carbon.cli.enrich:enrich",
    "estimate": "otel_carbon.cli.estimate:estimate",
    "grid": "otel_carbon.cli.grid:grid",
    "methodology": "otel_carbon.cli.methodology:methodology",
    "registry": "otel_carbon.cli.registry:registry",
}
"""Command to the `module:name` that implements it; imported when it is asked for."""


class ReaderLeft(Exception):
    """Whoever read our output has enough, as `| head` does."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of a name, or None."""
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> click.Context:
        """Read the arguments; click would end with 1 (for us: "no") when the reader of `--help` leaves."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError as error:
            raise ReaderLeft from error

    def invoke(self, ctx: click.Context) -> object:
        """Run the command and write out what is still buffered."""
        try:
            outcome = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderLeft from error
        return outcome


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EPILOG
)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """CO2, energy and water of LLM inference, modelled from OpenTelemetry GenAI spans.

    Example: otel-carbon estimate --model gpt-4o --output-tokens 300
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process if `None`) and return its exit code; never raises an `Exception`."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    try:
        whose = OWN_PROCESS if arguments is None else None
        outcome = cli.main(args, prog_name=PROGRAM, standalone_mode=False, obj=whose)
    except click.Abort:
        click.echo("interrupted", err=True)
        return exit_codes.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return exit_codes.WRONG_USAGE
    except ReaderLeft:
        _discard_output()
        return exit_codes.DONE
    except OtelCarbonError as error:
        return _complain(str(error))
    except OSError as error:  # a full disk, a lost mount: nothing of ours, and nothing to report
        return _complain(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        return _unexpected(error, args)
    return outcome if isinstance(outcome, int) else exit_codes.DONE


def _unexpected(error: Exception, args: list[str]) -> int:
    if isinstance(error, OSError) and error.filename is not None:
        return _complain(f"{os.fsdecode(error.filename)}: {error.strerror}")
    debug = bool(os.environ.get("OTEL_CARBON_DEBUG"))
    click.echo(crash_report(error, args, otel_carbon.__version__, with_traceback=debug), err=True)
    return exit_codes.OUR_FAULT


def _complain(message: str) -> int:
    click.echo(f"Error: {message}", err=True)
    return exit_codes.WRONG_USAGE


def _discard_output() -> None:
    """Send what is left to nowhere, so that Python does not complain while it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
