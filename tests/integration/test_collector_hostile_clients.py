"""Clients that are slow, silent, too many or no clients at all: others are served, and what is refused is counted."""

from __future__ import annotations

import gzip
import logging
import re
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest

from otel_carbon.collector.asgi_server import AsgiServer, respond
from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.http_connection import ConnectionSettings
from otel_carbon.collector.item_counts import MAX_ENVELOPES
from otel_carbon.collector.receivers.grpc_settings import GrpcSettings
from otel_carbon.collector.receivers.otlp_grpc import WORKERS, GrpcReceiver
from otel_carbon.collector.receivers.slow_calls import MOST_CLIENT_SLOW_CALLS
from otel_carbon.collector.signals import Signal
from tests.integration.collector_under_test import (
    PROTOBUF,
    Running,
    config_text,
    counter,
    running_collector,
    trace_request,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORT = f"/{Signal.TRACES.grpc_service}/Export"
HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


@contextmanager
def collector(*, http: str = "", grpc: str = "") -> Iterator[Running]:
    http_part, grpc_part = f'endpoint: "localhost:0"{http}', f'endpoint: "localhost:0"{grpc}'
    receiver = f"otlp: {{protocols: {{grpc: {{{grpc_part}}}, http: {{{http_part}}}}}}}"
    text = config_text(
        'debug:\n  prometheus: {endpoint: "localhost:0"}', names="debug", processors="carbon", receiver=receiver
    )
    text = text.replace("[carbon], exporters: [debug]", "[carbon], exporters: [debug, prometheus]")
    with running_collector(text) as running:
        yield running


def refused(running: Running, reason: str, transport: str = "http") -> float:
    page = httpx.get(running.page_url("exporters.prometheus") + "/metrics").text
    name = "otel_carbon_collector_receiver_refusals_total"
    return counter(page, name, transport=transport, reason=reason)


def wait_until_refused(running: Running, reason: str, count: int, transport: str = "http") -> None:
    wait_until(lambda: refused(running, reason, transport) >= count, timeout_s=15, what=f"{count} refused for {reason}")


def connect(running: Running, source: str = "127.0.0.1") -> socket.socket:
    host, port = running.http.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=15, source_address=(source, 0))


def served(running: Running) -> bool:
    answer = httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF, timeout=10)
    return answer.status_code == 200


def export(channel: grpc.Channel, timeout_s: float = 10) -> bytes:
    answer: bytes = channel.unary_unary(EXPORT)(trace_request("a"), timeout=timeout_s)
    return answer


@contextmanager
def stalled_calls(address: str, count: int) -> Iterator[list[Any]]:
    """Calls that send their headers, and never a message."""
    end = threading.Event()

    def no_message() -> Iterator[bytes]:
        end.wait(60)
        yield from ()

    with grpc.insecure_channel(address, OWN_CONNECTION) as channel:
        stub = channel.stream_unary(EXPORT)
        calls = [stub.future(no_message()) for _ in range(count)]
        try:
            yield calls
        finally:
            end.set()


