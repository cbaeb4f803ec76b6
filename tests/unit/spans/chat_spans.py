"""Spans as an adapter hands them over, for tests of what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.view import KIND_CLIENT, MappingAttributes, SpanView, resource_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.read import GenAiReading

CHAT: Mapping[str, object] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
}
"""A chat call without usage."""
USAGE: Mapping[str, object] = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200}
READER = SpanReader()
"""One for all tests, so that what it remembers of one span meets the next."""


def span_with(
    attributes: Mapping[str, object],
    *,
    kind: int = KIND_CLIENT,
    resource: Mapping[str, object] | None = None,
    failed: bool = False,
    scope: str = "some.instrumentation",
    scope_version: str = "",
) -> SpanView:
    """A finished span with these attributes."""
    emitter = resource_view(MappingAttributes(resource or {}))
    return SpanView(
        MappingAttributes(attributes), scope, emitter, kind=kind, failed=failed, scope_version=scope_version
    )


def read(attributes: Mapping[str, object], *, kind: int = KIND_CLIENT, failed: bool = False) -> GenAiReading:
    """What a GenAI span with these attributes says."""
    return read_view(span_with(attributes, kind=kind, failed=failed))


def read_view(span: SpanView) -> GenAiReading:
    """What a GenAI span says."""
    reading = READER.read(span)
    assert reading is not None
    return reading


DAY_NS = 86_400 * 10**9
NOON_NS = 1_795_348_800_000_000_000
"""2026-11-22 12:00 UTC."""


def call_span(
    number: int,
    attributes: Mapping[str, object] | None = None,
    *,
    trace: int = 1,
    parent: int = 0,
    scope: str = "sdk",
    kind: int = KIND_CLIENT,
    resource: Mapping[str, object] | None = None,
    times_ms: tuple[int, int] = (0, 10),
) -> SpanView:
    """The span `number` of a trace: a chat with usage, unless `attributes` say otherwise (`None` takes one away)."""
    merged = {**CHAT, **USAGE, **(attributes or {})}
    return SpanView(
        MappingAttributes({key: value for key, value in merged.items() if value is not None}),
        scope,
        resource_view(MappingAttributes(resource or {"service.name": "shop"})),
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        kind=kind,
        start_ns=NOON_NS + times_ms[0] * 10**6,
        end_ns=NOON_NS + times_ms[1] * 10**6,
    )
