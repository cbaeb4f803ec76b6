from __future__ import annotations

import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest

from otel_carbon.collector.asgi_server import AsgiServer, respond
from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.http_connection import ConnectionSettings
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.tls import ServerTls, TlsSettings
from tests.integration.collector_under_test import PROTOBUF, Running, config_text, running_collector, trace_request
from tests.support.certificates import Authority, CertificateFiles
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXPORT = f"/{Signal.TRACES.grpc_service}/Export"
DEBUG = "debug:"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server_files(authority: Authority) -> CertificateFiles:
    return authority.issue("server")


def tls_section(files: CertificateFiles, more: str = "") -> str:
    return f'tls: {{cert_file: "{files.cert_file}", key_file: "{files.key_file}"{more}}}'


def receiver(section: str, http_more: str = "") -> str:
    grpc_part, http_part = f'endpoint: "localhost:0", {section}', f'endpoint: "localhost:0", {section}{http_more}'
    return f"otlp: {{protocols: {{grpc: {{{grpc_part}}}, http: {{{http_part}}}}}}}"


@pytest.fixture
def collector(server_files: CertificateFiles) -> Iterator[Running]:
    """A collector with TLS on both receivers; its files are looked at for each connection."""
    text = config_text(DEBUG, names="debug", receiver=receiver(tls_section(server_files, ", reload_interval: 1ms")))
    with running_collector(text) as running:
        yield running


@pytest.fixture
def mutual_collector(authority: Authority, server_files: CertificateFiles) -> Iterator[Running]:
    """A collector that takes clients of the authority only."""
    section = tls_section(server_files, f', client_ca_file: "{authority.ca_file}"')
    with running_collector(config_text(DEBUG, names="debug", receiver=receiver(section))) as running:
        yield running


def https(running: Running) -> str:
    return running.http.replace("http://127.0.0.1", "https://localhost") + "/v1/traces"


