"""Planned traffic made into real spans by the OpenTelemetry SDK and sent by its own OTLP exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_carbon.demo.span_trees import SpanKind
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.errors import OtelCarbonError
from otel_carbon.sdk.processor import CarbonSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_carbon.demo.span_trees import PlannedSpan
    from otel_carbon.demo.traffic import PlannedService
    from otel_carbon.registry.catalog import Registry

ENVIRONMENT = "demo"
_FLUSH_TIMEOUT_MS = 30_000
_EXPORT_TIMEOUT_S = 10.0
_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.SERVER: trace.SpanKind.SERVER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
}


class ServiceNotPlayed(OtelCarbonError):
    """A sample service could not send its spans."""


def play_service(service: PlannedService, traces_url: str, registry: Registry) -> None:
    """Run one sample service: its spans start, end and leave for `traces_url` as those of any application.

    A service that is `in_process` has a `CarbonSpanProcessor` of its own.

    Raises:
        ServiceNotPlayed: the SDK is switched off, or could not send everything in time.
    """
    provider = service_provider(service, traces_url, registry)
    try:
        if isinstance(provider.get_tracer("demo"), trace.NoOpTracer):
            raise ServiceNotPlayed("the OpenTelemetry SDK is switched off; unset OTEL_SDK_DISABLED and try again")
        for root in service.roots:
            play_span(provider, root)
        if not provider.force_flush(_FLUSH_TIMEOUT_MS):
            msg = f"{service.scenario.name}: not all spans could be sent to {traces_url} within {_FLUSH_TIMEOUT_MS} ms"
            raise ServiceNotPlayed(msg)
    finally:
        provider.shutdown()


def service_provider(service: PlannedService, traces_url: str, registry: Registry) -> TracerProvider:
    """A provider that the environment of whoever runs the demo cannot bend: no sampler, proxy or limit of theirs."""
    scenario = service.scenario
    resource = Resource({"service.name": scenario.name, "deployment.environment.name": ENVIRONMENT})
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, span_limits=_LIMITS)
    if scenario.in_process:
        settings = EnrichSettings(full=True)
        provider.add_span_processor(CarbonSpanProcessor(registry, settings, meter_provider=NoOpMeterProvider()))
    direct = requests.Session()
    direct.trust_env = False
    exporter = OTLPSpanExporter(
        endpoint=traces_url,
        headers={},
        timeout=_EXPORT_TIMEOUT_S,
        compression=Compression.NoCompression,
        session=direct,
    )
    # A month is played in seconds: the queue holds all of it, so that none is dropped for want of time.
    spans = sum(1 for root in service.roots for _ in root.walk())
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=spans + 512, max_export_batch_size=512))
    return provider


_LIMITS = SpanLimits(max_attributes=128, max_span_attributes=128)


def play_span(provider: TracerProvider, planned: PlannedSpan, parent: Context | None = None) -> None:
    """Start and end a span and all below it, at the times that are planned."""
    span = provider.get_tracer(planned.scope).start_span(
        planned.name,
        context=parent,
        kind=_KINDS[planned.kind],
        attributes=planned.request,
        start_time=planned.start_ns,
    )
    below = trace.set_span_in_context(span)
    for child in planned.children:
        play_span(provider, child, below)
    span.set_attributes(planned.response)
    if planned.failed:
        span.set_status(trace.StatusCode.ERROR)
    span.end(planned.end_ns)
