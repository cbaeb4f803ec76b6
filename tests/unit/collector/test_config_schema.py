from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import AliasChoices, Field

from otel_carbon.collector.config.catalogue import all_components
from otel_carbon.collector.config.load import DEFAULT_CONFIG, parse_config
from otel_carbon.collector.config.schema import config_schema
from otel_carbon.collector.config.source.tree import plain_from_text
from otel_carbon.collector.config.values import Name, Seconds, Section, duration_from_seconds, seconds_from_duration
from otel_carbon.errors import ConfigError
from tools import generate_collector_reference

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLES = sorted(REPOSITORY.glob("deploy/*collector*.yaml"))

GOOD = """\
receivers:
  otlp: {protocols: {grpc: , http: {endpoint: "${env:ADDRESS}"}}}
  otlp/other: {protocols: {http: {endpoint: "localhost:0", max_request_body_size: "${env:SIZE}"}}}
processors:
  carbon: {hold: 1m, strict: "${env:STRICT}", regions: , usage_source: {services: {a: metrics, b: "${env:B}"}}}
exporters:
  otlp: {endpoint: "localhost:0", timeout: 0.5s, retry_on_failure: , sending_queue: "${file:queue.yaml}"}
  otlp_http/two: {endpoint: "http://x:1", compression: gzip, headers: {a: b}, retry_on_failure: {max_elapsed_time: 0}}
  debug:
extensions:
  health_check:
service:
  extensions: [health_check]
  pipelines:
    traces/a: {receivers: [otlp], processors: [carbon], exporters: [otlp, otlp_http/two]}
    logs: {receivers: [otlp/other], exporters: [debug]}
"""


def mistakes(text: str) -> list[str]:
    """The places at which a file does not fit the schema."""
    validator = jsonschema.Draft202012Validator(config_schema())
    return [error.json_path for error in validator.iter_errors(plain_from_text(text))]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())


def test_the_schema_in_the_repository_is_what_the_models_yield() -> None:
    page = REPOSITORY / generate_collector_reference.SCHEMA
    assert json.loads(page.read_text(encoding="utf-8")) == config_schema()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_configurations_fit(example: Path) -> None:
    assert mistakes(example.read_text(encoding="utf-8")) == []


def test_the_example_with_comments_tells_editors_where_the_schema_is() -> None:
    example = REPOSITORY / "deploy/collector.yaml"
    (named,) = re.findall(r"^# yaml-language-server: \$schema=(.+)$", example.read_text(encoding="utf-8"), re.MULTILINE)
    assert (example.parent / named).resolve() == REPOSITORY / generate_collector_reference.SCHEMA


def test_there_are_example_configurations() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("text", [DEFAULT_CONFIG, GOOD])
def test_what_can_be_run_fits(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("strict: ", "strikt: "),
        ('strict: "${env:STRICT}"', "strict: maybe"),
        ("hold: 1m", "hold: 60"),
        ("hold: 1m", "hold: 1 m"),
        ("hold: 1m", "hold: ''"),
        ("services: {a: metrics", "services: {a: logs"),
        ("compression: gzip", "compression: lz4"),
        ('endpoint: "http://x:1", ', ""),
        ("  otlp/other:", "  otlp/:"),
        ("  otlp/other:", "  otlpp:"),
        ("  otlp_http/two:", "  zipkin:"),
        ("traces/a:", "spans:"),
        ("receivers: [otlp]", "receivers: otlp"),
        ("exporters: [debug]", "exporters: []"),
        ("headers: {a: b}", "headers: [a]"),
        ("extensions:\n", "extensoins:\n"),
        ('max_request_body_size: "${env:SIZE}"', "max_request_body_size: 0"),
    ],
)
def test_what_is_wrong_in_itself_does_not_fit(before: str, after: str) -> None:
    assert GOOD.count(before) >= 1
    broken = GOOD.replace(before, after, 1)
    assert mistakes(broken) != []
    environment = {"ADDRESS": "localhost:0", "SIZE": "5", "STRICT": "true", "B": "spans"}
    with pytest.raises(ConfigError):
        parse_config(broken, "collector.yaml", environment)


def test_a_file_without_a_service_does_not_fit() -> None:
    assert mistakes(GOOD.partition("service:")[0]) == ["$"]


def test_every_component_is_in_the_schema_with_its_older_names() -> None:
    schema: Any = config_schema()
    for component in all_components():
        entries = schema["properties"][f"{component.kind}s"]["anyOf"][0]["properties"]
        assert entries[component.name]["description"] == component.summary
        assert all(entries[name]["deprecated"] for name in component.older_names)


class Nested(Section):
    """A part."""

    wait_s: Seconds = Field(default=0.25, validation_alias="wait", gt=0, description="A duration.")
    factor: float = Field(default=1.5, description="A number.")


class Outer(Section):
    """Settings of every kind."""

    size: int = Field(default=1, validation_alias=AliasChoices("size_bytes", "size"), description="A number.")
    parts: tuple[Nested, ...] = Field(default=(), description="A list.")
    named: dict[Name, Nested] | None = Field(default=None, description="A mapping.")
    words: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=("a", "b"), description="Words.")
    choice: dict[str, bool | int] = Field(default_factory=dict, description="Values.")


def test_the_reference_page_tells_settings_of_every_kind_and_depth() -> None:
    assert generate_collector_reference.settings_table(Outer).splitlines()[2:] == [
        "| `size_bytes` | number; also read as `size` | `1` | A number. |",
        "| `parts` | list of sections | not set | A list. |",
        "| `parts[].wait` | duration | `250ms` | A duration. |",
        "| `parts[].factor` | number | `1.5` | A number. |",
        "| `named` | mapping of sections | not set | A mapping. |",
        "| `named.NAME.wait` | duration | `250ms` | A duration. |",
        "| `named.NAME.factor` | number | `1.5` | A number. |",
        "| `words` | list of texts | `[a, b]` | Words. |",
        "| `choice` | mapping of true, false or number | not set | Values. |",
    ]


def test_a_section_with_nothing_behind_its_key_has_all_defaults() -> None:
    empty: Any = {"parts": None, "named": None, "words": None, "choice": None}
    outer = Outer.model_validate(empty)
    assert (outer.parts, outer.named, outer.words, outer.choice) == ((), {}, (), {})


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0s"), (0.25, "250ms"), (1.5, "1.5s"), (300.0, "300s")])
def test_a_duration_is_written_as_it_is_read(seconds: float, text: str) -> None:
    assert duration_from_seconds(seconds) == text
    assert seconds_from_duration(text) == pytest.approx(seconds)
