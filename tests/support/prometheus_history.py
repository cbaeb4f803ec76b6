"""Samples from before a Prometheus was started, put into its database by the real `promtool`."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.support.components import require_promtool

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_S = 300.0


def write_history(database: Path, openmetrics: Path) -> None:
    """Make blocks of a file in OpenMetrics with a timestamp on every sample; to be done before Prometheus starts."""
    command: list[str | Path] = [require_promtool(), "tsdb", "create-blocks-from", "openmetrics", openmetrics, database]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
