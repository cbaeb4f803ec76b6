"""Every message that `docs/troubleshooting.md` explains really comes of the mistake that the page names."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import otel_carbon
from otel_carbon.cli.extras import needs_extra
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.source.findings import InvalidConfig
from otel_carbon.errors import MissingExtra
from otel_carbon.sdk.environment import registry_from_environment, settings_from_environment
from tests.docs.conftest import TIMEOUT_S, reader_environment
from tests.docs.pages import REPOSITORY
from tests.support.ports import free_ports
from tests.support.processes import start
from tests.support.written_collector import running_written_collector

PAGE = (REPOSITORY / "docs/troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^\| `([^`]+)` \| ", PAGE.partition("## Messages of an application")[2], re.MULTILINE)
"""The first column of both tables of messages."""

OF_SETTINGS = {
    "OTEL_CARBON_REGION: unknown region": {"OTEL_CARBON_REGION": "openai=estus"},
    "OTEL_CARBON_MODELS: unknown model": {"OTEL_CARBON_MODELS": "my-gpt=gpt-4oo"},
    "OTEL_CARBON_STRICT=maybe": {"OTEL_CARBON_STRICT": "maybe"},
    "OTEL_CARBON_GRID_TABLE ignored": {"OTEL_CARBON_GRID_TABLE": "no-such.csv"},
    "OTEL_CARBON_REGISTRY ignored": {"OTEL_CARBON_REGISTRY": "no-such.json"},
}
CONFIG = """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:4318"}}}}
processors: {carbon: }
exporters: {otlp_http: {endpoint: "http://backend:4318"}}
service: {pipelines: {traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_http]}}}
"""
OF_CONFIGURATIONS = {
    "unknown key": ('4318"}}\nservice', '4318", tiemout: 5s}}\nservice'),
    "the section 'receivers' is missing": (CONFIG.splitlines()[0], ""),
    "is not declared in exporters": ("[otlp_http]", "[otlp]"),
    "is declared but not named": ('4318"}}\nservice', '4318"}, debug: }\nservice'),
    "must be a URL": ("http://backend", "backend"),
    "is not needed": ("{carbon: }", "{carbon: , batch: }"),
    "a loop": ("backend:4318", "localhost:4318"),
    "is not this machine alone": ("localhost", "0.0.0.0"),
}
WITH_PAGES = """\
receivers:
  otlp:
    protocols:
      grpc: {endpoint: localhost:4317}
      http: {endpoint: localhost:4318}
processors: {carbon: }
exporters:
  otlp_http: {endpoint: "http://127.0.0.1:BACKEND"}
  prometheus: {endpoint: localhost:9464}
service: {pipelines: {traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_http, prometheus]}}}
"""


def explained(part: str) -> re.Pattern[str]:
    """The one message of the page that holds a part; dots stand for anything."""
    (message,) = [each for each in MESSAGES if part in each]
    return re.compile(".*".join(map(re.escape, message.split("..."))))


def test_every_message_of_the_page_is_provoked_here() -> None:
    others = {"takes no span processors", "this command needs", "address already in use", "cannot send"}
    provoked = {*OF_SETTINGS, *OF_CONFIGURATIONS, *others}

    assert [message for message in MESSAGES if sum(part in message for part in provoked) != 1] == []
    assert len(MESSAGES) == len(provoked)


@pytest.mark.parametrize("part", list(OF_SETTINGS))
def test_a_wrong_setting_is_logged_as_the_page_says(part: str, caplog: pytest.LogCaptureFixture) -> None:
    settings_from_environment(OF_SETTINGS[part])
    registry_from_environment(OF_SETTINGS[part])

    messages = {record.message for record in caplog.records}
    assert [message for message in messages if explained(part).fullmatch(message)] != []
    assert {record.name.partition(".")[0] for record in caplog.records} == {"otel_carbon"}


def test_a_provider_that_is_none_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    otel_carbon.instrument(object(), capture=False)

    assert explained("takes no span processors").fullmatch(caplog.records[-1].message)


@pytest.mark.parametrize("part", list(OF_CONFIGURATIONS))
def test_a_wrong_configuration_is_told_as_the_page_says(part: str) -> None:
    assert CONFIG.count(OF_CONFIGURATIONS[part][0]) == 1
    try:
        told = parse_config(CONFIG.replace(*OF_CONFIGURATIONS[part]), "collector.yaml", {}).warnings
    except InvalidConfig as error:
        told = tuple(map(str, error.findings))

    assert [each for each in told if explained(part).fullmatch(each)] != []


def test_a_missing_package_becomes_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)

    with pytest.raises(MissingExtra) as raised, needs_extra("collector"):
        import grpc  # noqa: F401 - what a command of the collector does

    assert explained("this command needs").fullmatch(str(raised.value))


def test_a_port_that_is_taken_is_named_and_ends_the_collector(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = tmp_path / "collector.yaml"
        path.write_text(CONFIG.replace("localhost:4318", f"127.0.0.1:{taken.getsockname()[1]}"), encoding="utf-8")
        command: list[str | Path] = [Path(sys.executable).with_name("otel-carbon"), "collector", "--config", path]
        process = start(command, folder=tmp_path, name="collector", environment=reader_environment())
        try:
            assert process.popen.wait(TIMEOUT_S) == 2
        finally:
            process.stop()

    assert explained("address already in use").search(process.stdout() + process.stderr())


def test_a_backend_that_is_away_is_logged(tmp_path: Path) -> None:
    config = WITH_PAGES.replace("BACKEND", str(free_ports(1)[0]))
    with running_written_collector(config, tmp_path, reader_environment(), loses_items=True) as collector:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{collector.http_endpoint}/v1/traces")))
        provider.get_tracer("docs").start_span("chat").end()
        provider.shutdown()
        collector.process.wait_for(
            lambda: explained("cannot send").search(collector.log()), timeout_s=TIMEOUT_S, what="line of the log"
        )