def test_calls_whose_message_does_not_come_do_not_hold_up_others() -> None:
    with (
        collector() as running,
        stalled_calls(running.grpc, 3 * WORKERS) as calls,
        grpc.insecure_channel(running.grpc, OWN_CONNECTION) as channel,
    ):
        # All threads are taken for a second; then calls of that client are given up, and refused from then on.
        most = len(calls) - MOST_CLIENT_SLOW_CALLS
        wait_until(lambda: sum(call.done() for call in calls) == most, timeout_s=15, what="end of the other calls")
        codes = {call.code() for call in calls if call.done()}
        assert codes == {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
        assert refused(running, "body_timeout", "grpc") == WORKERS - MOST_CLIENT_SLOW_CALLS
        assert refused(running, "client_slow_requests", "grpc") == 2 * WORKERS
        for call in calls:
            call.cancel()
        wait_until(lambda: export_succeeds(channel), timeout_s=10, what="an answer")


def export_succeeds(channel: grpc.Channel) -> bool:
    try:
        return export(channel) == b""
    except grpc.RpcError:
        return False


def test_another_client_is_served_while_one_stalls_all_its_calls() -> None:
    with collector() as running, ExitStack() as stack:
        stack.enter_context(stalled_calls(running.grpc, 3 * WORKERS))
        wait_until_refused(running, "client_slow_requests", WORKERS, "grpc")
        # From another address of the loopback network, as another machine would come.
        elsewhere = grpc_from("127.0.0.2", running.grpc)
        assert elsewhere == "OK"


def grpc_from(source: str, address: str) -> str:
    """One Export call by HTTP/2 from a source address, which grpcio cannot choose; the status it was answered with."""
    import h2.connection
    import h2.events

    host, port = address.split(":")
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    headers = {":method": "POST", ":path": EXPORT, ":scheme": "http", ":authority": address}
    more = {"content-type": "application/grpc", "te": "trailers"}
    connection.send_headers(1, [*headers.items(), *more.items()])
    message = trace_request("from elsewhere")
    connection.send_data(1, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=True)
    status = ""
    with socket.create_connection((host, int(port)), timeout=15, source_address=(source, 0)) as plain:
        while not status:
            plain.sendall(connection.data_to_send())
            for event in connection.receive_data(plain.recv(65536)):
                if isinstance(event, h2.events.TrailersReceived | h2.events.ResponseReceived):
                    found = {bytes(name): bytes(value) for name, value in event.headers or ()}
                    status = found.get(b"grpc-status", b"").decode() or status
    return "OK" if status == "0" else status


def test_a_message_that_does_not_come_in_time_ends_its_call() -> None:
    with collector(grpc=", read_timeout: 1500ms") as running, stalled_calls(running.grpc, 1) as (call,):
        assert isinstance(call.exception(timeout=10), grpc.RpcError)
        assert call.code() is grpc.StatusCode.CANCELLED  # which OTLP clients retry
        assert refused(running, "body_timeout", "grpc") == 1


def test_the_collector_stops_although_calls_wait_for_their_messages() -> None:
    with collector() as running, stalled_calls(running.grpc, WORKERS) as calls:
        began_s = time.monotonic()
        running.collector.stop(grace_s=1, drain_s=1)
        assert time.monotonic() - began_s < 10
        assert all(call.exception(timeout=10) is not None for call in calls)


def test_a_call_without_a_message_is_an_invalid_argument() -> None:
    with collector() as running, grpc.insecure_channel(running.grpc) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary(EXPORT)(iter(()), timeout=10)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert export(channel) == b""


def test_a_grpc_connection_that_says_nothing_ends() -> None:
    receiver = GrpcReceiver(GrpcSettings(Endpoint("localhost", 0), "key", handshake_deadline_s=0.5), {})
    receiver.start()
    try:
        with socket.create_connection((receiver.endpoint.host, receiver.endpoint.port), timeout=9) as silent:
            end_of(silent)  # the settings of the server, and then nothing more
    finally:
        receiver.begin_stop(1)
        receiver.finish_stop(1)


def test_garbage_on_the_grpc_port_ends_the_connection_and_nothing_else() -> None:
    with collector() as running, grpc.insecure_channel(running.grpc) as channel:
        host, port = running.grpc.split(":")
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 64):
            with socket.create_connection((host, int(port)), timeout=15) as connection:
                connection.sendall(garbage)
                end_of(connection)
        assert export(channel) == b""


def test_grpc_connections_are_bounded() -> None:
    with collector(grpc=", max_connections: 2") as running, ExitStack() as stack:
        channels = [stack.enter_context(grpc.insecure_channel(running.grpc, OWN_CONNECTION)) for _ in range(3)]
        assert [export(channel) for channel in channels[:2]] == [b"", b""]
        with pytest.raises(grpc.RpcError) as caught:
            export(channels[2], timeout_s=2)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        channels[0].close()
        wait_until(lambda: export_succeeds(channels[2]), timeout_s=10, what="room for the third connection")


