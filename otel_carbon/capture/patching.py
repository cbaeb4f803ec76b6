"""All clients at once: the method that every request of theirs passes replaced, whenever the packages are imported.

It is `send` in httpx and httpx2, and `_request` in aiohttp; clients that exist already have it from their class.
"""

from __future__ import annotations

import logging
import os
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.capture.aiohttp_requests import aiohttp_request
from otel_carbon.capture.capturer import Capturer
from otel_carbon.capture.import_hook import ImportHook
from otel_carbon.capture.tapped_streams import ASYNC_STREAM, SYNC_STREAM, hear
from otel_carbon.switches import may_capture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from opentelemetry.trace import TracerProvider

    from otel_carbon.capture.http_types import Request, Response

logger = logging.getLogger(__name__)


class _Patch(NamedTuple):
    """A class of which a method is ours now, the one that it had, and ours."""

    owner: Any
    method: str
    original: Callable[..., Any]
    ours: Callable[..., Any]


class Capture:
    """The state of capturing in this process; there is one, `capture`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hook: ImportHook | None = None
        self._patches: list[_Patch] = []
        self.capturer: Capturer | None = None
        """What begins exchanges; `None` while capturing is off, also for patches that others have wrapped since."""
        self.unknown: dict[str, str] = {}
        """Packages that are not captured, as they lack what is replaced in them, and their versions."""

    def switch_on(self, tracer_provider: TracerProvider | None = None) -> bool:
        """Capture from now on; returns whether it does.

        Spans go to the provider that was given last, and to the global one as long as none was.
        `OTEL_CARBON_DISABLED=true` and `OTEL_CARBON_CAPTURE=false` keep it off.
        """
        if not may_capture(os.environ):
            return False
        with self._lock:
            if self.capturer is None or tracer_provider is not None:
                self.capturer = Capturer(tracer_provider)
            if self._hook is None:
                self._hook = ImportHook(tuple(_SEAMS), self._patch_module)
            return True

    def switch_off(self) -> None:
        """Put every method back that is still ours; one that others have wrapped since only passes on."""
        with self._lock:
            self.capturer = None
            if self._hook is not None:
                self._hook.remove()
                self._hook = None
            for patch in reversed(self._patches):
                if patch.owner.__dict__.get(patch.method) is patch.ours:
                    setattr(patch.owner, patch.method, patch.original)
            self._patches.clear()
            self.unknown.clear()

    def _patch_module(self, module: ModuleType) -> None:
        try:
            patched = [patch.owner for patch in self._patches]
            for name, method, wrapper in _SEAMS[module.__name__]:
                owner = getattr(module, name)
                if owner not in patched:  # as it is where a module is only loaded again
                    original = getattr(owner, method)
                    ours = wrapper(self, original)
                    setattr(owner, method, ours)
                    self._patches.append(_Patch(owner, method, original, ours))
        except Exception as error:  # the application's import must go on
            self.unknown[module.__name__] = str(getattr(module, "__version__", ""))
            logger.warning("calls of %s are not captured", module.__name__, exc_info=error)


def _sync_send(capture: Capture, original: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(original)
    def send(self: object, request: Request, *args: object, **kwargs: object) -> Response:
        capturer = capture.capturer
        exchange = capturer.begin(request) if capturer is not None else None
        if exchange is None:
            return original(self, request, *args, **kwargs)
        with exchange:
            response = original(self, request, *args, **kwargs)
        hear(exchange, response, SYNC_STREAM)
        return response

    return send


def _async_send(capture: Capture, original: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    @wraps(original)
    async def send(self: object, request: Request, *args: object, **kwargs: object) -> Response:
        capturer = capture.capturer
        exchange = capturer.begin(request) if capturer is not None else None
        if exchange is None:
            return await original(self, request, *args, **kwargs)
        with exchange:
            response = await original(self, request, *args, **kwargs)
        hear(exchange, response, ASYNC_STREAM)
        return response

    return send


_SEND = (("Client", "send", _sync_send), ("AsyncClient", "send", _async_send))
_SEAMS: dict[str, tuple[tuple[str, str, Callable[[Capture, Callable[..., Any]], Callable[..., Any]]], ...]] = {
    "httpx": _SEND,
    "httpx2": _SEND,
    "aiohttp": (("ClientSession", "_request", aiohttp_request),),
}
"""By package the classes, their methods, and what makes ours of such a method."""

capture = Capture()
