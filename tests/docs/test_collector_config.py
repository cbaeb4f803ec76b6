"""What docs/collector-config.md shows is what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.cli.config_findings import show_findings
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.source.findings import InvalidConfig
from tests.docs.pages import REPOSITORY
from tools.markdown_blocks import blocks_of

if TYPE_CHECKING:
    import pytest

BLOCKS = blocks_of((REPOSITORY / "docs/collector-config.md").read_text(encoding="utf-8"))
REST = """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
exporters:

  otlp_http: {endpoint: "http://backend:4318", tiemout: 5s, headers: {authorization: canary}}
"""


def block_with(text: str) -> str:
    (found,) = (block.text for block in BLOCKS if text in block.text)
    return found


def test_the_example_of_several_pipelines_can_be_run() -> None:
    loaded = parse_config(block_with("traces/enriched"), "collector.yaml", {})
    assert sorted(loaded.config.service.pipelines) == ["traces/as-they-came", "traces/enriched"]
    assert loaded.warnings == ()


def test_the_example_of_logs_can_be_run() -> None:
    logs = block_with("encoding: json").partition("service:\n")[2]
    config = parse_config(
        REST.replace("tiemout", "timeout").replace("service:\n", f"service:\n{logs}"), "c.yaml", {}
    ).config
    assert (config.service.telemetry.logs.level, config.service.telemetry.logs.encoding) == ("info", "json")


def test_a_mistake_is_shown_as_the_page_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        parse_config(REST, "collector.yaml", {})
    except InvalidConfig as error:
        show_findings(error.findings, ())
    assert capsys.readouterr().err == block_with("tiemout")
