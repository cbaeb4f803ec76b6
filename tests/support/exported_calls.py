"""What an application exported about its calls: footprints on spans, and the number of calls in its metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from otel_carbon import Footprint, TokenUsage, estimate
from tests.support.otlp_sink import attributes_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

    from tests.support.llm_answers.script import TokenCounts
    from tests.support.otlp_sink import OtlpSink, ReceivedSpan

OPERATIONS = "otel_carbon.operations"
STATUS = "otel_carbon.status"
EMISSIONS = "otel_carbon.emissions_gco2e"


def emissions_of(counts: TokenCounts, *, model: str, provider: str, region: str | None = None) -> float:
    """The gCO2e that `estimate` gives for one call."""
    usage = TokenUsage(
        provider=provider,
        model=model,
        input_tokens=counts.input,
        output_tokens=counts.output,
        cache_read_tokens=counts.cache_read,
        cache_write_tokens=counts.cache_write,
        reasoning_tokens=counts.reasoning,
        region=region,
    )
    found = estimate(usage)
    assert isinstance(found, Footprint), found
    return found.emissions_gco2e.mid


def emissions_on(spans: Sequence[ReceivedSpan]) -> list[Any]:
    """The gCO2e on each span that carries an estimate, in order of arrival."""
    return [each.attributes[EMISSIONS] for each in spans if each.attributes.get(STATUS) == "estimated"]


def printed_spans(text: str) -> list[dict[str, Any]]:
    """The spans that a console exporter has printed, whole, below and between other output."""
    decoder, found = json.JSONDecoder(), []
    at = text.find("{\n")
    while at >= 0 and "\n}\n" in text[at:]:
        span, end = decoder.raw_decode(text, at)
        found.append(span)
        at = text.find("{\n", end)
    return found


def estimated_on_console(text: str) -> list[dict[str, Any]]:
    """The attributes of each printed span that carries an estimate."""
    attributes = [each["attributes"] for each in printed_spans(text)]
    return [each for each in attributes if each.get(STATUS) == "estimated"]


def booked_calls(sink: OtlpSink) -> int:
    """How many calls the metrics hold: the last point of each cumulative series, and all points of a delta one."""
    last: dict[Hashable, int] = {}
    deltas = 0
    for key, point, is_delta in _points(sink):
        if is_delta:
            deltas += point.as_int
        else:
            last[key] = point.as_int
    return deltas + sum(last.values())


def reported_calls(sink: OtlpSink) -> list[int]:
    """The numbers of calls as they were reported, in order of arrival."""
    return [point.as_int for _key, point, _is_delta in _points(sink)]


def _points(sink: OtlpSink) -> Iterator[tuple[Hashable, NumberDataPoint, bool]]:
    """Each reported number of calls, with the series that it belongs to and whether it is a delta."""
    for request in sink.metric_requests():
        for resource_metrics in request.resource_metrics:
            resource = resource_metrics.resource.SerializeToString()
            metrics = [each for scope in resource_metrics.scope_metrics for each in scope.metrics]
            for metric in (each for each in metrics if each.name == OPERATIONS):
                is_delta = metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA
                for point in metric.sum.data_points:
                    labels = frozenset((key, str(text)) for key, text in attributes_of(point.attributes).items())
                    yield (resource, point.start_time_unix_nano, labels), point, is_delta
