"""What is used of httpx and httpx2, which are alike, without importing either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping


class Url(Protocol):
    """Where a request goes."""

    @property
    def raw_path(self) -> bytes:
        """Path and query."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""

    @property
    def host(self) -> str:
        """The host, without brackets."""

    @property
    def port(self) -> int | None:
        """The port, where it is not that of the scheme."""


class Request(Protocol):
    """A request that is about to be sent."""

    @property
    def method(self) -> str:
        """The method, in capitals."""

    @property
    def url(self) -> Url:
        """Where it goes."""

    @property
    def content(self) -> bytes:
        """The body; raises when that is a stream."""


class Response(Protocol):
    """An answer, of which the body may have been read."""

    status_code: int
    is_closed: bool
    stream: object

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, whose names are found in any case."""

    @property
    def content(self) -> bytes:
        """The body, decompressed; raises when it has not been read."""


class SyncStream(Protocol):
    """The body of a synchronous answer."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None:
        """Give the connection back."""


class AsyncStream(Protocol):
    """The body of an asynchronous answer."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None:
        """Give the connection back."""
