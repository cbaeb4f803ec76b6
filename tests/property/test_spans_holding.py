"""Spans that hold a text are found in the whole scope as they are one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_carbon.otlp.splice import ScopeSlots, Slot, spans_holding

pieces = st.binary(max_size=6).map(lambda raw: bytes(b"ab."[byte % 3] for byte in raw))
"""Few letters, so that finds are many, overlap and cross from one span into the next."""
texts = st.lists(pieces.filter(bool), min_size=1, max_size=3)


@given(st.lists(st.tuples(pieces, pieces), max_size=8), pieces, texts)
def test_a_search_of_the_scope_finds_what_a_look_at_each_span_finds(
    between_and_spans: list[tuple[bytes, bytes]], rest: bytes, wanted: list[bytes]
) -> None:
    body, slots = b"before a.b", list[Slot]()
    start = len(body)
    for between, span in between_and_spans:
        body += between
        slots.append((len(body) - 1, len(body), len(body) + len(span)))
        body += span
    body += rest
    scope = ScopeSlots((start - 1, start, len(body)), spans=slots)

    found = spans_holding(body + b"a.b after", scope, wanted)

    assert found == [slot for slot in slots if any(text in body[slot[1] : slot[2]] for text in wanted)]
