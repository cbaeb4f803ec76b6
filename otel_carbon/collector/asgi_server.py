"""A bare ASGI application on uvicorn, on a thread of its own, with bounds on connections and TLS that is reloaded."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any

import uvicorn

from otel_carbon.collector.connection_limits import ConnectionLimits, limited
from otel_carbon.collector.endpoints import Endpoint, bound_endpoint, listening_socket
from otel_carbon.collector.http_connection import ConnectionSettings, connection_class
from otel_carbon.collector.refusal_reasons import CountRefusal, count_nothing

if TYPE_CHECKING:
    import socket

    from otel_carbon.collector.tls import ServerTls

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

CLOSE = ((b"connection", b"close"),)
"""Headers of an answer after which the connection ends."""

_PART_BYTES = 65_536
_START_TIMEOUT_S = 10.0
_TLS_CLOSE_S = 5.0
_LAST_ANSWERS_S = 1
"""How long those whom a stop has given up may take to hear of it, in whole seconds."""
_logger = logging.getLogger(__name__)


class AsgiServer:
    """Serves one application on one endpoint.

    Args:
        application: the ASGI callable; lifespan events are not sent. A stop that has waited long enough cancels it;
            it may answer that itself, and else the answer is 503 without words.
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        name: name of the thread.
        settings: what its clients may do.
        tls: certificates; None serves plain HTTP.
        count_refusal: told of connections that are refused.
    """

    def __init__(
        self,
        application: Application,
        endpoint: Endpoint,
        *,
        key: str,
        name: str,
        settings: ConnectionSettings = ConnectionSettings(),  # noqa: B008 -- frozen, so it may be shared
        tls: ServerTls | None = None,
        count_refusal: CountRefusal = count_nothing,
    ) -> None:
        self._application = application
        self._requested = endpoint
        self._key = key
        self._name = name
        self._settings = settings
        self._tls = tls
        self._count_refusal = count_refusal
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.endpoint = endpoint

    def start(self) -> None:
        """Bind, serve, and return once connections are accepted; `endpoint` then tells the real port.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        settings = self._settings
        limits = ConnectionLimits(settings.most_connections, settings.most_client_connections, self._count_refusal)
        listener = limited(listening_socket(self._requested, self._key), limits)
        self.endpoint = bound_endpoint(listener)
        self._server = _Server(self._uvicorn_config(), self._key)
        self._thread = threading.Thread(target=self._run, args=(self._server, listener), name=self._name, daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_START_TIMEOUT_S):
            raise RuntimeError(f"{self._key}: the server did not start within {_START_TIMEOUT_S} s")

    def begin_stop(self, grace_s: float) -> None:
        """Accept no new connections and let requests end within `grace_s` seconds."""
        if self._server:
            self._server.grace_s = grace_s
            # uvicorn counts whole seconds, and logs a traceback of each request that it has to cancel.
            self._server.config.timeout_graceful_shutdown = ceil(grace_s) + _LAST_ANSWERS_S
            self._server.should_exit = True

    def finish_stop(self, grace_s: float) -> None:
        """Wait until the thread has ended, a little longer than the grace that requests were given."""
        if self._thread:
            self._thread.join(ceil(grace_s) + _LAST_ANSWERS_S + 1.0)

    def _run(self, server: _Server, listener: socket.socket) -> None:
        # Another loop, such as uvloop, would accept on the file descriptor, past the limits of the listener.
        with asyncio.Runner(loop_factory=lambda: _Loop(self._settings, self._tls)) as runner:
            runner.run(server.serve(sockets=[listener]))

    def _uvicorn_config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._answering,
            http=connection_class(self._settings, self._count_refusal),
            ws="none",
            lifespan="off",
            interface="asgi3",
            timeout_keep_alive=self._settings.idle_deadline_s,  # type: ignore[arg-type] # call_later takes fractions
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )

    async def _answering(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except asyncio.CancelledError:
            if self._server is None or not self._server.should_exit:
                raise
            with suppress(RuntimeError):  # the answer had begun; then the connection is closed
                await respond(send, 503, b"", "text/plain", CLOSE)


class _Loop(asyncio.SelectorEventLoop):
    """Serves with the TLS that is given, and with deadlines on its handshakes, neither of which uvicorn takes."""

    def __init__(self, settings: ConnectionSettings, tls: ServerTls | None) -> None:
        super().__init__()
        self._settings = settings
        self._tls = tls

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:  # noqa: ANN401 -- all as given, but TLS
        if self._tls is not None:
            options["ssl"] = self._tls.context
            options["ssl_handshake_timeout"] = self._settings.header_deadline_s
            options["ssl_shutdown_timeout"] = _TLS_CLOSE_S
        return await super().create_server(*arguments, **options)


class _Server(uvicorn.Server):
    """Tells when it is ready, and gives up what does not end.

    Attributes:
        ready: set once connections are accepted.
        grace_s: how long requests may take that have begun when it is stopped, in seconds.
    """

    def __init__(self, config: uvicorn.Config, key: str) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.grace_s = 0.0
        self._key = key

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        later = asyncio.get_running_loop().call_later
        timers = (later(self.grace_s, self._give_up), later(self.grace_s + _LAST_ANSWERS_S / 2, self._hang_up))
        try:
            await super().shutdown(sockets)
        finally:
            for timer in timers:
                timer.cancel()

    def _give_up(self) -> None:
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            message = "%s: stopped with %d requests that did not end within %g s; their clients are told to come again"
            _logger.warning(message, self._key, len(tasks), self.grace_s)

    def _hang_up(self) -> None:
        """Whoever takes no answer by now never will."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


async def respond(send: Send, status: int, body: bytes, content_type: str, headers: Headers = ()) -> None:
    """Send a whole response, a large one in parts: a copy of it all in one go would hold up other threads."""
    fields = [(b"content-type", content_type.encode("latin-1")), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    sent = 0
    while len(body) - sent > _PART_BYTES:
        await send({"type": "http.response.body", "body": body[sent : sent + _PART_BYTES], "more_body": True})
        sent += _PART_BYTES
    await send({"type": "http.response.body", "body": body[sent:]})


def header(scope: Message, name: bytes) -> str:
    """Value of a request header, empty if it was not sent; of repeated headers the first."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""
