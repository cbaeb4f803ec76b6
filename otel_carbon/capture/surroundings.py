"""Whether a call is traced already: by whoever opened the span that is current, or on nobody's wish."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.role import Role
from otel_carbon.spans.view import KIND_CLIENT, KIND_INTERNAL, MappingAttributes, ResourceView, SpanView

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

SUPPRESSED = "suppress_instrumentation"
"""The key in a context that keeps instrumentations silent, the same in every language."""
_NO_RESOURCE = ResourceView("", "", MappingAttributes({}))
_OTLP_KIND_OFFSET = 1
_CALLERS = (KIND_CLIENT, KIND_INTERNAL)


@lru_cache(maxsize=1)
def _reader() -> SpanReader:
    return SpanReader()


def is_suppressed(context: Context) -> bool:
    """Whether instrumentation is to keep silent."""
    return bool(otel_context.get_value(SUPPRESSED, context))


def is_model_call(current: Span) -> bool:
    """Whether a span is that of a model call, as its caller sees it; agents, workflows and tools are none.

    What a span does not say when the request is sent, counting finds out later.
    """
    attributes = getattr(current, "attributes", None)  # of the SDK's spans; others tell nothing
    if not attributes:
        return False
    scope = getattr(current, "instrumentation_scope", None)
    kind = current.kind.value + _OTLP_KIND_OFFSET  # type: ignore[attr-defined]  # what has attributes has a kind
    view = SpanView(MappingAttributes(attributes), scope.name if scope else "", _NO_RESOURCE, kind=kind)
    reading = _reader().read(view) if kind in _CALLERS else None
    return reading is not None and reading.profile.role is Role.INFERENCE
