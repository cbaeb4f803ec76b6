from __future__ import annotations

import logging
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest

from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.exporters.redaction import Redaction, shown_url
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import (
    PROTOBUF,
    config_text,
    running_collector,
    scripted_backend,
    trace_request,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "canary-6c1f"
PASSWORD = "canary-9d2e"
QUERY = "canary-77aa"
HEADERS = f'headers: {{authorization: "Bearer {TOKEN}", x-team: shop}}'
CANARIES = (TOKEN, PASSWORD, QUERY)


def assert_silent(text: str) -> None:
    assert not [canary for canary in CANARIES if canary in text]


def post_and_wait(exporter: str, caplog: pytest.LogCaptureFixture, message: str) -> None:
    """Run a collector with an exporter until it has said something."""
    with running_collector(config_text(exporter, names=exporter.partition(":")[0]), drain_s=0) as running:
        httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
        wait_until(lambda: message in caplog.text, timeout_s=10, what=f"the log to say {message!r}")


@pytest.mark.parametrize("status", [401, 503])
def test_a_backend_that_quotes_the_credentials_is_not_quoted(caplog: pytest.LogCaptureFixture, status: int) -> None:
    caplog.set_level(logging.DEBUG)
    quoting = f"\x12{chr(len(TOKEN) + 10)}bad token {TOKEN}".encode()  # google.rpc.Status, message in field 2
    with scripted_backend((status, {}, quoting)) as backend:
        endpoint = backend.endpoint.replace("//", f"//me:{PASSWORD}@")
        post_and_wait(f'otlp_http: {{endpoint: "{endpoint}", {HEADERS}}}', caplog, f"answered {status}")
        assert f"{backend.endpoint} answered" in caplog.text
        # What is not shown was sent all the same.
        assert backend.requests[0][1]["authorization"] == f"Bearer {TOKEN}"
    assert "bad token [redacted]" in caplog.text
    assert_silent(caplog.text)


def test_user_and_password_of_a_url_are_sent_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted_backend() as backend:
        endpoint = backend.endpoint.replace("//", f"//me:{PASSWORD}%40@")
        with running_collector(config_text(f'otlp_http: {{endpoint: "{endpoint}"}}', names="otlp_http")) as running:
            httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
        ((_, headers, _),) = backend.requests
    assert headers["authorization"] == "Basic " + b64encode(f"me:{PASSWORD}@".encode()).decode()
    assert_silent(caplog.text)


@contextmanager
def quoting_grpc_backend() -> Iterator[str]:
    def export(_body: bytes, context: grpc.ServicerContext) -> bytes:
        sent = {pair.key: pair.value for pair in context.invocation_metadata()}
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"no: {sent['authorization']}")
        raise AssertionError("abort raises")

    handler = grpc.unary_unary_rpc_method_handler(export)
    service = grpc.method_handlers_generic_handler(Signal.TRACES.grpc_service, {"Export": handler})
    with ThreadPoolExecutor(1) as workers:
        server = grpc.server(workers, handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()


def test_a_grpc_backend_that_quotes_them_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "otel_carbon")
    with quoting_grpc_backend() as endpoint:
        post_and_wait(f'otlp_grpc: {{endpoint: "{endpoint}", {HEADERS}}}', caplog, "answered UNAUTHENTICATED")
    assert "no: [redacted]" in caplog.text
    assert_silent(caplog.text)


def test_a_backend_that_cannot_be_reached_is_named_without_its_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = f"http://me:{PASSWORD}@127.0.0.1:9/otlp"
    post_and_wait(f'otlp_http: {{endpoint: "{endpoint}", {HEADERS}}}', caplog, "cannot send: http://127.0.0.1:9/otlp: ")
    assert_silent(caplog.text)


@pytest.mark.parametrize(
    "exporter",
    [
        f'otlp_http: {{endpoint: "http://b:1", headers: {{authorization: "Bearer {TOKEN}\\n"}}}}',
        f'otlp_http: {{endpoint: "http://b:1", headers: {{authorization: "Bearer {TOKEN}ü"}}}}',
        f'otlp_grpc: {{endpoint: "http://b:1", headers: {{authorization: "Bearer {TOKEN}\\0"}}}}',
        f'otlp_grpc: {{endpoint: "http://b:1", headers: {{"a b": "{TOKEN}"}}}}',
        f'otlp_grpc: {{endpoint: "http://me:{PASSWORD}@b:1"}}',
        f'otlp_grpc: {{endpoint: "me:{PASSWORD}@b"}}',
        f'otlp_http: {{endpoint: "me:{PASSWORD}@b"}}',
        f'otlp_http: {{endpoint: "ftp://me:{PASSWORD}@b"}}',
        f'otlp_http: {{endpoint: "http://b:1/v1?key={QUERY}"}}',
        f'otlp_http: {{endpoint: "http://b:1", headers: [{TOKEN}]}}',
        f'otlp_http: {{endpoint: "http://b:1", headers: {{authorization: [{TOKEN}]}}}}',
    ],
)
def test_a_wrong_setting_is_named_without_its_secret(exporter: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(config_text(exporter, names=exporter.partition(":")[0]), "test.yaml", {})
    assert len(caught.value.problems) == 1
    assert_silent(str(caught.value))


def test_settings_do_not_show_headers_when_they_are_printed() -> None:
    exporter = f'otlp_http: {{endpoint: "http://b:1", {HEADERS}}}'
    assert_silent(repr(parse_config(config_text(exporter, names="otlp_http"), "test.yaml", {}).config))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@backend:4318/path?key=k", "https://backend:4318/path"),
        ("https://backend/a@b", "https://backend/a@b"),
        ("backend:4317", "backend:4317"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_short_words_are_left_where_they_are() -> None:
    assert Redaction("http://b", ["abc", "Token t"]).clean("abc t Token") == "abc t Token"
