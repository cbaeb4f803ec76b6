"""Clients that are in the middle of something when the collector stops."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.asgi_server import AsgiServer, respond
from otel_carbon.collector.endpoints import parse_endpoint
from tests.integration.collector_under_test import config_text, running_collector, trace_request
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.collector.asgi_server import Message, Receive, Send

HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
BODY = trace_request("a")


def connected(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def read_all(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(65_536):
        received += piece
    return received


def trickle(client: socket.socket, piece: bytes, is_over: Event) -> None:
    try:
        while not is_over.wait(0.05):
            client.sendall(piece)
    except OSError:
        return  # hung up


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (HEAD + b"content-length: 1000000\r\n\r\n{", b" "),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n"),
        (HEAD + b"content-length: 1000000\r\n\r\n{", b""),
    ],
    ids=["by-length", "chunked", "silent"],
)
def test_an_upload_that_goes_on_beyond_the_grace_is_asked_to_come_again_without_a_traceback(
    caplog: pytest.LogCaptureFixture, head: bytes, piece: bytes
) -> None:
    is_over = Event()
    with (
        running_collector(config_text("debug:", names="debug")) as running,
        closing(connected(running.http)) as client,
    ):
        client.sendall(head)
        slow = Thread(target=trickle, args=(client, piece, is_over))
        slow.start()
        try:
            began_s = time.monotonic()
            assert running.collector.stop(grace_s=1, drain_s=1) == 0
            assert time.monotonic() - began_s < 10
            answer = client.recv(65_536)
        finally:
            is_over.set()
            slow.join()
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"connection: close" in answer
    assert b'"message":"the collector is being stopped; send it again"' in answer.replace(b'": "', b'":"')
    assert [record.levelname for record in caplog.records if record.exc_info] == []
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    key, _, said = warning.partition(": ")
    assert key == "receivers.otlp.protocols.http.endpoint"
    assert said == "stopped with 1 requests that did not end within 1 s; their clients are told to come again"


def test_an_upload_that_ends_within_the_grace_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    head = HEAD.replace(b"json", b"x-protobuf") + b"content-length: %d\r\n\r\n" % len(BODY)
    with (
        running_collector(config_text("debug:", names="debug")) as running,
        closing(connected(running.http)) as client,
    ):
        client.sendall(head + BODY[:5])
        stopping = Thread(target=running.collector.stop, kwargs={"grace_s": 10, "drain_s": 10})
        stopping.start()
        wait_until(lambda: is_refused(running.http), timeout_s=10, what="a receiver that takes nobody new")
        client.sendall(BODY[5:])
        assert read_all(client).startswith(b"HTTP/1.1 200 OK\r\n")
        stopping.join()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def is_refused(address: str) -> bool:
    try:
        connected(address).close()
    except OSError:
        return True
    return False


async def never_read(_scope: Message, _receive: Receive, send: Send) -> None:
    await respond(send, 200, bytes(64 * 1024 * 1024), "text/plain")


async def never_answers(_scope: Message, receive: Receive, _send: Send) -> None:
    await receive()
    await receive()  # waits until the client goes away


@pytest.mark.parametrize("application", [never_read, never_answers])
def test_a_client_that_neither_reads_nor_goes_is_hung_up_on_without_a_traceback(
    caplog: pytest.LogCaptureFixture, application: Callable[[Message, Receive, Send], object]
) -> None:
    has_begun = Event()

    async def begin(scope: Message, receive: Receive, send: Send) -> None:
        has_begun.set()
        await application(scope, receive, send)  # type: ignore[misc] # both are coroutines

    server = AsgiServer(begin, parse_endpoint("localhost:0"), key="test.endpoint", name="test server")
    server.start()
    with closing(connected(str(server.endpoint))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert has_begun.wait(10)
        began_s = time.monotonic()
        server.begin_stop(1.0)
        server.finish_stop(1.0)
        assert time.monotonic() - began_s < 8
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert "stopped with 1 requests that did not end within 1 s" in caplog.text
