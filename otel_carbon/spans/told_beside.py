"""Counts that came to be known beside a span, which its processor may want when the span tells less."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.spans.counts import Counts

    Source = Callable[[], Counts | None]

_TOLD = "_otel_carbon_told"


def tell_beside(span: object, source: Source) -> None:
    """Keep what tells the counts on the span object, in this process and as long as it lives.

    Of several sources, as of attempts at one call, the last one that has counts is taken.
    """
    setattr(span, _TOLD, (source, *getattr(span, _TOLD, ())[:MAX_SOURCES]))


def told_beside(span: object) -> Counts | None:
    """The counts that are known by now, `None` when there are none."""
    sources = cast("tuple[Source, ...]", getattr(span, _TOLD, ()))
    return next((counts for source in sources if (counts := source()) is not None), None)


MAX_SOURCES = 4
"""Attempts that are remembered beside the last one."""
