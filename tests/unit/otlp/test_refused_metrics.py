"""Metrics that cannot be: refused point by point, counted by what is wrong, and no hindrance to the others."""

from __future__ import annotations

import math

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from otel_carbon.errors import MalformedBody
from tests.support.sdk_meter import SdkMeter
from tests.unit.otlp.booked_metrics import CLAUDE, SONNET, TOKEN_USAGE, booked


def broken(text: bytes, replacement: bytes, body: bytes) -> bytes:
    assert text in body
    return body.replace(text, replacement)


def test_metrics_of_others_may_be_damaged_and_those_that_are_read_are_counted_as_unreadable() -> None:
    with SdkMeter("web") as web:
        web.record(TOKEN_USAGE, 300, gen_ai__token__type="input")
        damaged = broken(b"gen_ai.token.type", b"gen_ai.token.t\xff\xfe\xfd", web.body())
    assert booked(damaged, usage_source={"other": "metrics"}).outcomes() == {}
    assert booked(damaged).outcomes() == {"unreadable": 1}


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(MalformedBody, match="not an OTLP metrics request"):
        booked(b"\x0a\xffhello")


def a_point(**fields: object) -> ExportMetricsServiceRequest:
    """A request with one delta point of 5 output tokens of Claude Code."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=CLAUDE)
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    texts = {"type": "output", "model": SONNET}
    point = metric.sum.data_points.add(as_int=5, time_unix_nano=1_795_370_000_000_000_000)
    point.attributes.extend(KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in texts.items())
    for name, value in fields.items():
        setattr(point, name, value)
    return request


def test_points_that_cannot_be_are_counted_by_what_is_wrong() -> None:
    no_number, negative, timeless, absurd, gap = (
        a_point(as_double=math.nan),
        a_point(as_int=-5),
        a_point(time_unix_nano=0),
        a_point(as_int=10**15),
        a_point(flags=1),
    )
    falling, nameless = a_point(), a_point()
    falling.resource_metrics[0].scope_metrics[0].metrics[0].sum.is_monotonic = False
    nameless.resource_metrics[0].scope_metrics[0].metrics[
        0
    ].sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_UNSPECIFIED
    gauge = ExportMetricsServiceRequest.FromString(a_point().SerializeToString())
    metric = gauge.resource_metrics[0].scope_metrics[0].metrics[0]
    metric.gauge.data_points.extend(list(metric.sum.data_points))
    requests = (no_number, negative, timeless, absurd, gap, falling, nameless, gauge)
    collector = booked(*(request.SerializeToString() for request in requests))
    assert collector.outcomes() == {"invalid": 6, "absurd": 1}
    assert collector.rows == {}
    collector.take(a_point().SerializeToString())
    assert collector.tokens().output_visible == 5


def test_a_histogram_without_a_sum_is_refused() -> None:
    with SdkMeter("app") as meter:
        meter.record(TOKEN_USAGE, 300, gen_ai__token__type="input", gen_ai__request__model="gpt-4o")
        request = ExportMetricsServiceRequest.FromString(meter.body())
    for point in request.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points:
        point.ClearField("sum")
    assert booked(request.SerializeToString()).outcomes() == {"invalid": 1}


def test_an_attribute_that_is_no_number_does_not_make_a_new_series_of_every_point() -> None:
    request = a_point(start_time_unix_nano=1_795_360_000_000_000_000)
    data = request.resource_metrics[0].scope_metrics[0].metrics[0].sum
    data.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    data.data_points[0].attributes.add(key="odd", value=AnyValue(double_value=math.nan))
    bodies = []
    for tokens in (5, 7):
        data.data_points[0].as_int = tokens
        data.data_points[0].time_unix_nano += 10
        bodies.append(request.SerializeToString())
    assert booked(*bodies).tokens().output_visible == 7
