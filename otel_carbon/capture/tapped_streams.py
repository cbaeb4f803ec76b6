"""Streams of responses that hand every chunk on as it is, and show it to an exchange on the way."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from otel_carbon.capture.exchange import report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from otel_carbon.capture.exchange import Exchange
    from otel_carbon.capture.http_types import AsyncStream, Response, SyncStream

SYNC_STREAM, ASYNC_STREAM = "SyncByteStream", "AsyncByteStream"
"""The public base classes that both packages ask of a stream, by name, so that neither is imported."""


class Tap:
    """What all kinds of stream share; what is asked beside the chunks is the stream's own to say."""

    _cut_off_by: type[BaseException] | None = None
    """What ended the last reading, where another may follow."""

    def __init__(self, stream: object, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def __getattr__(self, name: str) -> object:
        if name in ("_stream", "_exchange"):  # not there yet, as in a copy
            raise AttributeError(name)
        return cast("object", getattr(self._stream, name))

    def __del__(self) -> None:
        if "_exchange" in self.__dict__:
            self._exchange.end(self._cut_off_by)  # nobody read or closed it


class _SyncTap(Tap):
    _stream: SyncStream

    def __iter__(self) -> Iterator[bytes]:
        exchange, feed = self._exchange, self._exchange.feed
        try:
            for chunk in self._stream:
                feed(chunk)
                yield chunk
        except GeneratorExit:  # whoever stops early closes next
            raise
        except BaseException as error:
            exchange.end(type(error))
            raise
        exchange.end()

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._exchange.end()


class _AsyncTap(Tap):
    _stream: AsyncStream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange, feed = self._exchange, self._exchange.feed
        chunks = aiter(self._stream)
        try:
            async for chunk in chunks:
                feed(chunk)
                yield chunk
        except GeneratorExit:  # whoever stops early closes next
            raise
        except BaseException as error:
            exchange.end(type(error))
            raise
        finally:
            if isinstance(chunks, AsyncGenerator):  # one that is left open would be closed by the event loop, sometime
                await chunks.aclose()
        exchange.end()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._exchange.end()


def hear(exchange: Exchange, response: Response, kind: str) -> None:
    """Have the exchange hear the answer: at once if it has been read, else as it is read. Never raises.

    `kind` is `SYNC_STREAM` or `ASYNC_STREAM`.
    """
    try:
        if not exchange.is_heard(response.status_code):
            exchange.end()
        elif response.is_closed:  # as `send` leaves it, unless it was asked for a stream
            exchange.read(response.content, response.headers)
            exchange.end()
        else:
            exchange.expect(response.headers)
            exchange.decode(response.headers.get("content-encoding", ""))
            tap = _SyncTap if kind == SYNC_STREAM else _AsyncTap
            response.stream = as_of_package(tap, type(response.stream), kind)(response.stream, exchange)  # type: ignore[arg-type]  # every type is hashable
    except Exception as error:  # nothing of ours may reach the host
        report(error)
        exchange.end()


@lru_cache(maxsize=64)
def as_of_package(ours: type, theirs: type, base_name: str) -> type:
    """A subclass of `ours` and of the base class so named that `theirs` has of its package.

    Raises:
        TypeError: `theirs` has no such base.
    """
    base = next((each for each in theirs.__mro__ if each.__name__ == base_name), None)
    if base is None:
        msg = f"{theirs.__name__} is no {base_name}"
        raise TypeError(msg)
    return ours if issubclass(ours, base) else type(ours.__name__, (ours, base), {"__module__": ours.__module__})
