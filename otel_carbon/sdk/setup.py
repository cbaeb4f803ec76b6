"""Attaching to whatever tracer provider an application has, or gets later."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from opentelemetry import trace

from otel_carbon.sdk.environment import is_disabled
from otel_carbon.sdk.processor import CarbonSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

logger = logging.getLogger(__name__)


@runtime_checkable
class _TakesProcessors(Protocol):
    def add_span_processor(self, span_processor: SpanProcessor) -> None: ...


_lock = threading.Lock()
_attached: weakref.WeakSet[object] = weakref.WeakSet()
_original_setter = trace.set_tracer_provider


def instrument(provider: object | None = None) -> bool:
    """Add the carbon processor to a tracer provider, once.

    Args:
        provider: the provider; `None` is the global one. When that is not set yet, the processor is added as
            soon as it is.

    Returns:
        Whether a processor is in place now. `OTEL_CARBON_DISABLED=true` keeps it away.
    """
    if is_disabled(os.environ):
        return False
    target = provider if provider is not None else trace.get_tracer_provider()
    if isinstance(target, _TakesProcessors):
        _attach(target)
        return True
    if provider is None:
        _wait_for_provider()
    else:
        logger.warning("%s takes no span processors; nothing was instrumented", type(target).__name__)
    return False


def stop_waiting() -> None:
    """Undo the wait for a provider that never came."""
    trace.set_tracer_provider = _original_setter


def _attach(provider: _TakesProcessors) -> None:
    with _lock:
        if provider in _attached:
            return
        _attached.add(provider)
    provider.add_span_processor(CarbonSpanProcessor())


def _wait_for_provider() -> None:
    """Have the next `set_tracer_provider` attach: until then the API hands out a proxy without processors."""

    def set_tracer_provider(tracer_provider: trace.TracerProvider) -> None:
        _original_setter(tracer_provider)
        if isinstance(tracer_provider, _TakesProcessors):
            _attach(tracer_provider)

    trace.set_tracer_provider = set_tracer_provider
