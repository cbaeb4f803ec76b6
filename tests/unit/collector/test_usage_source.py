"""`usage_source` and the pipelines have to fit: metrics are counted only where they flow through carbon."""

from __future__ import annotations

import pytest

from otel_carbon.collector.config.load import LoadedConfig, parse_config
from otel_carbon.errors import ConfigError

CONFIG = """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
processors:
  carbon:
    usage_source: {services: {claude-code: metrics, web: spans}}
exporters: {debug: , prometheus: {endpoint: "localhost:0"}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [debug, prometheus]}
    metrics: {receivers: [otlp], processors: [carbon], exporters: [debug]}
"""


def load(text: str) -> LoadedConfig:
    return parse_config(text, "c.yaml", {})


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return caught.value.problems


def test_services_can_be_counted_from_their_metrics() -> None:
    loaded = load(CONFIG)
    assert loaded.config.carbons["carbon"].usage_source.services == {"claude-code": "metrics", "web": "spans"}
    assert loaded.warnings == ()


def test_every_service_can_be() -> None:
    assert load(CONFIG.replace("claude-code", '"*"')).warnings == ()


def test_a_collector_of_metrics_alone_can_serve_the_counters() -> None:
    lines = CONFIG.replace("exporters: [debug]", "exporters: [debug, prometheus]").splitlines(keepends=True)
    assert load("".join(line for line in lines if "traces:" not in line)).warnings == ()


def test_metrics_that_do_not_come_to_carbon_are_a_mistake() -> None:
    text = CONFIG.replace("metrics: {receivers: [otlp], processors: [carbon],", "metrics: {receivers: [otlp],")
    (problem,) = problems(text)
    assert problem == (
        "c.yaml:4: processors.carbon.usage_source: "
        "the metrics do not come here; add carbon to the processors of a metrics pipeline"
    )


def test_carbon_among_metrics_that_it_does_not_count_is_a_doubt() -> None:
    assert load(CONFIG.replace("claude-code: metrics, ", "")).warnings == (
        "c.yaml:3: processors.carbon: reads no metrics: usage_source names no service that is counted from them",
    )


def test_a_wrong_source_is_named_with_what_is_allowed() -> None:
    (problem,) = problems(CONFIG.replace("claude-code: metrics", "claude-code: metric"))
    assert problem == (
        "c.yaml:4: processors.carbon.usage_source.services.claude-code: "
        "must be 'spans' or 'metrics', not 'metric'; did you mean 'metrics'?"
    )


def test_metrics_need_carbon_before_prometheus() -> None:
    text = CONFIG.replace("processors: [carbon], exporters: [debug]", "exporters: [debug, prometheus]")
    assert (
        "c.yaml:9: service.pipelines.metrics.exporters[1]: "
        "prometheus serves the carbon processor's counters; add carbon to the processors here"
    ) in problems(text)
