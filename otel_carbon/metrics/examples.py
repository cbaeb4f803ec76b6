"""One recent call of a series, so that a number on a page leads to a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.tokens import AdditiveTokens

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8


class Example(NamedTuple):
    """A call that was counted, as the span that told of it; ids are numbers in process, and bytes in the collector."""

    trace_id: int | bytes
    span_id: int | bytes
    footprint: Footprint | None
    tokens: AdditiveTokens | None

    def labels(self) -> dict[str, str] | None:
        """The ids in hexadecimal, by the names that link metrics to traces; `None` when they are no valid ids."""
        trace_id, span_id = _hex(self.trace_id, _TRACE_ID_BYTES), _hex(self.span_id, _SPAN_ID_BYTES)
        return {"trace_id": trace_id, "span_id": span_id} if trace_id and span_id else None


def _hex(identity: int | bytes, size_bytes: int) -> str:
    """An id as text; empty when it is all zero or not as long as ids are."""
    if isinstance(identity, int):
        return f"{identity:0{2 * size_bytes}x}" if 0 < identity < 1 << 8 * size_bytes else ""
    return identity.hex() if len(identity) == size_bytes and any(identity) else ""
