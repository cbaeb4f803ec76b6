"""Calls of real HTTP clients, captured into memory."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_carbon.capture.patching import capture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.sdk.trace.sampling import Sampler

CHAT_URL = "http://llm.test/v1/chat/completions"
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "zanzibar-question"}]}
RESPONSE_ID = "chatcmpl-0123456789abcdef"
USAGE = {"prompt_tokens": 120, "completion_tokens": 45, "total_tokens": 165}
ANSWER = json.dumps(
    {"id": RESPONSE_ID, "model": "gpt-4o-2024-08-06", "choices": [{"text": "zanzibar-canary"}], "usage": USAGE}
).encode()
TOLD = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "server.address": "llm.test",
    "server.port": 80,
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 45,
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": RESPONSE_ID,
}
"""What the span of a plain call says."""
STREAMED = TOLD | {"gen_ai.request.stream": True}
SSE = {"content-type": "text/event-stream"}


def stream_of(deltas: int = 3) -> list[bytes]:
    """The events of a streamed answer."""
    head = {"id": RESPONSE_ID, "model": "gpt-4o-2024-08-06"}
    said = [{**head, "choices": [{"delta": {"content": "zanzibar-canary"}}], "usage": None}] * deltas
    events = [*said, {**head, "choices": [], "usage": USAGE}]
    return [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


@dataclass(frozen=True, slots=True)
class Captured:
    """A tracer provider and what was exported from it."""

    provider: TracerProvider
    exporter: InMemorySpanExporter

    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in that order."""
        return list(self.exporter.get_finished_spans())

    def attributes(self) -> list[dict[str, Any]]:
        """Their attributes."""
        return [dict(span.attributes or {}) for span in self.spans()]

    def only(self) -> Mapping[str, Any]:
        """The attributes of the only one."""
        (found,) = self.attributes()
        return found


def memory(sampler: Sampler | None = None) -> Captured:
    """A provider of its own, of which nothing is captured yet."""
    provider = TracerProvider(resource=Resource.get_empty(), sampler=sampler, shutdown_on_exit=False)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Captured(provider, exporter)


@contextmanager
def capturing(sampler: Sampler | None = None) -> Iterator[Captured]:
    """Capturing is on, and its spans go to memory."""
    found = memory(sampler)
    assert capture.switch_on(found.provider)
    try:
        yield found
    finally:
        capture.switch_off()
