"""What OpenTelemetry's own loaders call: the instrumentor, and the exporter by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # ignores types

from otel_carbon.capture.patching import capture
from otel_carbon.errors import MissingExtra
from otel_carbon.sdk.exporter import CarbonSpanExporter
from otel_carbon.sdk.setup import instrument, stop_waiting
from otel_carbon.switches import is_disabled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from enum import Enum

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import TracerProvider


class CarbonInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # the base class is untyped
    """Entry point `opentelemetry_instrumentor: otel_carbon`, run by `opentelemetry-instrument`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Need nothing: there is no library to patch."""
        return ()

    def _instrument(self, **_kwargs: object) -> None:
        instrument(capture=False)  # which `CaptureInstrumentor` sees to, so that each can be switched off alone

    def _uninstrument(self, **_kwargs: object) -> None:
        stop_waiting()


class CaptureInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # the base class is untyped
    """Entry point `opentelemetry_instrumentor: otel_carbon_capture`, run by `opentelemetry-instrument`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Need nothing: packages are patched when the application imports them."""
        return ()

    def _instrument(self, *, tracer_provider: TracerProvider | None = None, **_kwargs: object) -> None:
        capture.switch_on(tracer_provider)

    def _uninstrument(self, **_kwargs: object) -> None:
        capture.switch_off()


class CarbonSpanExporterPlugin(CarbonSpanExporter):
    """Entry point `opentelemetry_traces_exporter: otel_carbon`, for declarative configuration and environment.

    Args:
        exporter: the delegate by its name and options, as in `exporter: {otlp_http: {endpoint: ...}}`;
            without it spans go to OTLP/HTTP as `OTEL_EXPORTER_OTLP_*` says.

    With `OTEL_CARBON_DISABLED=true` spans pass as they are.

    Raises:
        ValueError: the delegate or one of its options is unknown.
        MissingExtra: its package is not installed.
    """

    def __init__(self, exporter: Mapping[str, Mapping[str, Any] | None] | None = None, **_ignored: object) -> None:
        super().__init__(delegate_from_config(exporter or {"otlp_http": {}}))
        self._passes = is_disabled(os.environ)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the batch, enriched unless otel-carbon is switched off."""
        return self._delegate.export(spans) if self._passes else super().export(spans)


def delegate_from_config(config: Mapping[str, Mapping[str, Any] | None]) -> SpanExporter:
    """The exporter that a one-entry mapping of name to options describes; raises as the plug-in says."""
    name, options = next(iter(config.items()), ("", None))
    if name not in _DELEGATES or len(config) != 1:
        msg = f"exporter of otel_carbon must be one of {', '.join(_DELEGATES)}; got {', '.join(config) or 'nothing'}"
        raise ValueError(msg)
    return _DELEGATES[name](dict(options or {}))


def _otlp_http(options: dict[str, Any]) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        msg = "the otlp_http exporter needs: pip install 'otel-carbon[auto]'"
        raise MissingExtra(msg) from error
    compressions = {each.value: each for each in Compression}
    return OTLPSpanExporter(**_sdk_options(options, compressions))


def _otlp_grpc(options: dict[str, Any]) -> SpanExporter:
    try:
        from grpc import Compression
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        msg = "the otlp_grpc exporter needs: pip install opentelemetry-exporter-otlp-proto-grpc"
        raise MissingExtra(msg) from error
    compressions = {"none": Compression.NoCompression, "gzip": Compression.Gzip}
    return OTLPSpanExporter(**_sdk_options(options, compressions))


def _console(_options: dict[str, Any]) -> SpanExporter:
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    return ConsoleSpanExporter()


_DELEGATES: dict[str, Callable[[dict[str, Any]], SpanExporter]] = {
    "otlp_http": _otlp_http,
    "otlp_grpc": _otlp_grpc,
    "console": _console,
}


_OPTIONS = ("endpoint", "headers", "headers_list", "timeout", "compression")


def _sdk_options(options: Mapping[str, Any], compressions: Mapping[str, Enum]) -> dict[str, Any]:
    """Declarative options as the SDK's exporters take them; what is absent is left to `OTEL_EXPORTER_OTLP_*`."""
    if unknown := sorted(set(options) - set(_OPTIONS)):
        msg = f"otel_carbon cannot pass on {', '.join(unknown)}; it knows {', '.join(_OPTIONS)}"
        raise ValueError(msg)
    found: dict[str, Any] = {}
    if options.get("endpoint") is not None:
        found["endpoint"] = options["endpoint"]
    if options.get("timeout") is not None:
        found["timeout"] = options["timeout"] / 1000  # declared in milliseconds
    if headers := _headers(options.get("headers"), options.get("headers_list")):
        found["headers"] = headers
    compression = options.get("compression")
    if compression is not None:
        if compression not in compressions:
            msg = f"compression must be one of {', '.join(compressions)}; got {compression!r}"
            raise ValueError(msg)
        found["compression"] = compressions[compression]
    return found


def _headers(pairs: Any, text: str | None) -> dict[str, str]:  # noqa: ANN401 - as YAML delivers it
    """Headers from a mapping or list of pairs, and from `name=value,...`, over which the former win."""
    split = (part.partition("=") for part in (text or "").split(",") if "=" in part)
    headers = {name.strip(): value.strip() for name, _, value in split}
    if isinstance(pairs, list):
        pairs = {pair["name"]: pair["value"] for pair in pairs}
    return headers | (pairs or {})
