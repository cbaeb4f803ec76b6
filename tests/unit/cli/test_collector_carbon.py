"""What the command line gives the collector: places looked up in the facts, and the carbon stage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.config import CarbonConfig
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.compiled import read_bundled
from tests.unit.cli.overlay import OVERLAY, write_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

CONFIG = """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
processors:
  carbon:
    regions:
      openai: eastus
exporters: {prometheus: {endpoint: "localhost:0"}}
service: {pipelines: {traces: {receivers: [otlp], processors: [carbon], exporters: [prometheus]}}}
"""
ATLANTIS = """\
  zone/ATL/acme@2026-11:
    {zone: ATL, names: [Atlantis], water_zone: FRA, sources: [acme-lab-2026],
     evidence: supplier, published: 2026-11-22, valid_from: 2024-01-01, note: ""}
  grid/ATL/acme@2026-11:
    {zone: ATL, basis: location, gco2e_per_kwh: {low: 30, mid: 40, high: 50}, sources: [acme-lab-2026],
     evidence: supplier, published: 2026-11-22, valid_from: 2024-01-01, note: ""}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "collector.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def atlantis(tmp_path: Path) -> Path:
    """A compiled overlay with a grid zone of its own."""
    path = tmp_path / "acme.json"
    path.write_bytes(compile_directory(write_overlay(tmp_path / "facts", OVERLAY + ATLANTIS), read_bundled()))
    return path


@pytest.mark.parametrize("command", [("collector", "validate"), ("collector",)])
def test_an_unknown_region_is_a_problem_among_the_others(
    run_cli: RunCli, tmp_path: Path, command: tuple[str, ...]
) -> None:
    text = CONFIG.replace("eastus", "eastus2").replace("localhost:0", "localhost", 1).replace("[otlp]", "[otp]")
    code, out, err = run_cli(*command, "--config", str(written(tmp_path, text)))
    assert (code, out) == (2, "")
    first, second, third = err.splitlines()
    assert "collector.yaml:1: receivers" in first
    assert "collector.yaml:5: processors.carbon.regions.openai: unknown region 'eastus2'; did you mean eastus" in second
    assert "a grid zone does as well" in second
    assert "collector.yaml:7: service.pipelines.traces.receivers[0]" in third


@pytest.mark.parametrize("region", ["eastus", "EASTUS", "FRA", "France"])
def test_regions_and_grid_zones_are_valid(run_cli: RunCli, tmp_path: Path, region: str) -> None:
    path = written(tmp_path, CONFIG.replace("eastus", region))
    assert run_cli("collector", "validate", "--config", str(path)) == (0, f"{path}: valid\n", "")


@pytest.mark.parametrize(
    ("provider", "warning"),
    [
        ("opnai", "the registry knows no provider 'opnai'; did you mean openai or "),
        ("acme", "the registry knows no provider 'acme', so it holds for spans that name just that one"),
    ],
)
def test_an_unknown_provider_is_a_warning(run_cli: RunCli, tmp_path: Path, provider: str, warning: str) -> None:
    path = written(tmp_path, CONFIG.replace("openai", provider))
    code, out, err = run_cli("collector", "validate", "--config", str(path))
    assert (code, out) == (0, f"{path}: valid\n")
    assert err.startswith(f"warning: {path}:5: processors.carbon.regions.{provider}: {warning}")


def test_another_name_of_a_provider_is_known(run_cli: RunCli, tmp_path: Path) -> None:
    path = written(tmp_path, CONFIG.replace("openai", "gcp.vertex_ai"))
    assert run_cli("collector", "validate", "--config", str(path)).err == ""


def test_a_zone_of_the_overlay_is_known_with_the_overlay_only(run_cli: RunCli, tmp_path: Path, atlantis: Path) -> None:
    path = written(tmp_path, CONFIG.replace("eastus", "Atlantis"))
    assert run_cli("collector", "validate", "--config", str(path)).code == 2
    assert run_cli("collector", "--registry", str(atlantis), "validate", "--config", str(path)).code == 0
    named = written(
        tmp_path, CONFIG.replace("eastus", "Atlantis").replace("carbon:\n", f"carbon:\n    registry: {atlantis}\n")
    )
    assert run_cli("collector", "validate", "--config", str(named)).code == 0


def test_an_overlay_that_cannot_be_read_is_a_problem_with_its_line(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("no json", encoding="utf-8")
    path = written(tmp_path, CONFIG.replace("carbon:\n", f"carbon:\n    registry: {tmp_path / 'bad.json'}\n"))
    code, _, err = run_cli("collector", "validate", "--config", str(path))
    assert code == 2
    assert f"{path}:4: processors.carbon.registry: {tmp_path / 'bad.json'}" in err


def request(number: int) -> bytes:
    """One chat call with ids of its own."""
    body = ExportTraceServiceRequest()
    span = (
        body.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            name="chat",
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            start_time_unix_nano=1_795_000_000_000_000_000,
            end_time_unix_nano=1_795_000_001_000_000_000,
        )
    )
    texts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o"}
    for key, text in texts.items():
        span.attributes.add(key=key).value.string_value = text
    for key, count in {"gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300 + number}.items():
        span.attributes.add(key=key).value.int_value = count
    return body.SerializeToString()


def enriched_before(number: int) -> bytes:
    """A call as an earlier collector forwards it."""
    return carbon_builder(None)(CarbonConfig()).process(request(number))


def test_spans_that_an_earlier_hop_enriched_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    stage = carbon_builder(None)(CarbonConfig())
    with caplog.at_level(logging.INFO):
        assert b"otel_carbon.status" in stage.process(request(1))
        assert caplog.messages == []
        for number in (2, 3):
            assert stage.process(enriched_before(number)) == enriched_before(number)
    (message,) = caplog.messages
    assert "the metrics of whoever enriched them hold the totals" in message
    assert "`already_enriched: count`" in message


def test_nothing_is_told_where_they_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    stage = carbon_builder(None)(CarbonConfig.model_validate({"already_enriched": "count"}))
    with caplog.at_level(logging.INFO):
        stage.process(enriched_before(1))
    assert caplog.messages == []


def test_a_provider_is_found_however_its_letters_are_written() -> None:
    in_france = carbon_builder(None)(CarbonConfig.model_validate({"regions": {"OpenAI": "FRA"}}))
    assert b"grid/FRA/" in in_france.process(request(1))
