"""OTLP/gRPC in: the sync server of grpcio with bytes handlers, which costs the least of what grpcio offers."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from otel_carbon.collector.endpoints import Endpoint, bind_problem, bound_endpoint, listening_socket
from otel_carbon.collector.pipeline import QueueFull
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import STATUS_DETAILS_KEY, Code, status_message
from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES, GZIP_MAGIC, gunzip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event

    from otel_carbon.collector.pipeline import Intake

WORKERS = 4
TRANSPORT = "grpc"
_EMPTY_RESPONSE = b""
_ONLY_IDENTITY_AND_GZIP = 0b101
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GrpcSettings:
    """What an OTLP/gRPC receiver listens on and tolerates.

    Attributes:
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        limit_bytes: largest message, before and after decompression, in bytes.
    """

    endpoint: Endpoint
    key: str
    limit_bytes: int = DEFAULT_LIMIT_BYTES


class GrpcReceiver:
    """Takes the `Export` calls of the signals that have a pipeline; the others are UNIMPLEMENTED, with what to do.

    Args:
        settings: what to listen on and to tolerate.
        intakes: where the requests of each signal go.
    """

    def __init__(self, settings: GrpcSettings, intakes: Mapping[Signal, Intake]) -> None:
        self._settings = settings
        self._intakes = intakes
        self._server: grpc.Server | None = None
        self._stopped: Event | None = None
        self.endpoint = settings.endpoint

    def start(self) -> None:
        """Bind and serve; `endpoint` then tells the real port.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="otlp grpc receiver")
        server = grpc.server(workers, options=self._options())
        for signal in Signal:
            server.add_generic_rpc_handlers((self._service(signal, self._intakes.get(signal)),))
        # grpcio does not tell why it cannot bind; a socket of our own does.
        with listening_socket(self._settings.endpoint, self._settings.key) as probe:
            address = bound_endpoint(probe).host
        wanted = Endpoint(address, self._settings.endpoint.port)
        try:
            port = server.add_insecure_port(str(wanted))
        except RuntimeError as error:
            raise bind_problem(self._settings.endpoint, self._settings.key, "address already in use") from error
        self.endpoint = Endpoint(address, port)
        server.start()
        self._server = server

    def begin_stop(self, grace_s: float) -> None:
        """Take no new calls; those that have begun may end within `grace_s` seconds."""
        if self._server is not None:
            self._stopped = self._server.stop(grace_s)

    def finish_stop(self, grace_s: float) -> None:
        """Wait for the end of what `begin_stop` let run."""
        if self._stopped is not None:
            self._stopped.wait(grace_s + 1.0)

    def _options(self) -> list[tuple[str, int]]:
        return [
            ("grpc.max_receive_message_length", self._settings.limit_bytes),
            # A second collector on the same port must fail to start, not share the traffic by chance.
            ("grpc.so_reuseport", 0),
            # grpcio inflates a whole message before it looks at the limit: 300 kB of gzip become 300 MB.
            # So messages arrive as they were sent, and the bounded gunzip of the HTTP receiver expands them.
            ("grpc.per_message_decompression", 0),
            ("grpc.compression_enabled_algorithms_bitset", _ONLY_IDENTITY_AND_GZIP),
        ]

    def _service(self, signal: Signal, intake: Intake | None) -> grpc.GenericRpcHandler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            if intake is None:
                _refuse(context, Code.UNIMPLEMENTED, signal.without_pipeline)
            else:
                self._export(intake, body, context)
            return _EMPTY_RESPONSE

        handler = grpc.unary_unary_rpc_method_handler(export)
        return grpc.method_handlers_generic_handler(signal.grpc_service, {"Export": handler})

    def _export(self, intake: Intake, message: bytes, context: grpc.ServicerContext) -> None:
        try:
            intake.accept(_expanded(message, self._settings.limit_bytes), TRANSPORT)
        except MalformedBody as error:
            _refuse(context, Code.INVALID_ARGUMENT, str(error))
        except BodyTooLarge as error:
            _refuse(context, Code.RESOURCE_EXHAUSTED, str(error))
        except QueueFull as error:
            _refuse(context, Code.UNAVAILABLE, str(error), error.retry_after_s)
        except Exception:
            _logger.exception("%s: unexpected error", self._settings.key)
            _refuse(context, Code.INTERNAL, "unexpected error; see the log of the collector")


def _expanded(message: bytes, limit_bytes: int) -> bytes:
    """Decompress a message if it is gzip.

    The flag that says so is not handed out by grpcio, but it is not needed: the first byte of gzip would be a
    protobuf tag of wire type 7, which does not exist, so no request begins with it.
    """
    return gunzip(message, limit_bytes) if message.startswith(GZIP_MAGIC) else message


def _refuse(context: grpc.ServicerContext, code: Code, message: str, retry_after_s: float | None = None) -> None:
    context.set_code(grpc.StatusCode[code.name])
    context.set_details(message)
    status = status_message(code, message, retry_after_s)
    context.set_trailing_metadata(((STATUS_DETAILS_KEY, status.SerializeToString()),))
