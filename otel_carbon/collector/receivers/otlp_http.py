"""OTLP/HTTP in: protobuf or JSON, gzip or plain, with a bound and a deadline on every body."""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.collector.asgi_server import AsgiServer, header, respond
from otel_carbon.collector.pipeline import QueueFull
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import Code, Encoding, encode_status, status_message
from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES, BoundedGunzip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from otel_carbon.collector.asgi_server import Message, Receive, Send
    from otel_carbon.collector.endpoints import Endpoint
    from otel_carbon.collector.pipeline import Intake

BODY_DEADLINE_S = 30.0
IN_FLIGHT_BODIES = 4
INLINE_BODY_BYTES = 256 * 1024
"""Smaller bodies are processed on the thread that received them, which is quicker than handing them over."""
LARGE_BODY_THREADS = 1
TRANSPORT = "http"
_SUCCESS_BODIES = {Encoding.PROTOBUF: b"", Encoding.JSON: b"{}"}
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What an OTLP/HTTP receiver listens on and tolerates.

    Attributes:
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        limit_bytes: largest body, before and after decompression, in bytes.
        body_deadline_s: longest time for a body to arrive, in seconds.
        header_deadline_s: longest time for the headers of a request to arrive, in seconds.
    """

    endpoint: Endpoint
    key: str
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    body_deadline_s: float = BODY_DEADLINE_S
    header_deadline_s: float = 10.0


class HttpReceiver:
    """Takes `POST /v1/traces`, `/v1/metrics` and `/v1/logs`; only signals that have a pipeline exist.

    Requests are read and processed on one event loop thread: what is waited for is the network, and the
    processing holds the interpreter lock anyway.

    Args:
        settings: what to listen on and to tolerate.
        intakes: where the requests of each signal go.
        json_decoders: OTLP JSON to protobuf bytes, for each signal.
    """

    def __init__(
        self,
        settings: HttpSettings,
        intakes: Mapping[Signal, Intake],
        json_decoders: Mapping[Signal, Callable[[bytes], bytes]],
    ) -> None:
        self._settings = settings
        self._intakes = {signal.http_path: intake for signal, intake in intakes.items()}
        self._json_decoders = json_decoders
        self._buffered_bytes = 0
        self._threads = ThreadPoolExecutor(LARGE_BODY_THREADS, thread_name_prefix="otlp http large bodies")
        self._server = AsgiServer(
            self._application,
            settings.endpoint,
            key=settings.key,
            name="otlp http receiver",
            header_deadline_s=settings.header_deadline_s,
        )

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens; the real port once it is started."""
        return self._server.endpoint

    def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        self._server.start()

    def begin_stop(self, grace_s: float) -> None:
        """Take no new requests; those that have begun may end within `grace_s` seconds."""
        self._server.begin_stop(grace_s)

    def finish_stop(self, grace_s: float) -> None:
        """Wait for the end of what `begin_stop` let run."""
        self._server.finish_stop(grace_s)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _application(self, scope: Message, receive: Receive, send: Send) -> None:
        encoding = _encoding(header(scope, b"content-type"))
        try:
            intake = self._route(scope, encoding)
            body = await self._read_body(scope, receive)
            if len(body) > INLINE_BODY_BYTES:
                await self._accept_aside(intake, body, encoding)
            else:
                self._accept(intake, body, encoding)
        except _Refusal as refusal:
            await _refuse(send, refusal, encoding or Encoding.JSON)
        except _Disconnected:
            return
        else:
            answer = encoding or Encoding.PROTOBUF
            await respond(send, 200, _SUCCESS_BODIES[answer], answer.value)

    def _route(self, scope: Message, encoding: Encoding | None) -> Intake:
        intake = self._intakes.get(scope["path"])
        if intake is None:
            raise _Refusal(404, Code.NOT_FOUND, self._why_not_here(scope["path"]))
        if scope["method"] != "POST":
            raise _Refusal(405, Code.UNIMPLEMENTED, "send telemetry with POST", ((b"allow", b"POST"),))
        if encoding is None:
            wanted = " or ".join(each.value for each in Encoding)
            raise _Refusal(415, Code.INVALID_ARGUMENT, f"the content type must be {wanted}")
        return intake

    def _why_not_here(self, path: str) -> str:
        missing = next((signal for signal in Signal if signal.http_path == path), None)
        return missing.without_pipeline if missing else f"no such path here; there are: {', '.join(self._intakes)}"

    async def _read_body(self, scope: Message, receive: Receive) -> bytes:
        reader = _body_reader(header(scope, b"content-encoding"), self._settings.limit_bytes)
        announced = header(scope, b"content-length")
        if announced.isdecimal() and int(announced) > self._settings.limit_bytes:
            raise _too_large(f"the body is larger than {self._settings.limit_bytes} bytes")
        arrived = 0
        try:
            async with asyncio.timeout(self._settings.body_deadline_s):
                async for piece in _pieces(receive):
                    arrived += len(piece)
                    self._buffered_bytes += len(piece)
                    reader.feed(piece)
                    self._refuse_when_crowded()
            return reader.finish() if arrived else b""
        except TimeoutError:
            message = f"the body took longer than {self._settings.body_deadline_s} s"
            raise _Refusal(408, Code.DEADLINE_EXCEEDED, message, close=True) from None
        except BodyTooLarge as error:
            raise _too_large(str(error)) from error
        except MalformedBody as error:
            raise _Refusal(400, Code.INVALID_ARGUMENT, str(error)) from error
        finally:
            self._buffered_bytes -= arrived

    def _refuse_when_crowded(self) -> None:
        """Bound what slow uploads hold together; a bound for each body alone would not bound their sum."""
        if self._buffered_bytes > IN_FLIGHT_BODIES * self._settings.limit_bytes:
            raise _overloaded("too many bodies are being received", 1.0)

    async def _accept_aside(self, intake: Intake, body: bytes, encoding: Encoding | None) -> None:
        """Accept a body that takes seconds to decode or enrich, while this thread serves others."""
        self._buffered_bytes += len(body)
        try:
            self._refuse_when_crowded()
            await asyncio.get_running_loop().run_in_executor(self._threads, self._accept, intake, body, encoding)
        finally:
            self._buffered_bytes -= len(body)

    def _accept(self, intake: Intake, body: bytes, encoding: Encoding | None) -> None:
        try:
            if encoding is Encoding.JSON:
                body = self._json_decoders[intake.signal](body)
            intake.accept(body, TRANSPORT)
        except MalformedBody as error:
            raise _Refusal(400, Code.INVALID_ARGUMENT, str(error)) from error
        except QueueFull as error:
            raise _overloaded(str(error), error.retry_after_s) from error
        except Exception as error:
            _logger.exception("%s: unexpected error", self._settings.key)
            raise _Refusal(500, Code.INTERNAL, "unexpected error; see the log of the collector") from error


