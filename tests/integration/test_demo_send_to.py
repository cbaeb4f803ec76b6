"""`otel-carbon demo --send-to`: spans of the sample services reach a collector until the command is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.integration.collector_under_test import counter
from tests.support.collector_process import COMMAND, running_collector
from tests.support.processes import start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


def calls_at(metrics_target: str) -> float:
    return counter(httpx.get(f"http://{metrics_target}/metrics").text, "otel_carbon_operations_total")


def test_a_collector_counts_what_is_sent_and_a_polite_stop_ends_it_well(otlp_sink: OtlpSink, tmp_path: Path) -> None:
    with running_collector(tmp_path, otlp_sink.http_endpoint) as collector:
        traffic = start([COMMAND, "demo", "--send-to", collector.http_endpoint], folder=tmp_path, name="traffic")
        try:
            wait_until(
                lambda: (
                    counter(
                        httpx.get(f"http://{collector.metrics_target}/metrics").text, "otel_carbon_operations_total"
                    )
                    >= 5
                ),
                timeout_s=TIMEOUT_S,
                what="counted calls",
            )
            traffic.popen.terminate()
            assert traffic.popen.wait(STOP_TIMEOUT_S) == 0, traffic.tail()
        finally:
            traffic.stop()
    assert "ended after" in traffic.stderr()
    assert {span.resource["deployment.environment.name"] for span in otlp_sink.spans()} == {"demo"}
