"""Whatever stands in a configuration, it is taken or refused with its mistakes, and no secret is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.cli.config_findings import findings_json
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.source.findings import InvalidConfig

if TYPE_CHECKING:
    from otel_carbon.collector.config.source.findings import Finding

TEXT = """\
receivers:
  otlp:
    protocols: {grpc: {endpoint: "localhost:0"}, http: }
processors:
  carbon: {regions: {openai: eastus}, hold: 1s}
exporters:
  otlp_http:
    endpoint: "http://user:canary@x:1"
    headers:
      authorization: "Bearer canary"
      x-team: canary
    timeout: 5s
  otlp_grpc: {endpoint: "${env:CANARY}", headers: {a: 'canary', b: "${CANARY}"}, timeout: 1s}
  debug:
service:
  extensions: []
  pipelines:
    traces:
      receivers: [otlp]
      exporters:
      - otlp_http
      - debug
"""
PIECES = [
    "\n",
    "\n\n",
    "  ",
    *":{}[]'\"#&*!|>-,?$\t%@`~\\/0a\xe9\x85",
    "\N{LINE SEPARATOR}",
    "${",
    "${env:",
    "${file:/",
    "<<: ",
]

cuts = st.tuples(st.integers(0, len(TEXT)), st.integers(0, 5), st.sampled_from(["", *PIECES]))


@settings(max_examples=60, deadline=None)
@given(st.lists(cuts, min_size=1, max_size=6))
def test_a_damaged_configuration_is_refused_in_its_own_words(damages: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, cut, piece in damages:
        text = text[:at] + piece + text[at + cut :]
    shown = told(text)
    lines = len(text.splitlines()) + 1
    assert all(0 <= finding.line <= lines and 0 <= finding.column <= len(finding.written) + 1 for finding in shown)
    assert "canary" not in findings_json([], shown, ())


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_is_refused_in_its_own_words(text: str) -> None:
    assert told(text)


def told(text: str) -> tuple[Finding, ...]:
    """What is said about a configuration."""
    try:
        return parse_config(text, "collector.yaml", {"CANARY": "canary"}).findings
    except InvalidConfig as error:
        return error.findings + error.warnings
