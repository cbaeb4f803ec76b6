"""OTLP/HTTP in: protobuf or JSON, compressed or plain, with a bound and a deadline on every body."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack

from otel_carbon.collector.asgi_server import AsgiServer, header, respond
from otel_carbon.collector.authenticators import PasswordsBusy
from otel_carbon.collector.cross_origin import CrossOrigin
from otel_carbon.collector.http_connection import ConnectionSettings
from otel_carbon.collector.http_gate import HttpGate
from otel_carbon.collector.receivers.content_encodings import ContentEncodings
from otel_carbon.collector.receivers.http_refusals import (
    Refusal,
    bad_data,
    overloaded,
    stopping,
    too_large,
    too_slow,
    unauthenticated,
    unknown_content_encoding,
    unknown_content_type,
)
from otel_carbon.collector.receivers.http_uploads import Uploads
from otel_carbon.collector.refusal_reasons import CountRefusal, Reason, count_nothing
from otel_carbon.collector.refusals import TryLater
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import Code, Encoding
from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from concurrent.futures import Future

    from otel_carbon.collector.asgi_server import Application, Message, Receive, Send
    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.cross_origin import CrossOriginSettings
    from otel_carbon.collector.endpoints import Endpoint
    from otel_carbon.collector.pipeline import Intake
    from otel_carbon.collector.receivers.content_encodings import Expand
    from otel_carbon.collector.receivers.http_uploads import Upload
    from otel_carbon.collector.tls import ServerTls

BODY_DEADLINE_S = 30.0
INLINE_BODY_BYTES = 256 * 1024
"""Smaller bodies are processed on the thread that received them, which is quicker than handing them over."""
INLINE_CHECKED_BYTES = 1024 * 1024
"""The same where they are only checked, and processed later."""
INLINE_COMPRESSED_BYTES = 32 * 1024
"""The same for compressed ones, which commonly grow eightfold."""
INLINE_EXPANDED_BYTES = 1024 * 1024
"""As far as they are expanded on that thread; what is larger is begun anew on another."""
LARGE_BODY_THREADS = 1
BUSY_S = 0.002
"""How long what was answered waits before it is tried again."""
TRANSPORT = "http"
_SUCCESS_BODIES = {Encoding.PROTOBUF: b"", Encoding.JSON: b"{}"}
_PROFILES_PATHS = ("/v1development/profiles", "/v1/profiles")
_logger = logging.getLogger(__name__)
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What an OTLP/HTTP receiver listens on and tolerates.

    Attributes:
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        limit_bytes: largest body, before and after decompression, in bytes.
        body_deadline_s: longest time for a body to arrive, in seconds.
        content_encodings: what is expanded.
        connections: what its clients may do before and between bodies.
        tls: certificates; None is plain HTTP.
        authenticator: who may send; None lets all.
        cross_origin: which web pages may; None is none.
    """

    endpoint: Endpoint
    key: str
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    body_deadline_s: float = BODY_DEADLINE_S
    content_encodings: ContentEncodings = field(default_factory=ContentEncodings)
    connections: ConnectionSettings = field(default_factory=ConnectionSettings)
    tls: ServerTls | None = None
    authenticator: Authenticator | None = None
    cross_origin: CrossOriginSettings | None = None


