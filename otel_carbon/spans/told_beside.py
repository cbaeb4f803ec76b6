"""Counts that came to be known beside a span, which its processor may want when the span tells less."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from otel_carbon.spans.counts import Counts

_TOLD = "_otel_carbon_told"


def tell_beside(span: object, counts: Counts) -> None:
    """Keep counts on the span object, in this process and as long as it lives; the last ones count."""
    setattr(span, _TOLD, counts)


def told_beside(span: object) -> Counts | None:
    """The counts that were kept, `None` when there are none."""
    return cast("Counts | None", getattr(span, _TOLD, None))
