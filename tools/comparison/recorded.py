"""What reaches a metrics backend of two calls in one interval, and what three recordings hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ecologits.tracers.utils import ImpactsOutput, llm_impacts
from ecologits.utils.opentelemetry import OpenTelemetry
from ecologits.utils.range_value import RangeValue
from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider

from otel_carbon import CarbonSpanProcessor
from otel_carbon.core.footprint import Footprint
from otel_carbon.enricher import Enricher
from otel_carbon.estimating import estimate
from otel_carbon.otlp.file_enrichment import enrich_file_bytes
from otel_carbon.registry.catalog import Registry
from tests.support.corpus import capture
from tests.support.otlp_sink import OtlpSink, received_spans, running_otlp_sink
from tools.comparison.questions import CAPTURES, COUNTRY, IN_ONE_INTERVAL, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_carbon.core.usage import TokenUsage

JOULES_PER_KWH = 3_600_000
NEVER_MS = 3_600_000.0
"""An interval of export that does not end meanwhile; the flush at the end exports."""
_LATENCY_S = 1.0
"""Told beside the amounts; no amount follows from it."""
INPUT_KEYS = ("gen_ai.usage.input_tokens", "llm.token_count.prompt")
OUTPUT_KEYS = ("gen_ai.usage.output_tokens", "llm.token_count.completion")


def interval_table() -> Table:
    """Two calls, and the joules that one export of metrics tells of them, by each tool's own recorder."""
    with running_otlp_sink() as sink:
        ours_j = _ours_through(sink)
    with running_otlp_sink() as sink:
        theirs_j, told_j = _theirs_through(sink)
    rows = (
        ("otel-carbon", "counter", *_told_of(sum(map(_energy_j, IN_ONE_INTERVAL)), ours_j)),
        ("EcoLogits", "gauge", *_told_of(theirs_j, told_j)),
    )
    long, short = (f"{usage.output_tokens:,}" for usage in IN_ONE_INTERVAL)
    title = f"two calls to gpt-4o in one interval of export, of {long} and of {short} output tokens"
    return Table(title, ("tool", "instrument", "J of both calls", "J that arrive", "share"), rows)


def spans_table() -> Table:
    """Recordings in which two libraries report each call: the true tokens, a plain sum over spans, and ours."""
    columns = ("recording", "calls", "spans with usage", "true in + out", "summed over spans", "otel-carbon")
    return Table("tokens of recorded calls, each reported by two libraries", columns, tuple(map(_span_row, CAPTURES)))


def _told_of(true_j: float, told_j: float) -> tuple[str, str, str]:
    return f"{true_j:,.0f}", f"{told_j:,.0f}", f"{told_j / true_j:.1%}"


def _energy_j(usage: TokenUsage) -> float:
    footprint = estimate(usage)
    if not isinstance(footprint, Footprint):
        raise TypeError(footprint.reason)
    return footprint.energy_kwh.mid * JOULES_PER_KWH


def _ours_through(sink: OtlpSink) -> float:
    """Two spans pass our processor; what its counter then tells, in J."""
    meters = MeterProvider([_reader(sink)])
    provider = TracerProvider()
    provider.add_span_processor(CarbonSpanProcessor(meter_provider=meters))
    for usage in IN_ONE_INTERVAL:
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": usage.operation,
            "gen_ai.provider.name": usage.provider,
            "gen_ai.request.model": usage.model,
            "gen_ai.usage.input_tokens": usage.input_tokens or 0,
            "gen_ai.usage.output_tokens": usage.output_tokens or 0,
            "cloud.region": usage.region or "",
        }
        provider.get_tracer("comparison").start_span("chat", attributes=attributes).end()
    meters.force_flush()
    meters.shutdown()
    provider.shutdown()
    return _last_sum(sink, "otel_carbon.energy")


def _theirs_through(sink: OtlpSink) -> tuple[float, float]:
    """The same two calls given to EcoLogits' recorder: J of both, and J that its gauge then tells."""
    recorder = OpenTelemetry(endpoint=f"{sink.http_endpoint}/v1/metrics")
    both_kwh = 0.0
    for usage in IN_ONE_INTERVAL:
        counts = usage.input_tokens or 0, usage.output_tokens or 0
        impacts = llm_impacts(usage.provider, usage.model, counts[1], math.inf, COUNTRY)
        both_kwh += _mean_kwh(impacts)
        recorder.record_request(*counts, _LATENCY_S, impacts, usage.provider, usage.model, "chat")
    provider = metrics.get_meter_provider()
    provider.force_flush()  # type: ignore[attr-defined] # the recorder has set one of the SDK
    provider.shutdown()  # type: ignore[attr-defined] # the same
    return both_kwh * JOULES_PER_KWH, _last_sum(sink, "ecologits_energy")


def _mean_kwh(impacts: ImpactsOutput) -> float:
    """The amount that EcoLogits' recorder tells of a range: half way between its ends."""
    if impacts.energy is None or not isinstance(impacts.energy.value, RangeValue):
        raise TypeError(impacts.errors)
    return float(impacts.energy.value.mean)


def _reader(sink: OtlpSink) -> PeriodicExportingMetricReader:
    exporter = OTLPMetricExporter(endpoint=f"{sink.http_endpoint}/v1/metrics")
    return PeriodicExportingMetricReader(exporter, export_interval_millis=NEVER_MS)


def _last_sum(sink: OtlpSink, name: str) -> float:
    """The last points of a metric, added up over its series."""
    series: dict[bytes, float] = {}
    for request in sink.metric_requests():
        for metric in (m for each in request.resource_metrics for s in each.scope_metrics for m in s.metrics):
            if metric.name == name:
                for point in (*metric.sum.data_points, *metric.gauge.data_points):
                    key = b"".join(sorted(pair.SerializeToString() for pair in point.attributes))
                    series[key] = point.as_double
    return sum(series.values())


def _span_row(name: str) -> tuple[str, ...]:
    recorded = capture(name)
    true = recorded.truth.calls_in_spans
    summary = [enrich_file_bytes(body, Enricher(Registry.bundled())).summary for body in recorded.traces]
    ours = [(each["tokens"]["input"], each["tokens"]["output"]) for each in summary]
    return (
        name,
        str(recorded.truth.calls_with_usage_in_spans),
        str(recorded.spans_with_usage),
        f"{true.input:,} + {true.output:,}",
        _pair(_span_counts(recorded.traces)),
        _pair(ours),
    )


def _pair(counts: Iterable[tuple[int, int]]) -> str:
    inputs, outputs = zip(*counts, strict=True)
    return f"{sum(inputs):,} + {sum(outputs):,}"


def _span_counts(bodies: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Input and output tokens of every span, as its attributes say."""
    for body in bodies:
        for received in received_spans(ExportTraceServiceRequest.FromString(body)):
            yield _first(received.attributes, INPUT_KEYS), _first(received.attributes, OUTPUT_KEYS)


def _first(attributes: Mapping[str, object], keys: tuple[str, ...]) -> int:
    found = [count for key in keys if isinstance(count := attributes.get(key), int)]
    return found[0] if found else 0
