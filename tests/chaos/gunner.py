"""Sends shots to a collector, many at a time over connections that are kept, and judges each answer."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import grpc
import httptools
import httpx

from tests.chaos.judging import grpc_complaint, http_complaint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from tests.chaos.shots import Shot
    from tests.chaos.victim import Address, Victim

PATIENCE_S = 60.0
"""How long an answer may take before it counts as none: the machine is shared, and bombs take their moment."""
HEADER_DEADLINE_S = 10.0
_RAW_PATIENCE_S = HEADER_DEADLINE_S + 30.0
_PIECE_BYTES = 1 << 16
_SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back: the status of HTTP, the content type, the body."""

    status: int
    content_type: str
    body: bytes


@dataclass(slots=True)
class _Answers:
    """Parses answers of one connection as they come."""

    complete: list[HttpAnswer] = field(default_factory=list)
    _parser: Any = None
    _type: str = ""
    _body: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, piece: bytes) -> None:
        self._parser.feed_data(piece)

    def on_message_begin(self) -> None:
        self._type, self._body = "", bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self._type = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self._body += piece

    def on_message_complete(self) -> None:
        self.complete.append(HttpAnswer(self._parser.get_status_code(), self._type, bytes(self._body)))


class Gunner:
    """One attacker with a kept HTTP connection and a gRPC channel of its own.

    `outcomes` counts what the collector said, by channel.
    """

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._socket: socket.socket | None = None
        self._channel = grpc.insecure_channel(str(victim.grpc), options=[("grpc.use_local_subchannel_pool", 1)])
        self.outcomes: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._hang_up()

    def fire(self, shots: Sequence[Shot]) -> Iterator[tuple[Shot, str]]:
        """Send all of them; yields those that were answered wrongly, with what is wrong."""
        calls = [(each, self._begin_call(each)) for each in shots if each.channel == "grpc"]
        yield from self._fire_http([each for each in shots if each.channel == "http"])
        for each in shots:
            if each.channel.startswith("raw"):
                yield from _failures(each, self._fire_raw(each))
        for each, call in calls:
            yield from _failures(each, self._end_call(each, call))

    def _begin_call(self, shot: Shot) -> Any:
        method = self._channel.unary_unary(f"/{_SERVICES[shot.signal]}/Export")
        compression = grpc.Compression.Gzip if shot.gzip_by_library else None
        return method.future(shot.payload, timeout=PATIENCE_S, compression=compression, wait_for_ready=True)

    def _end_call(self, shot: Shot, call: Any) -> str | None:
        code = call.code().name
        self._count("gRPC", code)
        answer = call.result() if code == "OK" else b""
        return grpc_complaint(code, dict(call.trailing_metadata() or ()), answer, shot.signal)

    def _fire_http(self, shots: Sequence[Shot]) -> Iterator[tuple[Shot, str]]:
        """Pipelined; when the collector closes in between, what is unanswered is sent again, the first of it alone."""
        waiting, together = list(shots), len(shots)
        while waiting:
            answers, why_not_more = self._exchange(waiting[:together])
            for shot, answer in zip(waiting, answers, strict=False):
                yield from _failures(shot, self._judge(shot, answer, alone=together == 1))
            waiting = waiting[len(answers) :]
            if not answers and together == 1:
                yield waiting.pop(0), f"no answer: {why_not_more}"
            together = len(waiting) if answers else 1

    def _judge(self, shot: Shot, answer: HttpAnswer, *, alone: bool) -> str | None:
        """What is wrong with an answer; a refusal may have been meant for a later request of those sent together."""
        complaint = http_complaint(shot.signal, shot.content_type, answer.status, answer.content_type, answer.body)
        if complaint and not alone and answer.status < httpx.codes.INTERNAL_SERVER_ERROR:
            self._hang_up()
            answers, why_not = self._exchange([shot])
            return self._judge(shot, answers[0], alone=True) if answers else f"no answer: {why_not}"
        self._count("HTTP", str(answer.status))
        return complaint

    def _exchange(self, shots: Sequence[Shot]) -> tuple[list[HttpAnswer], str]:
        """Answers in order, fewer than shots if the connection ended."""
        parsed = _Answers()
        try:
            connection = self._connected()
            connection.sendall(b"".join(each.http_bytes() for each in shots))
            while len(parsed.complete) < len(shots):
                piece = connection.recv(_PIECE_BYTES)
                if not piece:
                    self._hang_up()
                    return parsed.complete, "the connection was closed"
                parsed.feed(piece)
        except (OSError, httptools.HttpParserError) as error:
            self._hang_up()
            return parsed.complete, f"{type(error).__name__}: {error}"
        return parsed.complete, ""

    def _fire_raw(self, shot: Shot) -> str | None:
        """The connection must end, or be answered, and no answer may be an error of the server's."""
        is_http = shot.channel == "raw http"
        address = self._victim.http if is_http else self._victim.grpc
        told, ended = _told_raw(address, shot.payload, until_answered=not is_http)
        if not ended:
            return f"the connection stays open for {_RAW_PATIENCE_S:.0f} s"
        if not is_http:
            self._count(shot.channel, "answered" if told else "closed")
            return None
        return self._raw_http_complaint(told)

    def _raw_http_complaint(self, told: bytes) -> str | None:
        parsed = _Answers()
        try:
            parsed.feed(told)
        except httptools.HttpParserError as error:
            if not parsed.complete:
                return f"answered with what is not HTTP: {error}"
        self._count("raw http", str(parsed.complete[-1].status) if parsed.complete else "closed")
        wrong = [each.status for each in parsed.complete if each.status >= 500 and each.status != 503]
        return f"HTTP {wrong[0]}" if wrong else None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = connect(self._victim.http, PATIENCE_S)
        return self._socket

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _count(self, channel: str, outcome: str) -> None:
        key = f"{channel} {outcome}"
        self.outcomes[key] = self.outcomes.get(key, 0) + 1


def _failures(shot: Shot, complaint: str | None) -> Iterator[tuple[Shot, str]]:
    if complaint is not None:
        yield shot, complaint


def connect(address: Address, timeout_s: float) -> socket.socket:
    """Open a connection whose small pieces are sent at once."""
    connection = socket.create_connection((address.host, address.port), timeout=timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _told_raw(address: Address, message: bytes, *, until_answered: bool) -> tuple[bytes, bool]:
    """Send everything, close our side, and read to the end; HTTP/2 connections may stay open once they are answered."""
    told = bytearray()
    deadline_s = time.monotonic() + _RAW_PATIENCE_S
    with connect(address, _RAW_PATIENCE_S) as connection:
        try:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            while time.monotonic() < deadline_s:
                piece = connection.recv(_PIECE_BYTES)
                if not piece:
                    return bytes(told), True
                told += piece
        except TimeoutError:
            pass
        except OSError:  # the other side was quicker to end it
            return bytes(told), True
    return bytes(told), until_answered and bool(told)
