"""Decompress gzip bodies without ever holding more than a limit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_MEMBERS = 10_000
"""Senders make one; a body of nothing but beginnings of members would take hours."""
_PIECE_BYTES = 64 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # 16 tells zlib to expect a gzip header and to check the trailer


class BoundedGunzip:
    """Decompresses a gzip stream piece by piece and stops at a limit.

    zlib is never asked for more output than what is left of the limit, so a body that would expand a
    thousandfold costs the limit and no more. Several gzip members in a row are one stream, as RFC 1952 says.

    Args:
        limit_bytes: largest size after decompression, in bytes.
    """

    __slots__ = ("_expanded", "_limit_bytes", "_member", "_members")

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._expanded = bytearray()
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._members = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the compressed stream.

        Raises:
            BodyTooLarge: the stream expands beyond the limit.
            MalformedBody: the stream is not gzip, or is damaged.
        """
        pending = piece
        while pending:
            pending = self._expand(pending)

    def finish(self) -> bytes:
        """Return everything that was expanded.

        Raises:
            MalformedBody: the stream ended before its trailer.
        """
        if self._members and not self._member.eof:
            raise MalformedBody("the gzip stream is cut short")
        if not self._members:
            raise MalformedBody("the gzip stream is empty")
        return bytes(self._expanded)

    def _expand(self, pending: bytes) -> bytes:
        """Expand one step; returns what is still to be expanded."""
        if self._member.eof or not self._members:
            self._begin_member()
        # One byte more than what is left: its arrival proves that the limit is crossed.
        allowance = self._limit_bytes - len(self._expanded) + 1
        try:
            self._expanded += self._member.decompress(pending, allowance)
        except zlib.error as error:
            raise MalformedBody(f"the gzip stream is damaged: {error}") from error
        if len(self._expanded) > self._limit_bytes:
            raise BodyTooLarge(f"the body is larger than {self._limit_bytes} bytes after decompression")
        return self._member.unused_data or self._member.unconsumed_tail

    def _begin_member(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._members += 1
        if self._members > MAX_GZIP_MEMBERS:
            raise MalformedBody(f"the gzip stream has more than {MAX_GZIP_MEMBERS} members")


def gunzip(body: bytes | Iterable[bytes], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> bytes:
    """Decompress a whole gzip body, given at once or in pieces.

    Args:
        body: the compressed bytes, or pieces of them in order.
        limit_bytes: largest size after decompression, in bytes.

    Raises:
        BodyTooLarge: the body expands beyond the limit.
        MalformedBody: the body is not gzip, is damaged or is cut short.
    """
    stream = BoundedGunzip(limit_bytes)
    for piece in _pieces(body) if isinstance(body, bytes) else body:
        stream.feed(piece)
    return stream.finish()


def _pieces(body: bytes) -> Iterator[bytes]:
    """Short pieces: what is left of one is copied at each step, which would be quadratic in the length of a body."""
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]
