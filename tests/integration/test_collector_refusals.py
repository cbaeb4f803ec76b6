"""What clients are told while memory is short or a backend away, and what becomes of their requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import STATUS_DETAILS_KEY
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import PROTOBUF, config_text, counter, running_collector, trace_request
from tests.integration.durable_collector import body_of
from tests.support.waiting import wait_until
from tests.unit.collector.storage.test_hanging_disk import hanging

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink


def short_of_memory(sink: OtlpSink) -> str:
    """A collector that may have 1 MiB, which no Python process is content with."""
    exporters = f'otlp_http: {{endpoint: "{sink.http_endpoint}"}}\n  prometheus: {{endpoint: "localhost:0"}}'
    text = config_text(exporters, names="otlp_http", processors="memory_limiter, carbon")
    text = text.replace("  carbon:\n", "  carbon:\n  memory_limiter: {limit_mib: 1}\n")
    return text.replace("carbon], exporters: [", "carbon], exporters: [prometheus, ")


def test_while_memory_is_short_clients_are_asked_to_come_back(otlp_sink: OtlpSink) -> None:
    with running_collector(short_of_memory(otlp_sink)) as running:
        answer = httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert status_pb2.Status.FromString(answer.content).message == "the collector is short of memory"
        with grpc.insecure_channel(running.grpc) as channel:
            export = channel.unary_unary(f"/{Signal.TRACES.grpc_service}/Export")
            with pytest.raises(grpc.RpcError) as refused:
                export(trace_request("b"), timeout=10)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        details = dict(refused.value.trailing_metadata())[STATUS_DETAILS_KEY]
        retry = error_details_pb2.RetryInfo()
        assert status_pb2.Status.FromString(details).details[0].Unpack(retry)
        assert retry.retry_delay.seconds == 1
        page = httpx.get(f"{running.page_url('exporters.prometheus')}/metrics").text
        assert counter(page, "otelcol_processor_memory_limiter_refused_requests_total") == 2
        assert counter(page, "otelcol_receiver_requests_total", outcome="refused") == 2
    assert otlp_sink.bodies("traces") == []


def test_what_has_no_limiter_in_its_pipeline_is_taken(otlp_sink: OtlpSink) -> None:
    with running_collector(short_of_memory(otlp_sink)) as running:
        assert httpx.post(f"{running.http}/v1/logs", content=b"", headers=PROTOBUF).status_code == 200


DURABLE = """
receivers: {otlp: {protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}}}
processors: {carbon: }
exporters: {otlp_grpc: {endpoint: "BACKEND", sending_queue: {storage: file_storage, num_consumers: 2}}}
extensions: {file_storage: {directory: "FOLDER"}}
service:
  extensions: [file_storage]
  pipelines: {traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_grpc]}}
