"""Small programs run by an interpreter of their own, for what can happen once in a process only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 60
ROOT = Path(__file__).parents[3]


def environment(changed: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without any `OTEL_*` but those in `changed`; the tests' helpers can be imported."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith("OTEL_")}
    return kept | {"PYTHONPATH": str(ROOT)} | dict(changed or {})


def run(command: Sequence[str | Path], changed: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever comes out.

    Raises:
        AssertionError: it failed; the message holds its output.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(changed), timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def python(code: str, changed: Mapping[str, str] | None = None) -> Any:
    """Run code with warnings as errors; what it prints last must be JSON, and nothing may be on standard error.

    Raises:
        AssertionError: it failed, or complained.
    """
    done = run([sys.executable, "-W", "error", "-c", code], changed)
    assert done.stderr == ""
    return json.loads(done.stdout.splitlines()[-1])
