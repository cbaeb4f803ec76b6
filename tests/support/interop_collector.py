"""Our collector as a process between programs of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from tests.support.written_collector import running_written_collector

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.written_collector import WrittenCollector

Exporter = Literal["otlp_http", "otlp_grpc"]


def running_between(
    folder: Path, exporter: Exporter, backend: str, *, compression: Literal["gzip", "none"] = "gzip"
) -> AbstractContextManager[WrittenCollector]:
    """A collector that takes all three signals by OTLP and sends them, traces enriched, to a backend."""
    settings = json.dumps({"endpoint": backend, "compression": compression})
    return running_written_collector(
        f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: localhost:4317}}, http: {{endpoint: localhost:4318}}}}}}}}
processors: {{carbon: }}
exporters:
  {exporter}: {settings}
  prometheus: {{endpoint: localhost:9464}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [{exporter}, prometheus]}}
    metrics: {{receivers: [otlp], exporters: [{exporter}]}}
    logs: {{receivers: [otlp], exporters: [{exporter}]}}
""",
        folder,
    )
