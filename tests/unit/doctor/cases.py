"""Environments and reports in which nothing is wrong, to be changed by one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from otel_carbon.doctor.facts import Environment, Instrumentation, RegistryFacts
from otel_carbon.doctor.observations import (
    CallRow,
    CommandOutcome,
    Examined,
    ExporterFacts,
    InstrumentorFacts,
    Probe,
    ProcessReport,
    ProviderFacts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SCOPE = "opentelemetry.instrumentation.genai.openai"
ENDPOINT = "http://127.0.0.1:4318/v1/traces"
HTTP = "http/protobuf"
COMMAND = CommandOutcome(("python", "app.py"))

OPENAI = Instrumentation(
    "openai",
    SCOPE,
    "opentelemetry-instrumentation-genai-openai",
    "1.3b0",
    ("openai",),
    attribute="OpenAIInstrumentor",
)
CARBON = Instrumentation("otel_carbon", "otel_carbon.sdk.entry_points", "otel-carbon", "0.1.0")
CAPTURE = Instrumentation("otel_carbon_capture", "otel_carbon.capture.entry_points", "otel-carbon", "0.1.0")

ENVIRONMENT = Environment(
    python="/usr/bin/python3",
    python_version="3.11.7",
    packages={
        "openai": "3.54.0",
        "opentelemetry-distro": "0.66b2",
        "opentelemetry-instrumentation": "0.66b2",
        "opentelemetry-sdk": "1.45.2",
        "otel-carbon": "0.1.0",
    },
    variables={"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP},
    instrumentations=(OPENAI, CARBON),
    configurators=("configurator",),
    trace_exporters=("console", "otlp_proto_grpc", "otlp_proto_http"),
    regions={"openai": "eastus"},
    registry=RegistryFacts(version="2026.11.1+0123456789ab", released="2026-11"),
)
CALL = CallRow(
    SCOPE, "openai", "gpt-4o", "estimated", "", "exact", "openai", "eastus", "configured", enriched=True, count=3
)
EXPORTER = ExporterFacts("otlp.OTLPSpanExporter", ENDPOINT, HTTP, delivered=1)
SAMPLER = "ParentBased{root:AlwaysOnSampler,remoteParentSampled:AlwaysOnSampler}"
PROVIDER = ProviderFacts(
    "sdk.TracerProvider", SAMPLER, carbon=True, with_calls=True, attribute_limit=128, exporters=(EXPORTER,)
)
REPORT = ProcessReport(
    pid=7,
    python="/usr/bin/python3",
    written_at_s=NOW.timestamp(),
    written_file_at_s=NOW.timestamp(),
    ended="exit",
    clients=("openai",),
    automatic=True,
    providers=(PROVIDER,),
    provider_set=True,
    spans=3,
    calls=(CALL,),
    instrumentors=(InstrumentorFacts(SCOPE, active=True),),
)
STATIC = Examined(ENVIRONMENT, NOW.timestamp(), probes=(Probe(ENDPOINT, HTTP, "", 0.4),))
RUN = replace(STATIC, outcome=COMMAND, reports=(REPORT,))


def static(**changed: Any) -> Examined:
    """An environment without a command, with changed facts."""
    return replace(STATIC, environment=replace(ENVIRONMENT, **changed))


def told(variables: Mapping[str, str], **changed: Any) -> Examined:
    """An environment without a command, with more variables."""
    return static(variables={**ENVIRONMENT.variables, **variables}, **changed)


def ran(**changed: Any) -> Examined:
    """A command of one process, with a changed report."""
    return replace(RUN, reports=(replace(REPORT, **changed),))


def ran_with(environment: Mapping[str, Any], **changed: Any) -> Examined:
    """The same, with changed facts of its environment."""
    return replace(ran(**changed), environment=replace(ENVIRONMENT, **environment))


def with_call(**changed: Any) -> Examined:
    """A command with one kind of calls."""
    return ran(calls=(replace(CALL, **changed),))


def with_provider(**changed: Any) -> Examined:
    """A command with one tracer provider."""
    return ran(providers=(replace(PROVIDER, **changed),))


def with_exporter(**changed: Any) -> Examined:
    """A command with one exporter."""
    return with_provider(exporters=(replace(EXPORTER, **changed),))
