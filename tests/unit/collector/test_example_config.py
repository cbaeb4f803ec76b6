from __future__ import annotations

import pytest

from otel_carbon.collector.load_config import parse_config
from otel_carbon.errors import ConfigError

EXAMPLE = """
receivers:
  otlp: {protocols: {grpc: {endpoint: localhost:4317}, http: {endpoint: localhost:4318}}}
processors:
  carbon: {attributes: core, already_enriched: trust, hold: HOLD}
exporters:
  otlp_http: {endpoint: http://backend:4318}
  prometheus: {endpoint: localhost:9464}
service:
  pipelines:
    traces:  {receivers: [otlp], processors: [carbon], exporters: [otlp_http, prometheus]}
    metrics: {receivers: [otlp], exporters: [otlp_http]}
    logs:    {receivers: [otlp], exporters: [otlp_http]}
"""


def test_a_pipeline_of_every_part_is_taken() -> None:
    loaded = parse_config(EXAMPLE.replace("HOLD", "0s"), "collector.yaml", {})
    assert sorted(loaded.config.service.pipelines) == ["logs", "metrics", "traces"]
    assert loaded.warnings == ()


def test_holding_spans_back_is_refused_by_line_and_key() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(EXAMPLE.replace("HOLD", "5s"), "collector.yaml", {})
    assert refused.value.problems == ("collector.yaml:5: processors.carbon.hold: must be less than or equal to 0",)
