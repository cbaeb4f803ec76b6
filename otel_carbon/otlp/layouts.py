"""Spans read at fixed places: what one piece of code writes again and again is compared, not decoded anew.

Such spans differ in ids, times, counts and texts, often of equal lengths, and have the same bytes around them.
Where what is, is learned from a span that was read the long way. The next one of its length takes one call of `struct`
and a comparison of all that must be as it was. Where anything differs the long way decides, and nothing else ever does.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.otlp.any_value import RawAttributes
from otel_carbon.otlp.splice import field_at
from otel_carbon.spans.plan import may_be_kept
from otel_carbon.spans.read import reading_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.enricher import Enricher, Observation
    from otel_carbon.spans.plan import Sources
    from otel_carbon.spans.profile import SpanProfile
    from otel_carbon.spans.view import ResourceView, SpanView

MAX_OF_ONE_LENGTH = 4
MAX_KNOWN = 4096
"""How many combinations of texts are known over all layouts, a layout as eight; then all is learned anew."""
_AS_MUCH_AS_A_LAYOUT = 8
MAX_SPAN_BYTES = 8192
"""Longer spans are not learned: they hold content, and no two are alike."""
LEARNING_COSTS = 32
"""How many spans must have been spared the long way before another layout is learned, so that learning costs little."""
MOST_SPARED = 256 * LEARNING_COSTS

_TRACE_ID, _SPAN_ID, _PARENT_ID, _START, _END = 0x0A, 0x12, 0x22, 0x39, 0x41
_ATTRIBUTE, _KEY, _VALUE = 0x4A, 0x0A, 0x12
_READ = frozenset((_TRACE_ID, _SPAN_ID, _PARENT_ID, _START, _END))
_NEEDED = _READ - {_PARENT_ID}
_FREE = frozenset((0x2A, 0x5A, 0x6A, 0x85))
"""Name, events, links and flags, of which nothing is read."""
_KEPT = frozenset((0x1A, 0x30, 0x50, 0x60, 0x70, 0x7A))
"""Trace state, kind, numbers of what was dropped, and status must be as they were."""
_SHORTEST_ID_BYTES = 3
"""An encoded text of two bytes is an empty one, and no id."""
_NO_ATTRIBUTES = RawAttributes({})

_Label = int | str | None
_Part = tuple[_Label, int, int]
"""A part that may differ: the tag of its field or key of its attribute, `None` where nothing is read, and its place."""
_Pick = Callable[[tuple[Any, ...]], Any]


class Layout(NamedTuple):
    """Where the parts of spans of one scope and length are.

    Attributes:
        unpack: takes a body and where the span starts in it; returns its parts.
        fixed: picks those that must be as `expected`.
        identity: picks trace, span and parent id, start and end.
        response_id_at: where the encoded response id is, empty without one.
        counts: picks the encoded counts, empty where the spans tell none.
        texts: picks the encoded texts that recur.
        profiles: what those say, as far as they were met.
        failed: whether the spans failed.
        trace_state: theirs.
    """

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    fixed: _Pick
    expected: tuple[bytes, ...]
    identity: _Pick
    response_id_at: int
    counts: _Pick
    texts: _Pick
    profiles: dict[object, SpanProfile]
    failed: bool
    trace_state: str


class Layouts:
    """The layouts learned so far; safe to use from any thread."""

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher
        self._known: dict[tuple[str, str, int], tuple[Layout, ...]] = {}
        self._size = 0
        """Out of `MAX_KNOWN`."""
        self._spared = MOST_SPARED // 2

    def observe(
        self, body: bytes, start: int, end: int, scope: str, version: str, resource: ResourceView
    ) -> Observation | None:
        """Read the span between two places of a body; `None` when it must be read the long way."""
        for layout in self._known.get((scope, version, end - start), ()):
            parts = layout.unpack(body, start)
            if layout.fixed(parts) == layout.expected:
                break
        else:
            return None
        profile = layout.profiles.get(layout.texts(parts))
        if profile is None:
            return None
        counts = _NO_ATTRIBUTES.decode_all(layout.counts(parts))
        try:
            reading = reading_of(profile, parts[layout.response_id_at] or None, counts, failed=layout.failed)
        except Exception:  # whatever it is, the long way deals with it
            return None
        self._spared += 1
        return self._enricher.observed(reading, layout.identity(parts), scope, resource, layout.trace_state)

    def learn(self, body: bytes, start: int, end: int, span: SpanView, profile: SpanProfile) -> None:
        """Learn from a span that was read the long way, where that may be spared the next one."""
        if end - start > MAX_SPAN_BYTES or profile.metered:
            return
        key = (span.scope, span.scope_version, end - start)
        known = self._known.get(key, ())
        for layout in known:
            parts = layout.unpack(body, start)
            if layout.fixed(parts) == layout.expected:
                self._make_room(1)
                layout.profiles[layout.texts(parts)] = profile
                return
        spared = min(self._spared, MOST_SPARED)
        if spared < LEARNING_COSTS:
            return
        self._spared = spared - LEARNING_COSTS
        learned = self._learned(body[start:end], span, profile)
        if learned is not None:
            self._make_room(_AS_MUCH_AS_A_LAYOUT)
            self._known[key] = (learned, *self._known.get(key, ())[: MAX_OF_ONE_LENGTH - 1])

    def _make_room(self, size: int) -> None:
        self._size += size
        if self._size > MAX_KNOWN:
            self._known.clear()
            self._size = size

    def _learned(self, raw: bytes, span: SpanView, profile: SpanProfile) -> Layout | None:
        parts = _varying(raw)
        plan = self._enricher.reader.plan_of(span)
        if parts is None or plan is None:
            return None
        present = {label for label, at, until in parts if until > at}
        sources = plan.sources({label for label in present if isinstance(label, str)})
        if sources is None or not present >= _NEEDED:
            return None
        if not may_be_kept(span, span.attributes.pick(sources.texts)):
            return None
        layout = _layout(raw, parts, sources, span)
        if layout is not None:
            layout.profiles[layout.texts(layout.unpack(raw, 0))] = profile
        return layout


def _varying(raw: bytes) -> list[_Part] | None:
    """The parts of a span that may differ from the next one's; `None` for a span that is not written as most are."""
    found: list[_Part] = []
    seen: set[_Label] = set()
    at = 0
    try:
        while at < len(raw):
            tag, begins, after = field_at(raw, at)
            label: _Label = tag
            if tag == _ATTRIBUTE:
                label, begins = _key_and_value(raw, begins, after)
            if label in _FREE:
                label = None
            elif label in seen or (label == tag and tag not in _READ | _KEPT):
                return None  # of what is written twice the last one counts
            seen.add(label)
            if label not in _KEPT:
                found.append((label, begins, after))
            at = after
    except (IndexError, UnicodeDecodeError):
        return None
    return found if at == len(raw) else None


