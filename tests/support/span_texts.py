"""Spans in a form in which equal ones are equal bytes, wherever requests were cut and joined on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def canonical_spans(requests: Iterable[ExportTraceServiceRequest]) -> list[bytes]:
    """Every span with its resource and scope, encoded anew by one encoder, sorted."""
    return sorted(
        ResourceSpans(
            resource=resource.resource,
            schema_url=resource.schema_url,
            scope_spans=[ScopeSpans(scope=scope.scope, schema_url=scope.schema_url, spans=[span])],
        ).SerializeToString(deterministic=True)
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )
