"""One request to an LLM API and its answer, as a GenAI client span."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_carbon.capture.recognise import Recognised, model_asked_for, recognise
from otel_carbon.capture.surroundings import is_left_to_others
from otel_carbon.capture.usage_readers import BEDROCK_INVOKE, Usage, read_bedrock_headers
from otel_carbon.capture.wire.decoding import decoder_of
from otel_carbon.capture.wire.event_stream import EventStreamFramer
from otel_carbon.capture.wire.json_picker import pick
from otel_carbon.capture.wire.sse import NO_FIELD, SSE_FIELD, LineFramer, TextFramer
from otel_carbon.spans.providers import provider_at
from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from otel_carbon.capture.http_types import Request
    from otel_carbon.capture.usage_readers import Shape
    from otel_carbon.capture.wire.json_picker import Picked

logger = logging.getLogger(__name__)

SCOPE = "otel_carbon.capture"
FIRST_ERROR_STATUS = 400
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Framer(Protocol):
    """What finds the wanted members of a body that comes in pieces."""

    naming_texts: int

    def feed(self, data: bytes, /) -> Sequence[Picked]:
        """What is found in the texts that end in this piece."""

    def close(self) -> Picked:
        """What is found in the text that ends with the body."""


class Capturer:
    """Begins exchanges; `tracer_provider` is where their spans go, `None` the global one, also when it is set later."""

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer(SCOPE, VERSION, tracer_provider)

    def begin(self, request: Request) -> Exchange | None:
        """Start a span for a request to an LLM API; `None` for any other, and where the call is traced already."""
        try:
            found = recognise(request.method, request.url.raw_path)
            return None if found is None else self._begin(found, request)
        except Exception as error:  # nothing of ours may reach the host
            report(error)
            return None

    def _begin(self, found: Recognised, request: Request) -> Exchange | None:
        if is_left_to_others(trace.get_current_span()):
            return None
        api, model, url = found.api, found.model, request.url
        provider = provider_at(url.host.lower())
        model = model or model_asked_for(_body_of(request))
        if not (api.sure or provider or model):
            return None
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": api.operation,
            "gen_ai.provider.name": provider or api.provider,
            "server.address": url.host,
        }
        if model:
            attributes["gen_ai.request.model"] = model
        port = url.port or _DEFAULT_PORTS.get(url.scheme)
        if port:
            attributes["server.port"] = port
        span = self._tracer.start_span(f"{api.operation} {model}".rstrip(), kind=SpanKind.CLIENT, attributes=attributes)
        return Exchange(span, api.shape) if span.get_span_context().is_valid else None


def _body_of(request: Request) -> bytes:
    try:
        return request.content
    except Exception:  # a body that is a stream is the application's, and not read
        return b""


class Exchange:
    """The span of one request, and what its answer has told so far.

    `context` is the one in which the request is to be sent.
    Nothing here raises; after the first failure the answer is read no further. `end` may be called more than once.
    """

    __slots__ = ("_decoder", "_framer", "_open", "_shape", "_span", "context", "usage")

    def __init__(self, span: Span, shape: Shape) -> None:
        self._span = span
        self._shape = shape
        self._open = [span]
        self._decoder: Callable[[bytes], Iterator[bytes]] | None = None
        self._framer: Framer | None = None
        self.usage = Usage()
        self.context: Context = trace.set_span_in_context(span, otel_context.get_current())

    @property
    def is_recorded(self) -> bool:
        """Whether anybody will see the span; else no answer need be read for it."""
        return self._span.is_recording()

    def answered(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take status and headers; returns whether the body is to be read."""
        try:
            return self._answered(status, headers)
        except Exception as error:  # nothing of ours may reach the host
            report(error)
            return False

    def _answered(self, status: int, headers: Mapping[str, str]) -> bool:
        if status >= FIRST_ERROR_STATUS:
            self._fail(str(status))
            return False
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type in _STREAMS:
            self._span.set_attribute("gen_ai.request.stream", True)
        if self._shape is BEDROCK_INVOKE:
            read_bedrock_headers(self.usage, headers)
        self._framer = _framer_of(media_type, self._shape)
        return self._framer is not None

    def decode(self, encoding: str) -> None:
        """Expect pieces of this `Content-Encoding`."""
        try:
            self._decoder = decoder_of(encoding)
        except LookupError as error:
            self._give_up(error)

    def read(self, body: bytes) -> None:
        """Take a whole body, decompressed."""
        if isinstance(self._framer, TextFramer):
            try:
                self._shape.take(self.usage, pick(body, self._shape.tree))
            except Exception as error:
                report(error)
            self._framer = None
        else:
            self.feed(body)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body, as it came over the wire."""
        framer = self._framer
        if framer is None:
            return
        try:
            if self._decoder is None:
                found = framer.feed(data)
                if found:
                    self._take(found, framer)
            else:
                for piece in self._decoder(data):
                    self._take(framer.feed(piece), framer)
        except Exception as error:  # a body that we cannot read is the application's all the same
            self._give_up(error)

    def _take(self, found: Sequence[Picked], framer: Framer) -> None:
        for picked in found:
            self._shape.take(self.usage, picked)
        if framer.naming_texts and self.usage.is_named:
            framer.naming_texts = 0

    def _give_up(self, error: Exception) -> None:
        self._framer = None
        report(error)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, once: the answer has been read or given up, or `error` has cut it off."""
        try:
            span = self._open.pop()  # of two that end it, one gets here
        except IndexError:
            return
        try:
            if span.is_recording():
                self._tell(span, error)
        except Exception as failure:  # a span must end, with our attributes or without
            report(failure)
        span.end()

    def _tell(self, span: Span, error: BaseException | None) -> None:
        framer, self._framer = self._framer, None
        usage = self.usage
        if framer is not None:
            self._shape.take(usage, framer.close())
        if error is not None:
            self._fail(type(error).__qualname__)
        attributes: dict[str, AttributeValue] = dict(usage.counts())
        if usage.model:
            attributes["gen_ai.response.model"] = usage.model
        if usage.response_id:
            attributes["gen_ai.response.id"] = usage.response_id
        span.set_attributes(attributes)

    def _fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))


_SSE, _NDJSON, _EVENT_STREAM = "text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream"
_STREAMS = frozenset((_SSE, _NDJSON, "application/jsonl", _EVENT_STREAM))


def _framer_of(media_type: str, shape: Shape) -> Framer | None:
    """What reads a body of this type; `None` for one that cannot be an answer."""
    if media_type == _SSE:
        return LineFramer(shape.tree, shape.usage_mark, SSE_FIELD)
    if media_type == _EVENT_STREAM:
        return EventStreamFramer(shape.tree)
    if media_type in _STREAMS:
        return LineFramer(shape.tree, shape.usage_mark, NO_FIELD)
    return TextFramer(shape.tree) if media_type.endswith("json") else None


_unsaid = ["failure"]


def report(error: Exception) -> None:
    """Say it once, by its kind only: a message could hold what was said."""
    try:
        _unsaid.pop()  # of several threads, one gets here
    except IndexError:
        return
    logger.warning("an answer was not read for its usage (%s); the application is unaffected", type(error).__name__)
