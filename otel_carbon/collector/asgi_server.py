"""A bare ASGI application on uvicorn, on a thread of its own, with a deadline and a bound on request headers."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otel_carbon.collector.endpoints import Endpoint, bound_endpoint, listening_socket

if TYPE_CHECKING:
    import asyncio
    import socket

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

HEADER_DEADLINE_S = 10.0
HEADER_LIMIT_BYTES = 64 * 1024
_START_TIMEOUT_S = 10.0


class AsgiServer:
    """Serves one application on one endpoint.

    Args:
        application: the ASGI callable; lifespan events are not sent.
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        name: name of the thread.
        header_deadline_s: a connection whose request headers take longer is closed, in seconds.
    """

    def __init__(
        self,
        application: Application,
        endpoint: Endpoint,
        *,
        key: str,
        name: str,
        header_deadline_s: float = HEADER_DEADLINE_S,
    ) -> None:
        self._application = application
        self._requested = endpoint
        self._key = key
        self._name = name
        self._header_deadline_s = header_deadline_s
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.endpoint = endpoint

    def start(self) -> None:
        """Bind, serve, and return once connections are accepted; `endpoint` then tells the real port.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        listener = listening_socket(self._requested, self._key)
        self.endpoint = bound_endpoint(listener)
        self._server = _Server(self._settings())
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name=self._name, daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_START_TIMEOUT_S):
            raise RuntimeError(f"{self._key}: the server did not start within {_START_TIMEOUT_S} s")

    def begin_stop(self, grace_s: float) -> None:
        """Accept no new connections and let requests end within `grace_s` seconds."""
        if self._server:
            # uvicorn counts whole seconds, and 0 would mean to wait for ever.
            self._server.config.timeout_graceful_shutdown = max(1, round(grace_s))
            self._server.should_exit = True

    def finish_stop(self, grace_s: float) -> None:
        """Wait until the thread has ended, a little longer than the grace that requests were given."""
        if self._thread:
            self._thread.join(max(1.0, grace_s) + 1.0)

    def _settings(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._application,
            http=_deadline_protocol(self._header_deadline_s),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )


class _Server(uvicorn.Server):
    """Tells when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose headers come too slowly or are too many; uvicorn bounds neither.

    The same deadline holds for what is left of a body after it was refused: it is read and thrown away, because
    closing at once would reset the connection and lose the answer.
    """

    deadline_s = HEADER_DEADLINE_S
    _deadline: asyncio.TimerHandle | None = None
    _reads_headers = True
    _made_progress = False
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reads_headers and self._deadline is None and self._has_answered():
            self._arm()
        self._made_progress = False
        super().data_received(data)
        self._header_bytes = 0 if self._made_progress else self._header_bytes + len(data)
        if self._reads_headers and self._header_bytes > HEADER_LIMIT_BYTES:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._reads_headers, self._made_progress = False, True
        self._disarm()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reads_headers, self._made_progress = True, True
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._reads_headers:
            self._arm()

    def _has_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.deadline_s, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _deadline_protocol(deadline_s: float) -> type[HttpToolsProtocol]:
    return type("DeadlineProtocol", (_DeadlineProtocol,), {"deadline_s": deadline_s})


async def respond(send: Send, status: int, body: bytes, content_type: str, headers: Headers = ()) -> None:
    """Send a whole response."""
    fields = [(b"content-type", content_type.encode("latin-1")), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def header(scope: Message, name: bytes) -> str:
    """Value of a request header, empty if it was not sent; of repeated headers the first."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
