"""Appending bytes to spans inside an OTLP traces request, everything else byte for byte as it came.

Hand-written wire walking is allowed here and nowhere else: it costs a fifth of decoding and encoding the request
(`tests/bench`), and unknown fields, their order and duplicate keys survive. `plain.py` is the oracle.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.any_value import varint_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_RESOURCE_SPANS_TAG = 0x0A  # field 1 of the request
_SCOPE_SPANS_TAG = 0x12  # field 2 of ResourceSpans
_SPAN_TAG = 0x12  # field 2 of ScopeSpans
_HEADER_TAG = 0x0A  # field 1 of either: the resource, the scope

_VARINT, _LENGTH = 0, 2
_FIXED_SIZES = {1: 8, 5: 4}
_ONE_BYTE = 0x80
_MAX_SHIFT = 63


Slot = tuple[int, int, int]
"""Where a length-delimited field is in the body: its length, and the start and end of its content."""
_END = itemgetter(2)


@dataclass(slots=True)
class ScopeSlots:
    """The spans of one scope; `header` is the encoded scope."""

    slot: Slot
    header: bytes = b""
    spans: list[Slot] = field(default_factory=list)


@dataclass(slots=True)
class ResourceSlots:
    """The scopes of one resource; `header` is the encoded resource."""

    slot: Slot
    header: bytes = b""
    scopes: list[ScopeSlots] = field(default_factory=list)


def find_spans(body: bytes) -> list[ResourceSlots]:
    """Locate every span of an `ExportTraceServiceRequest`.

    Raises:
        MalformedBody: the bytes down to the spans are no such request.
    """
    fields = _fields(body, 0, len(body))
    return [_resource_slots(body, slot) for tag, slot in fields if tag == _RESOURCE_SPANS_TAG]


def spans_holding(body: bytes, scope: ScopeSlots, texts: Iterable[bytes]) -> list[Slot]:
    """The spans of a scope whose bytes hold one of some texts, in order.

    The scope is searched as a whole, so spans between two finds are not looked at one by one.
    """
    spans, found = scope.spans, set()
    _, scope_start, scope_end = scope.slot
    for text in texts:
        i, at = 0, body.find(text, scope_start, scope_end)
        while at >= 0:
            i = bisect_right(spans, at, i, key=_END) if i < len(spans) and spans[i][2] <= at else i
            if i == len(spans):
                break
            _, start, end = spans[i]
            if start <= at <= end - len(text) or body.find(text, start, end) >= 0:
                found.add(i)
            i, at = i + 1, body.find(text, end, scope_end)
    return spans if len(found) == len(spans) else [spans[i] for i in sorted(found)]


def append_to_spans(body: bytes, resources: list[ResourceSlots], added: Mapping[int, bytes]) -> bytes:
    """The body with bytes appended to some spans; only the lengths above those spans are written anew.

    `added` is keyed by where a span's content starts.
    """
    if not added:
        return body
    pieces: list[bytes] = []
    last = 0
    for resource in resources:
        grown = _Grown(resource.slot)
        for scope in resource.scopes:
            grown.take(body, _grown_scope(body, scope, added))
        last = grown.write(body, pieces, last)
    pieces.append(body[last:])
    return b"".join(pieces)


class _Grown:
    """A field whose content grows: the pieces of its new content up to `last`, the rest of which is as it was."""

    __slots__ = ("growth", "last", "pieces", "slot")

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.growth = 0
        self.pieces: list[bytes] = []
        self.last = slot[1]

    def take(self, body: bytes, inner: _Grown) -> None:
        """Take over what became of a field inside."""
        length_at, start, end = inner.slot
        if inner.growth:
            self.growth += inner.growth + len(varint_bytes(end - start + inner.growth)) - (start - length_at)
            self.last = inner.write(body, self.pieces, self.last)

    def write(self, body: bytes, pieces: list[bytes], last: int) -> int:
        """Write what is before the field, its new length and its pieces; returns up to where the body is copied."""
        if not self.growth:
            return last
        length_at, start, end = self.slot
        pieces += (body[last:length_at], varint_bytes(end - start + self.growth))
        pieces += self.pieces
        return self.last


def _grown_scope(body: bytes, scope: ScopeSlots, added: Mapping[int, bytes]) -> _Grown:
    grown = _Grown(scope.slot)
    pieces, last, growth = grown.pieces, grown.last, 0
    for length_at, start, end in scope.spans:
        extra = added.get(start)
        if extra is not None:
            length = varint_bytes(end - start + len(extra))
            pieces += (body[last:length_at], length, body[start:end], extra)
            growth += len(extra) + len(length) - (start - length_at)
            last = end
    grown.last, grown.growth = last, growth
    return grown


def _resource_slots(body: bytes, slot: Slot) -> ResourceSlots:
    found = ResourceSlots(slot)
    for tag, inner in _fields(body, slot[1], slot[2]):
        if tag == _SCOPE_SPANS_TAG:
            found.scopes.append(_scope_slots(body, inner))
        elif tag == _HEADER_TAG:
            found.header += body[inner[1] : inner[2]]  # repeated messages merge, as concatenated bytes do
    return found


def _scope_slots(body: bytes, slot: Slot) -> ScopeSlots:
    found = ScopeSlots(slot)
    for tag, inner in _fields(body, slot[1], slot[2]):
        if tag == _SPAN_TAG:
            found.spans.append(inner)
        elif tag == _HEADER_TAG:
            found.header += body[inner[1] : inner[2]]
    return found


def _fields(body: bytes, start: int, end: int) -> list[tuple[int, Slot]]:
    """The length-delimited fields between two places; all others are stepped over."""
    found: list[tuple[int, Slot]] = []
    at = start
    try:
        while at < end:
            tag_at = at
            tag = body[at]
            at += 1
            if tag >= _ONE_BYTE:  # a large field number, or a small one spelled at length
                tag, at = _varint(body, tag_at)
            if tag & 7 != _LENGTH or tag < 1 << 3:
                at = _after_field(body, tag_at)
                continue
            length_at = at
            size = body[at]
            at += 1
            if size >= _ONE_BYTE:
                size, at = _varint(body, length_at)
            found.append((tag, (length_at, at, at + size)))
            at += size
    except IndexError:
        at = -1
    if at != end:
        msg = f"not an OTLP traces request: the bytes break off or make no sense after byte {start}"
        raise MalformedBody(msg)
    return found


def field_at(body: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the field at a place, where its content or its number starts, and where the next field is.

    Raises:
        IndexError: it is no field.
    """
    tag, start = _varint(body, at)
    if tag & 7 == _LENGTH and tag >= 1 << 3:
        size, start = _varint(body, start)
        return tag, start, start + size
    return tag, start, _after_field(body, at)


def _after_field(body: bytes, tag_at: int) -> int:
    """Where the field after the one at `tag_at` starts; `IndexError` when it is no field."""
    tag, at = _varint(body, tag_at)
    wire_type = tag & 7
    if tag >> 3 == 0:
        raise IndexError
    if wire_type == _VARINT:
        return _varint(body, at)[1]
    if wire_type == _LENGTH:
        size, at = _varint(body, at)
        return at + size
    if wire_type in _FIXED_SIZES:
        return at + _FIXED_SIZES[wire_type]
    raise IndexError  # groups have not been written since proto2


def _varint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < _ONE_BYTE:
            return number, at
        shift += 7
        if shift > _MAX_SHIFT:
            raise IndexError
