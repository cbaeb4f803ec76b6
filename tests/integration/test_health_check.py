from __future__ import annotations

import httpx

from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.health_check import HealthCheck
from tests.integration.collector_under_test import (
    PROTOBUF,
    config_text,
    counter,
    running_collector,
    scripted_backend,
    trace_request,
)
from tests.support.waiting import wait_until


def test_a_probe_hears_no_before_the_start_and_after_the_stop() -> None:
    health = HealthCheck(Endpoint("localhost", 0), key="extensions.health_check.endpoint")
    health.start()
    try:

        def answers() -> list[tuple[int, str]]:
            url = f"http://{health.endpoint}"
            found = [httpx.get(f"{url}{path}") for path in ("/", "/any/path", "/status")]
            return [(each.status_code, each.json()["status"]) for each in found]

        no = (503, "Server not available")
        assert answers() == [no, no, (503, "StatusStarting")]
        health.set_ready(ready=True)
        yes = (200, "Server available")
        assert answers() == [yes, yes, (200, "StatusOK")]
        health.set_ready(ready=False)
        assert answers() == [no, no, (503, "StatusStopping")]
    finally:
        health.begin_stop(1)
        health.finish_stop(1)


def test_a_backend_that_is_away_shows_and_leaves_the_collector_ready() -> None:
    with scripted_backend(accepting=False) as backend:
        exporters = f"""otlp_http: {{endpoint: "{backend.endpoint}"}}
  debug:
  prometheus: {{endpoint: "localhost:0"}}"""
        text = config_text(exporters, names="otlp_http, debug", processors="carbon").replace(
            "processors: [carbon], exporters: [", "processors: [carbon], exporters: [prometheus, "
        )
        with running_collector(text, drain_s=1) as running:
            url = f"{running.page_url('extensions.health_check')}/status?verbose"
            page_url = f"{running.page_url('exporters.prometheus')}/metrics"

            def exporter_status(name: str) -> str:
                components = httpx.get(url).json()["components"]["pipeline:traces"]["components"]
                return str(components[f"exporter:{name}"]["status"])

            def failing() -> float:
                return counter(httpx.get(page_url).text, "otel_carbon_collector_exporter_failing", exporter="otlp_http")

            assert exporter_status("otlp_http") == "StatusOK"
            httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
            wait_until(lambda: exporter_status("otlp_http") != "StatusOK", timeout_s=10, what="a failing exporter")
            assert exporter_status("otlp_http") == "StatusRecoverableError"
            assert exporter_status("debug") == "StatusOK"
            assert failing() == 1
            assert httpx.get(url).status_code == 200
            backend.accepting.set()
            wait_until(lambda: exporter_status("otlp_http") == "StatusOK", timeout_s=10, what="a working exporter")
            assert failing() == 0