def test_calls_at_a_time_on_one_connection_are_bounded_by_the_client_itself() -> None:
    with (
        collector(grpc=", max_concurrent_streams: 3") as running,
        stalled_calls(running.grpc, 12) as calls,
        grpc.insecure_channel(running.grpc, OWN_CONNECTION) as channel,
    ):
        assert export(channel) == b""  # 9 of the 12 wait at home
        assert refused(running, "body_timeout", "grpc") == 0
        assert not any(call.done() for call in calls)


def test_a_client_that_pings_too_often_is_disconnected() -> None:
    pinging = [("grpc.keepalive_time_ms", 100), ("grpc.http2.max_pings_without_data", 0), *OWN_CONNECTION]
    pinging.append(("grpc.keepalive_permit_without_calls", 1))
    with collector() as running, grpc.insecure_channel(running.grpc, pinging) as channel:
        states: list[grpc.ChannelConnectivity] = []
        assert export(channel) == b""
        channel.subscribe(states.append)
        wait_until(
            lambda: {grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.TRANSIENT_FAILURE} & set(states),
            timeout_s=15,
            what="end of the connection",
        )


def end_of(connection: socket.socket) -> bytes:
    """What is sent until the other side closes; a reset is an end, too."""
    answer = b""
    try:
        while more := connection.recv(65536):
            answer += more
    except ConnectionResetError:
        pass
    return answer


def test_http_connections_of_one_address_are_bounded_and_others_are_served() -> None:
    with collector(http=", max_connections_per_client: 5") as running, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(connect(running, "127.0.0.2"))
        sixth = stack.enter_context(connect(running, "127.0.0.2"))
        assert end_of(sixth) == b""
        assert served(running)
        assert refused(running, "client_connections") == 1
        assert refused(running, "connections") == 0


def test_http_connections_are_bounded_and_come_free_again() -> None:
    with collector(http=", max_connections: 5") as running:
        with ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(connect(running))
            assert end_of(stack.enter_context(connect(running))) == b""
            wait_until_refused(running, "connections", 1)
        wait_until(lambda: is_served_again(running), timeout_s=10, what="an answer")


def is_served_again(running: Running) -> bool:
    try:
        return served(running)
    except httpx.TransportError:
        return False


def test_headers_that_do_not_come_are_counted_and_silence_is_not() -> None:
    with collector(http=", read_header_timeout: 300ms") as running:
        with connect(running) as silent, connect(running) as slow:
            slow.sendall(HEAD)
            assert end_of(slow) == b""
            assert end_of(silent) == b""
        assert refused(running, "header_timeout") == 1


def test_a_body_that_does_not_come_is_counted() -> None:
    with collector(http=", read_timeout: 300ms") as running, connect(running) as slow:
        slow.sendall(HEAD + b"content-length: 10\r\n\r\n123")
        assert end_of(slow).startswith(b"HTTP/1.1 408 ")
        assert refused(running, "body_timeout") == 1


def test_endless_headers_are_counted() -> None:
    with collector() as running, connect(running) as endless:
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            endless.sendall(HEAD + b"x: " + b"x" * 100_000_000)
        assert refused(running, "headers_too_large") == 1


