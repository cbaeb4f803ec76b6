from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from otel_carbon.capture.wire import decoding
from otel_carbon.capture.wire.decoding import decoder_of

BODY = b'{"usage": {"prompt_tokens": 7}}' * 50


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        (" GZip , identity", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
        ("br", brotli.compress(BODY)),
        ("zstd", zstandard.compress(BODY)),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_is_decompressed_in_any_pieces(encoding: str, packed: bytes, size: int) -> None:
    decode = decoder_of(encoding)
    assert decode is not None
    assert b"".join(part for at in range(0, len(packed), size) for part in decode(packed[at : at + size])) == BODY


@pytest.mark.parametrize("encoding", ["", "identity", " , "])
def test_a_body_that_is_not_compressed_needs_no_decoder(encoding: str) -> None:
    assert decoder_of(encoding) is None


@pytest.mark.parametrize("encoding", ["compress", "gzip, br", "\xff"])
def test_an_encoding_that_is_not_known_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(LookupError, match=r"bodies of encoding .* are not read"):
        decoder_of(encoding)


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_nothing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(decoding, "import_module", import_nothing)
    with pytest.raises(LookupError, match="none of brotli, brotlicffi is installed"):
        decoder_of("br")


def test_what_swells_comes_in_bounded_steps() -> None:
    decode = decoder_of("gzip")
    assert decode is not None
    parts = [len(part) for part in decode(gzip.compress(b"\0" * 10_000_000))]
    assert sum(parts) == 10_000_000
    assert max(parts) <= decoding.STEP_BYTES


def test_what_follows_the_end_of_a_body_is_nothing() -> None:
    decode = decoder_of("gzip")
    assert decode is not None
    assert b"".join(decode(gzip.compress(BODY) + b"trailing")) == BODY
    assert list(decode(b"more")) == []
