from __future__ import annotations

import asyncio
import threading
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.exporters.prometheus import PrometheusExporter
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Signal
from otel_carbon.version import VERSION
from tests.unit.counting.candidates import candidate, window

NOWHERE = Endpoint("localhost", 0)
CARBON_FAMILY = b"# TYPE otel_carbon_tokens counter\notel_carbon_tokens_total 7.0\n"


def busy_metrics() -> SelfMetrics:
    metrics = SelfMetrics()
    metrics.watch_queue(ByteQueue("otlp_http", 1000))
    metrics.watch_receiver("otlp", "grpc", Signal.TRACES)
    metrics.accepted("otlp", "grpc", Signal.TRACES, 5)
    metrics.accepted("otlp", "http", Signal.LOGS, 2)
    metrics.sent("otlp_http", Signal.METRICS, 3)
    return metrics


def test_the_counters_have_the_names_that_dashboards_know() -> None:
    lines = busy_metrics().render().decode().splitlines()
    samples = [line for line in lines if not line.startswith(("#", "otelcol_process"))]
    assert samples == [
        'otelcol_exporter_enqueue_failed_log_records_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_enqueue_failed_metric_points_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_enqueue_failed_spans_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_send_failed_log_records_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_send_failed_metric_points_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_send_failed_spans_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_sent_log_records_total{exporter="otlp_http"} 0.0',
        'otelcol_exporter_sent_metric_points_total{exporter="otlp_http"} 3.0',
        'otelcol_exporter_sent_spans_total{exporter="otlp_http"} 0.0',
        'otelcol_receiver_accepted_log_records_total{receiver="otlp",transport="http"} 2.0',
        'otelcol_receiver_accepted_spans_total{receiver="otlp",transport="grpc"} 5.0',
        'otelcol_receiver_failed_spans_total{receiver="otlp",transport="grpc"} 0.0',
        'otelcol_receiver_refused_spans_total{receiver="otlp",transport="grpc"} 0.0',
        'otelcol_receiver_requests_total{outcome="failure",receiver="otlp",transport="grpc"} 0.0',
        'otelcol_receiver_requests_total{outcome="refused",receiver="otlp",transport="grpc"} 0.0',
        'otelcol_receiver_requests_total{outcome="success",receiver="otlp",transport="grpc"} 0.0',
        'otelcol_exporter_queue_size{exporter="otlp_http"} 0.0',
        'otelcol_exporter_queue_capacity{exporter="otlp_http"} 1000.0',
        f'otel_carbon_build_info{{registry_version="",version="{VERSION}"}} 1.0',
    ]
    assert {line.split()[0] for line in lines if line.startswith("otelcol_process")} >= {
        "otelcol_process_uptime_seconds_total",
        "otelcol_process_cpu_seconds_total",
    }


def test_what_counting_forgets_for_lack_of_room_shows_for_each_processor() -> None:
    small, large = window(max_calls=100), window(max_calls=10_000)
    metrics = SelfMetrics()
    metrics.watch_counting("otel_carbon/small", lambda: small.evicted)
    metrics.watch_counting("otel_carbon/large", lambda: large.evicted)
    for counting in (small, large):
        for number in range(1, 1001):
            counting.judge(candidate(number, trace=number, tokens=(number, 1)))
    text = metrics.render().decode()
    assert counter(text, 'otel_carbon_collector_counting_dropped_total{processor="otel_carbon/small"}') >= 900
    assert counter(text, 'otel_carbon_collector_counting_dropped_total{processor="otel_carbon/large"}') == 0


def counter(text: str, sample: str) -> float:
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"{sample} "))


def test_an_openmetrics_page_ends_once_and_parses_as_a_whole() -> None:
    exporter = PrometheusExporter(
        NOWHERE,
        key="exporters.prometheus.endpoint",
        render=lambda accept: (CARBON_FAMILY + b"# EOF\n", accept),
        self_metrics=busy_metrics(),
    )
    page, content_type = exporter.page("application/openmetrics-text; version=1.0.0")
    assert content_type == "application/openmetrics-text; version=1.0.0"
    assert page.count(b"# EOF") == 1
    parsed = parse_openmetrics(page.decode())  # type: ignore[no-untyped-call] # untyped upstream
    samples = {sample.name: sample.value for family in parsed for sample in family.samples}
    assert samples["otel_carbon_tokens_total"] == 7.0
    assert samples["otelcol_exporter_sent_metric_points_total"] == 3.0


def test_without_a_carbon_processor_the_page_shows_the_collector_itself() -> None:
    exporter = PrometheusExporter(NOWHERE, key="key", render=None, self_metrics=busy_metrics())
    page, content_type = exporter.page("*/*")
    assert b"otelcol_exporter_sent_spans_total" in page
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_scrapes_that_pile_up_share_a_page_that_is_newer_than_all_of_them() -> None:
    begun, go_on = threading.Event(), threading.Event()
    renders = 0

    def render(_accept: str) -> tuple[bytes, str]:
        nonlocal renders
        renders += 1
        begun.set()
        assert go_on.wait(10)
        return f"render {renders}\n".encode(), "text/plain"

    exporter = PrometheusExporter(NOWHERE, key="key", render=render, self_metrics=SelfMetrics())

    async def scrape() -> str:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await exporter._application({"path": "/metrics", "method": "GET", "headers": []}, None, send)  # type: ignore[arg-type]
        return str(sent[1]["body"].partition(b"\n")[0].decode())

    async def scrapes() -> tuple[str, list[str]]:
        first = asyncio.create_task(scrape())
        await asyncio.to_thread(begun.wait, 10)
        later = [asyncio.create_task(scrape()) for _ in range(3)]
        leaves = asyncio.create_task(scrape())
        await asyncio.sleep(0)
        leaves.cancel()
        go_on.set()
        return await first, await asyncio.gather(*later)

    assert asyncio.run(scrapes()) == ("render 1", ["render 2"] * 3)
    assert renders == 2
    exporter.finish_stop(0)
