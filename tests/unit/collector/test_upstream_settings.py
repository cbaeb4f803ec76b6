from __future__ import annotations

import pytest

from otel_carbon.collector.config.document import COMPONENT_TYPES
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.upstream import advice_on_component
from otel_carbon.errors import ConfigError

STOCK = """\
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "localhost:0"}
      http: {endpoint: "localhost:0"}
processors:
  batch:
  memory_limiter: {check_interval: 1s, limit_mib: 400}
  resource/team: {attributes: [{key: team, value: a, action: upsert}]}
exporters:
  otlp: {endpoint: "https://backend:4317", tls: {insecure: false}}
service:
  telemetry: {metrics: {level: detailed}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, resource/team, batch], exporters: [otlp]}
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "collector.yaml", {})
    return caught.value.problems


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("7: processors.batch", "not needed, because exporters queue by themselves; remove it"),
        ("9: processors.resource/team", "OTEL_RESOURCE_ATTRIBUTES"),
        ("13: service.telemetry.metrics", "on the prometheus exporter's page; remove it"),
    ],
)
def test_what_a_stock_file_has_is_answered_with_what_to_do(key: str, advice: str) -> None:
    (found,) = (each for each in problems(STOCK) if each.startswith(f"collector.yaml:{key}: "))
    assert advice in found


def test_each_of_them_is_one_problem_and_their_use_in_a_pipeline_none() -> None:
    assert len(problems(STOCK)) == 3


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("  batch:\n", "  bath:\n  batch:\n", "collector.yaml:7: processors.bath: unknown processor; allowed: carbon"),
        ("telemetry: {metrics:", "telemetri: {metrics:", "service.telemetri: unknown key; did you mean 'telemetry'?"),
        ("tls: {insecure", "tlss: {insecure", "exporters.otlp.tlss: unknown key; did you mean 'tls'?"),
    ],
)
def test_other_unknown_names_are_answered_with_what_is_allowed(before: str, after: str, problem: str) -> None:
    assert problem in "\n".join(problems(STOCK.replace(before, after)))


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ("traces: {processors: []}", "service.telemetry.traces: is not read: the collector makes no spans"),
        ("resource: {a: b}", "service.telemetry.resource: is not read"),
        (
            "logs: {output_paths: [a]}",
            "service.telemetry.logs.output_paths: is not read: the log goes to standard error",
        ),
        ("logs: {sampling: {enabled: true}}", "service.telemetry.logs.sampling: is not needed"),
        ("logs: {encoding: xml}", "service.telemetry.logs.encoding: must be 'console' or 'json', not 'xml'"),
        ("logs: {levl: info}", "service.telemetry.logs.levl: unknown key; did you mean 'level'?"),
    ],
)
def test_what_stands_below_telemetry_is_answered_key_by_key(settings: str, advice: str) -> None:
    assert f"collector.yaml:13: {advice}" in "\n".join(problems(STOCK.replace("metrics: {level: detailed}", settings)))


def test_connectors_are_answered_with_what_to_do() -> None:
    (found,) = (each for each in problems(STOCK + "connectors: {count: }\n") if "connectors" in each)
    assert found.startswith("collector.yaml:16: connectors: there are none: name the exporters of a pipeline")


@pytest.mark.parametrize(
    ("section", "component", "advice"),
    [
        ("receivers", "jaeger", "is not there: let an upstream collector in front do this and send OTLP here"),
        ("processors", "transform/pii", "is not there: let an upstream collector in front do this and send OTLP here"),
        ("exporters", "kafka", "is not there: send OTLP to an upstream collector that has it"),
        ("exporters", "logging", "was renamed; write debug"),
        ("exporters", "loki", "is not there any more: Loki takes OTLP; write otlp_http with its path /otlp"),
        ("extensions", "zpages", "is not there; the collector's own metrics are on the prometheus page"),
    ],
)
def test_components_that_we_lack_are_answered_with_what_to_do(section: str, component: str, advice: str) -> None:
    text = STOCK + "extensions:\n" if section == "extensions" else STOCK
    (found,) = (
        each
        for each in problems(text.replace(f"{section}:\n", f"{section}:\n  {component}: {{a: b}}\n", 1))
        if component in each
    )
    assert f" {section}.{component}: {advice}" in found


def test_no_component_that_is_there_is_said_to_be_missing() -> None:
    for section, types in COMPONENT_TYPES.items():
        assert [name for name in types if advice_on_component(section, name)] == []


def test_a_queue_that_is_switched_off_is_answered_with_what_to_write_instead() -> None:
    text = STOCK.replace("tls: {insecure: false}", "sending_queue: {enabled: false}")
    (found,) = (each for each in problems(text) if "sending_queue" in each)
    assert found.startswith("collector.yaml:11: exporters.otlp.sending_queue.enabled: must be true: ")
    assert "write storage: file_storage" in found
    assert not any("sending_queue" in each for each in problems(text.replace("enabled: false", "enabled: true")))
