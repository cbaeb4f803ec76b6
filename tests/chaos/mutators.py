"""Ways to damage a body: blindly, along the fields of protobuf, and along the tree of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.chaos import wire

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    Mutator = Callable[[random.Random, bytes], bytes]


HUGE_VARINTS = (b"\xff\xff\xff\xff\x07", b"\xff" * 9 + b"\x01", b"\xff" * 10 + b"\x7f", b"\x80" * 12)
NOT_UTF8 = (b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x00", b"\xe2\x82")
ODD_BYTES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x0a\x00", b"\x0b", b"\x0c", b"\x1f\x8b")
ODD_JSON_TEXTS = (
    b"1e999", b"-1e999", b"NaN", b"Infinity", b"-0", b"1" * 400, b'"\\ud800"', b'"\\u0000"', b"null", b"[]", b"{}",
    b'""', b"true", b"18446744073709551616", b'"-9223372036854775809"', b"1.5", b"[[]]", b'{"":{"":{}}}',
)  # fmt: skip
ODD_JSON_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, -(2**63) - 1, 2**200, 1.5, float("nan"), float("inf"), "", "x" * 5000, "\ud800", "\0",
    "ff" * 16, "not hex", [], {}, [[]], [None], {"": None}, {"value": {"stringValue": 1}}, "1e5", "0x10", " 1",
)  # fmt: skip
DEEPEST = 3000
_LONGEST_PIECE_BYTES = 64


def mutated_protobuf(source: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """A body with one to four damages."""
    for _ in range(source.choice((1, 1, 1, 2, 2, 4))):
        kind = source.random()
        if kind < 0.35:
            body = source.choice(_BLIND)(source, body)
        elif kind < 0.45:
            body = splice(source, body, source.choice(others))
        else:
            body = inside(source, body, source.choice(_BLIND + _WIRE))
    return body


def mutated_json(source: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """A JSON body with one to four damages: half of them to its text, half to its tree."""
    for _ in range(source.choice((1, 1, 1, 2, 2, 4))):
        kind = source.random()
        if kind < 0.25:
            body = source.choice(_BLIND)(source, body)
        elif kind < 0.3:
            body = splice(source, body, source.choice(others))
        elif kind < 0.5:
            body = source.choice((odd_token, deep_json, doubled_key))(source, body)
        else:
            body = changed_tree(source, body)
    return body


def flip_bits(source: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(source.choice((1, 1, 2, 8))):
        if changed:
            changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


def cut(source: random.Random, body: bytes) -> bytes:
    return body[: source.randrange(len(body) + 1)]


def cut_out(source: random.Random, body: bytes) -> bytes:
    start, end = _stretch(source, body)
    return body[:start] + body[end:]


def repeat(source: random.Random, body: bytes) -> bytes:
    start, end = _stretch(source, body)
    return body[:end] + body[start:end] * source.choice((1, 2, 50)) + body[end:]


def overwrite(source: random.Random, body: bytes) -> bytes:
    odd = source.choice(ODD_BYTES + HUGE_VARINTS + NOT_UTF8)
    at = source.randrange(len(body) + 1)
    return body[:at] + odd + body[at + len(odd) :]


def insert(source: random.Random, body: bytes) -> bytes:
    odd = source.choice(ODD_BYTES + HUGE_VARINTS + NOT_UTF8)
    at = source.randrange(len(body) + 1)
    return body[:at] + odd + body[at:]


def splice(source: random.Random, body: bytes, other: bytes) -> bytes:
    """The begin of one body and the end of another one."""
    return body[: source.randrange(len(body) + 1)] + other[source.randrange(len(other) + 1) :]


def inside(source: random.Random, body: bytes, change: Mutator, depth: int = 0) -> bytes:
    """Damage a message somewhere inside, with all lengths around it put right, so that the damage is reached."""
    try:
        nested = [
            found for found in wire.split(body) if found.wire_type == wire.LENGTH and found.end > found.value_start
        ]
    except wire.NotWire:
        nested = []
    if not nested or (depth and source.random() < 0.25):
        return change(source, body)
    chosen = source.choice(nested)
    value = inside(source, body[chosen.value_start : chosen.end], change, depth + 1)
    return body[: chosen.start] + wire.field(chosen.number, value) + body[chosen.end :]


def double_field(source: random.Random, body: bytes) -> bytes:
    chosen = _any_field(source, body)
    return body + body[chosen.start : chosen.end] * source.choice((1, 1, 3, 200)) if chosen else insert(source, body)


def retype_field(source: random.Random, body: bytes) -> bytes:
    """Give a field another wire type, one that there is not among them, and leave its bytes."""
    chosen = _any_field(source, body)
    if not chosen:
        return overwrite(source, body)
    tag = wire.varint(chosen.number << 3 | source.randrange(8))
    return body[: chosen.start] + tag + body[chosen.value_start :]


def renumber_field(source: random.Random, body: bytes) -> bytes:
    chosen = _any_field(source, body)
    if not chosen:
        return overwrite(source, body)
    number = source.choice((0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 15, 16, 18999, 19000, 2**29 - 1, 2**29, 2**61))
    if chosen.wire_type == wire.LENGTH:
        return body[: chosen.start] + wire.field(number, body[chosen.value_start : chosen.end]) + body[chosen.end :]
    return body[: chosen.start] + wire.varint(number << 3 | chosen.wire_type) + body[chosen.value_start :]


def wrong_length(source: random.Random, body: bytes) -> bytes:
    chosen = _any_field(source, body)
    if not chosen or chosen.wire_type != wire.LENGTH:
        return overwrite(source, body)
    size = chosen.end - chosen.value_start
    length = source.choice((*HUGE_VARINTS, wire.varint(size + 1), wire.varint(max(0, size - 1)), wire.varint(2**31)))
    return body[: chosen.start] + wire.varint(chosen.number << 3 | wire.LENGTH) + length + body[chosen.value_start :]


def long_varint(source: random.Random, body: bytes) -> bytes:
    """Put a number where a number was, or anywhere: too long, too large, or written with more bytes than it needs."""
    numbers = (*HUGE_VARINTS, wire.varint(2**64 - 1), wire.varint(2**63), b"\x81\x80\x80\x00", b"\x80\x80\x00")
    chosen = _any_field(source, body)
    if not chosen or chosen.wire_type != wire.VARINT:
        return body + wire.varint(source.randrange(1, 20) << 3) + source.choice(numbers)
    return body[: chosen.value_start] + source.choice(numbers) + body[chosen.end :]


def nest_deeply(source: random.Random, body: bytes) -> bytes:
    """Nest a message in itself, by a field that may be recursive: values in arrays and maps in values."""
    value = body[: source.randrange(len(body) + 1)]
    path = source.choice(((5, 1), (6, 1, 2), (1,), (2,), (3,), (9, 2, 5, 1)))
    for _ in range(source.choice((20, 60, 101, 150, DEEPEST // len(path)))):
        for number in reversed(path):
            value = wire.field(number, value)
    return value if source.random() < 0.5 else body + value


def open_groups(source: random.Random, body: bytes) -> bytes:
    number = source.randrange(1, 20)
    opened = wire.varint(number << 3 | wire.START_GROUP) * source.choice((1, 50, 200, DEEPEST))
    closed = wire.varint(number << 3 | wire.END_GROUP) * source.choice((0, 1, 50, 200, DEEPEST))
    return body + opened + closed


def odd_token(source: random.Random, body: bytes) -> bytes:
    start, end = _stretch(source, body)
    return body[:start] + source.choice(ODD_JSON_TEXTS + NOT_UTF8) + body[end:]


def deep_json(source: random.Random, body: bytes) -> bytes:
    depth = source.choice((50, 500, 1100, 20_000))
    opened, closed = source.choice(((b"[", b"]"), (b'{"arrayValue":{"values":[', b"]}}"), (b'{"a":', b"}")))
    deep = opened * depth + (b"1" if opened != b'{"arrayValue":{"values":[' else b"") + closed * depth
    if source.random() < 0.3:
        return deep
    return body.replace(b'{"stringValue"', deep + b',{"stringValue"', 1)


def doubled_key(source: random.Random, body: bytes) -> bytes:
    at = body.find(b"{", source.randrange(len(body) + 1)) + 1
    key = source.choice((b"resourceSpans", b"attributes", b"value", b"spans", b"traceId", b"__proto__", b""))
    return body[:at] + b'"' + key + b'":' + source.choice(ODD_JSON_TEXTS) + b"," + body[at:]


def changed_tree(source: random.Random, body: bytes) -> bytes:
    """Put something else in one place of the tree."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return odd_token(source, body)
    if not isinstance(document, dict | list):
        return odd_token(source, body)
    holder: Any = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return odd_token(source, body)
        key = source.choice(keys)
        if isinstance(holder[key], dict | list) and source.random() < 0.85:
            holder = holder[key]
        else:
            break
    holder[key] = source.choice(ODD_JSON_VALUES)
    return json.dumps(document, ensure_ascii=source.random() < 0.7).encode("utf-8", "surrogatepass")


def _stretch(source: random.Random, body: bytes) -> tuple[int, int]:
    start = source.randrange(len(body) + 1)
    return start, min(len(body), start + source.randrange(_LONGEST_PIECE_BYTES))


def _any_field(source: random.Random, body: bytes) -> wire.Field | None:
    try:
        found = wire.split(body)
    except wire.NotWire:
        return None
    return source.choice(found) if found else None


_BLIND: tuple[Mutator, ...] = (flip_bits, cut, cut_out, repeat, overwrite, insert)
_WIRE: tuple[Mutator, ...] = (
    double_field, retype_field, renumber_field, wrong_length, long_varint, nest_deeply, open_groups,
)  # fmt: skip
