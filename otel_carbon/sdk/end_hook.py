"""The moment before a span is exported: the only place with knowledge of the SDK's insides.

The SDK freezes attributes before it tells processors that a span ends (opentelemetry-python#5614), so they are written
past the freeze, where that works, before the first exporter sees the span.
A provider that does not tell us in time has `end` wrapped on each of its spans instead.
"""

from __future__ import annotations

from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, cast

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_carbon.sdk.spans import may_be_genai, read_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.attributes import BoundedAttributes
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import AttributeValue

    EndingCallback = Callable[[Span, Mapping[str, object], int], Mapping[str, AttributeValue]]


_HEARD = "_otel_carbon_heard"
"""Set on a span that a callback was called for, so that no other hook calls one again."""


class EndHook:
    """Calls back once for each GenAI span, with its attributes and end time, just before it is exported.

    What the callback returns is added to the span.
    It runs on the thread that ends the span. What goes wrong is handed to `report`; the span ends all the same.
    """

    __slots__ = ("_callback", "_direct", "_report", "_told_by")

    def __init__(self, callback: EndingCallback, report: Callable[[Exception], None]) -> None:
        self._callback = callback
        self._report = report
        self._direct = direct_access_works()
        self._told_by: object = None
        """What the last span that we were told of reports to: its other spans need no watching."""

    def watch(self, span: Span) -> None:
        """See to it that the callback is called when the span ends; a span is watched by one hook only."""
        if self._told_by is not None and span._span_processor is self._told_by:
            return
        if type(span.__dict__.get("end")) is not _WatchedEnd:
            span.end = _WatchedEnd(self._end, span, span.end, [True])  # type: ignore[method-assign]  # on the instance: see the module docstring

    def tell(self, span: Span) -> None:
        """Take the SDK's word that a span is ending, before any exporter sees it; wrappers may not pass it on."""
        if not self._direct:
            return
        try:
            self._told_by = span._span_processor
            attributes = span._attributes._dict  # type: ignore[union-attr]  # the self-test has found it so
            if not may_be_genai(attributes) or getattr(span, _HEARD, False):
                return
            setattr(span, _HEARD, True)
            added = self._callback(span, attributes, span._end_time or 0)
            attributes.update(added)  # at once, as for all dicts; whoever iterates them does so on a copy
        except Exception as error:  # nothing of ours may reach the host
            self._report(error)

    def _end(
        self, span: Span, original_end: Callable[[int | None], None], armed: list[bool], end_time: int | None = None
    ) -> None:
        try:
            armed.pop()  # of two threads that end the span, one gets here
        except IndexError:
            original_end(end_time)
            return
        span.__dict__.pop("end", None)
        end_ns = time_ns() if end_time is None else end_time  # our own time is not the span's
        try:
            if span.is_recording():
                self._add(span, end_ns)
        except Exception as error:  # a span must end, with our attributes or without
            self._report(error)
        original_end(end_ns)

    def attributes_of(self, span: ReadableSpan) -> Mapping[str, object]:
        """The span's attributes, without the copy that the public property makes where that is safe."""
        if self._direct:
            return span._attributes._dict  # type: ignore[union-attr,no-any-return]  # self-tested at start
        return dict(span.attributes or {})

    def _add(self, span: Span, end_ns: int) -> None:
        attributes = self.attributes_of(span)
        if not may_be_genai(attributes):
            return
        setattr(span, _HEARD, True)
        added = self._callback(span, attributes, end_ns)
        if not added:
            return
        # Past the attribute limit `set_attributes` evicts the oldest keys, typically the model's name.
        if not self._direct:
            renewed = {key: attributes[key] for key in read_keys() & attributes.keys()}
            span.set_attributes({**renewed, **added})  # type: ignore[dict-item]  # they were its attributes before
            return
        bounded: BoundedAttributes = span._attributes  # type: ignore[assignment]  # the self-test has found it so
        with span._lock, bounded._lock:
            if span.is_recording():  # or another thread has ended it, and exporters are reading it
                bounded._dict.update(added)


class _WatchedEnd(partial[None]):
    """The `end` of a span that a hook watches; made for every span, so without a closure."""

    __slots__ = ()


def direct_access_works() -> bool:
    """Whether this SDK keeps attributes where the fast path expects them, tried on a throw-away span."""
    try:
        tracer = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False).get_tracer(__name__)
        span = cast("Span", tracer.start_span("self-test"))
        bounded = _bounded(span)
        with span._lock, bounded._lock:
            bounded._dict.update({"self-test": 1.0})
        span.end()
        return type(bounded._dict) is dict and dict(span.attributes or {}) == {"self-test": 1.0}
    except Exception:  # whatever differs, the public way still works
        return False


def _bounded(span: ReadableSpan) -> BoundedAttributes:
    return cast("BoundedAttributes", span._attributes)
