"""Spans as the GenAI conventions want them, with models, providers, places and counts drawn from the registry."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_carbon.registry.subjects import SIGNS_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.registry.catalog import Registry

SCOPES = (
    *("my.app", "", "opentelemetry.instrumentation.genai.openai", "opentelemetry.instrumentation.openai_v2"),
    *("com.anthropic.sdk", "opentelemetry.util.genai"),
)
OTHER_PROVIDERS = (
    *("OpenAI", "azure openai", "openai/gpt-4o", "xai.grok", "amazon-bedrock-x", "google.vertex.ai", "vllm/0.9"),
    *("nobody_knows", ""),
)
OTHER_REGIONS = (
    "us-east-1a",
    "us-central1-b",
    "East US 2",
    "(US) East US 2",
    "global",
    "EU",
    "nowhere-9",
    "WestEurope",
)
OTHER_MODELS = ("gpt-4o-2031-01-01", "none", "", " GPT-4o ", "models/gemini-2.5-pro", "nobody-knows-it", '"gpt-4o"')
ADDRESSES = (
    *("api.openai.com", "API.OpenAI.com.", "https://api.anthropic.com/v1", "x.openai.azure.com", "openrouter.ai"),
    *("bedrock-runtime.eu-west-3.amazonaws.com", "europe-west9-aiplatform.googleapis.com", "llm", "", "8.8.8.8"),
    *("localhost", "127.0.0.1:8000", "10.1.2.3", "[::1]:8080", "::1", "172.16.9.1", "192.168.0.1:11434", "fd00::5"),
    *("2600::1", "169.254.1.1", "model.internal", "llm.svc", "user@host.example:99", "api.mistral.ai"),
)
OPERATIONS = (
    "text_completion",
    "embeddings",
    "generate_content",
    "completion",
    "Chat",
    "invoke_agent",
    "other",
    "none",
)
FIRST_NS, SPAN_NS = 1_791_500_000_000_000_000, 3_000_000_000_000_000  # from October 8 to November 12 of 2026
YEAR_NS = 365 * 24 * 3600 * 10**9


class Draw:
    """Draws spans; equal seeds draw equal ones."""

    def __init__(self, registry: Registry, seed: int) -> None:
        self._random = random.Random(seed)
        self._models = sorted(name for name in registry.subjects("energy") if not name.startswith(SIGNS_MARK))
        self._providers = sorted(registry.subjects("provider"))
        self._regions = sorted({*registry.subjects("region"), *registry.subjects("zone")})

    def requests(self, count: int) -> Iterator[bytes]:
        """Requests with one span each, every span of a service and trace of its own."""
        for number in range(1, count + 1):
            request = ExportTraceServiceRequest()
            resource = request.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = f"service-{number}"
            scope = resource.scope_spans.add()
            scope.scope.name = self._random.choice(SCOPES)
            scope.spans.append(self._span(number))
            yield request.SerializeToString()

    def _maybe(self, share: float) -> bool:
        return self._random.random() < share

    def _one_of(self, usual: list[str], others: tuple[str, ...], share_of_others: float = 0.1) -> str:
        return self._random.choice(others if self._maybe(share_of_others) else usual)

    def _span(self, number: int) -> Span:
        start = FIRST_NS + self._random.randrange(SPAN_NS) - (YEAR_NS if self._maybe(0.05) else 0)
        span = Span(
            trace_id=self._random.randbytes(16),
            span_id=number.to_bytes(8, "big"),
            name="a call",
            kind=Span.SPAN_KIND_CLIENT if self._maybe(0.95) else Span.SPAN_KIND_SERVER,
            start_time_unix_nano=start,
            end_time_unix_nano=start + self._random.randrange(60_000_000_000),
            status=Status(code=Status.STATUS_CODE_ERROR if self._maybe(0.05) else Status.STATUS_CODE_UNSET),
        )
        written: dict[str, str | int] = {**self._texts(number), **self._counts()}
        for key, value in written.items():
            pair = span.attributes.add(key=key)
            if isinstance(value, int):
                pair.value.int_value = value
            else:
                pair.value.string_value = value
        return span

    def _texts(self, number: int) -> dict[str, str]:
        texts = {"gen_ai.operation.name": self._one_of(["chat"], OPERATIONS, 0.2)}
        provider_key = "gen_ai.provider.name" if self._maybe(0.8) else "gen_ai.system"
        texts[provider_key] = self._one_of(self._providers, OTHER_PROVIDERS)
        listed = self._models[number % len(self._models)]  # each in turn, so that none is left out
        model = listed if self._maybe(0.9) else self._random.choice(OTHER_MODELS)
        if self._maybe(0.8):
            texts["gen_ai.response.model"] = model
        if self._maybe(0.8):
            texts["gen_ai.request.model"] = model if self._maybe(0.7) else self._random.choice(self._models)
        if self._maybe(0.5):
            texts["cloud.region"] = self._one_of(self._regions, OTHER_REGIONS)
        if self._maybe(0.5):
            texts["server.address"] = self._random.choice(ADDRESSES)
        return texts

    def _counts(self) -> dict[str, int]:
        given, output = self._random.randrange(200_000), self._random.randrange(20_000)
        counts: dict[str, int] = {}
        if self._maybe(0.97):
            counts["gen_ai.usage.input_tokens"] = given
            if self._maybe(0.3):
                read = counts["gen_ai.usage.cache_read.input_tokens"] = self._random.randrange(given + 1)
                counts["gen_ai.usage.cache_creation.input_tokens"] = self._random.randrange(given - read + 1)
        if self._maybe(0.97):
            counts["gen_ai.usage.output_tokens"] = output
            if self._maybe(0.3):
                counts["gen_ai.usage.reasoning.output_tokens"] = self._random.randrange(output + 1)
        if self._maybe(0.02):
            counts["gen_ai.usage.output_tokens"] = self._random.choice((-1, 10**9, 0))
        return counts
