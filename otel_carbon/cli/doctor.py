"""`otel-carbon doctor`: what is wrong with how an application's calls are seen, and the line that mends it."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from otel_carbon.cli import exit_codes
from otel_carbon.cli.console import Console
from otel_carbon.cli.doctor_json import doctor_json
from otel_carbon.cli.doctor_page import show_doctor
from otel_carbon.cli.output import STANDARD_STREAM, result_console, write_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined


def _complete_files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete the command and its arguments as files."""
    return [CompletionItem(incomplete, type="file")]


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--json", "as_json", is_flag=True, help="Print all that was found as JSON.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the report to FILE, whole or not at all; - is standard output. Without it the report on a command "
    "goes to standard error, as standard output is the command's.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End the command after that time, such as a server that runs until it is told to stop.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, shell_complete=_complete_files)
def doctor(command: Sequence[str], output: Path | None, timeout_s: float | None, *, as_json: bool) -> int:
    """Say what is wrong with how calls are seen, and which line mends it.

    Without COMMAND it looks at what is installed and set here. With one it runs it, with its own input and output, and
    looks on from inside every Python that it starts: nothing of what is said is kept, and nothing is changed.

    Exit codes: 0 nothing is wrong; 1 a finding is an error or a warning; 2 wrong usage, or no such command.

    Example: otel-carbon doctor -- python app.py
    """
    from otel_carbon.doctor.examine import findings_of
    from otel_carbon.doctor.findings import anything_wrong
    from otel_carbon.doctor.run import examine_command, examine_environment

    if timeout_s is not None and not command:
        msg = "--timeout needs a command, as in: otel-carbon doctor --timeout 30 -- python app.py"
        raise click.UsageError(msg)
    if output is not None and output != STANDARD_STREAM:
        _refuse_unwritable(output)
    examined = examine_command(command, timeout_s) if command else examine_environment()
    findings = findings_of(examined)
    _report(examined, findings, output, as_json=as_json)
    return exit_codes.ANSWER_IS_NO if anything_wrong(findings) else exit_codes.DONE


def _refuse_unwritable(output: Path) -> None:
    """Raise `OSError` where a report could not be written, before a command has run for it."""
    folder = output.resolve().parent
    number = errno.EACCES
    if not folder.is_dir():
        number = errno.ENOTDIR if folder.exists() else errno.ENOENT
    elif os.access(folder, os.W_OK | os.X_OK) or (output.exists() and not output.is_file()):
        return
    raise OSError(number, os.strerror(number), str(output))


def _report(examined: Examined, findings: Sequence[Finding], output: Path | None, *, as_json: bool) -> None:
    if output is None and examined.outcome is not None:
        if as_json:
            sys.stderr.write(doctor_json(examined, findings))
        else:
            show_doctor(Console(sys.stderr, sys.stderr), examined, findings)
    elif as_json:
        write_result(doctor_json(examined, findings).encode(), output or STANDARD_STREAM)
    else:
        with result_console(output or STANDARD_STREAM) as console:
            show_doctor(console, examined, findings)
