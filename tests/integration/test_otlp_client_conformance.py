"""What OTLP demands of clients, and thereby of our exporters, where no other test shows it."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import httpx

from otel_carbon.collector.signals import Signal
from tests.integration.collector_under_test import (
    PROTOBUF,
    Running,
    config_text,
    counter,
    running_collector,
    scripted_backend,
    trace_request,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

QUICK_RETRY = "retry_on_failure: {initial_interval: 10ms}"


class CuttingBackend:
    """Takes requests, and hangs up on the first of them without an answer."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        self.bodies: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as stream:
                while body := self._request(stream):
                    self.bodies.append(body)
                    if len(self.bodies) == 1:
                        break
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    @staticmethod
    def _request(stream: BufferedReader) -> bytes:
        """The body of the next request; nothing when there is none."""
        length = 0
        for line in iter(stream.readline, b"\r\n"):
            if not line:
                return b""
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return stream.read(length)


@contextmanager
def collector_before(backend: CuttingBackend) -> Iterator[Running]:
    text = config_text(f'otlp_http: {{endpoint: "{backend.endpoint}", {QUICK_RETRY}}}', names="otlp_http")
    with running_collector(text) as running:
        yield running
    backend.listener.close()


def test_a_request_that_gets_no_answer_is_sent_again_and_connections_are_kept() -> None:
    backend = CuttingBackend()
    with collector_before(backend) as running:
        for index in range(4):
            body = trace_request(f"span {index}")
            httpx.post(f"{running.http}/v1/traces", content=body, headers=PROTOBUF)
            wait_until(lambda: len(backend.bodies) > index + 1, timeout_s=10, what="request at the backend")  # noqa: B023 -- called in the loop
    assert backend.bodies[0] == backend.bodies[1] == trace_request("span 0")
    assert backend.bodies[2:] == [trace_request(f"span {index}") for index in (1, 2, 3)]
    assert backend.connections == 2  # one that was cut, and one for all the others


FIVE_MIB = bytes(5 * 1024 * 1024)


@contextmanager
def long_winded_grpc_backend() -> Iterator[str]:
    handler = grpc.unary_unary_rpc_method_handler(lambda _body, _context: FIVE_MIB)
    service = grpc.method_handlers_generic_handler(Signal.TRACES.grpc_service, {"Export": handler})
    with ThreadPoolExecutor(1) as workers:
        server = grpc.server(workers, handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"http://127.0.0.1:{port}"
        server.stop(None).wait()


def test_an_answer_that_is_too_long_is_an_error_that_stays() -> None:
    with scripted_backend((200, {}, FIVE_MIB)) as backend, long_winded_grpc_backend() as grpc_endpoint:
        exporters = f"""otlp_http: {{endpoint: "{backend.endpoint}", {QUICK_RETRY}}}
  otlp_grpc: {{endpoint: "{grpc_endpoint}", {QUICK_RETRY}}}
  prometheus: {{endpoint: "localhost:0"}}"""
        text = config_text(exporters, names="otlp_http, otlp_grpc", processors="carbon")
        text = text.replace("[carbon], exporters: [", "[carbon], exporters: [prometheus, ")
        with running_collector(text) as running:
            httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
            url = running.page_url("exporters.prometheus") + "/metrics"
            for exporter in ("otlp_http", "otlp_grpc"):
                wait_until(lambda: failed_spans(url, exporter) == 1, timeout_s=10, what="failed span")  # noqa: B023 -- called in the loop
        assert len(backend.requests) == 1


def failed_spans(url: str, exporter: str) -> float:
    return counter(httpx.get(url).text, "otelcol_exporter_send_failed_spans_total", exporter=exporter)
