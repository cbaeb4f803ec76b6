"""Did the command run, and could it be looked into?"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from otel_carbon.doctor.findings import counted, finding
from otel_carbon.doctor.shown_command import shown_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import CommandOutcome, Examined

_ISOLATING = re.compile(r"^-[a-zA-Z]*[IES][a-zA-Z]*$")
"""Options of Python that make it ignore its variables, or leave `sitecustomize` out."""
_VALUED = ("-c", "-m")
"""What comes behind these is no option of Python."""


def check_command(examined: Examined) -> Iterator[Finding]:
    """Findings about the run itself."""
    outcome = examined.outcome
    if outcome is None:
        return
    command = examined.command_line
    if outcome.stopped:
        yield finding("command_stopped", [], command=command, longer="SECONDS")
    elif outcome.exit_code != 0:
        missing = [] if examined.calls else ["no call was seen before: some may be missing"]
        yield finding("command_failed", [how_it_ended(outcome), *missing], command=command)
    for report in examined.reports:
        if report.problem:
            yield finding("carbon_not_installed", [f"{report.python}: {report.problem}"], python=report.python)
    if not examined.reports:
        yield _not_observed(outcome)
    if running := [f"process {each.pid}" for each in examined.reports if each.running]:
        yield finding("process_running", running, command=command)
    unfinished = [each for each in examined.reports if not each.ended and not each.running and not each.problem]
    if told := [f"process {each.pid}" for each in unfinished if each.spans or each.clients]:
        yield finding("process_unfinished", told)
    if not_kept := sum(report.not_kept for report in examined.reports):
        yield finding("too_much_to_keep", [f"{counted(not_kept, 'span')} beyond the bound"])


def how_it_ended(outcome: CommandOutcome) -> str:
    """The end of a command in words."""
    if outcome.stopped:
        return "stopped when its time was over"
    if outcome.exit_code < 0:
        number = -outcome.exit_code
        return f"ended by {signal.Signals(number).name if number in set(signal.Signals) else f'signal {number}'}"
    return f"exit code {outcome.exit_code}"


def _not_observed(outcome: CommandOutcome) -> Finding:
    option = _isolating_option(outcome.command)
    if option:
        evidence = f"{option} keeps Python from reading PYTHONPATH or sitecustomize, by which the observer comes in"
        without = shown_line(each for each in outcome.command if each != option)
        return finding("not_observed", [evidence], advice=f"otel-carbon doctor -- {without}")
    evidence = "it starts no Python, or one without the variables of its parent"
    return finding("not_observed", [evidence], advice="otel-carbon doctor -- python app.py")


def _isolating_option(command: tuple[str, ...]) -> str:
    for number, word in enumerate(command):
        if word in _VALUED:
            return ""
        if _ISOLATING.match(word) and "python" in command[max(0, number - 1)].rpartition("/")[2] + command[0]:
            return word
    return ""
