"""Texts that small applications of the tests are put together from, and the variables they export with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.exported_calls import emissions_of
from tests.support.llm_answers.script import TokenCounts

if TYPE_CHECKING:
    from tests.support.otlp_sink import OtlpSink

COUNTS = TokenCounts(input=800, output=300)
"""The tokens of each call of these applications."""
EMISSIONS_GCO2E = emissions_of(COUNTS, model="gpt-4o", provider="openai")
"""What is modelled for each of them."""

INSTRUMENT = """
import otel_carbon
otel_carbon.instrument()
"""
SET_UP = """
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
"""
"""An application that sets up OpenTelemetry itself."""
SPAN = """
from opentelemetry import metrics, trace
def call(response_id=""):
    with trace.get_tracer("app").start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300, "gen_ai.response.id": response_id,
        })
"""
"""`call()` stands for a call of an instrumented client: it writes the span of one."""
CLIENT = """
import openai
def call():
    with openai.OpenAI() as client:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Name a town."}])
"""
"""`call()` makes one with OpenAI's client, which nothing instruments."""
FLUSH = """
trace.get_tracer_provider().force_flush()
metrics.get_meter_provider().force_flush()
"""


def exporting_to(sink: OtlpSink) -> dict[str, str]:
    """The variables with which an application sends spans and metrics to a sink."""
    return {
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
