"""An instrumented client application: makes the calls it is told to, exports spans, serves its metrics.

It takes one command per line of standard input, and answers each with one JSON line:

* the name of a call, as in `chat_calls`: makes it, answers what the API reported about it, never its content;
* `export`: hands over every finished span, answers once that is done.

Its first line, before any command, says where its metrics are served. It ends when standard input closes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import start_http_server

# Run as a script, so the repository's root is not on the path by itself.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.integration.apps.chat_calls import CALLS, open_clients

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


def main() -> None:
    """Run the application as the command line says."""
    options = _options()
    resource = Resource.create({"service.name": options.service_name})
    meter_provider = MeterProvider([PrometheusMetricReader()], resource=resource)
    metrics.set_meter_provider(meter_provider)
    tracer_provider = TracerProvider(resource=resource)
    _add_processors(tracer_provider, _exporter(options.otlp_protocol, options.otlp_endpoint), options.carbon)
    trace.set_tracer_provider(tracer_provider)
    OpenAIInstrumentor().instrument()
    AnthropicInstrumentor().instrument()

    server, _thread = start_http_server(0, addr="127.0.0.1")
    _answer({"metrics_port": server.server_port})
    _obey(options.model_url, tracer_provider)
    tracer_provider.shutdown()
    meter_provider.shutdown()
    server.shutdown()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-url", required=True, help="the model server, without /v1")
    parser.add_argument("--otlp-endpoint", required=True, help="receiver of the spans, without /v1/traces")
    parser.add_argument("--otlp-protocol", choices=("http", "grpc"), default="http")
    parser.add_argument("--service-name", default="chat-client")
    parser.add_argument(
        "--carbon",
        choices=("none", "before_exporter", "after_exporter"),
        default="none",
        help="where to add our span processor, seen from the exporting one",
    )
    return parser.parse_args()


def _add_processors(provider: TracerProvider, exporter: SpanExporter, carbon: str) -> None:
    processors: list[Any] = [BatchSpanProcessor(exporter)]
    if carbon != "none":
        from otel_carbon import CarbonSpanProcessor

        processors.insert(0 if carbon == "before_exporter" else 1, CarbonSpanProcessor())
    for processor in processors:
        provider.add_span_processor(processor)


def _exporter(protocol: str, endpoint: str) -> SpanExporter:
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter(endpoint=endpoint, insecure=True)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

    return HttpExporter(endpoint=f"{endpoint}/v1/traces")


def _obey(model_url: str, provider: TracerProvider) -> None:
    clients = open_clients(model_url)
    with clients.openai, clients.anthropic:
        for line in sys.stdin:
            command = line.strip()
            if command == "export":
                _answer({"exported": provider.force_flush()})
            else:
                _answer(dataclasses.asdict(CALLS[command](clients)))


def _answer(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
