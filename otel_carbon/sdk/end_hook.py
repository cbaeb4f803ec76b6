"""The moment before a span is exported: the only place with knowledge of the SDK's insides.

The SDK freezes attributes before it tells processors that a span ends (opentelemetry-python#5614), so they are written
past the freeze, where that works, before the first exporter sees the span.
A provider that does not tell us in time has `end` wrapped on each of its spans instead.
"""

from __future__ import annotations

from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, cast
from weakref import ref

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_carbon.sdk.spans import may_be_genai, read_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.attributes import BoundedAttributes
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import AttributeValue

    EndingCallback = Callable[[Span, Mapping[str, object], int], Mapping[str, AttributeValue]]


_IN_CHARGE = "_otel_carbon_in_charge"
"""Set on a span: the hook whose callback is called for it, then `_DONE`."""
_DONE = object()


class EndHook:
    """Calls back once for each GenAI span, with its attributes and end time, just before it is exported.

    What the callback returns is added to the span.
    It runs on the thread that ends the span. What goes wrong is handed to `report`; the span ends all the same.
    """

    __slots__ = ("_callback", "_direct", "_report", "_told_by", "_trusting")

    def __init__(self, callback: EndingCallback, report: Callable[[Exception], None]) -> None:
        self._callback = callback
        self._report = report
        self._direct = direct_access_works()
        self._trusting = self._direct
        self._told_by: Callable[[], object] = _nobody
        """What the last span that we were told of reports to: its other spans need no watching."""

    def watch(self, span: Span) -> None:
        """See to it that the callback is called when the span ends; of several hooks the first one is in charge."""
        told_by = self._told_by()
        if told_by is not None and span._span_processor is told_by:
            if getattr(span, _IN_CHARGE, None) is None:
                setattr(span, _IN_CHARGE, self)
        elif getattr(span, _IN_CHARGE, self) is self and type(span.__dict__.get("end")) is not _WatchedEnd:
            span.end = _WatchedEnd(self._end, span, span.end, [True])  # type: ignore[method-assign]  # on the instance: see the module docstring
            setattr(span, _IN_CHARGE, self)

    def tell(self, span: Span) -> None:
        """Take the SDK's word that a span is ending, before any exporter sees it; wrappers may not pass it on."""
        if not self._trusting:
            return
        try:
            told_by = span._span_processor
            if self._told_by() is not told_by:
                self._told_by = ref(told_by)
            bounded: BoundedAttributes = span._attributes  # type: ignore[assignment]  # the self-test has found it so
            attributes = bounded._dict
            if not may_be_genai(attributes) or getattr(span, _IN_CHARGE, self) is not self:
                return
            setattr(span, _IN_CHARGE, _DONE)
            added = self._callback(span, attributes, span._end_time or 0)
            if added:  # another thread may be reading the old ones
                bounded._dict = {**attributes, **added}
        except Exception as error:  # nothing of ours may reach the host
            self._report(error)

    def distrust(self) -> None:
        """Watch every span from now on: we were not told of one that we relied on being told of."""
        self._trusting = False
        self._told_by = _nobody

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
        found = getattr(span._attributes, "_dict", None) if self._direct else None
        return found if found is not None else dict(span.attributes or {})

    def _add(self, span: Span, end_ns: int) -> None:
        attributes = self.attributes_of(span)
        if not may_be_genai(attributes):
            return
        setattr(span, _IN_CHARGE, _DONE)
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


def _nobody() -> None:
    """What `_told_by` says of nobody, like a reference to something that is gone."""


class _WatchedEnd(partial[None]):
    """The `end` of a span that a hook watches; made for every span, so without a closure."""

    __slots__ = ()


def direct_access_works() -> bool:
    """Whether this SDK keeps attributes where the fast path expects them, tried on a throw-away span."""
    try:
        tracer = TracerProvider(sampler=ALWAYS_ON, resource=Resource.get_empty(), shutdown_on_exit=False).get_tracer(
            __name__
        )
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
