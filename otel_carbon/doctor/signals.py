"""Where spans and metrics go by the variables of OpenTelemetry, and which setting says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.doctor.facts import Environment
    from otel_carbon.doctor.observations import ExporterFacts

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
CONFIG_FILE = "OTEL_CONFIG_FILE"
GRPC = "grpc"
USUAL_PLACES = ("localhost:4317", "localhost:4318")
"""Where exporters send to that nobody told anything."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of telemetry by the names of its variables; `path` is what OTLP over HTTP appends, `kind` its exporter."""

    exporter: str
    endpoint: str
    protocol: str
    path: str
    kind: str


TRACES = Signal(
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "/v1/traces",
    "OTLPSpanExporter",
)
METRICS = Signal(
    "OTEL_METRICS_EXPORTER",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "/v1/metrics",
    "OTLPMetricExporter",
)
SIGNALS = (TRACES, METRICS)
VARIABLES = (ENDPOINT, PROTOCOL, *(name for each in SIGNALS for name in (each.exporter, each.endpoint, each.protocol)))


def otlp_protocol(environment: Environment, signal: Signal = TRACES) -> str:
    """The protocol that variables ask for; the SDK's own default is gRPC."""
    names = (signal.protocol, PROTOCOL)
    return next((environment.variables[name].strip() for name in names if name in environment.variables), GRPC)


def is_otlp(exporter: str) -> bool:
    """Whether an exporter, by the name of its entry point, sends OTLP."""
    return exporter.startswith("otlp_proto") or exporter == "otel_carbon"


def wanted_exporters(environment: Environment, signal: Signal = TRACES) -> tuple[str, ...]:
    """The exporters that automatic instrumentation sets up, by the names of their entry points."""
    if CONFIG_FILE in environment.variables or not environment.configurators:
        return ()
    default = "otlp" if "opentelemetry-distro" in environment.packages else "none"
    names = (part.strip() for part in environment.variables.get(signal.exporter, default).split(","))
    otlp = "otlp_proto_grpc" if otlp_protocol(environment, signal) == GRPC else "otlp_proto_http"
    return tuple(otlp if name == "otlp" else name for name in names if name and name.lower() != "none")


def signal_of(endpoint: str, exporters: tuple[ExporterFacts, ...]) -> Signal:
    """What is sent to an endpoint, as far as its exporter or its path tell; else spans."""
    kinds = [each.kind for each in exporters if each.endpoint == endpoint]
    metrics = all("Metric" in kind for kind in kinds) if kinds else endpoint.endswith(METRICS.path)
    return METRICS if metrics else TRACES


def endpoint_setting(variables: Mapping[str, str], endpoint: str, signal: Signal) -> str:
    """The line that decides on an endpoint, with another one in it: a variable, a file, or code where none fits."""
    if _place(variables.get(signal.endpoint, "")) == _place(endpoint):
        return f"{signal.endpoint}=http://HOST:PORT{signal.path if '/v1/' in endpoint else ''}"
    told = variables.get(ENDPOINT, "")
    if told and _is_below(_place(endpoint), _place(told)):
        return f"{ENDPOINT}=http://HOST:PORT"
    if file := variables.get(CONFIG_FILE, ""):
        return f"endpoint: http://HOST:PORT # in {file}"
    if not told and signal.endpoint not in variables and _is_below(_place(endpoint), USUAL_PLACES):
        return f"{ENDPOINT}=http://HOST:PORT"
    path = signal.path if endpoint.endswith(signal.path) else ""
    return f'{signal.kind}(endpoint="http://HOST:PORT{path}") # in code'


def protocol_setting(variables: Mapping[str, str], signal: Signal, protocol: str) -> str:
    """The line that sets a protocol where it is set now."""
    return f"{signal.protocol if signal.protocol in variables else PROTOCOL}={protocol}"


def _place(endpoint: str) -> str:
    return endpoint.partition("://")[2].rstrip("/") or endpoint.rstrip("/")


def _is_below(place: str, told: str | tuple[str, ...]) -> bool:
    bases = (told,) if isinstance(told, str) else told
    return any(place == base or place.startswith(f"{base}/") for base in bases)
