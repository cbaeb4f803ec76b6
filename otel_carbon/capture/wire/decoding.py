"""Bodies decompressed beside the client, which does so for itself, in steps of bounded size."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEP_BYTES = 32_768


class _Decompressor(Protocol):
    def __call__(self, data: bytes, /) -> Iterator[bytes]: ...


def decoder_of(encoding: str) -> Callable[[bytes], Iterator[bytes]] | None:
    """What decompresses a body of this `Content-Encoding` piece by piece; `None` when it is not compressed.

    Raises:
        LookupError: the encoding is not known, or the package that knows it is not installed.
    """
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not names:
        return None
    if len(names) > 1 or names[0] not in _MAKERS:
        msg = f"bodies of encoding {encoding!r} are not read"
        raise LookupError(msg)
    return _MAKERS[names[0]]()


def _gzip() -> _Decompressor:
    return _inflating(zlib.MAX_WBITS | 16)


def _deflate() -> _Decompressor:
    """With or without the header of zlib: both are sent under this name."""
    chosen: list[_Decompressor] = []

    def decompress(data: bytes) -> Iterator[bytes]:
        if not chosen:
            headed = data[:1] and data[0] & 0x0F == zlib.DEFLATED
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
    process = brotli.Decompressor().process

    def decompress(data: bytes) -> Iterator[bytes]:
        yield process(data)

    return decompress


def _zstd() -> _Decompressor:
    module = _first_of("compression.zstd", "backports.zstd", "zstandard")
    decompressor = module.ZstdDecompressor()
    if module.__name__ == "zstandard":
        decompressor = decompressor.decompressobj()

    def decompress(data: bytes) -> Iterator[bytes]:
        yield decompressor.decompress(data)

    return decompress


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
