"""Bodies of aiohttp's answers, whose reader hands on what it gives and shows it to an exchange on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_carbon.capture.exchange import report
from otel_carbon.capture.tapped_streams import Tap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from otel_carbon.capture.exchange import Exchange

_UNDONE_BY_AIOHTTP = frozenset(("gzip", "deflate", "br", "zstd"))
"""What aiohttp decompresses when it does so; it leaves several upon one another as they are."""


def hear_response(exchange: Exchange, response: Any, *, decompressed: bool) -> None:  # noqa: ANN401 - of aiohttp
    """Have the exchange hear an answer as its reader is read, or at once if that has been done. Never raises.

    `decompressed` says that aiohttp was not told to leave that to the application.
    """
    try:
        if not exchange.is_heard(response.status):
            exchange.end()
        elif response.content.at_eof():
            _hear_the_past(exchange, response)
        else:
            exchange.expect(response.headers)
            encoding = response.headers.get("content-encoding", "")
            if not (decompressed and encoding.lower() in _UNDONE_BY_AIOHTTP):
                exchange.decode(encoding)
            response.content = _ReaderTap(response.content, exchange)
    except Exception as error:  # nothing of ours may reach the host
        report(error)
        exchange.end()


def _hear_the_past(exchange: Exchange, response: Any) -> None:  # noqa: ANN401 - as above
    """Hear an answer without a body, or with one that a middleware has read, which the answer then keeps."""
    body = getattr(response, "_body", None)
    if isinstance(body, bytes):
        exchange.read(body, response.headers)
    exchange.end()


class _ReaderTap(Tap):
    """Stands for a `StreamReader`, and passes as one where its type is asked for.

    A reader can be read on after a time limit or a cancellation of one reading: that is the error of the exchange only
    if nothing follows.
    """

    _stream: Any
    _is_begun = False
    _given_back_bytes = 0
    """How many bytes, already heard, come once more."""

    @property  # type: ignore[misc]  # asked for and never set
    def __class__(self) -> type:
        return type(self._stream)

    def read(self, *args: Any, **options: Any) -> Awaitable[bytes]:  # noqa: ANN401 - as the reader takes them
        return self._heard(self._stream.read(*args, **options))

    def readany(self) -> Awaitable[bytes]:
        return self._heard(self._stream.readany())

    def readline(self, **options: Any) -> Awaitable[bytes]:  # noqa: ANN401 - as above
        return self._heard(self._stream.readline(**options))

    def readuntil(self, *args: Any, **options: Any) -> Awaitable[bytes]:  # noqa: ANN401 - as above
        return self._heard(self._stream.readuntil(*args, **options))

    def readexactly(self, n: int) -> Awaitable[bytes]:
        return self._heard(self._stream.readexactly(n))

    def readchunk(self) -> Awaitable[tuple[bytes, bool]]:
        return self._heard(self._stream.readchunk())

    def read_nowait(self, *args: Any, **options: Any) -> bytes:  # noqa: ANN401 - as above
        found: bytes = self._stream.read_nowait(*args, **options)
        self._take(found)
        return found

    def unread_data(self, data: bytes) -> None:
        self._stream.unread_data(data)
        self._given_back_bytes += len(data)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self, aiter(self._stream))

    def iter_any(self) -> AsyncIterator[bytes]:
        return _Pieces(self, self._stream.iter_any())

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        return _Pieces(self, self._stream.iter_chunked(n))

    def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        return _Pieces(self, self._stream.iter_chunks())

    def set_exception(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as above
        """Take that the answer is closed or released, of which aiohttp tells the reader so."""
        self._stream.set_exception(*args, **options)
        self._exchange.end(self._cut_off_by)

    async def _heard(self, reading: Awaitable[Any]) -> Any:  # noqa: ANN401 - bytes, or such with a flag
        try:
            found = await reading
        except StopAsyncIteration:
            self._take(b"")
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._take(found[0] if type(found) is tuple else found)
        return found

    def _take(self, data: bytes) -> None:
        self._cut_off_by = None
        if self._given_back_bytes:
            heard_bytes = min(self._given_back_bytes, len(data))
            self._given_back_bytes -= heard_bytes
            data = data[heard_bytes:]
        is_over = self._stream.at_eof()
        if data:
            self._exchange.feed(data, is_whole=is_over and not self._is_begun)
            self._is_begun = True
        if is_over:
            self._exchange.end()

    def _fail(self, error: BaseException) -> None:
        partial = getattr(error, "partial", None)
        if isinstance(partial, bytes):  # more was asked for than there is
            self._take(partial)
        elif self._stream.exception() is None:
            self._cut_off_by = type(error)
        else:
            self._exchange.end(type(error))


class _Pieces:
    """An iterator of a reader's, of which each piece is heard."""

    __slots__ = ("_pieces", "_tap")

    def __init__(self, tap: _ReaderTap, pieces: AsyncIterator[Any]) -> None:
        self._tap = tap
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __anext__(self) -> Awaitable[Any]:
        return self._tap._heard(anext(self._pieces))