def test_an_idle_connection_is_kept_and_then_closed() -> None:
    with collector(http=", idle_timeout: 1s") as running, connect(running) as connection:
        for _ in range(2):
            connection.sendall(HEAD + b"content-length: 0\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        began_s = time.monotonic()
        assert end_of(connection) == b""
        assert 0.5 < time.monotonic() - began_s < 5
        assert refused(running, "header_timeout") == 0


def test_without_keep_alive_each_connection_has_one_request() -> None:
    with collector(http=", keep_alives_enabled: false") as running, connect(running) as connection:
        connection.sendall(HEAD + b"content-length: 0\r\n\r\n")
        answer = end_of(connection)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer


def test_a_client_that_does_not_take_its_answer_is_disconnected() -> None:
    answer_bytes = 32_000_000  # more than the kernel keeps for it

    async def answer_at_length(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, 200, bytes(answer_bytes), "text/plain")

    settings = ConnectionSettings(write_deadline_s=0.5, most_connections=1)
    server = AsgiServer(answer_at_length, Endpoint("localhost", 0), key="key", name="answers", settings=settings)
    server.start()
    try:
        with socket.create_connection((server.endpoint.host, server.endpoint.port), timeout=15) as connection:
            connection.sendall(GET)
            # The only place comes free although nothing is read.
            wait_until(lambda: is_answered(server.endpoint), timeout_s=15, what="end of the connection")
            assert 0 < len(end_of(connection)) < answer_bytes
    finally:
        server.begin_stop(1)
        server.finish_stop(1)


def is_answered(endpoint: Endpoint) -> bool:
    with socket.create_connection((endpoint.host, endpoint.port), timeout=15) as connection, suppress(OSError):
        connection.sendall(GET)
        return connection.recv(10) != b""
    return False


def test_requests_sent_far_ahead_of_their_answers_are_refused() -> None:
    request = HEAD + b"content-length: 0\r\n\r\n"
    with collector() as running:
        with connect(running) as modest:
            modest.sendall(request * 10)
            answers = b""
            while answers.count(b"HTTP/1.1 200 ") < 10:
                answers += modest.recv(65536)
        with connect(running) as greedy:
            with suppress(OSError):
                greedy.sendall(request * 10_000)
            assert end_of(greedy).count(b"HTTP/1.1 200 ") < 1_000
        assert refused(running, "bad_data") == 1
        assert served(running)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"hello\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_with_a_status_and_counted(garbage: bytes) -> None:
    with collector() as running, connect(running) as connection:
        connection.sendall(garbage)
        answer = end_of(connection)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n")
        assert re.search(rb'\{"code": 3, "message": "[^"]+"\}$', answer)
        assert refused(running, "bad_data") == 1
        assert served(running)


def test_an_offer_to_upgrade_is_passed_over() -> None:
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    body = trace_request("a")
    request = HEAD + offer + b"content-length: %d\r\n\r\n" % len(body) + body
    with collector() as running, connect(running) as connection:
        for _ in range(2):
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_smuggled_lengths_are_refused() -> None:
    with collector() as running, connect(running) as connection:
        connection.sendall(HEAD + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
        assert end_of(connection).startswith(b"HTTP/1.1 400 ")


def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent() -> None:
    with collector(http=", max_request_body_size: 1000") as running, connect(running) as connection:
        connection.sendall(HEAD + b"content-length: 1001\r\nexpect: 100-continue\r\n\r\n")
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"100 Continue" not in answer


def test_very_many_empty_envelopes_are_too_large_on_both_receivers() -> None:
    body = b"\x0a\x00" * (MAX_ENVELOPES + 1)
    headers = {**PROTOBUF, "content-encoding": "gzip"}
    with collector() as running:
        assert httpx.post(f"{running.http}/v1/traces", content=gzip.compress(body), headers=headers).status_code == 413
        with grpc.insecure_channel(running.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(EXPORT)(body, timeout=20)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (refused(running, "too_large"), refused(running, "too_large", "grpc")) == (1, 1)


def test_bombs_together_do_not_expand_beyond_the_share_of_one_client(caplog: pytest.LogCaptureFixture) -> None:
    limit_bytes = 2_000_000
    bomb = gzip.compress(trace_request("x" * (limit_bytes - 1000)))
    headers = {**PROTOBUF, "content-encoding": "gzip"}
    statuses: list[int] = []
    with collector(http=f", max_request_body_size: {limit_bytes}") as running:

        def send() -> None:
            answer = httpx.post(f"{running.http}/v1/traces", content=bomb, headers=headers, timeout=60)
            statuses.append(answer.status_code)

        with caplog.at_level(logging.ERROR):
            senders = [threading.Thread(target=send) for _ in range(12)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join(60)
        assert len(statuses) == 12
        assert set(statuses) <= {200, 503}
        assert 200 in statuses
        assert served(running)
    assert not caplog.records
