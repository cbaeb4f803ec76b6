"""What a configuration says, seen on running collectors: several files, several pipelines, logs for programs."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.collector_under_test import (
    PROTOBUF,
    ScriptedBackend,
    counter,
    log_request,
    scripted_backend,
)
from tests.support.certificates import Authority
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND = Path(sys.executable).with_name("otel-carbon")
LISTENS = re.compile(r"([\w./]+) listens on ([\d.]+:\d+)")
TOKEN = "canary-0123456789"


@pytest.fixture
def run_collector(tmp_path: Path) -> Iterator[Callable[..., ManagedProcess]]:
    """Start the command with arguments; whatever runs is ended with the test."""
    started: list[ManagedProcess] = []

    def run(*arguments: str, environment: dict[str, str] | None = None) -> ManagedProcess:
        command: list[str | Path] = [COMMAND, "collector", *arguments]
        name = f"collector{len(started)}"
        process = start(command, folder=tmp_path, name=name, environment={**os.environ, **(environment or {})})
        started.append(process)
        return process

    yield run
    for process in started:
        process.stop()


def addresses(process: ManagedProcess, *parts: str) -> list[str]:
    """Where parts of the collector listen, once they do."""

    def found() -> list[str] | None:
        known = dict(LISTENS.findall(process.stderr()))
        return [f"http://{known[part]}" for part in parts] if set(parts) <= known.keys() else None

    return process.wait_for(found, timeout_s=30, what="addresses")


def call_request(name: str) -> bytes:
    """One call of a model, as an instrumentation reports it."""
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(name=name, trace_id=name.encode().ljust(16, b"t"), span_id=name.encode().ljust(8, b"s"), kind=3)
    )
    span.start_time_unix_nano, span.end_time_unix_nano = 1_790_000_000_000_000_000, 1_790_000_001_000_000_000
    for key, text in (
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.provider.name", "openai"),
    ):
        span.attributes.add(key=key).value.string_value = text
    for key, count in (("gen_ai.usage.input_tokens", 800), ("gen_ai.usage.output_tokens", 300)):
        span.attributes.add(key=key).value.int_value = count
    return request.SerializeToString()


def spans_of(bodies: list[bytes]) -> dict[str, set[str]]:
    """Names of spans and of their attributes of ours."""
    spans = {}
    for body in bodies:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for span in resource_spans.scope_spans[0].spans:
                spans[span.name] = {each.key for each in span.attributes if each.key.startswith("otel_carbon.")}
    return spans


def has_come(backend: ScriptedBackend, span: str) -> bool:
    return span in spans_of([body for _, _, body in backend.requests])


PIPELINES = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0"}}}
  otlp/batch: {protocols: {http: {endpoint: "localhost:0"}}}
processors:
  carbon:
exporters:
  otlp_http/enriched: {endpoint: "${env:ENRICHED}"}
  otlp_http/plain: {endpoint: "${env:PLAIN}"}
  prometheus: {endpoint: "localhost:0"}
service:
  pipelines:
    traces/a: {receivers: [otlp], processors: [carbon], exporters: [otlp_http/enriched, prometheus]}
    traces/b: {receivers: [otlp, otlp/batch], exporters: [otlp_http/plain]}
    traces/c: {receivers: [otlp/batch], processors: [carbon], exporters: [otlp_http/enriched]}
    logs/b: {receivers: [otlp/batch], exporters: [otlp_http/plain]}
"""


def traces_in(backend: ScriptedBackend) -> list[bytes]:
    with backend.lock:
        return [body for path, _, body in backend.requests if path == "/v1/traces"]


def logs_in(backend: ScriptedBackend) -> int:
    with backend.lock:
        return [path for path, _, _ in backend.requests].count("/v1/logs")


