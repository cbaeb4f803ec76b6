"""Where what an answer tells goes: onto a span of ours, or beside that of an instrumentation that traces the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from opentelemetry.trace import Status, StatusCode

from otel_carbon.spans.told_beside import tell_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    from otel_carbon.capture.usage_readers import Usage
    from otel_carbon.spans.counts import Counts


class Record(Protocol):
    """What an exchange tells of itself; told once that it is over."""

    def is_kept(self) -> bool:
        """Whether anybody will see it; else no answer need be read for it."""

    def streams(self) -> None:
        """The answer is a stream."""

    def fails(self, error_type: str) -> None:
        """The call has failed."""

    def hears(self, totals: Callable[[], Counts | None]) -> None:
        """An answer is coming in; `totals` says at any time what it has told so far."""

    def is_over(self, usage: Usage) -> None:
        """The exchange has ended, and this is what it has told."""


class OwnSpan:
    """A span of ours, the only one of the call as far as we know."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def is_kept(self) -> bool:
        """Whether the span is recorded."""
        return self._span.is_recording()

    def streams(self) -> None:
        """Say so."""
        self._span.set_attribute("gen_ai.request.stream", True)

    def fails(self, error_type: str) -> None:
        """Say so, without the message, which could hold what was said."""
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def hears(self, totals: Callable[[], Counts | None]) -> None:
        """Nothing: the span is ours, and still open when all has been told."""

    def is_over(self, usage: Usage) -> None:
        """Write what was told, and end the span."""
        try:
            if self._span.is_recording():
                attributes: dict[str, AttributeValue] = dict(usage.counts())
                if usage.model:
                    attributes["gen_ai.response.model"] = usage.model
                if usage.response_id:
                    attributes["gen_ai.response.id"] = usage.response_id
                self._span.set_attributes(attributes)
        finally:
            self._span.end()


class SpanOfOthers:
    """The span of an instrumentation, which is left as it is; only what it may not tell is kept for the processor."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def is_kept(self) -> bool:
        """Whether the span is recorded."""
        return self._span.is_recording()

    def streams(self) -> None:
        """Nothing: the instrumentation says so."""

    def fails(self, error_type: str) -> None:
        """Nothing: the instrumentation says so."""

    def hears(self, totals: Callable[[], Counts | None]) -> None:
        """Keep it for the end of the span, which may come with the last event, before the stream ends."""
        tell_beside(self._span, totals)

    def is_over(self, usage: Usage) -> None:
        """Nothing: what was told can be asked for."""
