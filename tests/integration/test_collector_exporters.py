from __future__ import annotations

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otel_carbon.collector.exporters.backend import BackendSettings
from otel_carbon.collector.exporters.http_backend import RESPONSE_LIMIT_BYTES
from otel_carbon.collector.exporters.otlp_grpc import OtlpGrpcExport
from otel_carbon.collector.exporters.otlp_http import OtlpHttpExport
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.collector.status import STATUS_DETAILS_KEY, Code, status_message
from tests.integration.collector_under_test import (
    PROTOBUF,
    ScriptedBackend,
    config_text,
    counter,
    running_collector,
    scripted_backend,
    trace_request,
)
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.otlp_sink import OtlpSink

BATCH = Batch(Signal.TRACES, trace_request("a", "b", "c"), 3)
REJECTS_TWO = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=2)
).SerializeToString()


def settings(endpoint: str, *, compressed: bool = False) -> BackendSettings:
    return BackendSettings("test", endpoint, {"X-Api-Key": "k"}, gzip=compressed, timeout_s=5)


def send_http(backend: ScriptedBackend, *, compressed: bool = False) -> int:
    export = OtlpHttpExport(settings(backend.endpoint, compressed=compressed))
    try:
        return export.send(BATCH)
    finally:
        export.close()


def test_http_bodies_are_sent_as_they_are_with_the_configured_headers() -> None:
    with scripted_backend() as backend:
        assert send_http(backend) == 0
    ((path, headers, body),) = backend.requests
    assert (path, body) == ("/v1/traces", BATCH.body)
    assert (headers["content-type"], headers["x-api-key"]) == ("application/x-protobuf", "k")
    assert "content-encoding" not in headers


def test_http_bodies_are_compressed_when_asked() -> None:
    with scripted_backend() as backend:
        assert send_http(backend, compressed=True) == 0
    ((_, headers, body),) = backend.requests
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == BATCH.body


def test_partial_success_over_http_tells_how_many_were_rejected() -> None:
    with scripted_backend((200, {}, REJECTS_TWO)) as backend:
        assert send_http(backend) == 2


@pytest.mark.parametrize("answer", [b"{}", b"\xff\xff", b""])
def test_an_answer_in_another_form_rejects_nothing(answer: bytes) -> None:
    with scripted_backend((200, {}, answer)) as backend:
        assert send_http(backend) == 0


def test_an_answer_without_end_is_refused_for_good_and_one_that_would_expand_is_not_expanded() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    with scripted_backend(
        (200, {}, bytes(RESPONSE_LIMIT_BYTES + 1)), (200, {"content-encoding": "gzip"}, bomb)
    ) as backend:
        with pytest.raises(PermanentExportError, match="longer than 4194304 bytes"):
            send_http(backend)
        assert send_http(backend) == 0
        assert backend.requests[1][1]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "headers", "wish_s"),
    [(429, {"retry-after": "7"}, 7.0), (503, {}, None), (502, {}, None), (504, {"retry-after": "0"}, 0.0)],
)
def test_http_refusals_that_may_pass_later(status: int, headers: dict[str, str], wish_s: float | None) -> None:
    with scripted_backend((status, headers, b"")) as backend, pytest.raises(RetryableExportError) as caught:
        send_http(backend)
    assert caught.value.retry_after_s == wish_s


@pytest.mark.parametrize("status", [301, 400, 401, 404, 408, 413, 500, 501])
def test_http_refusals_that_stay(status: int) -> None:
    body = status_message(Code.INVALID_ARGUMENT, "told why").SerializeToString()
    with scripted_backend((status, {}, body)) as backend, pytest.raises(PermanentExportError, match="told why"):
        send_http(backend)


def test_refused_credentials_may_pass_later_where_that_is_set() -> None:
    for status in (401, 403):
        with scripted_backend((status, {}, b"")) as backend:
            export = OtlpHttpExport(replace(settings(backend.endpoint), retries_unauthorized=True))
            with pytest.raises(RetryableExportError):
                export.send(BATCH)
            assert export.send(BATCH) == 0
            export.close()
    for code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        with grpc_backend(code) as endpoint:
            over_grpc = OtlpGrpcExport(replace(settings(endpoint), retries_unauthorized=True))
            with pytest.raises(RetryableExportError):
                over_grpc.send(BATCH)
            over_grpc.close()


def test_nobody_listening_is_retried() -> None:
    (port,) = free_ports(1)
    for export in (OtlpHttpExport(settings(f"http://127.0.0.1:{port}")), OtlpGrpcExport(settings(f"127.0.0.1:{port}"))):
        with pytest.raises(RetryableExportError):
            export.send(BATCH)
        export.close()


