"""Jaeger as `deploy/jaeger/build.sh` builds it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.components import require_component

BUILD = Path(__file__).parents[2] / "deploy/jaeger/build.sh"
PROGRAM_VARIABLE = "JAEGER"
"""Names a program that was built already."""
NO_GO_EXIT_CODE = 3
_FIND_TIMEOUT_S = 30.0


def require_jaeger() -> Path:
    """Path of Jaeger; without one the test is skipped, or fails in CI where Go is."""
    named = os.environ.get(PROGRAM_VARIABLE, "")
    if named:
        return Path(named)
    found = subprocess.run([BUILD, "--find"], capture_output=True, text=True, timeout=_FIND_TIMEOUT_S, check=False)
    if found.returncode == NO_GO_EXIT_CODE:
        pytest.skip("not run: needs Go")
    require_component("Jaeger", found=found.returncode == 0, hint="deploy/jaeger/build.sh")
    return Path(found.stdout.strip())
