"""Attaching to whatever tracer provider an application has, or gets later."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from opentelemetry import trace

from otel_carbon.sdk.processor import CarbonSpanProcessor
from otel_carbon.switches import is_disabled

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import SpanProcessor

logger = logging.getLogger(__name__)


@runtime_checkable
class _TakesProcessors(Protocol):
    def add_span_processor(self, span_processor: SpanProcessor) -> None: ...


_lock = threading.Lock()
_attached: weakref.WeakSet[object] = weakref.WeakSet()
_stood_in_for: list[Callable[[trace.TracerProvider], None]] = []
"""The API's own `set_tracer_provider`, once ours has taken its place."""


def instrument(provider: object | None = None, *, capture: bool = True) -> bool:
    """Add the carbon processor to a tracer provider, once, and have calls of httpx and httpx2 captured.

    Args:
        provider: the provider; `None` is the global one. When that is not set yet, the processor is added as
            soon as it is.
        capture: whether to write spans for calls to LLM APIs that nothing else traces;
            `OTEL_CARBON_CAPTURE=false` says no for all.

    Returns:
        Whether a processor is in place now. `OTEL_CARBON_DISABLED=true` keeps it away;
        what goes wrong is logged, never raised.
    """
    if is_disabled(os.environ):
        return False
    target = provider if provider is not None else trace.get_tracer_provider()
    if capture:
        _capture(provider)
    if isinstance(target, _TakesProcessors):
        return _attach(target)
    if provider is None:
        _wait_for_provider()
    else:
        logger.warning("%s takes no span processors; nothing was instrumented", type(target).__name__)
    return False


def _capture(provider: object | None) -> None:
    try:
        from otel_carbon.capture.patching import capture

        capture.switch_on(provider if isinstance(provider, trace.TracerProvider) else None)
    except Exception as error:  # an application must start without us rather than not at all
        logger.warning("calls are not captured", exc_info=error)


def stop_waiting() -> None:
    """Undo the wait for a provider that never came."""
    with _lock:
        if trace.set_tracer_provider is _set_and_attach:  # else someone else has wrapped it since
            trace.set_tracer_provider = _stood_in_for[0]  # type: ignore[assignment]  # it is what stood there


def _attach(provider: _TakesProcessors) -> bool:
    try:
        with _lock:
            if provider not in _attached:
                provider.add_span_processor(CarbonSpanProcessor())
                with suppress(TypeError):  # what no weak reference can point to gets a second, idle processor
                    _attached.add(provider)
    except Exception as error:  # an application must start without us rather than not at all
        logger.warning("%s was not instrumented", type(provider).__name__, exc_info=error)
        return False
    return True


def _wait_for_provider() -> None:
    """Have the next `set_tracer_provider` attach: until then the API hands out a proxy without processors."""
    with _lock:
        if not _stood_in_for:
            _stood_in_for.append(trace.set_tracer_provider)
        if trace.set_tracer_provider is _stood_in_for[0]:  # else we wait already, or someone else has wrapped it
            trace.set_tracer_provider = _set_and_attach


def _set_and_attach(tracer_provider: trace.TracerProvider) -> None:
    """What `set_tracer_provider` is while we wait."""
    _stood_in_for[0](tracer_provider)
    current = trace.get_tracer_provider()  # the API keeps the first provider, whatever is set later
    if isinstance(current, _TakesProcessors):
        _attach(current)
