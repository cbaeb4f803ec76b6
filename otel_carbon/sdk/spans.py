"""SDK spans as the views that enrichment reads."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakSet

from opentelemetry.trace import DEFAULT_TRACE_STATE, StatusCode

from otel_carbon.spans.dialect import known_dialects
from otel_carbon.spans.view import MappingAttributes, ResourceView, SpanView, cut_name, resource_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
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
    """Makes views; remembers the last resource and scope, as nearly all GenAI spans of a process have the same."""

    __slots__ = ("_resource", "_scope")

    def __init__(self) -> None:
        self._resource: tuple[Resource | None, ResourceView] = (None, ResourceView("", "", MappingAttributes({})))
        self._scope: tuple[InstrumentationScope | None, str, str] = (None, "", "")

    def view(self, span: ReadableSpan, attributes: Mapping[str, object], end_ns: int) -> SpanView:
        """The view of a span that ends at `end_ns`."""
        context, parent = span.context, span.parent
        scope, scope_name, scope_version = self._scope
        if scope is not span.instrumentation_scope:
            scope_name, scope_version = self._texts_of(span.instrumentation_scope)
        resource, resource_seen = self._resource
        if resource is not span.resource:
            resource_seen = self._view_of(span.resource)
        return SpanView(
            MappingAttributes(attributes),
            scope_name,
            resource_seen,
            context.trace_id if context else 0,
            context.span_id if context else 0,
            parent.span_id if parent else 0,
            span.kind._value_ + OTLP_KIND_OFFSET,  # `value` is a function call in Python 3.11
            span.start_time or 0,
            int(end_ns),
            span.status.status_code is _ERROR,
            scope_version,
            "" if context is None or context.trace_state is DEFAULT_TRACE_STATE else _trace_state(context),
        )

    def _texts_of(self, scope: InstrumentationScope | None) -> tuple[str, str]:
        texts = (cut_name(scope.name), cut_name(scope.version)) if scope else ("", "")
        self._scope = (scope, *texts)
        return texts

    def _view_of(self, resource: Resource) -> ResourceView:
        view = resource_view(MappingAttributes(dict(resource.attributes)))
        self._resource = (resource, view)
        return view


def _trace_state(context: SpanContext) -> str:
    """The trace state of a span that was sampled and stands for others, which were not."""
    trace_state = context.trace_state
    if not trace_state or carbon_samplers or not context.trace_flags.sampled:
        return ""
    return trace_state.to_header()
