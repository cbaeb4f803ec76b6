from __future__ import annotations

import pytest

from otel_carbon.collector.config.load import parse_config
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


@pytest.mark.parametrize(("text", "hold_s"), [("0s", 0.0), ("2s", 2.0), ("500ms", 0.5), ("1m", 60.0)])
def test_requests_are_held_as_long_as_it_says(text: str, hold_s: float) -> None:
    carbon = parse_config(EXAMPLE.replace("HOLD", text), "collector.yaml", {}).config.carbons["carbon"]
    assert (carbon.hold_s, carbon.hold_size_bytes) == (hold_s, 64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("hold", "message"),
    [
        ("61s", "hold: must be at most 60s: what is held back is in memory only"),
        ("2", "hold: must be a duration with its unit, such as 5s, 200ms or 1m30s"),
        ("2s, hold_size_bytes: 0", "hold_size_bytes: must be greater than or equal to 1"),
        ("0s, models: [gpt-4o]", "models: must be a mapping, such as {name: value}"),
        ("0s, models: {prod: 4}", "models.prod: must be a valid string"),
        ("0s, models: {prod: ''}", "models.prod: must not be empty"),
        ("0s, accounting_point: {count: vllm}", "accounting_point.count: must be a list, such as [one, two]"),
        ("0s, accounting_point: {counts: [a]}", "accounting_point.counts: unknown key; did you mean 'count'?"),
        ("0s, accounting_point: vllm", "accounting_point: must be a mapping with the keys count, pass_through"),
        (
            "0s, accounting_point: {pass_through: ['*']}",
            "accounting_point: pass_through: '*' would let no call count; name the gateways",
        ),
        (
            "0s, accounting_point: {count: [a, b], pass_through: [b, c]}",
            "accounting_point: 'b' is named both to count calls and to pass them through; keep one",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_line_and_key(hold: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(EXAMPLE.replace("HOLD", hold), "collector.yaml", {})
    assert refused.value.problems == (f"collector.yaml:5: processors.carbon.{message}",)


def test_the_names_of_services_and_models_are_taken_as_they_are() -> None:
    more = "0s, models: {azure.ai.openai/prod: gpt-4o}, accounting_point: {count: ['*'], pass_through: [Gate-Way]}"
    carbon = parse_config(EXAMPLE.replace("HOLD", more), "collector.yaml", {}).config.carbons["carbon"]
    assert carbon.models == {"azure.ai.openai/prod": "gpt-4o"}
    assert (carbon.accounting_point.count, carbon.accounting_point.pass_through) == (("*",), ("Gate-Way",))
