from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import cramjam
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.cli.main import main
from otel_carbon.collector.config.load import parse_config
from otel_carbon.errors import ConfigError
from otel_carbon.otlp.delimited import records_in
from tests.bench.load import traces_request
from tests.integration.collector_under_test import (
    PROTOBUF,
    RECEIVER,
    append_mark,
    config_text,
    counter,
    log_request,
    metric_request,
    running_collector,
    trace_request,
)
from tests.support.waiting import wait_until
from tests.unit.otlp.messages import inference_span, request_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.collector_under_test import Running
    from tests.support.otlp_sink import OtlpSink

TRACES = f"""
receivers:
  {RECEIVER}
exporters:
  file: {{path: "PATH", SETTINGS}}
  prometheus: {{endpoint: "localhost:0"}}
processors:
  carbon:
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [file, prometheus]}}
"""


def traces_config(path: Path, settings: str = "") -> str:
    return TRACES.replace("PATH", str(path)).replace("SETTINGS", settings)


def post(running: Running, path: str, body: bytes) -> int:
    return httpx.post(f"{running.http}{path}", content=body, headers=PROTOBUF).status_code


def test_every_signal_is_a_line_of_otlp_json_that_a_second_collector_takes(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    path = tmp_path / "telemetry.json"
    with running_collector(config_text(f'file: {{path: "{path}"}}', names="file")) as running:
        for url_path, body in (
            ("/v1/traces", trace_request("a", "b")),
            ("/v1/metrics", metric_request()),
            ("/v1/logs", log_request()),
        ):
            assert post(running, url_path, body) == 200
    lines = path.read_bytes().splitlines()
    paths = {"resourceSpans": "/v1/traces", "resourceMetrics": "/v1/metrics", "resourceLogs": "/v1/logs"}
    with running_collector(
        config_text(f'otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}', names="otlp_http")
    ) as second:
        for line in lines:
            (kind,) = json.loads(line)
            answer = httpx.post(
                f"{second.http}{paths[kind]}", content=line, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 200
    assert [each.span.name for each in otlp_sink.spans()] == ["a", "b"]
    assert otlp_sink.bodies("metrics") == [metric_request()]
    assert otlp_sink.bodies("logs") == [log_request()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_protobuf_records_hold_what_came_byte_for_byte(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "traces.bin"
    body = trace_request("a")
    with running_collector(traces_config(path, f"format: proto, compression: {compression}")) as running:
        assert post(running, "/v1/traces", body) == 200
    (record,) = records_in(path.read_bytes())
    assert (bytes(cramjam.zstd.decompress(record)) if compression == "zstd" else record) == append_mark(body)


def test_a_folder_that_goes_away_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    retry = "retry_on_failure: {initial_interval: 20ms, max_interval: 20ms}, format: proto"
    with running_collector(traces_config(folder / "traces", retry)) as running:
        folder.rmdir()
        assert post(running, "/v1/traces", trace_request("a")) == 200
        page_url = f"{running.page_url('exporters.prometheus')}/metrics"
        held = "otelcol_exporter_queue_size"
        wait_until(
            lambda: counter(httpx.get(page_url).text, held, exporter="file") > 0, timeout_s=10, what="a queued batch"
        )
        folder.mkdir()
        sent = "otelcol_exporter_sent_spans_total"
        wait_until(
            lambda: counter(httpx.get(page_url).text, sent, exporter="file") == 1, timeout_s=10, what="a written batch"
        )
    assert spans_in(folder / "traces") == ["a"]


def test_a_collector_that_starts_again_continues_behind_what_a_crash_has_torn(tmp_path: Path) -> None:
    path = tmp_path / "traces"
    for name in ("before", "after"):
        with running_collector(traces_config(path, "format: proto")) as running:
            assert post(running, "/v1/traces", trace_request(name)) == 200
        with path.open("ab") as file:
            file.write(b"\0\0\1\0torn")
    path.write_bytes(path.read_bytes().removesuffix(b"\0\0\1\0torn"))
    assert spans_in(path) == ["before", "after"]


def spans_in(path: Path) -> list[str]:
    requests = map(ExportTraceServiceRequest.FromString, records_in(path.read_bytes()))
    return [
        span.name
        for request in requests
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


@pytest.mark.parametrize("file_format", ["json", "proto"])
def test_the_command_that_enriches_files_reads_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file_format: str
) -> None:
    path = tmp_path / "traces"
    with running_collector(traces_config(path, f"format: {file_format}")) as running:
        for number in (1, 2):
            body = request_of(inference_span(number)).SerializeToString()
            assert post(running, "/v1/traces", body) == 200
            wait_until(path.is_file, timeout_s=10, what="the file")
    assert main(["enrich", str(path), "--summary"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["spans"], summary["estimated"], summary["tokens"]["input"]) == (2, 2, 2 * 800)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('file: {path: "FOLDER/no/such/data.json"}', "exporters.file.path: there is no folder 'FOLDER/no/such'"),
        ('file: {path: "FOLDER"}', "exporters.file.path: 'FOLDER' is no regular file"),
        (
            'file: {path: "FOLDER/x", format: proto}',
            "a proto file holds one signal, and this would get logs, metrics, t",
        ),
        (
            'file: {path: "FOLDER/x"}\n  file/two: {path: "FOLDER/./x"}',
            "is written by exporters.file.path; choose anot",
        ),
        ('file: {path: "FOLDER/x", format: jsonl}', "exporters.file.format: must be 'json' or 'proto', not 'jsonl'"),
    ],
)
def test_a_file_that_cannot_be_written_or_read_afterwards_is_told_before_the_start(
    tmp_path: Path, settings: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(config_text(settings.replace("FOLDER", str(tmp_path)), names="file"), "test.yaml", {})
    assert problem.replace("FOLDER", str(tmp_path)) in "\n".join(caught.value.problems)


def test_a_stop_writes_what_a_burst_of_60000_spans_has_left_to_a_json_file(tmp_path: Path) -> None:
    path = tmp_path / "traces.json"
    bodies = [traces_request(500, genai_share=1.0, seed=number) for number in range(120)]
    with running_collector(traces_config(path)) as running:
        for body in bodies:
            assert post(running, "/v1/traces", body) == 200
        assert running.collector.stop() == 0
    assert path.read_bytes().count(b'"spanId":') == 120 * 500
