"""The obvious way to enrich a request: decode all, add attributes, encode. Slow, and the oracle of the fast way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.any_value import key_value, value_from_message
from otel_carbon.spans.view import MappingAttributes, SpanView, cut_name, resource_view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_carbon.enricher import Enricher
    from otel_carbon.spans.view import ResourceView


def enrich_plainly(body: bytes, enricher: Enricher) -> bytes:
    """Enrich a valid `ExportTraceServiceRequest`, all of its spans judged together.

    Raises:
        MalformedBody: the bytes are no such request.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        msg = f"not an OTLP traces request: {error}"
        raise MalformedBody(msg) from error
    spans: list[Span] = []
    views: list[SpanView] = []
    for resource_spans in request.resource_spans:
        resource = resource_view(_mapping(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                spans.append(span)
                views.append(_view(span, scope_spans.scope, resource))
    for span, outcome in zip(spans, enricher.enrich_together(views), strict=True):
        added = outcome.attributes(full=enricher.settings.full) if outcome else {}
        span.attributes.extend(key_value(key, value) for key, value in added.items())
    return request.SerializeToString()


def _view(span: Span, scope: InstrumentationScope, resource: ResourceView) -> SpanView:
    return SpanView(
        _mapping(span.attributes),
        cut_name(scope.name),
        resource,
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        int(span.kind),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == span.status.STATUS_CODE_ERROR,
        cut_name(scope.version),
        span.trace_state,
    )


def _mapping(attributes: Iterable[KeyValue]) -> MappingAttributes:
    return MappingAttributes({attribute.key: value_from_message(attribute.value) for attribute in attributes})
