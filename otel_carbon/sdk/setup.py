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
_attached: weakref.WeakValueDictionary[int, object] = weakref.WeakValueDictionary()
"""By their address: a provider may compare equal to others, and need not be hashable."""
_SETTERS = ("_set_tracer_provider", "set_tracer_provider")
"""What all ways to set the global provider go through: the first also where the second was imported before we came."""
_stood_in_for: list[Callable[..., None]] = []
"""The API's own setter, once ours has taken its place."""


def instrument(provider: object | None = None, *, capture: bool = True) -> bool:
    """Add the carbon processor to a tracer provider, once, and have calls of httpx, httpx2 and aiohttp captured.

    It may be called for several providers: each gets a processor, and captured calls go to the one given last,
    also after a later call that gives none; to the global one as long as none was given.

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
        return _attach(_holder_of_processors(target))
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
        if getattr(trace, _setter()) is _set_and_attach:  # else someone else has wrapped it since
            setattr(trace, _setter(), _stood_in_for[0])


def _holder_of_processors(provider: _TakesProcessors) -> _TakesProcessors:
    """The provider itself, or what it stands for: Logfire's is given another one each time that it is configured."""
    inner = getattr(provider, "provider", None)
    return inner if isinstance(inner, _TakesProcessors) else provider


def _attach(provider: _TakesProcessors) -> bool:
    try:
        with _lock:
            if _attached.get(id(provider)) is not provider:
                provider.add_span_processor(CarbonSpanProcessor())
                with suppress(TypeError):  # what no weak reference can point to gets a second, idle processor
                    _attached[id(provider)] = provider
    except Exception as error:  # an application must start without us rather than not at all
        logger.warning("%s was not instrumented", type(provider).__name__, exc_info=error)
        return False
    return True


def _setter() -> str:
    return next(name for name in _SETTERS if hasattr(trace, name))


def _wait_for_provider() -> None:
    """Have the next provider that is set attach: until then the API hands out a proxy without processors."""
    with _lock:
        if not _stood_in_for:
            _stood_in_for.append(getattr(trace, _setter()))
        if getattr(trace, _setter()) is _stood_in_for[0]:  # else we wait already, or someone else has wrapped it
            setattr(trace, _setter(), _set_and_attach)


def _set_and_attach(*arguments: object, **options: object) -> None:
    """What the API's setter is while we wait."""
    _stood_in_for[0](*arguments, **options)
    current = trace.get_tracer_provider()  # the API keeps the first provider, whatever is set later
    if isinstance(current, _TakesProcessors):
        _attach(_holder_of_processors(current))