class _Disconnected(Exception):
    """The client went away before its body was complete."""


class _Refusal(Exception):
    """An answer other than success."""

    def __init__(
        self,
        http_status: int,
        code: Code,
        message: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        *,
        retry_after_s: float | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        # Closing while the body still comes in would reset the connection and lose this answer, so the server
        # reads on and discards; only a body that does not come is not waited for.
        self.headers = (*headers, (b"connection", b"close")) if close else headers
        self.status = status_message(code, message, retry_after_s)


class _PlainBody:
    """Collects an uncompressed body; the counterpart of `BoundedGunzip`."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._collected = bytearray()

    def feed(self, piece: bytes) -> None:
        self._collected += piece
        if len(self._collected) > self._limit_bytes:
            raise BodyTooLarge(f"the body is larger than {self._limit_bytes} bytes")

    def finish(self) -> bytes:
        return bytes(self._collected)


def _body_reader(content_encoding: str, limit_bytes: int) -> _PlainBody | BoundedGunzip:
    match content_encoding.strip().lower():
        case "" | "identity":
            return _PlainBody(limit_bytes)
        case "gzip":
            return BoundedGunzip(limit_bytes)
        case other:
            message = f"the content encoding must be gzip or absent, not {other[:40]!r}"
            raise _Refusal(415, Code.INVALID_ARGUMENT, message, ((b"accept-encoding", b"gzip"),))


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of a body as they arrive."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _encoding(content_type: str) -> Encoding | None:
    media_type = content_type.partition(";")[0].strip().lower()
    return next((encoding for encoding in Encoding if encoding.value == media_type), None)


def _too_large(message: str) -> _Refusal:
    return _Refusal(413, Code.RESOURCE_EXHAUSTED, message)


def _overloaded(message: str, retry_after_s: float) -> _Refusal:
    wait = b"%d" % math.ceil(retry_after_s)
    return _Refusal(503, Code.UNAVAILABLE, message, ((b"retry-after", wait),), retry_after_s=retry_after_s)


async def _refuse(send: Send, refusal: _Refusal, encoding: Encoding) -> None:
    body = encode_status(refusal.status, encoding)
    await respond(send, refusal.http_status, body, encoding.value, refusal.headers)
