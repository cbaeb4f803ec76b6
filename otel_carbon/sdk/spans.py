"""SDK spans as the views that enrichment reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import StatusCode

from otel_carbon.spans.dialects import DIALECTS, TELLTALE_KEYS
from otel_carbon.spans.view import MappingAttributes, ResourceView, SpanView, resource_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

OTLP_KIND_OFFSET = 1
"""The API numbers span kinds from 0, OTLP from 1."""

READ_KEYS = TELLTALE_KEYS | frozenset(
    key
    for dialect in DIALECTS
    for field in (
        dialect.response_id,
        dialect.input_tokens,
        dialect.output_tokens,
        dialect.cache_read_tokens,
        dialect.cache_write_tokens,
        dialect.reasoning_tokens,
    )
    for key in field
)
"""Keys that an estimate rests on, which must stay on the span beside it."""


def may_be_genai(attributes: Mapping[str, object]) -> bool:
    """Whether a span is worth a closer look."""
    return not TELLTALE_KEYS.isdisjoint(attributes)


class SpanViews:
    """Makes views; remembers the view of the last resource, as nearly every span of a process has the same."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[Resource | None, ResourceView] = (None, ResourceView("", "", MappingAttributes({})))

    def view(self, span: ReadableSpan, attributes: Mapping[str, object], end_ns: int) -> SpanView:
        """The view of a span that ends at `end_ns`."""
        context, parent, scope = span.context, span.parent, span.instrumentation_scope
        return SpanView(
            MappingAttributes(attributes),
            scope.name if scope else "",
            self._resource(span.resource),
            context.trace_id if context else 0,
            context.span_id if context else 0,
            parent.span_id if parent else 0,
            span.kind.value + OTLP_KIND_OFFSET,
            span.start_time or 0,
            end_ns,
            span.status.status_code is StatusCode.ERROR,
        )

    def _resource(self, resource: Resource) -> ResourceView:
        known, view = self._last
        if known is not resource:
            view = resource_view(MappingAttributes(dict(resource.attributes)))
            self._last = (resource, view)
        return view
