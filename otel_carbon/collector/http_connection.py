"""One HTTP connection: uvicorn's protocol class with deadlines and bounds that uvicorn does not have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otel_carbon.collector.connection_limits import DEFAULT_CLIENT_CONNECTIONS, DEFAULT_CONNECTIONS
from otel_carbon.collector.refusal_reasons import CountRefusal, Reason, count_nothing
from otel_carbon.collector.status import Code

if TYPE_CHECKING:
    import asyncio

HEADER_LIMIT_BYTES = 64 * 1024
MOST_PIPELINED = 16
"""Requests sent ahead of the answers; OTLP clients send none, and uvicorn keeps any number."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What the clients of an HTTP server may do.

    Attributes:
        header_deadline_s: longest time for a TLS handshake, and for the headers of a request, in seconds.
        write_deadline_s: longest time for a client to take an answer, in seconds.
        idle_deadline_s: how long a connection may wait for its next request, in seconds.
        keep_alive: whether there may be a next request.
        most_connections: of all clients together.
        most_client_connections: from one address.
    """

    header_deadline_s: float = 10.0
    write_deadline_s: float = 30.0
    idle_deadline_s: float = 60.0
    keep_alive: bool = True
    most_connections: int = DEFAULT_CONNECTIONS
    most_client_connections: int = DEFAULT_CLIENT_CONNECTIONS


class _Connection(HttpToolsProtocol):
    """Closes a connection whose headers come too slowly or are too many, or whose answers are not taken.

    The deadline of headers holds for what is left of a body after it was refused, too: it is read and thrown away,
    because closing at once would reset the connection and lose the answer.
    """

    settings = ConnectionSettings()
    count_refusal: CountRefusal = staticmethod(count_nothing)
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None
    _reads_headers = True
    _made_progress = False
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reads_headers and self._deadline is None and self._has_answered():
            self._arm()
        self._made_progress = False
        super().data_received(data)
        self._header_bytes = 0 if self._made_progress else self._header_bytes + len(data)
        if self._reads_headers and self._header_bytes > HEADER_LIMIT_BYTES and not self.transport.is_closing():
            self.count_refusal(Reason.HEADERS_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests ahead")  # the parser turns it into the answer 400
        self._reads_headers, self._made_progress = False, True
        self._disarm()
        super().on_headers_complete()
        self.cycle.keep_alive = self.cycle.keep_alive and self.settings.keep_alive

    def on_message_complete(self) -> None:
        self._reads_headers, self._made_progress = True, True
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._reads_headers:
            self._arm()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.settings.write_deadline_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as OTLP answers everything: with a `Status`; it named no encoding, so in JSON."""
        self.count_refusal(Reason.BAD_DATA)
        body = json.dumps({"code": Code.INVALID_ARGUMENT.value, "message": msg}).encode()
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d"
        self.transport.write(head % len(body) + b"\r\n\r\n" + body)
        self.transport.close()

    def _has_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.settings.header_deadline_s, self._give_up)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        # A connection that never sent anything is a probe or idle, and no request was refused.
        if self._header_bytes:
            self.count_refusal(Reason.HEADER_TIMEOUT)
        self.transport.close()


def connection_class(settings: ConnectionSettings, count_refusal: CountRefusal) -> type[_Connection]:
    """The protocol class for one server, as uvicorn wants it."""
    fields = {"settings": settings, "count_refusal": staticmethod(count_refusal)}
    return type("Connection", (_Connection,), fields)
