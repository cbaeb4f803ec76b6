"""The content encodings of OTLP/HTTP: each expands a body within a limit, whatever the body pretends to be."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.limits import expand_deflate, expand_zlib, gunzip, too_large_expanded

if TYPE_CHECKING:
    import cramjam

Expand = Callable[[bytes, int], bytes]
"""Expands a body up to a limit in bytes; raises `BodyTooLarge` beyond it and `MalformedBody` for what is damaged."""
Compression = Literal["gzip", "zstd", "zlib", "snappy", "deflate", "lz4", "x-snappy-framed"]

_SNAPPY_FRAMES = b"\xff\x06\x00\x00sNaPpY"
_IS_FULL = "failed to write whole buffer"
_LONGEST_REASON = 100
_ALIASES = {"x-gzip": "gzip"}
_PLAIN = ("", "identity")


def _expand_snappy(body: bytes, limit_bytes: int) -> bytes:
    """Decompress a snappy block, or snappy frames, which older collectors send under the same name.

    Args:
        body: the compressed bytes.
        limit_bytes: largest size after decompression, in bytes.

    Raises:
        BodyTooLarge: the body expands beyond the limit.
        MalformedBody: the body is neither, is damaged or is cut short.
    """
    if body.startswith(_SNAPPY_FRAMES):
        return _expand_frames("snappy", body, limit_bytes)
    import cramjam

    try:
        says_bytes = cramjam.snappy.decompress_raw_len(body)
    except cramjam.DecompressionError as error:
        raise _damaged("snappy", error) from error
    if says_bytes > limit_bytes:
        raise too_large_expanded(limit_bytes)
    return _expand("snappy", cramjam.snappy.decompress_raw_into, body, says_bytes)


def _expand_frames(codec: Literal["zstd", "lz4", "snappy"], body: bytes, limit_bytes: int) -> bytes:
    """Decompress frames, which in a row are one body (of zstd: RFC 8878).

    Raises:
        BodyTooLarge: the body expands beyond the limit.
        MalformedBody: the body is something else, is damaged or is cut short, or a window of zstd is above 128 MiB.
    """
    import cramjam

    return _expand(codec, getattr(cramjam, codec).decompress_into, body, limit_bytes)


_EXPANDING: dict[Compression, Expand] = {
    "gzip": gunzip,
    "zstd": partial(_expand_frames, "zstd"),
    "zlib": expand_zlib,
    "snappy": _expand_snappy,
    "deflate": expand_deflate,
    "lz4": partial(_expand_frames, "lz4"),
    "x-snappy-framed": partial(_expand_frames, "snappy"),
}
EVERY_COMPRESSION: tuple[Compression, ...] = tuple(_EXPANDING)


class ContentEncodings:
    """What a receiver takes; bodies without an encoding always, as OTLP demands.

    Args:
        compressions: which compressions it expands.
    """

    def __init__(self, compressions: Iterable[Compression] = EVERY_COMPRESSION) -> None:
        self.names = tuple(compressions)
        expanding: dict[str, Expand] = {name: _EXPANDING[name] for name in self.names}
        aliases = {alias: expanding[name] for alias, name in _ALIASES.items() if name in expanding}
        self._expanding: dict[str, Expand | None] = {**dict.fromkeys(_PLAIN), **expanding, **aliases}

    def expand_of(self, content_encoding: str) -> Expand | None:
        """What expands bodies under a header; None where there is nothing to expand.

        Raises:
            LookupError: it is not taken here.
        """
        if content_encoding in self._expanding:
            return self._expanding[content_encoding]
        return self._expanding[content_encoding.strip().lower()]


def _expand(name: str, decompress_into: Callable[[bytes, mmap.mmap], int], body: bytes, limit_bytes: int) -> bytes:
    """Expand into a room that has the size of the limit, and costs memory only where it is written.

    One byte more is room for the proof that the limit is crossed. The library lets other threads run meanwhile.
    """
    import cramjam

    with mmap.mmap(-1, limit_bytes + 1, access=mmap.ACCESS_COPY) as room:
        try:
            expanded_bytes = decompress_into(body, room)
        except cramjam.DecompressionError as error:
            if _IS_FULL in str(error):
                raise too_large_expanded(limit_bytes) from error
            raise _damaged(name, error) from error
        if expanded_bytes > limit_bytes:
            raise too_large_expanded(limit_bytes)
        return room[:expanded_bytes]


def _damaged(name: str, error: cramjam.DecompressionError) -> MalformedBody:
    return MalformedBody(f"the {name} stream is damaged: {str(error)[:_LONGEST_REASON]}")