def test_several_pipelines_of_a_kind_have_receivers_processors_and_exporters_of_their_own(
    run_collector: Callable[..., ManagedProcess], tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text(PIPELINES, encoding="utf-8")
    with scripted_backend() as enriched, scripted_backend() as plain:
        environment = {"ENRICHED": enriched.endpoint, "PLAIN": plain.endpoint}
        process = run_collector("--config", str(tmp_path / "c.yaml"), environment=environment)
        first, second, page = addresses(
            process, "receivers.otlp.http", "receivers.otlp/batch.http", "exporters.prometheus"
        )
        for address, name in ((first, "one"), (second, "two")):
            sent = httpx.post(f"{address}/v1/traces", content=call_request(name), headers=PROTOBUF)
            assert sent.status_code == 200
        assert httpx.post(f"{second}/v1/logs", content=log_request(), headers=PROTOBUF).status_code == 200
        # No pipeline takes logs of this receiver.
        assert httpx.post(f"{first}/v1/logs", content=log_request(), headers=PROTOBUF).status_code == 404
        process.wait_for(
            lambda: (
                len(spans_of(traces_in(enriched))) == len(spans_of(traces_in(plain))) == 2
                and logs_in(plain)  # requests may have gone together
            ),
            timeout_s=20,
            what="two spans at each backend, and logs",
        )
        metrics = httpx.get(f"{page}/metrics").text
        process.popen.terminate()
        assert process.popen.wait(20) == 0
    seen = spans_of(traces_in(enriched))
    assert seen.keys() == {"one", "two"}
    assert all("otel_carbon.emissions_gco2e" in attributes for attributes in seen.values())
    assert spans_of(traces_in(plain)) == {"one": set(), "two": set()}
    assert logs_in(plain) == 1
    assert logs_in(enriched) == 0
    # One carbon processor counts for both pipelines.
    assert counter(metrics, "otel_carbon_operations_total") == 2


def test_files_settings_and_secrets_from_files_make_one_configuration(
    run_collector: Callable[..., ManagedProcess], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    (tmp_path / "base.yaml").write_text(
        """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {otlp_http: {endpoint: "http://127.0.0.1:9"}, debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
""",
        encoding="utf-8",
    )
    (tmp_path / "site.yaml").write_text(
        """\
exporters: {otlp_http: {endpoint: "${BACKEND}", headers: {authorization: "Bearer ${file:token}"}}}
service: {telemetry: {logs: {encoding: json, level: debug}}}
""",
        encoding="utf-8",
    )
    with scripted_backend((401, {}, b""), (200, {}, b"")) as backend:
        process = run_collector(
            *("--config", str(tmp_path / "base.yaml"), "--config", str(tmp_path / "site.yaml")),
            *("--set", "service.pipelines.traces.exporters=[otlp_http]"),
            environment={"BACKEND": backend.endpoint},
        )
        (receiver,) = addresses(process, "receivers.otlp.http")

        for name in ("one", "two"):
            sent = httpx.post(f"{receiver}/v1/traces", content=call_request(name), headers=PROTOBUF)
            assert sent.status_code == 200
            process.wait_for(partial(has_come, backend, name), timeout_s=20, what=f"request with {name}")
        process.popen.terminate()
        assert process.popen.wait(20) == 0
    assert {headers["authorization"] for _, headers, _ in backend.requests} == {f"Bearer {TOKEN}"}
    lines = [json.loads(line) for line in process.stderr().splitlines() if line.startswith("{")]
    assert all({"timestamp", "severity", "logger", "message"} <= line.keys() for line in lines)
    (failed,) = (line for line in lines if line["message"].startswith("otlp_http: dropped"))
    assert (failed["severity"], failed["otelcol.component.kind"]) == ("error", "exporter")
    (listens,) = (line for line in lines if "listens on" in line["message"])
    assert (listens["otelcol.component.kind"], listens["otelcol.component.id"]) == ("receiver", "otlp")
    assert lines[-1]["message"] == "stopped; nothing was left in the queues"
    assert TOKEN not in process.stderr()
    # Nothing is logged for a span or a request that went well.
    assert not any(name in process.stderr() for name in ('"one"', '"two"'))


def test_a_stranger_on_a_tls_port_puts_no_line_into_the_log(
    run_collector: Callable[..., ManagedProcess], tmp_path: Path
) -> None:
    files = Authority(tmp_path).issue("server")
    tls = f'tls: {{cert_file: "{files.cert_file}", key_file: "{files.key_file}"}}'
    text = f'receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "localhost:0", {tls}}}}}}}}}\nexporters: {{debug: }}\n'
    text += (
        "service: {telemetry: {logs: {encoding: json}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}"
    )
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    process = run_collector("--config", str(tmp_path / "c.yaml"))
    (address,) = addresses(process, "receivers.otlp.grpc")
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionResetError):
            while stranger.recv(1024):
                pass
    process.popen.terminate()
    assert process.popen.wait(20) == 0
    assert [line for line in process.stderr().splitlines() if not line.startswith("{")] == []


def test_a_taken_port_is_an_object_for_programs_too(
    run_collector: Callable[..., ManagedProcess], tmp_path: Path
) -> None:
    text = 'receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}\nexporters: {debug: }\n'
    text += (
        "service: {telemetry: {logs: {encoding: json}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}"
    )
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    first = run_collector("--config", str(tmp_path / "c.yaml"))
    (address,) = addresses(first, "receivers.otlp.http")
    taken = f"receivers.otlp.protocols.http.endpoint={address.removeprefix('http://')}"
    second = run_collector("--config", str(tmp_path / "c.yaml"), "--set", taken)
    assert second.popen.wait(30) == 2
    (line,) = [json.loads(line) for line in second.stderr().splitlines()]
    assert line["severity"] == "error"
    assert line["message"].startswith("receivers.otlp.protocols.http.endpoint: cannot listen on 127.0.0.1:")


def test_what_looks_unintended_is_an_object_for_programs_too(
    run_collector: Callable[..., ManagedProcess], tmp_path: Path
) -> None:
    text = """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {debug: , otlp_http/idle: {endpoint: "http://127.0.0.1:9"}}
service: {telemetry: {logs: {encoding: json}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""
    file = tmp_path / "c.yaml"
    file.write_text(text, encoding="utf-8")
    process = run_collector("--config", str(file))
    addresses(process, "receivers.otlp.http")
    warning, *_ = [json.loads(line) for line in process.stderr().splitlines()]
    told = "is declared but not named in any pipeline; it does not run"
    assert warning["message"] == f"exporters.otlp_http/idle: {told} ({file}:2)"
    assert (warning["severity"], warning["otelcol.component.id"]) == ("warn", "otlp_http/idle")
