from __future__ import annotations

import pytest

from tests.unit.sdk import programs

HEAVY = {
    "aiohttp",
    "ecologits",
    "fastapi",
    "google.protobuf",
    "grpc",
    "httpx",
    "numpy",
    "prometheus_client",
    "pydantic",
    "requests",
    "rich",
    "ruamel",
    "uvicorn",
    "yaml",
    "opentelemetry.proto",
    "opentelemetry.instrumentation",
    "otel_carbon.cli",
    "otel_carbon.collector",
    "otel_carbon.comparing",
    "otel_carbon.demo",
    "otel_carbon.methods.ecologits",
    "otel_carbon.methods.literature",
    "otel_carbon.methods.result",
    "otel_carbon.otlp",
    "otel_carbon.registry.authoring",
}


@pytest.mark.parametrize(
    "use",
    [
        "from otel_carbon import CarbonSpanProcessor; CarbonSpanProcessor()",
        "import otel_carbon.sdk.processor; otel_carbon.sdk.processor.CarbonSpanProcessor()",
        "from otel_carbon import instrument; instrument()",
        "import otel_carbon, opentelemetry.sdk.trace.export as e; otel_carbon.CarbonSpanExporter(e.SpanExporter())",
    ],
)
def test_an_application_loads_nothing_heavy_through_us(use: str) -> None:
    loaded = set(programs.python(f"import json, sys\n{use}\nprint(json.dumps(sorted(sys.modules)))"))
    assert {"otel_carbon", "opentelemetry.sdk.trace"} <= loaded
    assert sorted(HEAVY & loaded) == []


def test_judging_a_call_loads_nothing_heavy_either() -> None:
    code = """
import json, sys
from opentelemetry.sdk.trace import TracerProvider
from otel_carbon import CarbonSpanProcessor
provider = TracerProvider()
provider.add_span_processor(carbon := CarbonSpanProcessor())
attributes = {"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
              "gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 3}
provider.get_tracer("app").start_span("chat", attributes=attributes).end()
assert len(carbon.totals.snapshot().operations) == 1
print(json.dumps(sorted(sys.modules)))
"""
    assert sorted(HEAVY & set(programs.python(code))) == []
