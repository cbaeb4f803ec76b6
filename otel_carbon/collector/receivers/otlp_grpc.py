"""OTLP/gRPC in: the sync server of grpcio with bytes handlers, which costs the least of what grpcio offers."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Event, Thread
from typing import TYPE_CHECKING

import grpc

from otel_carbon.collector.authenticators import PasswordsBusy
from otel_carbon.collector.endpoints import Endpoint, bind_problem, bound_endpoint, listening_socket
from otel_carbon.collector.receivers.grpc_refusals import GrpcRefusal, overloaded
from otel_carbon.collector.receivers.slow_calls import SlowCalls
from otel_carbon.collector.refusal_reasons import CountRefusal, Reason, count_nothing
from otel_carbon.collector.refusals import TryLater
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import Code
from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.limits import GZIP_MAGIC, expand_zlib, gunzip, is_zlib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.pipeline import Intake
    from otel_carbon.collector.receivers.grpc_settings import GrpcSettings

WORKERS = 16
"""Twice what may wait for a slow message, so that slow clients never take all of them."""
PROCESSING = 4
"""How many process at a time; more would only hand the interpreter lock around."""
TRANSPORT = "grpc"
_WATCH_INTERVAL_S = 0.25
_EMPTY_RESPONSE = b""
_NO_MESSAGE = b"no message: known by its identity"
_logger = logging.getLogger(__name__)


class GrpcReceiver:
    """Takes the `Export` calls of the signals that have a pipeline; the others are UNIMPLEMENTED, with what to do.

    Args:
        settings: what to listen on and to tolerate.
        intakes: where the requests of each signal go.
        count_refusal: told of every refusal.
    """

    def __init__(
        self, settings: GrpcSettings, intakes: Mapping[Signal, Intake], count_refusal: CountRefusal = count_nothing
    ) -> None:
        self._settings = settings
        self._intakes = {f"/{signal.grpc_service}/Export": intakes.get(signal) for signal in Signal}
        self._signals = {f"/{signal.grpc_service}/Export": signal for signal in Signal}
        self._count_refusal = count_refusal
        self._slow_calls = SlowCalls(settings.message_deadline_s)
        self._processing = BoundedSemaphore(PROCESSING)
        self._server: grpc.Server | None = None
        self._stopped: Event | None = None
        self._is_over = Event()
        self.endpoint = settings.endpoint

    def start(self) -> None:
        """Bind and serve; `endpoint` then tells the real port.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="otlp grpc receiver")
        server = grpc.server(workers, options=self._settings.options())
        server.add_generic_rpc_handlers((_EveryMethod(self),))
        # grpcio does not tell why it cannot bind; a socket of our own does.
        with listening_socket(self._settings.endpoint, self._settings.key) as probe:
            address = bound_endpoint(probe).host
        try:
            port = self._add_port(server, str(Endpoint(address, self._settings.endpoint.port)))
        except RuntimeError as error:
            raise bind_problem(self._settings.endpoint, self._settings.key, "address already in use") from error
        self.endpoint = Endpoint(address, port)
        server.start()
        self._server = server
        Thread(target=self._watch, name="otlp grpc slow calls", daemon=True).start()

    def begin_stop(self, grace_s: float) -> None:
        """Take no new calls; those that have begun may end within `grace_s` seconds."""
        if self._server is not None:
            self._stopped = self._server.stop(grace_s)

    def finish_stop(self, grace_s: float) -> None:
        """Wait for the end of what `begin_stop` let run."""
        if self._stopped is not None:
            self._stopped.wait(grace_s + 1.0)
        self._is_over.set()

    def _add_port(self, server: grpc.Server, address: str) -> int:
        if self._settings.tls is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, self._settings.tls.grpc_credentials()))

    def handle(self, method: str, messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """Take the one message of a call over, or refuse it."""
        try:
            intake = self._admitted(method, context)
            message = self._read_message(messages, context)
            if message is not None:
                self._export(intake, message)
        except GrpcRefusal as refusal:
            self._count_refusal(refusal.reason)
            refusal.answer(context)
        return _EMPTY_RESPONSE

    def _admitted(self, method: str, context: grpc.ServicerContext) -> Intake:
        """Whom a call is for; who sends it is asked first, and its message is read last."""
        if self._settings.authenticator is not None:
            self._authenticate(self._settings.authenticator, context)
        if method not in self._intakes:
            message = f"{method[:200]} is not offered here; what is: {', '.join(self._intakes)}"
            raise GrpcRefusal(Code.UNIMPLEMENTED, message, Reason.NO_SUCH_SIGNAL)
        intake = self._intakes[method]
        if intake is None:
            raise GrpcRefusal(Code.UNIMPLEMENTED, self._signals[method].without_pipeline, Reason.NO_SUCH_SIGNAL)
        return intake

    def _authenticate(self, authenticator: Authenticator, context: grpc.ServicerContext) -> None:
        authorization = str(dict(context.invocation_metadata()).get("authorization", ""))
        try:
            if not authorization or not authenticator.admits(authorization):
                raise GrpcRefusal(Code.UNAUTHENTICATED, "authentication is needed", Reason.UNAUTHENTICATED)
        except PasswordsBusy as busy:
            raise overloaded(str(busy), 1.0, Reason.UNAUTHENTICATED) from busy

    def _read_message(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes | None:
        """Wait for the message; None if the call ended before, and nobody is there to be answered."""
        call = self._slow_calls.begin(_client(context.peer()), time.monotonic(), context.cancel)
        if call is None:
            raise overloaded("too many slow calls from this address", 1.0, Reason.CLIENT_SLOW_REQUESTS)
        try:
            message = next(messages, _NO_MESSAGE)
        except grpc.RpcError:
            message = None
        if not self._slow_calls.end(call):
            return None
        if message is _NO_MESSAGE:
            raise GrpcRefusal(Code.INVALID_ARGUMENT, "the call has no message", Reason.BAD_DATA)
        return message

    def _watch(self) -> None:
        """Give up calls whose message does not come; their threads then serve others."""
        while not self._is_over.wait(_WATCH_INTERVAL_S):
            for call in self._slow_calls.overdue(time.monotonic()):
                self._count_refusal(Reason.BODY_TIMEOUT)
                call.give_up()

    def _export(self, intake: Intake, message: bytes) -> None:
        try:
            with self._processing:
                intake.admit(TRANSPORT)
                stored = intake.accept(self._expanded(intake, message), TRANSPORT)
            if stored is not None:  # others process meanwhile, and share the flush of the disk
                stored.result()
        except MalformedBody as error:
            raise GrpcRefusal(Code.INVALID_ARGUMENT, str(error), Reason.BAD_DATA) from error
        except BodyTooLarge as error:
            raise GrpcRefusal(Code.RESOURCE_EXHAUSTED, str(error), Reason.TOO_LARGE) from error
        except TryLater as error:
            raise overloaded(str(error), error.retry_after_s, error.reason) from error
        except Exception as error:
            _logger.exception("%s: unexpected error", self._settings.key)
            message_text = "unexpected error; see the log of the collector"
            raise GrpcRefusal(Code.INTERNAL, message_text, Reason.INTERNAL) from error

    def _expanded(self, intake: Intake, message: bytes) -> bytes:
        """Decompress a message if it is gzip, or zlib, which gRPC calls deflate.

        The flag that says so is not handed out by grpcio, but it is not needed: the first byte of gzip would be a
        protobuf tag of wire type 7, which does not exist; that of zlib would be a number, and requests of OTLP have
        none beside the list that they begin with.
        """
        try:
            if message.startswith(GZIP_MAGIC):
                return gunzip(message, self._settings.limit_bytes)
            if is_zlib(message):
                return expand_zlib(message, self._settings.limit_bytes)
        except (MalformedBody, BodyTooLarge):
            intake.note_unreadable(TRANSPORT)
            raise
        return message


class _EveryMethod(grpc.GenericRpcHandler):  # type: ignore[misc] # grpcio ships no types
    """Gives every method to the receiver, also those that it will refuse: grpcio's own answer has no details.

    Handlers take a stream, which on the wire is the same: with a single message grpcio would read it before it calls
    the handler, and a client that never sends it would hold a thread for ever.
    """

    def __init__(self, receiver: GrpcReceiver) -> None:
        self._receiver = receiver

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Called by grpcio for each call."""
        method = handler_call_details.method

        def handle(messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            return self._receiver.handle(method, messages, context)

        return grpc.stream_unary_rpc_method_handler(handle)


def _client(peer: str) -> str:
    """`ipv4:10.0.0.1` of `ipv4:10.0.0.1:4711`."""
    return peer.rpartition(":")[0]
