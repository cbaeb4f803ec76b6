"""What a collector that runs has not loaded: memory that nobody uses is paid for all the same."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.collector_under_test import PROTOBUF, trace_request
from tests.support.processes import start

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a configuration is read in the process itself here")

CONFIG = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0"}}}
processors:
  carbon: {}
exporters:
  prometheus: {endpoint: "localhost:0"}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [prometheus]}
"""
PROGRAM = """
import json, sys
from otel_carbon.cli.main import main

code = main()
print(json.dumps(sorted(sys.modules)))
sys.exit(code)
"""
LISTENS = re.compile(r"(receivers\.otlp\.http|exporters\.prometheus) listens on (\S+)")
NOT_LOADED = {
    "bcrypt",
    "cramjam",
    "grpc",
    "httpx",
    "jsonschema",
    "opentelemetry.sdk",
    "otel_carbon.budgets.read",
    "otel_carbon.cli.console",
    "otel_carbon.collector.config.check",
    "otel_carbon.collector.config.load",
    "otel_carbon.otlp.json_codec",
    "otel_carbon.otlp.json_writer",
    "otel_carbon.otlp.metrics",
    "otel_carbon.registry.authoring",
    "otel_carbon.usage_metrics",
    "pydantic",
    "pydantic_core",
    "rich",
    "ruamel",
    "sqlite3",
    "stringprep",
    "unittest",
    "yaml",
}


def test_a_collector_that_has_enriched_and_was_scraped_has_loaded_nothing_for_what_it_does_not_do(
    tmp_path: Path,
) -> None:
    path = tmp_path / "collector.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    command: list[str | Path] = [sys.executable, "-c", PROGRAM, "collector", "--config", path]
    process = start(command, folder=tmp_path, name="collector")
    try:
        found = process.wait_for(
            lambda: found if len(found := dict(LISTENS.findall(process.stderr()))) == 2 else None,
            timeout_s=20,
            what="addresses",
        )
        for _ in range(2):
            sent = httpx.post(
                f"http://{found['receivers.otlp.http']}/v1/traces", content=trace_request("chat"), headers=PROTOBUF
            )
            assert sent.status_code == 200
        assert "otelcol_receiver_accepted_spans" in httpx.get(f"http://{found['exporters.prometheus']}/metrics").text
        process.popen.terminate()
        assert process.popen.wait(20) == 0, process.tail()
    finally:
        process.stop()
    loaded = json.loads(process.stdout().splitlines()[-1])
    assert {"otel_carbon.enricher", "uvicorn"} <= set(loaded)
    assert [name for name in loaded if any(name == each or name.startswith(f"{each}.") for each in NOT_LOADED)] == []
