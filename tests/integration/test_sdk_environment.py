"""`OTEL_CARBON_*` as an application meets them: in the environment of a process of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from tests.unit.cli.overlay import write_overlay
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import CORE_KEYS

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = """
import json, logging, sys
logging.basicConfig(format="%(name)s %(message)s", stream=sys.stdout)
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otel_carbon import instrument
from tests.unit.sdk.genai_spans import call_attributes, ours
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
instrument(provider)
provider.get_tracer("app").start_span("chat", attributes=call_attributes()).end()
print(json.dumps(ours(exporter.get_finished_spans()[0])))
"""


def application(**variables: str) -> tuple[dict[str, Any], list[str]]:
    """Our attributes on the application's only call, and the lines it logged."""
    done = programs.run([sys.executable, "-W", "error", "-c", APPLICATION], variables)
    assert done.stderr == ""
    *lines, answer = done.stdout.splitlines()
    return json.loads(answer), lines


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A compiled overlay with one grid factor of its own, for France."""
    compiled = tmp_path / "acme.json"
    compiled.write_bytes(compile_directory(write_overlay(tmp_path / "facts"), read_bundled()))
    return compiled


def test_without_any_variable_the_bundled_facts_and_core_attributes_are_used() -> None:
    found, lines = application()
    assert (set(found), lines) == (CORE_KEYS, [])
    assert found["otel_carbon.registry_version"] == Registry.bundled().version


def test_switched_off_nothing_is_written() -> None:
    assert application(OTEL_CARBON_DISABLED="true") == ({}, [])


def test_an_overlay_and_a_region_are_used_and_named(overlay: Path) -> None:
    found, lines = application(OTEL_CARBON_REGISTRY=str(overlay), OTEL_CARBON_REGION="anthropic=us-east-1, OpenAI=FRA")
    assert lines == []
    assert found["otel_carbon.grid_id"] == "grid/FRA/acme@2026-11"
    expected = Registry.bundled().with_overlay(overlay).version
    assert found["otel_carbon.registry_version"] == expected != Registry.bundled().version


def test_a_model_behind_a_deployment_is_used() -> None:
    found, lines = application(OTEL_CARBON_MODELS="openai/gpt-4o-2024-08-06=gpt-4o-mini")
    assert lines == []
    assert found["otel_carbon.coefficient_id"].startswith("energy/openai/gpt-4o-mini@")


def test_a_gateway_adds_no_figure_to_its_spans() -> None:
    found, lines = application(OTEL_CARBON_ACCOUNTING_POINT="-gate", OTEL_SERVICE_NAME="gate")
    assert (found, lines) == ({"otel_carbon.status": "duplicate", "otel_carbon.reason": "accounting_point"}, [])


def test_a_region_changes_the_grid_and_not_the_energy() -> None:
    found, _lines = application(OTEL_CARBON_REGION="openai=FRA")
    bundled, _lines = application()
    assert found["otel_carbon.grid_id"].startswith("grid/FRA/")
    assert found["otel_carbon.emissions_gco2e"] < bundled["otel_carbon.emissions_gco2e"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"no json",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"format": 1, "version": 1, "sources": [], "facts": 7}',
        b'{"format": 1, "version": "x", "sources": {}, "facts": {"grid/X/y": {"id": "grid/X/y"}}}',
    ],
    ids=["missing", "empty", "text", "binary", "list", "no format", "wrong types", "malformed fact"],
)
def test_an_overlay_that_cannot_be_read_is_named_once_and_left_out(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    if content is not None:
        path.write_bytes(content)
    found, lines = application(OTEL_CARBON_REGISTRY=str(path))
    assert found["otel_carbon.registry_version"] == Registry.bundled().version
    assert len(lines) == 1
    assert lines[0].startswith("otel_carbon.sdk.environment OTEL_CARBON_REGISTRY ignored, bundled facts only: ")


def test_wrong_words_are_named_and_the_rest_is_used() -> None:
    found, lines = application(OTEL_CARBON_ATTRIBUTES="everything", OTEL_CARBON_REGION="openai=FRA,,oops,=x,anthropic=")
    assert set(found) == CORE_KEYS
    assert found["otel_carbon.grid_id"].startswith("grid/FRA/")
    assert lines == [
        "otel_carbon.sdk.environment OTEL_CARBON_ATTRIBUTES=everything is neither core nor full; using core",
        "otel_carbon.sdk.environment OTEL_CARBON_REGION: 'oops' is not provider=region; ignored",
        "otel_carbon.sdk.environment OTEL_CARBON_REGION: '=x' is not provider=region; ignored",
        "otel_carbon.sdk.environment OTEL_CARBON_REGION: 'anthropic=' is not provider=region; ignored",
    ]


def test_a_region_that_no_grid_knows_leaves_the_call_unestimated() -> None:
    found, lines = application(OTEL_CARBON_REGION="openai=the-moon")
    assert found["otel_carbon.status"] == "unestimated"
    (line,) = lines
    assert "OTEL_CARBON_REGION: unknown region 'the-moon'" in line
    assert found["otel_carbon.reason"] == "zone_unknown"


@pytest.mark.parametrize("word", ["full", " FULL "])
def test_all_attributes_are_written_when_asked_for(word: str) -> None:
    found, lines = application(OTEL_CARBON_ATTRIBUTES=word)
    assert lines == []
    assert set(found) > CORE_KEYS
    assert "otel_carbon.emissions_embodied_gco2e" in found
