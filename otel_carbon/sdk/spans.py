"""SDK spans as the views that enrichment reads."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakSet

from opentelemetry.trace import DEFAULT_TRACE_STATE, StatusCode

from otel_carbon.spans.dialect import known_dialects
from otel_carbon.spans.view import MAX_NAME_CHARACTERS, MappingAttributes, ResourceView, SpanView, resource_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

OTLP_KIND_OFFSET = 1
"""The API numbers span kinds from 0, OTLP from 1."""
carbon_samplers: WeakSet[object] = WeakSet()
"""Those in use. Where there is one, what is not sampled is booked as well, and no call stands for others."""


@lru_cache(maxsize=1)
def telltale_keys() -> frozenset[str]:
    """Keys of which every GenAI span carries one."""
    return known_dialects().telltale_keys


@lru_cache(maxsize=1)
def read_keys() -> frozenset[str]:
    """Keys that an estimate rests on, which must stay on the span beside it."""
    return known_dialects().usage_keys | telltale_keys()


def may_be_genai(attributes: Mapping[str, object]) -> bool:
    """Whether a span is worth a closer look."""
    return not telltale_keys().isdisjoint(attributes)


_ERROR = StatusCode.ERROR  # looking a member up costs more than comparing it


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
            scope.name[:MAX_NAME_CHARACTERS] if scope else "",
            self._resource(span.resource),
            context.trace_id if context else 0,
            context.span_id if context else 0,
            parent.span_id if parent else 0,
            span.kind.value + OTLP_KIND_OFFSET,
            span.start_time or 0,
            int(end_ns),
            span.status.status_code is _ERROR,
            (scope.version or "")[:MAX_NAME_CHARACTERS] if scope else "",
            "" if context is None or context.trace_state is DEFAULT_TRACE_STATE else _trace_state(context),
        )

    def _resource(self, resource: Resource) -> ResourceView:
        known, view = self._last
        if known is not resource:
            view = resource_view(MappingAttributes(dict(resource.attributes)))
            self._last = (resource, view)
        return view


def _trace_state(context: SpanContext) -> str:
    """The trace state of a span that was sampled and stands for others, which were not."""
    trace_state = context.trace_state
    if not trace_state or carbon_samplers or not context.trace_flags.sampled:
        return ""
    return trace_state.to_header()
