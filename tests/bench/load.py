"""Made-up load: GenAI spans with twenty attributes, web spans with twelve, each different from the last."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.otlp.any_value import key_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.write import AttributeValue

MODELS = (
    ("openai", "gpt-4o-2024-08-06", "api.openai.com"),
    ("anthropic", "claude-sonnet-4-5", "api.anthropic.com"),
    ("gcp.vertex_ai", "gemini-2.5-flash", "europe-west4-aiplatform.googleapis.com"),
    ("mistral_ai", "mistral-large-2512", "api.mistral.ai"),
)
START_NS = 1_790_000_000 * 10**9


def genai_attributes(source: random.Random) -> dict[str, AttributeValue]:
    provider, model, address = source.choice(MODELS)
    input_tokens = source.randrange(500, 8000)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "gen_ai.response.id": f"chatcmpl-{source.getrandbits(96):024x}",
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.95,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": source.randrange(1, 2000),
        "gen_ai.usage.cache_read.input_tokens": source.randrange(0, 500),
        "gen_ai.conversation.id": f"conv_{source.getrandbits(64):016x}",
        "gen_ai.output.type": "text",
        "server.address": address,
        "server.port": 443,
        "otel_carbon.tenant": f"tenant-{source.randrange(8):02d}",
        "user_agent.original": "python-sdk/3.54.0",
        "app.release": "2026.11.3",
        "http.response.status_code": 200,
    }


def web_attributes(source: random.Random) -> dict[str, AttributeValue]:
    item = source.randrange(10**6)
    return {
        "http.request.method": "GET",
        "url.scheme": "https",
        "url.path": f"/api/v1/items/{item}",
        "url.full": f"https://shop.example.com/api/v1/items/{item}?expand=all",
        "http.route": "/api/v1/items/{id}",
        "http.response.status_code": 200,
        "server.address": "shop.example.com",
        "server.port": 443,
        "client.address": f"203.0.113.{source.randrange(255)}",
        "network.protocol.version": "1.1",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "network.peer.port": 51234,
    }


def traces_request(spans: int, genai_share: float, seed: int) -> bytes:
    """One export of `spans` spans, of which the given share are GenAI spans."""
    source = random.Random(seed)
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    _extend(resource_spans.resource.attributes, {"service.name": "shop-assistant", "service.version": "1.4.2"})
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "opentelemetry.instrumentation.genai.openai"
    for number in range(spans):
        is_genai = number < spans * genai_share
        attributes = genai_attributes(source) if is_genai else web_attributes(source)
        start_ns = START_NS + (seed * spans + number) * 1000
        span = scope_spans.spans.add(
            trace_id=source.randbytes(16),
            span_id=source.randbytes(8),
            parent_span_id=source.randbytes(8),
            name="chat" if is_genai else "GET /api/v1/items/{id}",
            kind=3,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + source.randrange(10**9),
        )
        _extend(span.attributes, attributes)
    return request.SerializeToString()


def _extend(repeated: object, attributes: Mapping[str, AttributeValue]) -> None:
    repeated.extend(key_value(key, value) for key, value in attributes.items())  # type: ignore[attr-defined]  # a protobuf container
