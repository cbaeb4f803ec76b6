"""The Prometheus names of the convention are what real exporters make of our counters."""

from __future__ import annotations

import prometheus_client
import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from otel_carbon import attributes, metric_names
from tests.support.live_check import check_exposition, convention

# A point as our counters carry them, for every attribute that they may have.
POINT = {
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "gpt-4o",
    "otel_carbon.region": "eastus2",
    "otel_carbon.tier": "token_physical",
    "otel_carbon.tenant": "none",
    "service.name": "shop",
    "deployment.environment.name": "test",
    "otel_carbon.token.type": "cache_read",
    "otel_carbon.status": "unestimated",
    "otel_carbon.match": "family",
    "otel_carbon.reason": "no_usage",
    "otel_carbon.verdict": "counted",
    "otel_carbon.observed_scope": "their.instrumentation",
    "otel_carbon.dialect": "gen-ai",
}


@pytest.fixture(scope="module")
def registry() -> prometheus_client.CollectorRegistry:
    registry = prometheus_client.CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry)
    provider = MeterProvider([reader], resource=Resource({"service.name": "shop"}))
    meter = provider.get_meter(attributes.ROOT, "0.1.0", attributes.SCHEMA_URL)
    for metric in metric_names.ALL:
        point = {reference.key: POINT[reference.key] for reference in convention().metrics[metric.name].references}
        meter.create_counter(metric.name, metric.unit, metric.description).add(2.5, point)
    return registry


@pytest.fixture(scope="module")
def page(registry: prometheus_client.CollectorRegistry) -> str:
    return prometheus_client.generate_latest(registry).decode()


def test_the_exporter_of_opentelemetry_yields_the_names_of_the_convention(page: str) -> None:
    shown = {line.partition("{")[0] for line in page.splitlines() if line.startswith("otel_carbon_")}
    created = {name for name in shown if name.endswith("_created")}
    assert shown - created == {metric.prometheus_name for metric in metric_names.ALL}


def test_the_names_are_those_that_dashboards_are_written_for() -> None:
    assert [metric.prometheus_name for metric in metric_names.ALL] == [
        "otel_carbon_energy_joules_total",
        "otel_carbon_energy_low_joules_total",
        "otel_carbon_energy_high_joules_total",
        "otel_carbon_emissions_grams_total",
        "otel_carbon_emissions_low_grams_total",
        "otel_carbon_emissions_high_grams_total",
        "otel_carbon_water_L_total",
        "otel_carbon_water_low_L_total",
        "otel_carbon_water_high_L_total",
        "otel_carbon_tokens_total",
        "otel_carbon_operations_total",
        "otel_carbon_matched_operations_total",
        "otel_carbon_sampling_unseen_operations_total",
        "otel_carbon_sampling_unseen_energy_joules_total",
        "otel_carbon_sampling_unseen_emissions_grams_total",
        "otel_carbon_spans_total",
        "otel_carbon_dropped_series_total",
    ]


def test_the_page_of_the_exporter_passes_the_live_check(page: str) -> None:
    assert check_exposition(page) == []


def test_the_same_page_in_openmetrics_passes_the_live_check(registry: prometheus_client.CollectorRegistry) -> None:
    text = generate_openmetrics(registry).decode()  # type: ignore[no-untyped-call]  # it has no annotations
    assert text.endswith("# EOF\n")
    assert "otel_carbon_energy_joules_total{" in text
    assert check_exposition(text) == []


def test_on_a_scrape_the_judged_scope_stands_beside_our_own_scope(page: str) -> None:
    (spans,) = [line for line in page.splitlines() if line.startswith("otel_carbon_spans_total{")]
    (energy,) = [line for line in page.splitlines() if line.startswith("otel_carbon_energy_joules_total{")]
    assert 'otel_carbon_observed_scope="their.instrumentation"' in spans
    assert 'otel_carbon_dialect="gen-ai"' in spans
    assert 'otel_scope_name="otel_carbon"' in spans
    assert 'otel_scope_name="otel_carbon"' in energy
