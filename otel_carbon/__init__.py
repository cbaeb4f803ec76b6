"""CO2, energy and water of LLM inference on OpenTelemetry GenAI spans; the public names load when first used."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it as true; importing `typing` for it would cost every application
if TYPE_CHECKING:
    from otel_carbon.capture.transport import AsyncCaptureTransport, CaptureTransport
    from otel_carbon.core.footprint import Footprint, Unestimated
    from otel_carbon.core.interval import Interval
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.estimating import estimate
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.sdk.exporter import CarbonSpanExporter
    from otel_carbon.sdk.processor import CarbonSpanProcessor
    from otel_carbon.sdk.sampler import CarbonSampler
    from otel_carbon.sdk.setup import instrument

    __version__: str

__all__ = [
    "AsyncCaptureTransport",
    "CaptureTransport",
    "CarbonSampler",
    "CarbonSpanExporter",
    "CarbonSpanProcessor",
    "Footprint",
    "Interval",
    "Registry",
    "TokenUsage",
    "Unestimated",
    "__version__",
    "estimate",
    "instrument",
]

_MODULES = {
    "AsyncCaptureTransport": "otel_carbon.capture.transport",
    "CaptureTransport": "otel_carbon.capture.transport",
    "CarbonSampler": "otel_carbon.sdk.sampler",
    "CarbonSpanExporter": "otel_carbon.sdk.exporter",
    "CarbonSpanProcessor": "otel_carbon.sdk.processor",
    "Footprint": "otel_carbon.core.footprint",
    "Interval": "otel_carbon.core.interval",
    "Registry": "otel_carbon.registry.catalog",
    "TokenUsage": "otel_carbon.core.usage",
    "Unestimated": "otel_carbon.core.footprint",
    "estimate": "otel_carbon.estimating",
    "instrument": "otel_carbon.sdk.setup",
}


def __getattr__(name: str) -> object:
    """The public name, imported now and kept."""
    if name == "__version__":
        from otel_carbon.version import VERSION

        found: object = VERSION
    elif name in _MODULES:
        from importlib import import_module

        found = getattr(import_module(_MODULES[name]), name)
    else:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
