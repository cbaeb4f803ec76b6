"""Calls of a model as the Python SDK exports them, the same ones as `tests/clients/apps/node_sdk.mjs` makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from tests.support.exported_calls import emissions_of
from tests.support.llm_answers.script import TokenCounts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.util.types import AttributeValue

COUNTS = TokenCounts(input=800, output=300)
MODEL = "gpt-4o-mini"
EMISSIONS_GCO2E = emissions_of(COUNTS, model=MODEL, provider="openai")
"""What is to stand on each of the calls."""


def http_exporter(endpoint: str, *, gzip: bool = False) -> SpanExporter:
    """OTLP/HTTP with protobuf bodies."""
    return HttpSpanExporter(
        f"{endpoint}/v1/traces", compression=Compression.Gzip if gzip else Compression.NoCompression
    )


def grpc_exporter(endpoint: str, *, gzip: bool = False) -> SpanExporter:
    """OTLP/gRPC without TLS."""
    compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
    return GrpcSpanExporter(endpoint, insecure=True, compression=compression)


def export_calls(exporter: SpanExporter, count: int, *, project: str = "shop-assistant") -> None:
    """Export spans of as many calls; returns when all have been answered. `project` is a name that Phoenix reads."""
    provider = TracerProvider(
        resource=Resource({"service.name": project, "openinference.project.name": project}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("opentelemetry.instrumentation.genai.openai")
    for number in range(count):
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": MODEL,
            "gen_ai.response.model": MODEL,
            "gen_ai.response.id": f"chatcmpl-{number}",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": COUNTS.input,
            "gen_ai.usage.output_tokens": COUNTS.output,
            "server.address": "api.openai.com",
        }
        tracer.start_span(f"chat {MODEL}", attributes=attributes, kind=SpanKind.CLIENT).end()
    provider.shutdown()
