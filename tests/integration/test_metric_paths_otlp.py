"""The same calls on all four ways into one Prometheus: scrape, remote write, OTLP, OpenTelemetry's own exporter."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, start_http_server

from otel_carbon import metric_names
from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.config.load import parse_config
from otel_carbon.sdk.instruments import register_instruments
from tests.integration.collector_under_test import PROTOBUF, RECEIVER
from tests.support.corpus import captures
from tests.support.waiting import wait_until
from tests.unit.metrics.bookings import booking, calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.metrics.totals import Totals
    from tests.support.prometheus_server import PrometheusServer

CONFIG = f"""
receivers:
  {RECEIVER}
processors:
  carbon:
exporters:
  prometheus: {{endpoint: "localhost:0"}}
  prometheusremotewrite:
    endpoint: URL/api/v1/write
    interval: 500ms
    external_labels: {{job: pushed}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [prometheus, prometheusremotewrite]}}
"""
MAY_DIFFER = {"job", "instance", "otel_scope_name", "otel_scope_version", "otel_scope_schema_url"}
"""Documented in docs/metric-paths.md; beside these OTLP and OpenTelemetry's exporter add the series `target_info`."""
OWN = {"otel_carbon_collector_", "otel_carbon_build_info", "otel_carbon_registry_", "otel_carbon_grid_"}
"""Series of the collector about itself, which no application has."""
Page = dict[frozenset[tuple[str, str]], float]


def page_of(server: PrometheusServer, job: str) -> Page:
    """Names, point attributes and values of all our series of one way."""
    found = server.query(f'{{__name__=~"otel_carbon_.*", job="{job}"}}')
    return {
        frozenset(item for item in each.labels.items() if item[0] not in MAY_DIFFER): each.value
        for each in found
        if not each.labels["__name__"].startswith(tuple(OWN))
    }


def wait_for_page(server: PrometheusServer, job: str, expected: Page) -> None:
    wait_until(lambda: page_of(server, job) == expected, timeout_s=20, what=f"equal series of {job}")


def bodies() -> list[bytes]:
    """Recorded calls of many kinds, and drawn-up ones with a sampling threshold and labels that need escaping."""
    odd = {"service": 'quo"ted\\ \n größer <b>&amp;', "trace_state": "ot=th:c"}
    drawn_up = calls(range(1, 11), **odd, more={"otel_carbon.tenant": "modèle\n{number}"})
    return [drawn_up, *(each for recorded in captures()[::10] for each in recorded.traces)]


@contextmanager
def in_process(totals: Totals, server: PrometheusServer) -> Iterator[str]:
    """Totals as an application reports them; yields the address of OpenTelemetry's own page."""
    registry = CollectorRegistry()
    by_otlp = OTLPMetricExporter(f"{server.url}/api/v1/otlp/v1/metrics")
    provider = MeterProvider(
        [PeriodicExportingMetricReader(by_otlp, export_interval_millis=500), PrometheusMetricReader(registry=registry)],
        Resource({"service.name": "otlp", "service.instance.id": "one", "host.name": "box"}),
        shutdown_on_exit=False,
    )
    register_instruments(totals, provider)
    page, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"127.0.0.1:{page.server_port}"
    finally:
        provider.shutdown()
        page.shutdown()
        page.server_close()
        thread.join(10)


@contextmanager
def collecting(server: PrometheusServer, requests: Sequence[bytes]) -> Iterator[str]:
    """A collector that has taken the requests; yields the address of its page."""
    config = parse_config(CONFIG.replace("URL", server.url), "test.yaml", {}).config
    with Collector(config, build_carbon=carbon_builder(None)) as collector:
        url = f"http://{collector.endpoints['receivers.otlp.http']}/v1/traces"
        for body in requests:
            assert httpx.post(url, content=body, headers=PROTOBUF, timeout=30).status_code == 200
        yield str(collector.endpoints["exporters.prometheus"])


def test_every_way_into_a_current_prometheus_yields_the_same_names_values_and_attributes(
    prometheus3_server: PrometheusServer,
) -> None:
    # Tests hold each page against the convention before it is answered, which takes longer than to write it.
    server, requests = replace(prometheus3_server, scrape_interval_ms=3000), bodies()
    totals, book = booking()
    for body in requests:
        book(body)
    with in_process(totals, server) as their_page, collecting(server, requests) as our_page:
        server.scrape({"scraped": our_page, "theirs": their_page})
        server.wait_for_fresh_scrape()
        every_name = {each.prometheus_name for each in metric_names.ALL}

        def scraped_names() -> bool:  # a scrape is reported a moment before its samples are there
            return {dict(series)["__name__"] for series in page_of(server, "scraped")} == every_name

        wait_until(scraped_names, timeout_s=10, what="every metric")
        scraped = page_of(server, "scraped")
        for job in ("theirs", "pushed", "otlp"):
            wait_for_page(server, job, scraped)
        families = server.api("/api/v1/metadata")  # of scrapes only
        for metric in metric_names.ALL:
            told = {(each["type"], each["help"]) for each in families[metric.prometheus_name.removesuffix("_total")]}
            assert told == {("counter", metric.description)}
        # What may differ, as docs/metric-paths.md has it.
        one = 'otel_carbon_spans_total{job="%s"}'
        assert {each.labels["instance"] for each in server.query(one % "otlp")} == {"one"}
        assert {each.labels["otel_scope_name"] for each in server.query(one % "theirs")} == {"otel_carbon"}
        assert not any("otel_scope_name" in each.labels for each in server.query(one % "otlp"))
        about = {each.labels["job"]: each.labels["host_name"] for each in server.query("target_info")}
        assert about == {"otlp": "box", "theirs": "box"}
