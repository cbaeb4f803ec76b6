"""An OTLP/HTTP client that costs little: requests are bytes that were made before, answers are hardly read."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CONNECTIONS = 8
OPEN_LOOP_CONNECTIONS = 32
_TIMEOUT_S = 60.0
_REFUSED_PAUSE_S = 0.02
_RECEIVE_BYTES = 65_536


@dataclass(slots=True)
class Sent:
    """What became of the requests of a turn.

    Attributes:
        seconds: from the first request to the last answer, in seconds.
        refused: answers that asked to come back later.
        latencies_s: of each accepted request, in seconds.
    """

    seconds: float = 0.0
    refused: int = 0
    latencies_s: list[float] = field(default_factory=list)


class _Connection:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/x-protobuf\r\n"

    def export(self, body: bytes) -> bool:
        """Send one request; False when the server asks to come back later.

        Raises:
            RuntimeError: the server answered with another refusal.
            OSError: the connection failed.
        """
        self._socket.sendall(f"{self._head}content-length: {len(body)}\r\n\r\n".encode())
        self._socket.sendall(body)
        status = self._read_status()
        if status not in {200, 429, 503}:
            raise RuntimeError(f"answered {status}")
        return status == 200

    def close(self) -> None:
        self._socket.close()

    def _read_status(self) -> int:
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, rest = answer.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(rest) < length:
            rest += self._receive()
        return int(lines[0].split()[1])

    def _receive(self) -> bytes:
        received = self._socket.recv(_RECEIVE_BYTES)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


def send_all(port: int, requests: Sequence[bytes]) -> Sent:
    """Send all requests as fast as they are answered, each one until it is accepted."""

    def send(connection: _Connection, number: int, sent: Sent) -> None:
        while not connection.export(requests[number]):
            sent.refused += 1
            time.sleep(_REFUSED_PAUSE_S)

    return _spread_over(port, len(requests), send, CONNECTIONS)


def send_at(port: int, requests: Sequence[bytes], per_s: float, *, unmeasured: int = 0) -> Sent:
    """Send at a steady rate, whatever the answers; a late start counts as latency, and a refusal is sent again.

    Args:
        port: of the server on this machine.
        requests: what is sent.
        per_s: requests a second.
        unmeasured: how many requests have no latency, as connections are opened meanwhile.
    """
    began_s = time.perf_counter()

    def send(connection: _Connection, number: int, sent: Sent) -> None:
        due_s = began_s + number / per_s
        time.sleep(max(0.0, due_s - time.perf_counter()))
        while not connection.export(requests[number]):
            sent.refused += 1
            time.sleep(_REFUSED_PAUSE_S)
        if number >= unmeasured:
            sent.latencies_s.append(time.perf_counter() - due_s)

    return _spread_over(port, len(requests), send, OPEN_LOOP_CONNECTIONS)


def send_for(port: int, requests: Sequence[bytes], seconds: float) -> Sent:
    """Send the requests over and over for some seconds; a refused one is given up, and the next tried after a pause."""
    until_s = time.monotonic() + seconds

    def send(connection: _Connection, number: int, sent: Sent) -> None:
        while time.monotonic() < until_s:
            if not connection.export(requests[number % len(requests)]):
                sent.refused += 1
                time.sleep(_REFUSED_PAUSE_S)
            number += CONNECTIONS

    return _spread_over(port, CONNECTIONS, send, CONNECTIONS)


def _spread_over(port: int, count: int, send: Callable[[_Connection, int, Sent], None], connections: int) -> Sent:
    """Call `send` for every number below `count` on some connections, each with a thread of its own."""
    numbers = iter(range(count))
    lock = threading.Lock()
    total = Sent()

    def work() -> Sent:
        sent = Sent()
        with _connected(port) as connection:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return sent
                send(connection, number, sent)

    began_s = time.perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        for sent in [each.result() for each in [threads.submit(work) for _ in range(connections)]]:
            total.refused += sent.refused
            total.latencies_s += sent.latencies_s
    total.seconds = time.perf_counter() - began_s
    return total


@contextmanager
def _connected(port: int) -> Iterator[_Connection]:
    connection = _Connection(port)
    try:
        yield connection
    finally:
        connection.close()
