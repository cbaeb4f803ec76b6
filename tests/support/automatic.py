"""What `opentelemetry-instrument` is run with: ours of all instrumentations that are installed here."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

COMMAND = Path(sys.executable).parent / "opentelemetry-instrument"
OF_OTHERS = ",".join(
    each.name for each in entry_points(group="opentelemetry_instrumentor") if not each.value.startswith("otel_carbon.")
)
QUIET = {
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OF_OTHERS,  # which take seconds to load
}
