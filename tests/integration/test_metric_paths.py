"""The same bookings on every way into Prometheus: our own page, OpenTelemetry's exporter, and a real server."""

from __future__ import annotations

import math
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon import metric_names
from otel_carbon.metrics.exposition import TotalsCollector
from otel_carbon.sdk.instruments import register_instruments
from tests.unit.metrics.bookings import booking, calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.metrics.totals import Totals
    from tests.support.prometheus_server import PrometheusServer

NOT_COMPARED = ("otel_scope_name", "otel_scope_version", "otel_scope_schema_url")
Page = dict[tuple[str, frozenset[tuple[str, str]]], float]


@contextmanager
def served(registry: CollectorRegistry) -> Iterator[str]:
    """`host:port` of a page of a registry."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def both_paths(totals: Totals) -> Iterator[tuple[str, str]]:
    """Addresses of our own page, and of the one that OpenTelemetry makes of our instruments."""
    ours, theirs = CollectorRegistry(auto_describe=False), CollectorRegistry()
    ours.register(TotalsCollector(totals))
    provider = MeterProvider([PrometheusMetricReader(registry=theirs)], shutdown_on_exit=False)
    register_instruments(totals, provider)
    try:
        with served(ours) as our_address, served(theirs) as their_address:
            yield our_address, their_address
    finally:
        provider.shutdown()


def scraped(address: str) -> tuple[dict[str, tuple[str, str]], Page]:
    """Families by name with type and help, and samples by name and labels."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        families = [each for each in text_string_to_metric_families(answer.read().decode()) if each.name != "target"]
    families = [each for each in families if each.name.startswith("otel_carbon")]
    page = {
        (sample.name, frozenset((k, v) for k, v in sample.labels.items() if v and k not in NOT_COMPARED)): sample.value
        for family in families
        for sample in family.samples
    }
    return {family.name: (family.type, family.documentation) for family in families}, page


def booked() -> Totals:
    """Calls of several tenants, models, services and outcomes, with labels that need escaping."""
    totals, book = booking()
    book(calls(range(1, 31), more={"otel_carbon.tenant": "t{number}", "gen_ai.usage.cache_read.input_tokens": 100}))
    odd = {"service": 'quo"ted\\ \n größer', "trace_state": "ot=th:c"}
    book(calls(range(31, 41), **odd, more={"otel_carbon.tenant": "modèle\n"}))
    book(calls(range(41, 46), scope="other", more={"gen_ai.response.model": "no-such-image-1"}))
    book(calls(range(46, 48), more={"gen_ai.operation.name": "execute_tool"}))
    book(calls(range(1, 3)))  # delivered again
    return totals


def test_names_labels_and_values_are_equal_on_both_paths() -> None:
    with both_paths(booked()) as (ours, theirs):
        our_families, our_page = scraped(ours)
        their_families, their_page = scraped(theirs)
    assert our_families == their_families
    assert list(our_families) == [metric.prometheus_name.removesuffix("_total") for metric in metric_names.ALL]
    assert our_page == their_page
    assert {name for name, _ in our_page} == {metric.prometheus_name for metric in metric_names.ALL}


def test_a_real_prometheus_takes_both_targets_and_its_sums_are_the_totals(prometheus_server: PrometheusServer) -> None:
    totals = booked()
    snapshot = totals.snapshot()
    with both_paths(totals) as (ours, theirs):
        prometheus_server.scrape({"ours": ours, "theirs": theirs})
        prometheus_server.wait_for_fresh_scrape()
        assert {each.labels["job"]: each.value for each in prometheus_server.query("up")} == {"ours": 1, "theirs": 1}
        joules = math.fsum(row[0] for row in snapshot.rows.values())
        litres = math.fsum(row[6] for row in snapshot.rows.values())
        for job in ("ours", "theirs"):
            for name, expected in (
                ("otel_carbon_energy_joules_total", joules),
                ("otel_carbon_water_L_total", litres),
                ("otel_carbon_tokens_total", 45 * 1100),
                ("otel_carbon_operations_total", 45),
                ("otel_carbon_sampling_unseen_operations_total", 10 * (4 - 1)),
                ("otel_carbon_spans_total", 30 + 10 + 5 + 2 + 2),
            ):
                assert prometheus_server.value(f'sum({name}{{job="{job}"}})') == pytest.approx(expected, rel=1e-9)
            quoted = prometheus_server.query(
                f'otel_carbon_energy_joules_total{{job="{job}",service_name=~"(?s)quo.*"}}'
            )
            assert [each.labels["service_name"] for each in quoted] == ['quo"ted\\ \n größer']
            assert quoted[0].labels["otel_carbon_tenant"] == "modèle\n"
            read = prometheus_server.value(
                f'sum(otel_carbon_tokens_total{{job="{job}",otel_carbon_token_type="cache_read"}})'
            )
            assert read == 30 * 100
