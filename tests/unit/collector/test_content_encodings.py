from __future__ import annotations

import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, NamedTuple

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.collector.receivers.content_encodings import EVERY_COMPRESSION, ContentEncodings
from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
TEXT = b"some spans, and some more of the same spans; " * 100
ENCODINGS = ContentEncodings()
SNAPPY_FRAMES = b"\xff\x06\x00\x00sNaPpY"


class Packed(NamedTuple):
    """One way to compress: under which name it is sent, how it is made, and whether two in a row are one body."""

    name: str
    pack: Callable[[bytes], bytes]
    may_repeat: bool


def bare_deflate(plain: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(plain) + stream.flush()


def snappy_frames(plain: bytes) -> bytes:
    """Frames, with their beginning also where there is nothing in them, as Go writes it."""
    return bytes(cramjam.snappy.compress(plain)) or SNAPPY_FRAMES


WAYS = {
    "gzip": Packed("gzip", lambda plain: zlib.compress(plain, wbits=31), may_repeat=True),
    "zlib": Packed("zlib", zlib.compress, may_repeat=False),
    "deflate in zlib": Packed("deflate", zlib.compress, may_repeat=False),
    "bare deflate": Packed("deflate", bare_deflate, may_repeat=False),
    "zstd": Packed("zstd", lambda plain: bytes(cramjam.zstd.compress(plain)), may_repeat=True),
    "lz4": Packed("lz4", lambda plain: bytes(cramjam.lz4.compress(plain)), may_repeat=True),
    "snappy block": Packed("snappy", lambda plain: bytes(cramjam.snappy.compress_raw(plain)), may_repeat=False),
    "snappy frames": Packed("snappy", snappy_frames, may_repeat=True),
    "x-snappy-framed": Packed("x-snappy-framed", snappy_frames, may_repeat=True),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def expand(name: str, body: bytes, limit_bytes: int = MIB) -> bytes:
    expanding = ENCODINGS.expand_of(name)
    assert expanding is not None
    return expanding(body, limit_bytes)


def test_every_compression_has_a_way_to_be_made_here() -> None:
    assert {way.name for way in WAYS.values()} == set(EVERY_COMPRESSION)


@EVERY_WAY
@pytest.mark.parametrize("plain", [b"", b"x", TEXT], ids=["nothing", "one byte", "text"])
def test_what_was_compressed_comes_back(way: Packed, plain: bytes) -> None:
    assert expand(way.name, way.pack(plain)) == plain


@EVERY_WAY
def test_the_limit_itself_is_allowed_and_one_byte_more_is_not(way: Packed) -> None:
    assert expand(way.name, way.pack(TEXT), len(TEXT)) == TEXT
    with pytest.raises(BodyTooLarge, match=f"larger than {len(TEXT) - 1} bytes after decompression"):
        expand(way.name, way.pack(TEXT), len(TEXT) - 1)


@EVERY_WAY
def test_a_body_that_is_cut_short_anywhere_is_refused(way: Packed) -> None:
    packed = way.pack(TEXT)
    # Frames of snappy have no end of their own: what is cut behind its name is an empty body.
    whole_after_bytes = {0, len(SNAPPY_FRAMES)} if packed.startswith(SNAPPY_FRAMES) else {0}
    for kept in set(range(len(packed))) - whole_after_bytes:
        with pytest.raises(MalformedBody):
            expand(way.name, packed[:kept])


@EVERY_WAY
def test_two_in_a_row_are_one_body_where_the_format_says_so_and_refused_elsewhere(way: Packed) -> None:
    twice = way.pack(TEXT) * 2
    if way.may_repeat:
        assert expand(way.name, twice) == TEXT * 2
        with pytest.raises(BodyTooLarge):
            expand(way.name, twice, len(TEXT) * 2 - 1)
    else:
        with pytest.raises(MalformedBody):
            expand(way.name, twice)


@EVERY_WAY
@pytest.mark.parametrize("rest", [b"\x00", b"garbage"])
def test_garbage_behind_the_end_is_refused(way: Packed, rest: bytes) -> None:
    with pytest.raises(MalformedBody):
        expand(way.name, way.pack(TEXT) + rest)


@pytest.mark.parametrize("name", EVERY_COMPRESSION)
@pytest.mark.parametrize("body", [b"no such stream at all", b"\xff" * 40], ids=["text", "ones"])
def test_what_is_of_no_such_kind_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(MalformedBody, match="damaged"):
        expand(name, body)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(EVERY_COMPRESSION), body=st.binary(min_size=1, max_size=300))
def test_any_bytes_are_expanded_or_refused(name: str, body: bytes) -> None:
    expands_or_refuses(name, body)


@settings(max_examples=300, deadline=None)
@given(
    way=st.sampled_from(list(WAYS.values())),
    at=st.integers(min_value=0, max_value=10_000),
    flip=st.integers(min_value=1, max_value=255),
)
def test_damage_anywhere_is_expanded_or_refused(way: Packed, at: int, flip: int) -> None:
    packed = bytearray(way.pack(TEXT))
    packed[at % len(packed)] ^= flip
    expands_or_refuses(way.name, bytes(packed))


def expands_or_refuses(name: str, body: bytes) -> None:
    limit_bytes = 64 * 1024
    try:
        expanded = expand(name, body, limit_bytes)
    except (MalformedBody, BodyTooLarge) as refusal:
        expanded = str(refusal).encode()
    assert len(expanded) <= limit_bytes


def test_zlib_and_bare_deflate_are_told_apart_at_every_level_and_window() -> None:
    for level in range(10):
        for window_bits in range(9, 16):
            wrapped = zlib.compressobj(level, wbits=window_bits)
            bare = zlib.compressobj(level, wbits=-window_bits)
            assert expand("deflate", wrapped.compress(TEXT) + wrapped.flush()) == TEXT
            assert expand("deflate", bare.compress(TEXT) + bare.flush()) == TEXT


def test_bare_deflate_is_not_taken_for_zlib() -> None:
    with pytest.raises(MalformedBody):
        expand("zlib", bare_deflate(TEXT))


@pytest.mark.parametrize("name", ["GZIP", " gzip ", "X-Gzip", "Zstd"])
def test_case_spaces_and_the_old_name_of_gzip_do_not_matter(name: str) -> None:
    assert ENCODINGS.expand_of(name) is ENCODINGS.expand_of("zstd" if "Z" in name[0] else "gzip")


def test_only_what_is_named_is_taken_and_what_has_no_encoding_always() -> None:
    only_zstd = ContentEncodings(["zstd"])
    assert only_zstd.expand_of("zstd") is not None
    assert (only_zstd.expand_of(""), only_zstd.expand_of("identity"), only_zstd.expand_of("Identity")) == (None,) * 3
    for name in ("gzip", "x-gzip", "deflate", "br", "zstd, gzip"):
        with pytest.raises(LookupError):
            only_zstd.expand_of(name)


BOMB = """
import sys, zlib, cramjam
from otel_carbon.collector.receivers.content_encodings import ContentEncodings
from otel_carbon.errors import BodyTooLarge

MIB = 1024 * 1024
name, kind, limit_mib = sys.argv[1], sys.argv[2], int(sys.argv[3])

def zipped(bits):
    stream = zlib.compressobj(9, wbits=bits)
    return b"".join([*(stream.compress(bytes(MIB)) for _ in range(400)), stream.flush()])

def widest_window():
    # Repeated bytes with the largest window that is read, 128 MiB, of which it must not take more than is written.
    block = (128 * 1024 << 3 | 0b010).to_bytes(3, "little") + b"x"
    return bytes([0x28, 0xB5, 0x2F, 0xFD, 0x00, (27 - 10) << 3]) + block * 3200 + b"\\x01\\x00\\x00"

make = {
    "gzip": lambda: zipped(31), "zlib": lambda: zipped(15), "bare": lambda: zipped(-15),
    "zstd": lambda: bytes(cramjam.zstd.compress(bytes(MIB))) * 400, "window": widest_window,
    "lz4": lambda: bytes(cramjam.lz4.compress(bytes(MIB))) * 400,
    "frames": lambda: bytes(cramjam.snappy.compress(bytes(MIB))) * 400,
    "block": lambda: bytes(cramjam.snappy.compress_raw(bytes(400 * MIB))),
    "lying": lambda: b"\\xff\\xff\\xff\\xff\\x0f" + b"\\x00x" * 1000,
}
def highest_mib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

bomb = make[kind]()
open("/proc/self/clear_refs", "w").write("5")  # begin to watch for the highest anew
before = highest_mib()
try:
    ContentEncodings().expand_of(name)(bomb, limit_mib * MIB)
except BodyTooLarge:
    print(highest_mib() - before)
"""
KINDS = [
    ("gzip", "gzip"),
    ("zlib", "zlib"),
    ("deflate", "zlib"),
    ("deflate", "bare"),
    ("zstd", "zstd"),
    ("zstd", "window"),
    ("lz4", "lz4"),
    ("snappy", "frames"),
    ("snappy", "block"),
    ("snappy", "lying"),
    ("x-snappy-framed", "frames"),
]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_bomb_takes_no_more_memory_than_twice_the_limit(name: str, kind: str) -> None:
    limit_mib = 16
    ran = subprocess.run(
        [sys.executable, "-c", BOMB, name, kind, str(limit_mib)], capture_output=True, text=True, check=True
    )
    # 400 MiB are in the bomb; the limit, and as much again for what the library keeps or Python copies.
    assert float(ran.stdout) < 2 * limit_mib + 4, ran.stderr
