from __future__ import annotations

import os
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest

from otel_carbon.collector.authenticators import FILE_INTERVAL_S
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import (
    PROTOBUF,
    RECEIVER,
    Running,
    running_collector,
    scripted_backend,
    trace_request,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "canary-3b7d"
BASIC = "Basic " + b64encode(b"me:canary-3b7d").decode()


def config(exporter: str, extensions: str, *, running: str = "auth", receiver: str = RECEIVER) -> str:
    name = exporter.partition(":")[0]
    processors = "carbon" if name == "prometheusremotewrite" else ""
    return f"""
receivers:
  {receiver}
processors:
  carbon:
exporters:
  {exporter}
extensions:
  {extensions}
service:
  extensions: [{running.replace("auth", extensions.partition(":")[0])}]
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [{name}]}}
"""


def post(running: Running, name: str = "a") -> None:
    httpx.post(f"{running.http}/v1/traces", content=trace_request(name), headers=PROTOBUF).raise_for_status()


@pytest.mark.parametrize(
    ("extension", "sent"),
    [
        (f"bearertokenauth: {{token: {TOKEN}}}", f"Bearer {TOKEN}"),
        (f"bearertokenauth: {{tokens: [{TOKEN}, old], scheme: Token}}", f"Token {TOKEN}"),
        (f"basicauth: {{client_auth: {{username: me, password: {TOKEN}}}}}", BASIC),
    ],
)
@pytest.mark.parametrize("exporter", ["otlp_http", "prometheusremotewrite"])
def test_the_credentials_of_an_extension_are_sent_over_http(exporter: str, extension: str, sent: str) -> None:
    name = extension.partition(":")[0]
    more = ", self_metrics: true" if exporter == "prometheusremotewrite" else ""
    with scripted_backend() as backend:
        settings = f"endpoint: '{backend.endpoint}', auth: {{authenticator: {name}}}{more}"
        text = config(f"{exporter}: {{{settings}}}", extension)
        with running_collector(text) as running:
            post(running)
            wait_until(lambda: bool(backend.requests), timeout_s=10, what="a request")
    assert backend.requests[0][1]["authorization"] == sent


@contextmanager
def grpc_backend(seen: list[str]) -> Iterator[str]:
    def export(_body: bytes, context: grpc.ServicerContext) -> bytes:
        seen.extend(pair.value for pair in context.invocation_metadata() if pair.key == "authorization")
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"who is {seen[-1]}?")
        raise AssertionError("abort raises")

    handler = grpc.unary_unary_rpc_method_handler(export)
    service = grpc.method_handlers_generic_handler(Signal.TRACES.grpc_service, {"Export": handler})
    with ThreadPoolExecutor(1) as workers:
        server = grpc.server(workers, handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()


def test_they_are_sent_over_grpc_and_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []
    with grpc_backend(seen) as endpoint:
        text = config(
            f"otlp_grpc: {{endpoint: '{endpoint}', auth: {{authenticator: bearertokenauth}}}}",
            f"bearertokenauth: {{token: {TOKEN}}}",
        )
        with running_collector(text) as running:
            post(running)
            wait_until(lambda: "UNAUTHENTICATED" in caplog.text, timeout_s=10, what="the refusal in the log")
    assert seen == [f"Bearer {TOKEN}"]
    assert "who is [redacted]?" in caplog.text
    assert TOKEN not in caplog.text


def test_a_token_that_is_replaced_in_its_file_is_sent_from_then_on(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("first\n")
    with scripted_backend() as backend:
        text = config(
            f"otlp_http: {{endpoint: '{backend.endpoint}', auth: {{authenticator: bearertokenauth}}}}",
            f"bearertokenauth: {{filename: '{token_file}'}}",
        )
        with running_collector(text) as running:
            post(running)
            wait_until(lambda: len(backend.requests) == 1, timeout_s=10, what="a request")
            token_file.write_text("bad\x01token\n")
            os.utime(token_file, (1, 1))
            deadline_s = time.monotonic() + FILE_INTERVAL_S
            wait_until(lambda: time.monotonic() > deadline_s, timeout_s=10, what="the next look at the file")
            post(running)
            wait_until(lambda: len(backend.requests) == 2, timeout_s=10, what="a request")
            token_file.write_text("second\n")
            deadline_s = time.monotonic() + FILE_INTERVAL_S
            wait_until(lambda: time.monotonic() > deadline_s, timeout_s=10, what="the next look at the file")
            post(running)
            wait_until(lambda: len(backend.requests) == 3, timeout_s=10, what="a request")
    sent = [headers["authorization"] for _, headers, _ in backend.requests]
    assert sent == ["Bearer first", "Bearer first", "Bearer second"]


def test_one_collector_lets_another_in_by_the_same_extension() -> None:
    secured = RECEIVER.replace('"localhost:0"}}', '"localhost:0", auth: {authenticator: bearertokenauth}}}')
    extension = f"bearertokenauth: {{token: {TOKEN}}}"
    with scripted_backend() as backend:
        inner_text = config(f"otlp_http: {{endpoint: '{backend.endpoint}'}}", extension, receiver=secured)
        with running_collector(inner_text) as inner:
            assert httpx.post(f"{inner.http}/v1/traces", content=b"", headers=PROTOBUF).status_code == 401
            text = config(
                f"otlp_http: {{endpoint: '{inner.http}', auth: {{authenticator: bearertokenauth}}}}", extension
            )
            with running_collector(text) as outer:
                post(outer)
                wait_until(lambda: bool(backend.requests), timeout_s=10, what="a request")
    assert backend.requests[0][2] == trace_request("a")


@pytest.mark.parametrize(
    ("auth", "extension", "running", "problem"),
    [
        ("nobody", "bearertokenauth: {token: x}", "auth", "'nobody' is no authenticator in extensions"),
        ("bearertokenauth", "bearertokenauth: {token: x}", "", "bearertokenauth does not run; add it to service.ext"),
        (
            "basicauth",
            "basicauth: {htpasswd: {inline: 'me:pw'}}",
            "auth",
            "basicauth has no client_auth, which is what",
        ),
        (
            "bearertokenauth",
            f'bearertokenauth: {{token: "{TOKEN}\\u00fc"}}',
            "auth",
            "no token that a header can carry",
        ),
        ("basicauth", "basicauth: {}", "auth", "needs htpasswd, for what listens, or client_auth, for exporters"),
    ],
)
def test_what_cannot_be_sent_is_told_before_the_start(auth: str, extension: str, running: str, problem: str) -> None:
    exporter = f"otlp_http: {{endpoint: 'http://b:1', auth: {{authenticator: {auth}}}}}"
    with pytest.raises(ConfigError) as caught:
        parse_config(config(exporter, extension, running=running), "test.yaml", {})
    assert problem in "\n".join(caught.value.problems)
    assert TOKEN not in str(caught.value)


def test_two_authorizations_are_one_too_many() -> None:
    exporter = (
        "otlp_http: {endpoint: 'http://b:1', headers: {Authorization: x}, auth: {authenticator: bearertokenauth}}"
    )
    with pytest.raises(ConfigError, match="headers hold an authorization as well"):
        parse_config(config(exporter, "bearertokenauth: {token: x}"), "test.yaml", {})


def test_a_receiver_needs_users_and_not_the_credentials_of_an_exporter() -> None:
    secured = RECEIVER.replace('"localhost:0"}}', '"localhost:0", auth: {authenticator: basicauth}}}')
    text = config("debug:", "basicauth: {client_auth: {username: me, password: pw}}", receiver=secured)
    with pytest.raises(ConfigError, match="basicauth has no htpasswd, which says who may come"):
        parse_config(text, "test.yaml", {})
