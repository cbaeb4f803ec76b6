"""What the command line gives the collector: places looked up in the facts, and the carbon stage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.config.carbon import CarbonConfig
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.compiled import read_bundled
from tests.unit.cli.overlay import OVERLAY, write_overlay

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    text = CONFIG.replace("eastus", "eastus9").replace("localhost:0", "localhost", 1).replace("[otlp]", "[otp]")
    code, out, err = run_cli(*command, "--config", str(written(tmp_path, text)))
    assert (code, out) == (2, "")
    first, second, third = (line for line in err.splitlines() if line.startswith(str(tmp_path)))
    assert "collector.yaml:1: receivers" in first
    assert "collector.yaml:5: processors.carbon.regions.openai: unknown region 'eastus9'; did you mean eastus" in second
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
        ("warehouse", "the registry knows no provider 'warehouse', so it holds for spans that name just that one"),
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


@pytest.mark.parametrize(
    ("strict", "meaning"),
    [("true", "get no estimate"), ("false", "get the estimate of its family, its size or any model")],
)
def test_a_model_that_the_registry_does_not_know_is_a_warning_with_its_line(
    run_cli: RunCli, tmp_path: Path, strict: str, meaning: str
) -> None:
    models = "    models: {my-gpt4o: gpt-4o-2024-11-20, azure.ai.openai/prod: gpt-4oo}\n"
    path = written(tmp_path, CONFIG.replace("    regions:\n", f"{models}    strict: {strict}\n    regions:\n"))
    code, out, err = run_cli("collector", "validate", "--config", str(path))
    assert (code, out) == (0, f"{path}: valid\n")
    (warning,) = (line for line in err.splitlines() if line.startswith("warning: "))
    place = f"warning: {path}:4: processors.carbon.models.azure.ai.openai/prod: "
    assert warning.startswith(f"{place}unknown model 'gpt-4oo'; did you mean gpt-4o")
    assert warning.endswith(f"All: `otel-carbon registry list --kind energy`; its calls {meaning}")


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


def request(
    number: int, *, model: str = "gpt-4o", service: str = "shop", kind: Span.SpanKind.ValueType = Span.SPAN_KIND_CLIENT
) -> bytes:
    """One chat call with ids of its own."""
    body = ExportTraceServiceRequest()
    resource_spans = body.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = service
    span = resource_spans.scope_spans.add().spans.add(
        name="chat",
        kind=kind,
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        start_time_unix_nano=1_795_000_000_000_000_000,
        end_time_unix_nano=1_795_000_001_000_000_000,
    )
    texts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": model}
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


def settings_of(settings: Mapping[str, object]) -> CarbonConfig:
    return CarbonConfig.model_validate(settings)


def test_the_model_behind_a_deployment_is_taken_for_it() -> None:
    unmapped = carbon_builder(None)(CarbonConfig()).process(request(1, model="chat-prod"))
    assert b"fallback/generic/text@" in unmapped
    for name in ("chat-prod", "openai/chat-prod", "OpenAI/chat-prod"):
        stage = carbon_builder(None)(settings_of({"models": {name: "gpt-4o"}}))
        assert b"energy/openai/gpt-4o@" in stage.process(request(1, model="chat-prod"))
    other = carbon_builder(None)(settings_of({"models": {"azure.ai.openai/chat-prod": "gpt-4o"}}))
    assert other.process(request(1, model="chat-prod")) == unmapped


def test_a_service_at_the_accounting_point_counts_and_a_gateway_does_not() -> None:
    points = {"accounting_point": {"count": ["vllm-prod"], "pass_through": ["llm-gateway"]}}
    stage = carbon_builder(None)(settings_of(points))
    server = Span.SPAN_KIND_SERVER
    assert b"estimated" in stage.process(request(1, service="vllm-prod", kind=server))
    assert b"accounting_point" in stage.process(request(2, service="vllm-test", kind=server))
    assert b"accounting_point" in stage.process(request(3, service="llm-gateway"))
    assert b"estimated" in stage.process(request(4, service="shop"))


def test_a_stage_that_holds_tells_of_trust_once_too(caplog: pytest.LogCaptureFixture) -> None:
    holding = carbon_builder(None)(settings_of({"hold": "1s"})).holding
    assert holding is not None
    bodies = [enriched_before(number) for number in (2, 3)]
    with caplog.at_level(logging.INFO):
        assert holding.finish([holding.read(body) for body in bodies]) == bodies
        holding.finish([holding.read(enriched_before(4))])
    assert len(caplog.messages) == 1