@contextmanager
def grpc_backend(code: grpc.StatusCode, *, retry_after_s: float | None = None, answer: bytes = b"") -> Iterator[str]:
    """A gRPC backend that answers every call in the same way, and checks the key."""

    def export(_body: bytes, context: grpc.ServicerContext) -> bytes:
        assert ("x-api-key", "k") in [(pair.key, pair.value) for pair in context.invocation_metadata()]
        if code is not grpc.StatusCode.OK:
            details = status_message(Code.RESOURCE_EXHAUSTED, "no", retry_after_s).SerializeToString()
            context.set_trailing_metadata(((STATUS_DETAILS_KEY, details),))
            context.set_code(code)
        return answer

    handler = grpc.unary_unary_rpc_method_handler(export)
    service = grpc.method_handlers_generic_handler(Signal.TRACES.grpc_service, {"Export": handler})
    with ThreadPoolExecutor(1) as workers:
        server = grpc.server(workers, handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()


def send_grpc(endpoint: str) -> int:
    export = OtlpGrpcExport(settings(endpoint, compressed=True))
    try:
        return export.send(BATCH)
    finally:
        export.close()


def test_partial_success_over_grpc_tells_how_many_were_rejected() -> None:
    with grpc_backend(grpc.StatusCode.OK, answer=REJECTS_TWO) as endpoint:
        assert send_grpc(endpoint) == 2


@pytest.mark.parametrize(
    ("code", "told_s", "wish_s"),
    [
        ("UNAVAILABLE", 2.5, 2.5),
        ("UNAVAILABLE", None, None),
        ("RESOURCE_EXHAUSTED", 3.0, 3.0),
        ("ABORTED", None, None),
        ("DATA_LOSS", None, None),
    ],
)
def test_grpc_refusals_that_may_pass_later(code: str, told_s: float | None, wish_s: float | None) -> None:
    with (
        grpc_backend(grpc.StatusCode[code], retry_after_s=told_s) as endpoint,
        pytest.raises(RetryableExportError) as caught,
    ):
        send_grpc(endpoint)
    assert caught.value.retry_after_s == wish_s


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "UNAUTHENTICATED", "INTERNAL", "UNKNOWN"])
def test_grpc_refusals_that_stay(code: str) -> None:
    with grpc_backend(grpc.StatusCode[code]) as endpoint, pytest.raises(PermanentExportError, match=code):
        send_grpc(endpoint)


def test_the_time_to_wait_that_a_backend_names_is_kept() -> None:
    with scripted_backend((503, {"retry-after": "1"}, b"")) as backend:
        text = config_text(f'otlp_http: {{endpoint: "{backend.endpoint}"}}', names="otlp_http")
        with running_collector(text) as running:
            started_s = time.monotonic()
            assert httpx.post(f"{running.http}/v1/traces", content=BATCH.body, headers=PROTOBUF).status_code == 200
            wait_until(lambda: len(backend.requests) == 2, timeout_s=10, what="second attempt")
            # Our own first delay would have been 5 s +- 50 %, so at least 2.5 s.
            assert 1.0 <= time.monotonic() - started_s < 2.4
    assert [body for _, _, body in backend.requests] == [BATCH.body, BATCH.body]


def test_a_dead_exporter_does_not_stop_the_other(otlp_sink: OtlpSink) -> None:
    (dead_port,) = free_ports(1)
    exporters = f"""otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}
  otlp_grpc/dead: {{endpoint: "127.0.0.1:{dead_port}"}}"""
    with running_collector(config_text(exporters, names="otlp_http, otlp_grpc/dead"), drain_s=0) as running:
        for number in range(20):
            body = trace_request(f"span {number}")
            assert httpx.post(f"{running.http}/v1/traces", content=body, headers=PROTOBUF).status_code == 200
        spans = otlp_sink.wait_for_spans(20)
    assert [each.span.name for each in spans] == [f"span {number}" for number in range(20)]


def test_a_refused_request_that_the_client_repeats_reaches_no_backend_twice(otlp_sink: OtlpSink) -> None:
    with scripted_backend(accepting=False) as slow:
        exporters = f"""otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}
  otlp_http/slow: {{endpoint: "{slow.endpoint}", sending_queue: {{queue_size_bytes: 1, on_full: refuse}}}}
  prometheus: {{endpoint: "localhost:0"}}"""
        text = config_text(exporters, names="otlp_http, otlp_http/slow", processors="carbon").replace(
            "processors: [carbon], exporters: [", "processors: [carbon], exporters: [prometheus, "
        )
        with running_collector(text) as running:

            def post(name: str) -> int:
                body = trace_request(name)
                return httpx.post(f"{running.http}/v1/traces", content=body, headers=PROTOBUF).status_code

            assert post("first") == 200
            assert [post("second"), post("second")] == [503, 503]
            slow.accepting.set()
            wait_until(lambda: post("second") == 200, timeout_s=10, what="room in the queue")
            page_url = running.page_url("exporters.prometheus")
            page = httpx.get(f"{page_url}/metrics").text
            assert counter(page, "otelcol_exporter_enqueue_failed_spans_total", exporter="otlp_http/slow") >= 2
            assert counter(page, "otelcol_exporter_enqueue_failed_spans_total", exporter="otlp_http") == 0
    assert [each.span.name for each in otlp_sink.spans()] == ["first", "second"]
