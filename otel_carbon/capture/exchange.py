"""One request to an LLM API and its answer, read for its usage as it passes."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Protocol

from opentelemetry import context as otel_context

from otel_carbon.capture.usage_readers import BEDROCK_INVOKE, Usage, read_bedrock_headers
from otel_carbon.capture.wire.decoding import decoder_of
from otel_carbon.capture.wire.event_stream import EventStreamFramer
from otel_carbon.capture.wire.json_picker import pick
from otel_carbon.capture.wire.sse import NO_FIELD, LineFramer, TextFramer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from opentelemetry.context import Context

    from otel_carbon.capture.records import Record
    from otel_carbon.capture.usage_readers import Shape
    from otel_carbon.capture.wire.json_tree import Picked
    from otel_carbon.spans.counts import Counts

logger = logging.getLogger(__name__)

FIRST_ERROR_STATUS = 400


class Framer(Protocol):
    """What finds the wanted members of a body that comes in pieces."""

    naming_texts: int

    def feed(self, data: bytes, /) -> Sequence[Picked]:
        """What is found in the texts that end in this piece."""

    def settle(self) -> Sequence[Picked]:
        """What is found in the texts that have ended and were not looked at yet."""

    def close(self) -> Sequence[Picked]:
        """The same, and what is found in the text that ends with the body."""


class Exchange:
    """One request, and what its answer has told so far; what it comes to goes into the record.

    The request is to be sent `with` the exchange: its span is current then, and what is raised ends it.
    After the first failure the answer is read no further. `feed` and `end` never raise, and `end` may be called twice.
    It ends in the process in which it began: a forked child has a copy, and leaves it at that.
    """

    __slots__ = (
        "_context",
        "_decoder",
        "_framer",
        "_is_refused",
        "_open",
        "_pid",
        "_record",
        "_shape",
        "_sniffs",
        "_token",
        "usage",
    )

    def __init__(self, record: Record, shape: Shape, context: Context) -> None:
        self._record = record
        self._shape = shape
        self._open = [record]
        self._pid = os.getpid()
        self._decoder: Callable[[bytes], Iterator[bytes]] | None = None
        self._framer: Framer | None = None
        self._is_refused = False
        self._sniffs = False
        """Whether the body is of no known type, so that its first bytes are to tell."""
        self.usage = Usage()
        self._context = context

    def __enter__(self) -> Self:
        self._token = otel_context.attach(self._context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.end(kind)
        otel_context.detach(self._token)

    def is_heard(self, status: int) -> bool:
        """Take the status; returns whether the body is to be read, of a refusal only to know when it ends."""
        if not self._record.is_kept():
            return False
        self._is_refused = status >= FIRST_ERROR_STATUS
        if self._is_refused:
            self._record.fails(str(status))
        else:
            self._record.hears(self.totals)
        return True

    def totals(self) -> Counts | None:
        """The counts that were told so far, `None` when none were."""
        try:
            if self._framer is not None:
                self._take(self._framer.settle())
        except Exception as error:  # what asks is the end of a span
            self._give_up(error)
        return self.usage.totals()

    def expect(self, headers: Mapping[str, str]) -> None:
        """Take the headers of an answer whose body comes in pieces, decompressed unless `decode` is told otherwise."""
        if self._is_refused:
            return
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type in _STREAMS:
            self._record.streams()
        if self._shape is BEDROCK_INVOKE:
            read_bedrock_headers(self.usage, headers)
        self._framer = _framer_of(media_type, self._shape)
        self._sniffs = self._framer is None

    def decode(self, encoding: str) -> None:
        """Expect pieces of this `Content-Encoding`."""
        try:
            self._decoder = decoder_of(encoding)
        except LookupError as error:
            self._give_up(error)

    def read(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Take a whole body, decompressed."""
        if self._is_refused:
            return
        if self._shape is BEDROCK_INVOKE:
            read_bedrock_headers(self.usage, headers)
        if body.startswith(_JSON_STARTS):  # as nearly all do, and headers are slow to look up
            self._shape.take(self.usage, pick(body, self._shape.tree))
        else:
            self.expect(headers)
            self.feed(body)

    def feed(self, data: bytes, *, is_whole: bool = False) -> None:
        """Take the next piece of the body, as it came over the wire, which may be all of it."""
        if self._framer is None and not self._sniffs:
            return
        try:
            if is_whole and self._decoder is None and type(self._framer) is TextFramer:
                self._framer = None
                self._take((pick(data, self._shape.tree),))  # faster than in pieces
                return
            for piece in (data,) if self._decoder is None else self._decoder(data):
                if self._sniffs:
                    self._sniff(piece)
                framer = self._framer
                found = framer.feed(piece) if framer is not None else ()
                if found:
                    self._take(found)
                    if framer is not None and self.usage.is_named:
                        framer.naming_texts = 0
        except Exception as error:  # a body that we cannot read is the application's all the same
            self._give_up(error)

    def _sniff(self, piece: bytes) -> None:
        """Tell the type of a body by its beginning, as clients do not ask for the header."""
        start = piece.lstrip()
        if start:
            self._sniffs = False
            self._framer = _framer_of(_sniffed(start), self._shape)

    def _take(self, found: Sequence[Picked]) -> None:
        for picked in found:
            self._shape.take(self.usage, picked)

    def _give_up(self, error: Exception) -> None:
        self._framer = None
        self._sniffs = False
        report(error)

    def end(self, error: type[BaseException] | None = None) -> None:
        """End the exchange, once: the answer has been read or given up, or an error of this kind has cut it off."""
        if os.getpid() != self._pid:
            return
        try:
            record = self._open.pop()  # of two that end it, one gets here
        except IndexError:
            return
        try:
            framer, self._framer = self._framer, None
            if framer is not None:
                self._take(framer.close())
            if error is not None:
                record.fails(error.__qualname__)
        except Exception as failure:  # a span must end, with what was told or without
            report(failure)
        try:
            record.is_over(self.usage)
        except Exception as failure:  # nothing of ours may reach the host
            report(failure)


_SSE, _NDJSON, _EVENT_STREAM = "text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream"
_JSON_STARTS = (b"{", b"[")
_SSE_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":", b"\xef\xbb\xbf")
_STREAMS = frozenset((_SSE, _NDJSON, "application/jsonl", _EVENT_STREAM))


def _framer_of(media_type: str, shape: Shape) -> Framer | None:
    """What reads a body of this type; `None` for one that cannot be an answer."""
    if media_type == _SSE:
        return LineFramer(shape.tree, shape.usage_mark, shape.usage_key)
    if media_type == _EVENT_STREAM:
        return EventStreamFramer(shape.tree)
    if media_type in _STREAMS:
        return LineFramer(shape.tree, shape.usage_mark, shape.usage_key, NO_FIELD)
    return TextFramer(shape.tree) if media_type.endswith("json") else None


def _sniffed(start: bytes) -> str:
    if start.startswith(_SSE_STARTS):
        return _SSE
    return "application/json" if start.startswith(_JSON_STARTS) else ""


_unsaid = ["failure"]


def report(error: Exception) -> None:
    """Say it once, by its kind only: a message could hold what was said."""
    try:
        _unsaid.pop()  # of several threads, one gets here
    except IndexError:
        return
    logger.warning("an answer was not read for its usage (%s); the application is unaffected", type(error).__name__)
