"""A backend that can be told to misbehave: it speaks OTLP/HTTP and notes what it was sent."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import grpc

from tests.chaos.good_calls import Arrivals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ACCEPTED = b""
TRACES_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
_HTTP_PREFIX = "/v1/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backend says to one request.

    Attributes:
        status: of HTTP.
        headers: beside the content type.
        body: of the answer.
        delay_s: how long it thinks before, in seconds; less if it is asked to stop.
        hangs_up: whether it closes the connection in place of an answer.
        keeps: whether it takes the request in, whatever it says.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = ACCEPTED
    delay_s: float = 0.0
    hangs_up: bool = False
    keeps: bool = True


@dataclass(slots=True)
class Backend:
    """Its address, what arrived, and how it answers the request of a given number, from 0 on."""

    answers: Callable[[int], Answer]
    port: int = 0
    arrivals: Arrivals = field(default_factory=Arrivals)
    asked: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        """What an exporter is given."""
        return f"http://127.0.0.1:{self.port}"

    def next_answer(self) -> Answer:
        """Decide on one request."""
        with self.lock:
            number, self.asked = self.asked, self.asked + 1
        answer = self.answers(number)
        if answer.delay_s:
            self.closing.wait(answer.delay_s)
        return answer


def accepts(_number: int) -> Answer:
    """The manners of a backend that works."""
    return Answer()


@contextmanager
def running_backend(answers: Callable[[int], Answer] = accepts, *, port: int = 0) -> Iterator[Backend]:
    """A backend on loopback, on a port of its own unless one is given."""
    backend = Backend(answers)

    class Handler(_Handler):
        spoken_to = backend

    with _Server(("127.0.0.1", port), Handler) as server:
        backend.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield backend
        finally:
            backend.closing.set()
            server.shutdown()
            thread.join()


@contextmanager
def running_grpc_backend(port: int) -> Iterator[Backend]:
    """A backend that works and speaks OTLP/gRPC, on a given port of loopback; of traces it keeps what arrives."""
    backend = Backend(accepts, port)

    def export(body: bytes, _context: grpc.ServicerContext) -> bytes:
        backend.arrivals.keep("traces", body)
        return ACCEPTED

    handler = grpc.unary_unary_rpc_method_handler(export)
    service = grpc.method_handlers_generic_handler(TRACES_SERVICE, {"Export": handler})
    with ThreadPoolExecutor(2) as workers:
        server = grpc.server(workers, handlers=[service])
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield backend
        finally:
            server.stop(grace=None).wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    spoken_to: Backend

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = self.spoken_to.next_answer()
        if answer.keeps:
            plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            self.spoken_to.arrivals.keep(self.path.removeprefix(_HTTP_PREFIX), plain)
        if answer.hangs_up:
            self.close_connection = True
            return
        self.send_response(answer.status)
        told = {"content-type": "application/x-protobuf", "content-length": str(len(answer.body)), **answer.headers}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
        """Stay silent: a line for each request would drown the report."""
