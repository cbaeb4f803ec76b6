"""Runs a command with the observer in each Python that it starts, and reads what they report."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from otel_carbon.doctor.gather import gather_environment
from otel_carbon.doctor.imported import with_import_errors
from otel_carbon.doctor.observations import CommandOutcome, Examined
from otel_carbon.doctor.probe import endpoints_of, probe
from otel_carbon.doctor.read_reports import read_reports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from otel_carbon.doctor.facts import Environment
    from otel_carbon.doctor.observations import ProcessReport

SITE = Path(__file__).parent / "observer" / "site"
REPORTS = "OTEL_CARBON_DOCTOR_REPORTS"
GRACE_S = 30.0
"""Time for a command to end after SIGTERM: servers finish requests, exporters try for ten seconds."""


def examine_environment() -> Examined:
    """The facts of this Python, with a look at where it would send telemetry to."""
    environment = with_import_errors(gather_environment())
    return _with_probes(Examined(environment, time.time()))


def examine_command(command: Sequence[str], timeout_s: float | None) -> Examined:
    """Run a command to its end, or for `timeout_s` seconds, and collect what was observed.

    Its standard streams are ours.

    Raises:
        OSError: it cannot be started.
    """
    with TemporaryDirectory(prefix="otel-carbon-doctor-") as folder:
        outcome = _run(tuple(command), Path(folder), timeout_s)
        reports = tuple(read_reports(Path(folder)))
    return _with_probes(Examined(_environment_of(reports), time.time(), outcome, reports))


def _run(command: tuple[str, ...], folder: Path, timeout_s: float | None) -> CommandOutcome:
    paths = [str(SITE), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), REPORTS: str(folder)}
    started = subprocess.Popen(command, env=environment)  # noqa: S603 - the command is what the user asks to run
    with _passing_signals_on(started):
        try:
            return CommandOutcome(command, started.wait(timeout_s))
        except subprocess.TimeoutExpired:
            started.terminate()
        try:
            return CommandOutcome(command, started.wait(GRACE_S), stopped=True)
        except subprocess.TimeoutExpired:
            started.kill()
            return CommandOutcome(command, started.wait(), stopped=True)


@contextmanager
def _passing_signals_on(started: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let the command decide what an interrupt from the terminal means, and tell it what we are told alone."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        started.send_signal(number)

    def leave_to_it(_number: int, _frame: FrameType | None) -> None:
        """The terminal has told the command as well."""

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, leave_to_it)
    signal.signal(signal.SIGTERM, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environment_of(reports: Sequence[ProcessReport]) -> Environment:
    """The environment of the process that made calls, else of one that loaded a client, else this one."""
    told = [each for each in reports if each.environment is not None]
    best = max(told, key=lambda each: (bool(each.calls), bool(each.clients)), default=None)
    return (best.environment if best else None) or gather_environment()


def _with_probes(examined: Examined) -> Examined:
    endpoints = endpoints_of(examined.environment, examined.exporters, ran=examined.outcome is not None)
    return replace(examined, probes=tuple(probe(endpoint, protocol) for endpoint, protocol in endpoints.items()))
