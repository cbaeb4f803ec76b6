"""Appending bytes to spans inside an OTLP traces request, everything else byte for byte as it came.

Hand-written wire walking is allowed here and nowhere else: it costs a fifth of decoding and encoding the request
(`tests/bench`), and unknown fields, their order and duplicate keys survive. `plain.py` is the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.any_value import varint_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESOURCE_SPANS_TAG = 0x0A  # field 1 of the request
_SCOPE_SPANS_TAG = 0x12  # field 2 of ResourceSpans
_SPAN_TAG = 0x12  # field 2 of ScopeSpans
_HEADER_TAG = 0x0A  # field 1 of either: the resource, the scope

_VARINT, _LENGTH = 0, 2
_FIXED_SIZES = {1: 8, 5: 4}
_ONE_BYTE = 0x80
_MAX_SHIFT = 63


class Slot(NamedTuple):
    """Where a length-delimited field is in the body: its length, and the start and end of its content."""

    length_at: int
    start: int
    end: int


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
    fields = _fields(body, Slot(0, 0, len(body)))
    return [_resource_slots(body, slot) for tag, slot in fields if tag == _RESOURCE_SPANS_TAG]


def append_to_spans(body: bytes, resources: list[ResourceSlots], added: Mapping[Slot, bytes]) -> bytes:
    """The body with bytes appended to some spans; only the lengths above those spans are written anew."""
    if not added:
        return body
    pieces: list[bytes] = []
    last = 0
    for resource in resources:
        grown = [(scope, _growth(scope.spans, added)) for scope in resource.scopes]
        growth = sum(by + _length_growth(scope.slot, by) for scope, by in grown if by)
        if not growth:
            continue
        last = _relength(body, pieces, last, resource.slot, growth)
        for scope, by in grown:
            if by:
                last = _relength(body, pieces, last, scope.slot, by)
                last = _append(body, pieces, last, scope.spans, added)
    pieces.append(body[last:])
    return b"".join(pieces)


def _append(body: bytes, pieces: list[bytes], last: int, spans: list[Slot], added: Mapping[Slot, bytes]) -> int:
    for slot in spans:
        extra = added.get(slot)
        if extra is not None:
            last = _relength(body, pieces, last, slot, len(extra))
            pieces += (body[last : slot.end], extra)
            last = slot.end
    return last


def _growth(spans: list[Slot], added: Mapping[Slot, bytes]) -> int:
    """By how many bytes the content above some spans grows."""
    growth = 0
    for slot in spans:
        extra = added.get(slot)
        if extra is not None:
            growth += len(extra) + _length_growth(slot, len(extra))
    return growth


def _length_growth(slot: Slot, by: int) -> int:
    """By how many bytes the length of a field grows when its content does."""
    return len(varint_bytes(slot.end - slot.start + by)) - (slot.start - slot.length_at)


def _relength(body: bytes, pieces: list[bytes], last: int, slot: Slot, by: int) -> int:
    """Copy up to a field and write its new length; returns where its content starts."""
    pieces += (body[last : slot.length_at], varint_bytes(slot.end - slot.start + by))
    return slot.start


def _resource_slots(body: bytes, slot: Slot) -> ResourceSlots:
    found = ResourceSlots(slot)
    for tag, inner in _fields(body, slot):
        if tag == _SCOPE_SPANS_TAG:
            found.scopes.append(_scope_slots(body, inner))
        elif tag == _HEADER_TAG:
            found.header += body[inner.start : inner.end]  # repeated messages merge, as concatenated bytes do
    return found


def _scope_slots(body: bytes, slot: Slot) -> ScopeSlots:
    found = ScopeSlots(slot)
    for tag, inner in _fields(body, slot):
        if tag == _SPAN_TAG:
            found.spans.append(inner)
        elif tag == _HEADER_TAG:
            found.header += body[inner.start : inner.end]
    return found


def _fields(body: bytes, within: Slot) -> list[tuple[int, Slot]]:
    """The length-delimited fields; all others are stepped over."""
    found: list[tuple[int, Slot]] = []
    at, end = within.start, within.end
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
            found.append((tag, Slot(length_at, at, at + size)))
            at += size
    except IndexError:
        at = -1
    if at != end:
        msg = f"not an OTLP traces request: the bytes break off or make no sense after byte {within.start}"
        raise MalformedBody(msg)
    return found


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