"""


def test_by_either_protocol_requests_go_over_the_disk_and_arrive(otlp_sink: OtlpSink, tmp_path: Path) -> None:
    text = DURABLE.replace("BACKEND", otlp_sink.grpc_endpoint).replace("FOLDER", str(tmp_path / "queue"))
    with Collector(parse_config(text, "test.yaml", {}).config, build_carbon=carbon_builder(None)) as collector:
        endpoints = collector.endpoints
        small, large = body_of(1), body_of(1000, spans=2000)
        assert len(large) > 256 * 1024  # is processed on another thread
        url = f"http://{endpoints['receivers.otlp.http']}/v1/traces"
        assert [httpx.post(url, content=each, headers=PROTOBUF).status_code for each in (small, large)] == [200, 200]
        with grpc.insecure_channel(str(endpoints["receivers.otlp.grpc"])) as channel:
            channel.unary_unary(f"/{Signal.TRACES.grpc_service}/Export")(body_of(2), timeout=10)
        assert len(otlp_sink.wait_for_spans(2002)) == 2002
    assert collector.stored_requests == 0


def test_while_the_disk_hangs_clients_of_either_protocol_are_answered_in_time(
    otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    text = DURABLE.replace("BACKEND", otlp_sink.grpc_endpoint).replace("FOLDER", str(folder))
    text = text.replace("directory:", "write_timeout: 500ms, directory:")
    with Collector(parse_config(text, "test.yaml", {}).config, build_carbon=carbon_builder(None)) as collector:
        url = f"http://{collector.endpoints['receivers.otlp.http']}/v1/traces"
        grpc_endpoint = str(collector.endpoints["receivers.otlp.grpc"])
        with hanging(folder), ThreadPoolExecutor() as threads, grpc.insecure_channel(grpc_endpoint) as channel:
            export = channel.unary_unary(f"/{Signal.TRACES.grpc_service}/Export")
            by_http = threads.submit(httpx.post, url, content=body_of(1), headers=PROTOBUF, timeout=20)
            with pytest.raises(grpc.RpcError) as refused:
                export(body_of(2), timeout=20)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            assert STATUS_DETAILS_KEY in dict(refused.value.trailing_metadata())
            assert by_http.result().status_code == 503
            assert by_http.result().headers["retry-after"] == "1"
        wait_until(
            lambda: httpx.post(url, content=body_of(1), headers=PROTOBUF).status_code == 200,
            timeout_s=20,
            what="a collector that takes requests again",
        )
        wait_until(lambda: 2 in span_numbers(otlp_sink), timeout_s=20, what="a span that was sent again")


def span_numbers(sink: OtlpSink) -> set[int]:
    return {int.from_bytes(each.span.span_id) for each in sink.spans()}


def test_a_folder_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    text = DURABLE.replace("BACKEND", "http://127.0.0.1:9").replace("FOLDER", str(tmp_path / "file"))
    collector = Collector(parse_config(text, "test.yaml", {}).config, build_carbon=carbon_builder(None))
    (tmp_path / "file").write_text("in the way since it was checked", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be used as file storage: File exists"):
        collector.start()


def test_while_one_backend_is_away_the_other_gets_everything(otlp_sink: OtlpSink) -> None:
    exporters = f"""otlp_http/away: {{endpoint: "http://127.0.0.1:9", sending_queue: {{queue_size_bytes: 1}}}}
  otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}
  prometheus: {{endpoint: "localhost:0"}}"""
    text = config_text(exporters, names="otlp_http/away, otlp_http", processors="carbon")
    text = text.replace("carbon], exporters: [", "carbon], exporters: [prometheus, ")
    with running_collector(text, drain_s=0.1) as running:

        def page() -> str:
            return httpx.get(f"{running.page_url('exporters.prometheus')}/metrics").text

        def is_taken() -> bool:
            answer = httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
            return answer.status_code == 200

        assert is_taken()  # fills the queue of the one that is away
        # Until its first attempt has failed, that queue is only slow.
        wait_until(is_taken, timeout_s=20, what="request that is taken without the failing exporter")
        assert all(is_taken() for _ in range(3))
        assert counter(page(), "otelcol_exporter_enqueue_failed_spans_total", exporter="otlp_http/away") >= 4
        assert len(otlp_sink.wait_for_spans(5)) == 5


def test_requests_wait_for_others_and_travel_as_one(otlp_sink: OtlpSink) -> None:
    batch = "batch: {flush_timeout: 1m, sizer: items, min_size: 3}"
    exporters = f'otlp_http: {{endpoint: "{otlp_sink.http_endpoint}", sending_queue: {{{batch}}}}}'
    with running_collector(config_text(exporters, names="otlp_http")) as running:
        for name in ("a", "b", "c"):
            answer = httpx.post(f"{running.http}/v1/traces", content=trace_request(name), headers=PROTOBUF)
            assert answer.status_code == 200
        otlp_sink.wait_for_spans(3)
    assert otlp_sink.bodies("traces") == [trace_request("a") + trace_request("b") + trace_request("c")]
