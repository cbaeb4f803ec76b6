"""Bodies decompressed beside the client, which does so for itself, in steps of bounded size."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEP_BYTES = 32_768
MAX_ENCODINGS = 4
SMALL_PART_BYTES = 256


class _Decompressor(Protocol):
    def __call__(self, data: bytes, /) -> Iterator[bytes]: ...


def decoder_of(encoding: str) -> Callable[[bytes], Iterator[bytes]] | None:
    """What decompresses a body of this `Content-Encoding` piece by piece; `None` when it is not compressed.

    As the clients do, it passes over names that it does not know, and undoes several from the last to the first.

    Raises:
        LookupError: the package that knows the encoding is not installed.
    """
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) in _MAKERS]
    decoder = None
    for name in reversed(names[-MAX_ENCODINGS:]):
        made = _MAKERS[name]()
        decoder = made if decoder is None else _one_after_another(decoder, made)
    return decoder


def _one_after_another(first: _Decompressor, second: _Decompressor) -> _Decompressor:
    def decompress(data: bytes) -> Iterator[bytes]:
        for piece in first(data):
            yield from second(piece)

    return decompress


def _gzip() -> _Decompressor:
    return _inflating(zlib.MAX_WBITS | 16)


def _deflate() -> _Decompressor:
    """With or without the header of zlib: both are sent under this name."""
    chosen: list[_Decompressor] = []

    def decompress(data: bytes) -> Iterator[bytes]:
        if not data:
            return iter(())
        if not chosen:
            headed = data[0] & 0x0F == zlib.DEFLATED
            chosen.append(_inflating(zlib.MAX_WBITS if headed else -zlib.MAX_WBITS))
        return chosen[0](data)

    return decompress


def _inflating(window_bits: int) -> _Decompressor:
    inflater = zlib.decompressobj(window_bits)

    def decompress(data: bytes) -> Iterator[bytes]:
        while data and not inflater.eof:
            yield inflater.decompress(data, STEP_BYTES)
            data = inflater.unconsumed_tail

    return decompress


def _brotli() -> _Decompressor:
    brotli = _first_of("brotli", "brotlicffi")
    decompressor = brotli.Decompressor()
    process = decompressor.process

    def decompress(data: bytes) -> Iterator[bytes]:
        piece = process(data, output_buffer_limit=STEP_BYTES)
        while piece or not decompressor.can_accept_more_data():
            yield piece
            piece = process(b"", output_buffer_limit=STEP_BYTES)

    return decompress if hasattr(decompressor, "can_accept_more_data") else _in_small_parts(process)


def _zstd() -> _Decompressor:
    module = _first_of("compression.zstd", "backports.zstd", "zstandard")
    decompressor = module.ZstdDecompressor()
    if module.__name__ == "zstandard":
        return _in_small_parts(decompressor.decompressobj().decompress)

    def decompress(data: bytes) -> Iterator[bytes]:
        yield decompressor.decompress(data, STEP_BYTES)
        while not (decompressor.needs_input or decompressor.eof):
            yield decompressor.decompress(b"", STEP_BYTES)

    return decompress


def _in_small_parts(decompress: Callable[[bytes], bytes]) -> _Decompressor:
    """For packages that know no bound of their output: little in at a time, so that little comes out."""

    def decompressed(data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), SMALL_PART_BYTES):
            yield decompress(data[at : at + SMALL_PART_BYTES])

    return decompressed


def _first_of(*names: str) -> Any:  # noqa: ANN401 - a module that ships no types
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    msg = f"none of {', '.join(names)} is installed"
    raise LookupError(msg)


_MAKERS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
