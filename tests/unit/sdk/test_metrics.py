from __future__ import annotations

import math
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon import attributes as carbon_attributes
from otel_carbon import metric_names
from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.points import points_of
from otel_carbon.sdk import spans as spans_module
from otel_carbon.sdk.domain import MAX_SERIES
from otel_carbon.sdk.processor import CarbonSpanProcessor
from tests.support.live_check import check_exposition
from tests.unit.sdk.genai_spans import application, call_attributes, ours, silent_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

SDK_LIMIT = 2000
TOKEN_KINDS = 5


def test_counters_add_up_what_stands_on_the_spans() -> None:
    app = application(resource=Resource({"service.name": "shop", "deployment.environment.name": "prod"}))
    spans = [ours(app.call(call_attributes(gen_ai__usage__output_tokens=100 * i))) for i in range(1, 6)]
    points = app.points()
    for metric, key, factor in (
        ("otel_carbon.energy", "otel_carbon.energy_kwh", JOULES_PER_KWH),
        ("otel_carbon.energy_low", "otel_carbon.energy_kwh_low", JOULES_PER_KWH),
        ("otel_carbon.emissions", "otel_carbon.emissions_gco2e", 1),
        ("otel_carbon.emissions_high", "otel_carbon.emissions_gco2e_high", 1),
        ("otel_carbon.water", "otel_carbon.water_l", 1),
    ):
        [(value, labels)] = points[metric]
        assert math.isclose(value, math.fsum(span[key] * factor for span in spans), rel_tol=1e-12)
        assert (labels["service.name"], labels["deployment.environment.name"]) == ("shop", "prod")
        assert labels["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    tokens = {labels["otel_carbon.token.type"]: value for value, labels in points["otel_carbon.tokens"]}
    assert tokens == {"input_uncached": 5 * 800, "output_visible": 100 + 200 + 300 + 400 + 500}
    [(operations, labels)] = points["otel_carbon.operations"]
    assert (operations, labels["otel_carbon.status"]) == (5, "estimated")


def test_a_reader_that_collects_again_sees_running_totals() -> None:
    app = application()
    app.call()
    first = app.points()["otel_carbon.emissions"][0][0]
    app.call()
    assert app.points()["otel_carbon.emissions"][0][0] == first + first


def test_every_metric_of_the_convention_is_an_instrument_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans_module, "carbon_samplers", WeakSet())  # those of other tests
    app = application()
    app.sampled_call("ot=th:c")
    data: Any = app.reader.get_metrics_data()
    [scope] = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    assert (scope.scope.name, scope.scope.version) == ("otel_carbon", version("otel-carbon"))
    assert scope.scope.schema_url == scope.schema_url == carbon_attributes.SCHEMA_URL
    found = {metric.name: (metric.unit, metric.description) for metric in scope.metrics}
    assert found == {metric.name: (metric.unit, metric.description) for metric in metric_names.ALL}
    assert all(metric.data.is_monotonic for metric in scope.metrics)


def test_several_processors_of_one_domain_register_each_instrument_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        CarbonSpanProcessor()
    assert [record.message for record in caplog.records if "already" in record.message] == []


def test_a_domain_of_ones_own_reports_to_its_own_meter_provider() -> None:
    one, other = application(), application()
    one.call()
    assert one.points()["otel_carbon.operations"][0][0] == 1
    assert "otel_carbon.operations" not in other.points()


@pytest.fixture
def prometheus_reader() -> Iterator[PrometheusMetricReader]:
    reader = PrometheusMetricReader()
    yield reader
    reader.shutdown()


def test_a_scrape_shows_what_was_booked(prometheus_reader: PrometheusMetricReader) -> None:
    meters = MeterProvider([prometheus_reader], shutdown_on_exit=False)
    carbon = CarbonSpanProcessor(meter_provider=meters)
    provider = silent_provider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(carbon)
    for output in (100, 250):
        attributes = call_attributes(gen_ai__usage__output_tokens=output)
        provider.get_tracer("app").start_span("chat", attributes=attributes).end()
    page = generate_latest(REGISTRY).decode()
    assert check_exposition(page) == []
    scraped = {
        (sample.name, sample.labels.get("otel_carbon_token_type", "")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.startswith("otel_carbon")
    }
    snapshot = carbon.totals.snapshot()
    booked = {
        (metric.prometheus_name, point.attributes.get("otel_carbon.token.type", "")): point.amount
        for metric in metric_names.ALL
        for point in points_of(snapshot, metric)
    }
    assert scraped == booked
    assert scraped["otel_carbon_tokens_total", "output_visible"] == 100 + 250


def test_as_many_label_sets_as_admitted_stay_below_the_limit_of_the_sdk(caplog: pytest.LogCaptureFixture) -> None:
    app = application()
    cached = {"gen_ai__usage__cache_read__input_tokens": 200, "gen_ai__usage__cache_write__input_tokens": 100}
    calls = MAX_SERIES + 100
    for i in range(calls):
        tenant = {"otel_carbon__tenant": f"tenant-{i}", "gen_ai__usage__reasoning__output_tokens": 50}
        app.call(call_attributes(**tenant, **cached))
    points = app.points()
    assert len(points["otel_carbon.tokens"]) <= (MAX_SERIES + 1) * TOKEN_KINDS < SDK_LIMIT  # the one more is "other"
    assert sum(value for value, _labels in points["otel_carbon.tokens"]) == calls * (800 + 300)
    assert sum(value for value, _labels in points["otel_carbon.operations"]) == calls
    kinds = Counter(labels["otel_carbon.token.type"] for _value, labels in points["otel_carbon.tokens"])
    assert len(kinds) == TOKEN_KINDS
    assert len(set(kinds.values())) == 1
    [(dropped, _labels)] = points["otel_carbon.dropped_series"]
    assert dropped >= calls - MAX_SERIES
    assert not any(labels.get("otel.metric.overflow") for each in points.values() for _value, labels in each)
    assert [record for record in caplog.records if "cardinality" in record.message.lower()] == []


def test_many_instrumentation_scopes_stay_below_the_limit_of_the_sdk() -> None:
    app = application()
    for i in range(SDK_LIMIT):
        tracer = app.provider.get_tracer(f"scope-{i}")
        tracer.start_span("chat", attributes=call_attributes()).end()
    spans = app.points()["otel_carbon.spans"]
    assert len(spans) < SDK_LIMIT
    assert sum(value for value, _labels in spans) == SDK_LIMIT
