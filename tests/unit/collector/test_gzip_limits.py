from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.limits import BoundedInflate, gunzip

MIB = 1024 * 1024


def zeros_gzipped(size_mib: int) -> bytes:
    """Compress without ever holding the expanded zeros, so that memory figures are those of the reader."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(compressor.compress(bytes(MIB)) for _ in range(size_mib)), compressor.flush()])


def test_a_gzip_bomb_never_expands_far_beyond_the_limit() -> None:
    bomb = zeros_gzipped(200)
    assert len(bomb) < MIB
    tracemalloc.start()
    with pytest.raises(BodyTooLarge, match=f"larger than {MIB} bytes after decompression"):
        gunzip(bomb, limit_bytes=MIB)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The expanded megabyte, its growth by copying, and what is left of the compressed input.
    assert peak_bytes < 5 * MIB


def test_a_bomb_fed_in_small_pieces_is_stopped_as_well() -> None:
    bomb = zeros_gzipped(4)
    pieces = (bomb[start : start + 100] for start in range(0, len(bomb), 100))
    with pytest.raises(BodyTooLarge):
        gunzip(pieces, limit_bytes=MIB)


def test_the_limit_itself_is_allowed_and_one_byte_more_is_not() -> None:
    assert gunzip(gzip.compress(b"x" * 1000), limit_bytes=1000) == b"x" * 1000
    with pytest.raises(BodyTooLarge):
        gunzip(gzip.compress(b"x" * 1001), limit_bytes=1000)


def test_several_gzip_members_are_one_body() -> None:
    assert gunzip(gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"


def test_members_together_may_not_cross_the_limit() -> None:
    with pytest.raises(BodyTooLarge):
        gunzip(gzip.compress(b"x" * 600) * 2, limit_bytes=1000)


@pytest.mark.parametrize("cut", [1, 5, 8, 12])
def test_a_truncated_stream_is_refused(cut: int) -> None:
    with pytest.raises(MalformedBody, match="cut short"):
        gunzip(gzip.compress(b"some spans")[:-cut])


def test_a_second_member_that_is_truncated_is_refused() -> None:
    with pytest.raises(MalformedBody):
        gunzip(gzip.compress(b"one") + gzip.compress(b"two")[:-3])


def test_a_wrong_checksum_is_refused() -> None:
    damaged = bytearray(gzip.compress(b"some spans"))
    damaged[-5] ^= 0xFF
    with pytest.raises(MalformedBody, match="damaged"):
        gunzip(bytes(damaged))


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"one") + b"trailing garbage"])
def test_what_is_not_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody, match="damaged"):
        gunzip(body)


def test_an_empty_body_is_no_gzip_stream() -> None:
    with pytest.raises(MalformedBody, match="empty"):
        BoundedInflate().finish()


def test_a_body_of_very_many_members_is_refused_before_it_takes_minutes() -> None:
    a_million_members = gzip.compress(b"") * 1_000_000  # 20 MB
    with pytest.raises(MalformedBody, match="more than 10000 members"):
        gunzip(a_million_members)