class HttpReceiver:
    """Takes `POST /v1/traces`, `/v1/metrics` and `/v1/logs`; only signals that have a pipeline exist.

    Requests are read and processed on one event loop thread: what is waited for is the network, and the
    processing holds the interpreter lock anyway.

    Args:
        settings: what to listen on and to tolerate.
        intakes: where the requests of each signal go.
        json_decoders: OTLP JSON to protobuf bytes, for each signal.
        count_refusal: told of every refusal.
    """

    def __init__(
        self,
        settings: HttpSettings,
        intakes: Mapping[Signal, Intake],
        json_decoders: Mapping[Signal, Callable[[bytes], bytes]],
        count_refusal: CountRefusal = count_nothing,
    ) -> None:
        self._settings = settings
        self._intakes = {signal.http_path: intake for signal, intake in intakes.items()}
        self._json_decoders = json_decoders
        self._count_refusal = count_refusal
        self._uploads = Uploads(settings.limit_bytes)
        self._threads = ThreadPoolExecutor(LARGE_BODY_THREADS, thread_name_prefix="otlp http large bodies")
        authenticator = settings.authenticator
        self._gate = HttpGate(authenticator, name="otlp http passwords") if authenticator else None
        application: Application = self._application
        if settings.cross_origin is not None:
            application = CrossOrigin(application, settings.cross_origin, count_refusal)
        self._server = AsgiServer(
            application,
            settings.endpoint,
            key=settings.key,
            name="otlp http receiver",
            settings=settings.connections,
            tls=settings.tls,
            count_refusal=count_refusal,
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
        if self._gate is not None:
            self._gate.close()

    async def _application(self, scope: Message, receive: Receive, send: Send) -> None:
        encoding = _encoding(header(scope, b"content-type"))
        try:
            await self._take(scope, receive, encoding)
        except Refusal as refusal:
            self._count_refusal(refusal.reason)
            await refusal.answer(send, encoding or Encoding.JSON)
        except _Disconnected:
            return
        except asyncio.CancelledError:  # only a stop cancels
            self._count_refusal(stopping().reason)
            await stopping().answer(send, encoding or Encoding.JSON)
        else:
            answer = encoding or Encoding.PROTOBUF
            await respond(send, 200, _SUCCESS_BODIES[answer], answer.value)

    async def _take(self, scope: Message, receive: Receive, encoding: Encoding | None) -> None:
        """Take one request over, or raise `Refusal`; whatever its body is, who sends it and where comes first."""
        if self._gate is not None:
            await self._authenticate(self._gate, scope)
        intake = self._route(scope, encoding)
        self._admit(intake)
        expand = self._expand_of(header(scope, b"content-encoding"))
        with self._uploads.of(_client(scope)) as upload:
            body = await self._read_body(scope, receive, upload)
            if expand is not None and body:
                sent_bytes = len(body)
                body = await self._expanded(intake, expand, body)
                upload.grow(len(body) - sent_bytes)
            is_small = len(body) <= INLINE_BODY_BYTES
            defer = self._work_off_soon if is_small else self._work_off_apart
            is_only_checked = intake.answers_first and encoding is not Encoding.JSON
            is_quick = is_small or (is_only_checked and len(body) <= INLINE_CHECKED_BYTES)
            stored = await self._run(is_quick, self._accept, intake, body, encoding, partial(defer, intake))
            if stored is not None:
                await _until_stored(stored)

    async def _run(self, inline: bool, step: Callable[[Unpack[Arguments]], Result], *arguments: *Arguments) -> Result:
        """Do what is quick here, and what may take seconds while this thread serves others."""
        if inline:
            return step(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, step, *arguments)

    async def _authenticate(self, gate: HttpGate, scope: Message) -> None:
        try:
            if not await gate.admits(scope):
                raise unauthenticated(gate.challenge)
        except PasswordsBusy as busy:
            raise overloaded(str(busy), 1.0, Reason.UNAUTHENTICATED) from busy

    def _route(self, scope: Message, encoding: Encoding | None) -> Intake:
        intake = self._intakes.get(scope["path"])
        if intake is None:
            raise Refusal(404, Code.NOT_FOUND, self._why_not_here(scope["path"]), Reason.NO_SUCH_SIGNAL)
        if scope["method"] != "POST":
            message = "send telemetry with POST"
            raise Refusal(405, Code.UNIMPLEMENTED, message, Reason.METHOD, ((b"allow", b"POST"),))
        if encoding is None:
            raise unknown_content_type()
        return intake

    def _why_not_here(self, path: str) -> str:
        missing = next((signal for signal in Signal if signal.http_path == path), None)
        if missing:
            return missing.without_pipeline
        here = ", ".join(self._intakes)
        if path in _PROFILES_PATHS:
            return f"profiles are not taken here; what is: {here}"
        return f"no such path here; there are: {here}"

    def _admit(self, intake: Intake) -> None:
        try:
            intake.admit(TRANSPORT)
        except TryLater as error:
            raise overloaded(str(error), error.retry_after_s, error.reason) from error

    async def _read_body(self, scope: Message, receive: Receive, upload: Upload) -> bytes:
        limit_bytes = self._settings.limit_bytes
        announced = header(scope, b"content-length")
        if announced.isdecimal() and int(announced) > limit_bytes:
            raise too_large(f"the body is larger than {limit_bytes} bytes")
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self._settings.body_deadline_s):
                async for piece in _pieces(receive):
                    upload.grow(len(piece))
                    pieces.append(piece)
                    if upload.size_bytes > limit_bytes:
                        raise too_large(f"the body is larger than {limit_bytes} bytes")
        except TimeoutError:
            raise too_slow(self._settings.body_deadline_s) from None
        return b"".join(pieces)

    def _expand_of(self, content_encoding: str) -> Expand | None:
        try:
            return self._settings.content_encodings.expand_of(content_encoding)
        except LookupError:
            raise unknown_content_encoding(content_encoding, self._settings.content_encodings.names) from None

    async def _expanded(self, intake: Intake, expand: Expand, body: bytes) -> bytes:
        """Expand a body here while it stays small, else on another thread, up to the limit."""
        limit_bytes = self._settings.limit_bytes
        try:
            if len(body) <= INLINE_COMPRESSED_BYTES:
                try:
                    return expand(body, min(INLINE_EXPANDED_BYTES, limit_bytes))
                except BodyTooLarge:
                    pass  # for this thread; whether it is for all, is found out on the other
            return await self._run(False, expand, body, limit_bytes)
        except BodyTooLarge as error:
            intake.note_unreadable(TRANSPORT)
            raise too_large(str(error)) from error
        except MalformedBody as error:
            intake.note_unreadable(TRANSPORT)
            raise bad_data(str(error)) from error
        except (MemoryError, OSError) as error:
            raise overloaded("no memory to expand the body", 1.0, Reason.MEMORY) from error

    def _work_off_soon(self, intake: Intake) -> None:
        """Process what was answered before anything else is read, but go on answering while that has to wait."""
        asyncio.get_running_loop().call_soon(self._work_off, intake)

    def _work_off(self, intake: Intake) -> None:
        if not intake.work_off_one(INLINE_BODY_BYTES):
            asyncio.get_running_loop().call_later(BUSY_S, self._work_off, intake)

    def _work_off_apart(self, intake: Intake) -> None:
        try:
            self._threads.submit(intake.work_off)
        except RuntimeError:  # it is being stopped
            intake.work_off()

    def _accept(
        self, intake: Intake, body: bytes, encoding: Encoding | None, defer: Callable[[], None]
    ) -> Future[None] | None:
        try:
            if encoding is Encoding.JSON:
                body = self._protobuf_of(intake, body)
            return intake.accept(body, TRANSPORT, defer)
        except MalformedBody as error:
            raise bad_data(str(error)) from error
        except BodyTooLarge as error:
            raise too_large(str(error)) from error
        except TryLater as error:
            raise overloaded(str(error), error.retry_after_s, error.reason) from error
        except Exception as error:
            _logger.exception("%s: unexpected error", self._settings.key)
            message = "unexpected error; see the log of the collector"
            raise Refusal(500, Code.INTERNAL, message, Reason.INTERNAL) from error

    def _protobuf_of(self, intake: Intake, json_body: bytes) -> bytes:
        try:
            return self._json_decoders[intake.signal](json_body)
        except (MalformedBody, BodyTooLarge):
            intake.note_unreadable(TRANSPORT)
            raise


async def _until_stored(stored: Future[None]) -> None:
    try:
        await asyncio.wrap_future(stored)
    except TryLater as error:
        raise overloaded(str(error), error.retry_after_s, error.reason) from error


class _Disconnected(Exception):
    """The client went away before its body was complete."""


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of a body as they arrive."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _client(scope: Message) -> str:
    """The address of the client; nothing where the connection is gone already."""
    return str(scope["client"][0]) if scope.get("client") else ""


@lru_cache(maxsize=64)
def _encoding(content_type: str) -> Encoding | None:
    media_type = content_type.partition(";")[0].strip().lower()
    return next((encoding for encoding in Encoding if encoding.value == media_type), None)