def trusting(authority: Authority, client: CertificateFiles | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    if client is not None:
        context.load_cert_chain(client.cert_file, client.key_file)
    return context


def post(running: Running, context: ssl.SSLContext) -> httpx.Response:
    return httpx.post(https(running), content=trace_request("a"), headers=PROTOBUF, verify=context)


def export(running: Running, authority: Authority, client: CertificateFiles | None = None) -> bytes:
    pair = client.pem if client else (None, None)
    credentials = grpc.ssl_channel_credentials(authority.pem, *pair)
    address = running.grpc.replace("127.0.0.1", "localhost")
    with grpc.secure_channel(address, credentials, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        answer: bytes = channel.unary_unary(EXPORT)(trace_request("a"), timeout=10)
        return answer


def serial_number(address: str, authority: Authority) -> int:
    """Serial number of the certificate that a server shows now."""
    host, port = address.removeprefix("http://").split(":")
    context = trusting(authority)
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        shown: Any = secure.getpeercert()
        return int(shown["serialNumber"], 16)


def test_both_receivers_speak_tls(collector: Running, authority: Authority) -> None:
    assert post(collector, trusting(authority)).status_code == 200
    assert export(collector, authority) == b""


def test_a_client_that_does_not_trust_the_authority_sends_nothing(collector: Running) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        post(collector, ssl.create_default_context())


def test_a_plain_client_is_not_served_on_a_tls_port(collector: Running) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{collector.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF, timeout=5)
    with grpc.insecure_channel(collector.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(EXPORT)(trace_request("a"), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_with_a_client_authority_clients_need_a_certificate(mutual_collector: Running, authority: Authority) -> None:
    client = authority.issue("client", "agent@example.test")
    assert post(mutual_collector, trusting(authority, client)).status_code == 200
    assert export(mutual_collector, authority, client) == b""
    with pytest.raises(httpx.TransportError):
        post(mutual_collector, trusting(authority))
    with pytest.raises(grpc.RpcError) as caught:
        export(mutual_collector, authority)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_of_another_authority_is_refused(
    mutual_collector: Running, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger").issue("strange-client", "agent@example.test")
    with pytest.raises(httpx.TransportError):
        post(mutual_collector, trusting(authority, stranger))
    with pytest.raises(grpc.RpcError):
        export(mutual_collector, authority, stranger)


def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on(
    collector: Running, authority: Authority
) -> None:
    with httpx.Client(verify=trusting(authority)) as client:
        assert client.post(https(collector), content=b"", headers=PROTOBUF).status_code == 200
        before = [serial_number(address, authority) for address in (collector.http, collector.grpc)]
        authority.issue("server")
        after = [serial_number(address, authority) for address in (collector.http, collector.grpc)]
        assert client.post(https(collector), content=b"", headers=PROTOBUF).status_code == 200
    assert before[0] == before[1]
    assert after[0] == after[1] != before[0]
    assert post(collector, trusting(authority)).status_code == 200
    assert export(collector, authority) == b""


def test_a_broken_new_certificate_leaves_the_old_one_in_force_and_is_told_once(
    collector: Running, authority: Authority, server_files: CertificateFiles, caplog: pytest.LogCaptureFixture
) -> None:
    before = serial_number(collector.http, authority)
    right_key = server_files.key_file.read_bytes()
    authority.issue("server")
    server_files.key_file.write_bytes(right_key)  # not the key of the new certificate
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert serial_number(collector.http, authority) == before
            assert serial_number(collector.grpc, authority) == before
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2  # one of each receiver
    assert all("what was read before stays in force" in each for each in told)
    assert all(f"tls.key_file: is not the key of {server_files.cert_file}" in each for each in told)


def test_a_certificate_that_is_gone_for_a_moment_stays_in_force(
    collector: Running, authority: Authority, server_files: CertificateFiles
) -> None:
    before = serial_number(collector.grpc, authority)
    server_files.cert_file.unlink()
    assert serial_number(collector.grpc, authority) == before
    authority.issue("server")
    assert serial_number(collector.grpc, authority) != before


def test_an_old_version_of_tls_can_be_ruled_out_over_http(server_files: CertificateFiles, authority: Authority) -> None:
    only_13 = ', min_version: "1.3"'
    http_part = f'endpoint: "localhost:0", {tls_section(server_files, only_13)}'
    text = config_text(
        DEBUG,
        names="debug",
        receiver=f'otlp: {{protocols: {{grpc: {{endpoint: "localhost:0"}}, http: {{{http_part}}}}}}}',
    )
    old = trusting(authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with running_collector(text) as running:
        assert post(running, trusting(authority)).status_code == 200
        with pytest.raises(httpx.ConnectError):
            post(running, old)


def test_the_pages_speak_tls_too(server_files: CertificateFiles, authority: Authority) -> None:
    section = tls_section(server_files)
    text = config_text(f'prometheus: {{endpoint: "localhost:0", {section}}}', names="prometheus", processors="carbon")
    text = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("metrics:", "logs:")))
    text = text.replace(
        'health_check: {endpoint: "localhost:0"}', f'health_check: {{endpoint: "localhost:0", {section}}}'
    )
    context = trusting(authority)
    with running_collector(text) as running:
        for part, path in (("exporters.prometheus", "/metrics"), ("extensions.health_check", "/")):
            url = running.page_url(part).replace("http://127.0.0.1", "https://localhost") + path
            assert httpx.get(url, verify=context).status_code == 200


def test_a_handshake_that_does_not_come_counts_as_a_connection_and_ends(
    server_files: CertificateFiles, authority: Authority
) -> None:
    async def fine(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, 200, b"fine", "text/plain")

    settings = ConnectionSettings(header_deadline_s=1.0, most_connections=1)
    tls = ServerTls(TlsSettings("tls", server_files.cert_file, server_files.key_file))
    server = AsgiServer(fine, Endpoint("localhost", 0), key="key", name="handshakes", settings=settings, tls=tls)
    server.start()
    url = f"https://localhost:{server.endpoint.port}"
    context = trusting(authority)
    try:
        with socket.create_connection((server.endpoint.host, server.endpoint.port), timeout=10) as silent:
            with pytest.raises(httpx.TransportError):
                httpx.get(url, verify=context)
            assert silent.recv(1) == b""  # closed by the server after a second
            wait_until(lambda: succeeds(url, context), timeout_s=10, what="answer after the silent one was closed")
    finally:
        server.begin_stop(1)
        server.finish_stop(1)


def succeeds(url: str, context: ssl.SSLContext) -> bool:
    try:
        return httpx.get(url, verify=context).status_code == 200
    except httpx.TransportError:
        return False
