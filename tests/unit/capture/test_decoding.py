from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from otel_carbon.capture.wire import decoding
from otel_carbon.capture.wire.decoding import decoder_of

BODY = b'{"usage": {"prompt_tokens": 7}}' * 50


COMPRESSED = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}


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


@pytest.mark.parametrize("encoding", ["", "identity", " , ", "compress", "utf-8", "none", "\xff"])
def test_a_body_without_an_encoding_that_clients_undo_needs_no_decoder(encoding: str) -> None:
    assert decoder_of(encoding) is None


def test_encodings_on_top_of_each_other_are_undone_from_the_last_to_the_first() -> None:
    decode = decoder_of("deflate, utf-8, gzip")
    assert decode is not None
    body = gzip.compress(zlib.compress(b"x" * 100_000))
    assert b"".join(piece for at in range(0, len(body), 7) for piece in decode(body[at : at + 7])) == b"x" * 100_000


def test_an_empty_first_piece_of_deflate_says_nothing_of_its_header() -> None:
    decode = decoder_of("deflate")
    assert decode is not None
    body = (b"", zlib.compress(b"hello"))
    assert b"".join(piece for part in body for piece in decode(part)) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_grows_without_end_comes_in_pieces_of_bounded_size(encoding: str) -> None:
    decode = decoder_of(encoding)
    assert decode is not None
    body = COMPRESSED[encoding](bytes(30_000_000))
    sizes = [len(piece) for piece in decode(body)]
    assert (sum(sizes), max(sizes) <= 4_000_000) == (30_000_000, True)


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
