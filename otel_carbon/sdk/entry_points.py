"""What OpenTelemetry's own loaders call: the instrumentor, and the exporter by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # ignores types

from otel_carbon.errors import MissingExtra
from otel_carbon.sdk.exporter import CarbonSpanExporter
from otel_carbon.sdk.setup import instrument, stop_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter


class CarbonInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # the base class is untyped
    """Entry point `opentelemetry_instrumentor: otel_carbon`, run by `opentelemetry-instrument`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Need nothing: there is no library to patch."""
        return ()

    def _instrument(self, **_kwargs: object) -> None:
        instrument()

    def _uninstrument(self, **_kwargs: object) -> None:
        stop_waiting()


class CarbonSpanExporterPlugin(CarbonSpanExporter):
    """Entry point `opentelemetry_traces_exporter: otel_carbon`, for declarative configuration and environment.

    Args:
        exporter: the delegate by its name and options, as in `exporter: {otlp_http: {endpoint: ...}}`;
            without it spans go to OTLP/HTTP as `OTEL_EXPORTER_OTLP_*` says.

    Raises:
        ValueError: the delegate is unknown.
        MissingExtra: its package is not installed.
    """

    def __init__(self, exporter: Mapping[str, Mapping[str, Any] | None] | None = None, **_ignored: object) -> None:
        super().__init__(delegate_from_config(exporter or {"otlp_http": {}}))


def delegate_from_config(config: Mapping[str, Mapping[str, Any] | None]) -> SpanExporter:
    """The exporter that a one-entry mapping of name to options describes; raises as the plug-in says."""
    name, options = next(iter(config.items()), ("", None))
    if name not in _DELEGATES or len(config) != 1:
        msg = f"exporter of otel_carbon must be one of {', '.join(_DELEGATES)}; got {', '.join(config) or 'nothing'}"
        raise ValueError(msg)
    return _DELEGATES[name](dict(options or {}))


def _otlp_http(options: dict[str, Any]) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        msg = "the otlp_http exporter needs: pip install 'otel-carbon[auto]'"
        raise MissingExtra(msg) from error
    return OTLPSpanExporter(**_sdk_options(options))


def _otlp_grpc(options: dict[str, Any]) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        msg = "the otlp_grpc exporter needs: pip install opentelemetry-exporter-otlp-proto-grpc"
        raise MissingExtra(msg) from error
    return OTLPSpanExporter(**_sdk_options(options))


def _console(_options: dict[str, Any]) -> SpanExporter:
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    return ConsoleSpanExporter()


_DELEGATES: dict[str, Callable[[dict[str, Any]], SpanExporter]] = {
    "otlp_http": _otlp_http,
    "otlp_grpc": _otlp_grpc,
    "console": _console,
}


def _sdk_options(options: dict[str, Any]) -> dict[str, Any]:
    """Declarative options as the SDK's exporters take them: milliseconds become seconds, header lists a mapping."""
    if options.get("timeout") is not None:
        options["timeout"] = options["timeout"] / 1000
    headers = options.get("headers")
    if isinstance(headers, list):
        options["headers"] = {header["name"]: header["value"] for header in headers}
    return options
