"""Decompress what zlib reads (gzip, zlib and bare deflate) without ever holding more than a limit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_MEMBERS = 10_000
"""Senders make one; a body of nothing but beginnings of members would take hours."""
_PIECE_BYTES = 64 * 1024
_DEFLATED = 8
"""The method in the low half of the first byte of a zlib stream; there is no other."""


class Wrapping(NamedTuple):
    """What stands around deflated bytes.

    Attributes:
        name: for messages.
        window_bits: how zlib is told.
        most_streams: how many in a row are one body.
    """

    name: str
    window_bits: int
    most_streams: int


GZIP = Wrapping("gzip", 16 + zlib.MAX_WBITS, MAX_GZIP_MEMBERS)  # 16: a gzip header, and the trailer is checked
ZLIB = Wrapping("zlib", zlib.MAX_WBITS, 1)
BARE_DEFLATE = Wrapping("deflate", -zlib.MAX_WBITS, 1)


class BoundedInflate:
    """Decompresses a stream piece by piece and stops at a limit.

    zlib is never asked for more output than what is left of the limit, so a body that would expand a
    thousandfold costs the limit and no more. Several gzip members in a row are one stream, as RFC 1952 says;
    of the other wrappings nothing may follow the end.

    Args:
        wrapping: what stands around the deflated bytes.
        limit_bytes: largest size after decompression, in bytes.
    """

    __slots__ = ("_expanded", "_limit_bytes", "_stream", "_streams", "_wrapping")

    def __init__(self, wrapping: Wrapping = GZIP, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._wrapping = wrapping
        self._limit_bytes = limit_bytes
        self._expanded = bytearray()
        self._stream = zlib.decompressobj(wrapping.window_bits)
        self._streams = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the compressed stream.

        Raises:
            BodyTooLarge: the stream expands beyond the limit.
            MalformedBody: the stream is of another kind, or is damaged.
        """
        pending = piece
        while pending:
            pending = self._expand(pending)

    def finish(self) -> bytes:
        """Return everything that was expanded.

        Raises:
            MalformedBody: the stream ended before its trailer.
        """
        if self._streams and not self._stream.eof:
            raise MalformedBody(f"the {self._wrapping.name} stream is cut short")
        if not self._streams:
            raise MalformedBody(f"the {self._wrapping.name} stream is empty")
        return bytes(self._expanded)

    def _expand(self, pending: bytes) -> bytes:
        """Expand one step; returns what is still to be expanded."""
        if self._stream.eof or not self._streams:
            self._begin_stream()
        # One byte more than what is left: its arrival proves that the limit is crossed.
        allowance = self._limit_bytes - len(self._expanded) + 1
        try:
            self._expanded += self._stream.decompress(pending, allowance)
        except zlib.error as error:
            raise MalformedBody(f"the {self._wrapping.name} stream is damaged: {error}") from error
        if len(self._expanded) > self._limit_bytes:
            raise too_large_expanded(self._limit_bytes)
        return self._stream.unused_data or self._stream.unconsumed_tail

    def _begin_stream(self) -> None:
        self._stream = zlib.decompressobj(self._wrapping.window_bits)
        self._streams += 1
        if self._streams > self._wrapping.most_streams:
            if self._wrapping.most_streams == 1:
                raise MalformedBody(f"the {self._wrapping.name} stream is damaged: bytes follow its end")
            raise MalformedBody(f"the {self._wrapping.name} stream has more than {MAX_GZIP_MEMBERS} members")


def gunzip(body: bytes | Iterable[bytes], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> bytes:
    """Decompress a whole gzip body, given at once or in pieces.

    Args:
        body: the compressed bytes, or pieces of them in order.
        limit_bytes: largest size after decompression, in bytes.

    Raises:
        BodyTooLarge: the body expands beyond the limit.
        MalformedBody: the body is not gzip, is damaged or is cut short.
    """
    return _inflate(GZIP, body, limit_bytes)


def expand_zlib(body: bytes, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> bytes:
    """Decompress a whole zlib body.

    Args:
        body: the compressed bytes.
        limit_bytes: largest size after decompression, in bytes.

    Raises:
        BodyTooLarge: the body expands beyond the limit.
        MalformedBody: the body is not zlib, is damaged, is cut short, or something follows it.
    """
    return _inflate(ZLIB, body, limit_bytes)


def expand_deflate(body: bytes, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> bytes:
    """Decompress what HTTP calls deflate: zlib, or deflate without anything around it.

    HTTP means zlib, but clients have always sent the other as well, and those who refuse it lose what they sent.
    The two cannot be mixed up: the first byte of zlib would begin a stored block with padding that is not zero.

    Args:
        body: the compressed bytes.
        limit_bytes: largest size after decompression, in bytes.

    Raises:
        BodyTooLarge: the body expands beyond the limit.
        MalformedBody: the body is neither, is damaged, is cut short, or something follows it.
    """
    is_bare = body[:1] and body[0] & 0x0F != _DEFLATED
    return _inflate(BARE_DEFLATE if is_bare else ZLIB, body, limit_bytes)


def is_zlib(body: bytes) -> bool:
    """Whether a body begins as zlib does: with its only method, and a header that 31 divides."""
    return len(body) > 1 and body[0] & 0x0F == _DEFLATED and (body[0] << 8 | body[1]) % 31 == 0


def too_large_expanded(limit_bytes: int) -> BodyTooLarge:
    """The error of a body that expands beyond a limit, in bytes."""
    return BodyTooLarge(f"the body is larger than {limit_bytes} bytes after decompression")


def _inflate(wrapping: Wrapping, body: bytes | Iterable[bytes], limit_bytes: int) -> bytes:
    stream = BoundedInflate(wrapping, limit_bytes)
    for piece in _pieces(body) if isinstance(body, bytes) else body:
        stream.feed(piece)
    return stream.finish()


def _pieces(body: bytes) -> Iterator[bytes]:
    """Short pieces: what is left of one is copied at each step, which would be quadratic in the length of a body."""
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]
