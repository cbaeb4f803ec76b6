"""An application that instruments its client, calls a model, and sets OpenTelemetry up only then."""

from __future__ import annotations

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_carbon import CarbonSpanProcessor

if __name__ == "__main__":
    OpenAIInstrumentor().instrument()
    client = OpenAI(api_key="none")
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "lost"}])
    provider = TracerProvider()
    provider.add_span_processor(CarbonSpanProcessor())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "seen"}])
