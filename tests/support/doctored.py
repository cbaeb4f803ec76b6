"""Run `otel-carbon doctor` beside the tests and read what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 120
APPS = Path(__file__).parents[1] / "integration" / "apps" / "doctor"
DOCTOR = (sys.executable, "-m", "otel_carbon.cli", "doctor")
INSTRUMENT = (str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable)


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of a run: the exit code of the doctor, its report, and what the command itself printed."""

    exit_code: int
    report: Mapping[str, Any]
    text: str
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        """The codes that were found, in the order of the report."""
        return [found["code"] for found in self.report["findings"]]

    def finding(self, code: str) -> Mapping[str, Any]:
        """The one finding with a code."""
        (found,) = [each for each in self.report["findings"] if each["code"] == code]
        return dict(found)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of the tests without any `OTEL_*` but those given."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    return kept | dict(variables)


def examine(
    command: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    options: Sequence[str] = (),
    given: bytes = b"",
    doctor: Sequence[str | Path] = DOCTOR,
) -> Examination:
    """Run a command under the doctor, ours or that of another environment, with its report in a file as JSON."""
    report = folder / "doctor.json"
    done = subprocess.run(
        [*doctor, "--json", "-o", report, *options, "--", *map(str, command)],
        input=given,
        capture_output=True,
        env=environment(variables or {}),
        timeout=TIMEOUT_S,
        check=False,
    )
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    text = report.read_text(encoding="utf-8") if report.exists() else "{}"
    return Examination(done.returncode, json.loads(text), text, out, err)