def _key_and_value(raw: bytes, at: int, end: int) -> tuple[str, int]:
    """The key of an attribute and where its value starts.

    Raises:
        IndexError: there is not just a key and then a value.
        UnicodeDecodeError: the key is not UTF-8.
    """
    key_tag, key_at, value_tag_at = field_at(raw, at)
    value_tag, value_at, after = field_at(raw, value_tag_at)
    if (key_tag, value_tag, after) != (_KEY, _VALUE, end):
        raise IndexError
    return raw[key_at:value_tag_at].decode(), value_at


def _layout(raw: bytes, parts: list[_Part], sources: Sources, span: SpanView) -> Layout | None:
    """How spans like this one are read; `None` where a part of theirs may be there and say nothing."""
    read = {*_READ, *sources.counts, sources.response_id, *sources.texts} - {None}
    form, where, expected = ["<"], dict[_Label, int](), dict[int, bytes]()
    at = number = 0
    for label, begins, until in (*parts, (None, len(raw), len(raw))):
        size = until - begins
        if begins > at:
            form.append(f"{begins - at}s")
            expected[number] = raw[at:begins]
            number += 1
        if label not in read:
            form.append(f"{size}x")
        else:
            if label == sources.response_id and size < _SHORTEST_ID_BYTES:
                return None
            form.append("Q" if label in (_START, _END) else f"{size}s")
            where[label] = number
            number += 1
        at = until
    form.append("0s")  # stands for whatever the spans do not have

    def picked(labels: Iterable[_Label]) -> _Pick:
        return itemgetter(*(where.get(label, number) for label in labels))

    return Layout(
        Struct("".join(form)).unpack_from,
        itemgetter(*expected),
        tuple(expected.values()),
        picked((_TRACE_ID, _SPAN_ID, _PARENT_ID, _START, _END)),
        where.get(sources.response_id, number),
        picked(sources.counts),
        picked(sources.texts or (None,)),
        {},
        span.failed,
        span.trace_state,
    )
