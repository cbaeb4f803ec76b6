"""Transports that capture, for explicit use: around any transport of httpx or httpx2."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from otel_carbon.capture.capturer import Capturer
from otel_carbon.capture.tapped_streams import ASYNC_STREAM, SYNC_STREAM, as_of_package, hear
from otel_carbon.switches import may_capture

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import httpx
    import httpx2
    from opentelemetry.trace import TracerProvider

    class _Transport(httpx.BaseTransport, httpx2.BaseTransport): ...  # type: ignore[misc]  # requests of both packages

    class _AsyncTransport(httpx.AsyncBaseTransport, httpx2.AsyncBaseTransport): ...  # type: ignore[misc]  # as above

else:  # either package takes whatever has the methods, and neither is imported for it
    _Transport = _AsyncTransport = object


def _as_of_package(ours: type[Any], transport: object, base_name: str) -> type[Any]:
    try:
        return as_of_package(ours, type(transport), base_name)  # type: ignore[arg-type]  # every type is hashable
    except TypeError:  # it has the methods alone, which will do for most
        return ours


class CaptureTransport(_Transport):
    """A transport that writes a GenAI span for each request to an LLM API that passes through it.

    Everything else, and every byte, is the wrapped transport's. It is a `BaseTransport` of the same package.
    `OTEL_CARBON_DISABLED=true` and `OTEL_CARBON_CAPTURE=false` make it do nothing.

    Args:
        transport: any transport of httpx or httpx2.
        tracer_provider: where the spans go instead of the global tracer provider.
    """

    def __new__(cls, transport: object = None, *_args: object, **_options: object) -> Self:
        """An instance that is also of the package of the wrapped transport, whose clients may ask for that."""
        made: Self = object.__new__(_as_of_package(cls, transport, "BaseTransport"))
        return made

    def __init__(self, transport: object, tracer_provider: TracerProvider | None = None) -> None:
        self._transport: Any = transport
        self._capturer = Capturer(tracer_provider) if may_capture(os.environ) else None

    def handle_request(self, request: Any) -> Any:  # noqa: ANN401 - of either package
        """Send the request through the wrapped transport."""
        exchange = self._capturer.begin(request) if self._capturer else None
        if exchange is None:
            return self._transport.handle_request(request)
        with exchange:
            response = self._transport.handle_request(request)
        hear(exchange, response, SYNC_STREAM)
        return response

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._transport.__exit__(exc_type, exc_value, traceback)


class AsyncCaptureTransport(_AsyncTransport):
    """The same as `CaptureTransport`, for asynchronous clients."""

    def __new__(cls, transport: object = None, *_args: object, **_options: object) -> Self:
        """An instance that is also of the package of the wrapped transport, whose clients may ask for that."""
        made: Self = object.__new__(_as_of_package(cls, transport, "AsyncBaseTransport"))
        return made

    def __init__(self, transport: object, tracer_provider: TracerProvider | None = None) -> None:
        self._transport: Any = transport
        self._capturer = Capturer(tracer_provider) if may_capture(os.environ) else None

    async def handle_async_request(self, request: Any) -> Any:  # noqa: ANN401 - of either package
        """Send the request through the wrapped transport."""
        exchange = self._capturer.begin(request) if self._capturer else None
        if exchange is None:
            return await self._transport.handle_async_request(request)
        with exchange:
            response = await self._transport.handle_async_request(request)
        hear(exchange, response, ASYNC_STREAM)
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._transport.__aexit__(exc_type, exc_value, traceback)
