from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

import bcrypt
import grpc
import httpx
import pytest
from google.rpc import status_pb2
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import (
    JSON,
    PROTOBUF,
    Running,
    config_text,
    counter,
    running_collector,
    trace_request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

CANARY = "canary-d1f0c4"
EXPORT = f"/{Signal.TRACES.grpc_service}/Export"


def secured_text(exporters: str, names: str, extension: str) -> str:
    """Every listening part asks the same authenticator."""
    name = extension.partition(":")[0]
    part = f'{{endpoint: "localhost:0", auth: {{authenticator: {name}}}}}'
    text = config_text(
        f"{exporters}\n  prometheus: {part}",
        names=names,
        processors="carbon",
        receiver=f"otlp: {{protocols: {{grpc: {part}, http: {part}}}}}",
    )
    text = text.replace('health_check: {endpoint: "localhost:0"}', f"health_check: {part}\n  {extension}")
    text = text.replace("[health_check]", f"[health_check, {name}]")
    return text.replace(f"[carbon], exporters: [{names}]", f"[carbon], exporters: [{names}, prometheus]")


@pytest.fixture
def collector(otlp_sink: OtlpSink) -> Iterator[Running]:
    """A collector that takes the holders of one token, sending to the sink."""
    exporters = f'otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}'
    with running_collector(secured_text(exporters, "otlp_http", f"bearertokenauth: {{token: {CANARY}}}")) as running:
        yield running


def export(address: str, authorization: str | None, body: bytes = b"") -> bytes:
    metadata = (("authorization", authorization),) if authorization else ()
    with grpc.insecure_channel(address) as channel:
        answer: bytes = channel.unary_unary(EXPORT)(body, timeout=10, metadata=metadata)
        return answer


def test_the_exporters_of_the_sdk_send_the_token(collector: Running, otlp_sink: OtlpSink) -> None:
    headers = {"authorization": f"Bearer {CANARY}"}
    provider = TracerProvider(shutdown_on_exit=False)
    for exporter in (
        GrpcSpanExporter(endpoint=collector.grpc, insecure=True, headers=headers),
        HttpSpanExporter(endpoint=f"{collector.http}/v1/traces", headers=headers),
    ):
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("chat"):
        pass
    provider.shutdown()
    assert [each.span.name for each in otlp_sink.wait_for_spans(2)] == ["chat", "chat"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", f"Basic {CANARY}", f"Bearer {CANARY}x"])
def test_others_are_unauthenticated_over_http(collector: Running, authorization: str | None) -> None:
    headers = {**PROTOBUF, **({"authorization": authorization} if authorization else {})}
    answer = httpx.post(f"{collector.http}/v1/traces", content=trace_request("a"), headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/x-protobuf"
    status = status_pb2.Status.FromString(answer.content)
    assert (status.code, status.message) == (16, "authentication is needed")


def test_others_are_unauthenticated_over_grpc(collector: Running) -> None:
    for authorization in (None, "Bearer wrong"):
        with pytest.raises(grpc.RpcError) as caught:
            export(collector.grpc, authorization, trace_request("a"))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        details = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
        assert status_pb2.Status.FromString(details).message == "authentication is needed"


def test_a_body_without_authentication_is_refused_before_it_is_read(collector: Running) -> None:
    host, port = collector.http.removeprefix("http://").split(":")
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_every_path_is_behind_the_gate(collector: Running) -> None:
    assert httpx.get(f"{collector.http}/other", headers=JSON).status_code == 401
    for part, path in (("exporters.prometheus", "/metrics"), ("extensions.health_check", "/")):
        url = collector.page_url(part) + path
        refused = httpx.get(url)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert httpx.get(url, headers={"authorization": f"Bearer {CANARY}"}).status_code == 200


def test_refusals_are_counted_by_their_reason(collector: Running) -> None:
    headers = {"authorization": f"Bearer {CANARY}"}
    httpx.post(f"{collector.http}/v1/traces", content=b"", headers=PROTOBUF)
    httpx.post(f"{collector.http}/v1/traces", content=b"hello", headers={**PROTOBUF, **headers})
    with pytest.raises(grpc.RpcError):
        export(collector.grpc, None)
    page = httpx.get(collector.page_url("exporters.prometheus") + "/metrics", headers=headers).text
    name = "otel_carbon_collector_receiver_refusals_total"
    assert counter(page, name, transport="http", reason="unauthenticated") == 1
    assert counter(page, name, transport="http", reason="bad_data") == 1
    assert counter(page, name, transport="http", reason="too_large") == 0
    assert counter(page, name, transport="grpc", reason="unauthenticated") == 1
    assert counter(page, name) == 3


def test_users_with_bcrypt_passwords_are_taken_on_both_receivers(tmp_path: Path) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(f"ann:{bcrypt.hashpw(CANARY.encode(), bcrypt.gensalt(4)).decode()}\n", encoding="utf-8")
    text = secured_text("debug:", "debug", f'basicauth: {{htpasswd: {{file: "{users}"}}}}')
    right = httpx.BasicAuth("ann", CANARY)._auth_header
    wrong = httpx.BasicAuth("ann", "guess")._auth_header
    with running_collector(text) as running:
        url = f"{running.http}/v1/traces"
        for _ in range(2):
            answer = httpx.post(url, content=trace_request("a"), headers={**PROTOBUF, "authorization": right})
            assert answer.status_code == 200
            assert export(running.grpc, right, trace_request("a")) == b""
        refused = httpx.post(url, content=trace_request("a"), headers={**PROTOBUF, "authorization": wrong})
        with pytest.raises(grpc.RpcError) as caught:
            export(running.grpc, wrong)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Basic realm="otel-carbon", charset="UTF-8"'
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_comparing_passwords_does_not_hold_up_who_is_known_already() -> None:
    slow = bcrypt.hashpw(b"nobody knows", bcrypt.gensalt(12)).decode()
    text = secured_text("debug:", "debug", f'basicauth: {{htpasswd: {{inline: "ann:{CANARY}\\nslow:{slow}"}}}}')
    known = httpx.BasicAuth("ann", CANARY)
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nauthorization: Basic c2xvdzpndWVzcw==\r\ncontent-length: 0\r\n\r\n"
    with running_collector(text) as running:
        host, port = running.http.removeprefix("http://").split(":")
        with httpx.Client(auth=known) as client:
            assert client.post(f"{running.http}/v1/traces", content=b"", headers=PROTOBUF).status_code == 200
            with socket.create_connection((host, int(port)), timeout=30) as guessing:
                guessing.sendall(head)
                served = client.post(f"{running.http}/v1/traces", content=b"", headers=PROTOBUF, timeout=5)
                guessing.setblocking(False)
                with pytest.raises(BlockingIOError):  # the guess is still being compared
                    guessing.recv(1)
                guessing.settimeout(30)
                assert guessing.recv(65536).startswith(b"HTTP/1.1 401 ")
    assert served.status_code == 200


@pytest.mark.parametrize(
    ("extension", "where"),
    [
        ("bearertokenauth: {token: CANARY, tokens: CANARY}", "extensions.bearertokenauth.tokens"),
        ("bearertokenauth: {token: [CANARY]}", "extensions.bearertokenauth.token"),
        ("bearertokenauth: {token: CANARY, filename: f}", "extensions.bearertokenauth"),
        ("bearertokenauth: {tokens: [CANARY, '']}", "extensions.bearertokenauth"),
        ("basicauth: {htpasswd: CANARY}", "extensions.basicauth.htpasswd"),
        ("basicauth: {htpasswd: {inline: CANARY}}", "extensions.basicauth"),
        ("basicauth: {htpasswd: {inline: 'u:{SHA}CANARY'}}", "extensions.basicauth"),
        ("basicauth: {htpasswd: {inline: [CANARY]}}", "extensions.basicauth.htpasswd.inline"),
    ],
)
def test_a_secret_in_a_wrong_place_is_not_shown_by_what_is_said_of_it(extension: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(secured_text("debug:", "debug", extension.replace("CANARY", CANARY)), "test.yaml", {})
    assert where in str(caught.value)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)


def test_secrets_never_come_into_logs_pages_or_answers(caplog: pytest.LogCaptureFixture) -> None:
    extension = f'basicauth: {{htpasswd: {{inline: "ann:{CANARY}"}}}}'
    text = secured_text("debug: {verbosity: detailed}", "debug", extension)
    said: list[str] = [repr(parse_config(text, "test.yaml", {}))]
    right = {"authorization": httpx.BasicAuth("ann", CANARY)._auth_header}
    wrong = {"authorization": f"Bearer {CANARY}"}
    with caplog.at_level(logging.DEBUG), running_collector(text) as running:
        for headers in (right, wrong):
            for body in (trace_request("a"), b"hello", b""):
                said.append(repr(httpx.post(f"{running.http}/v1/traces", content=body, headers=PROTOBUF | headers)))
                said.append(post_text(running, body, headers))
                said.append(grpc_text(running, headers["authorization"], body))
        said.append(httpx.get(running.page_url("exporters.prometheus") + "/metrics", headers=right).text)
        said.append(httpx.get(running.page_url("extensions.health_check"), headers=wrong).text)
    ours = [each for each in caplog.records if each.name.startswith(("otel_carbon", "uvicorn", "grpc", "asyncio"))]
    said += [each.getMessage() for each in ours]
    assert ours
    assert "otelcol_receiver_accepted_spans_total" in "".join(said)
    encoded = right["authorization"].removeprefix("Basic ")
    assert not [each for each in said if CANARY in each or encoded in each]


def post_text(running: Running, body: bytes, headers: dict[str, str]) -> str:
    answer = httpx.post(f"{running.http}/v1/traces", content=body, headers=JSON | headers)
    return f"{answer.text} {answer.headers}"


def grpc_text(running: Running, authorization: str, body: bytes) -> str:
    try:
        return repr(export(running.grpc, authorization, body))
    except grpc.RpcError as error:
        return f"{error.details()} {error.trailing_metadata()}"
