"""The demo from end to end: real SDK, real exporter, real collector, real scrape."""

from __future__ import annotations

import math
import re
import socket
import time
from dataclasses import dataclass, replace
from datetime import date
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from otel_carbon import attributes as ours
from otel_carbon.cli.console import Console
from otel_carbon.demo import run
from otel_carbon.demo.checks import counter_totals
from otel_carbon.demo.figures import figures_of
from otel_carbon.demo.pipeline import running_pipeline
from otel_carbon.demo.playback import ServiceNotPlayed, play_service
from otel_carbon.demo.span_trees import Part
from otel_carbon.demo.traffic import plan_traffic, truth_of
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otel_carbon.demo.arrivals import ArrivedSpan
    from otel_carbon.demo.traffic import TrafficPlan

LAST_DAY = date(2026, 11, 22)
TIME_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What one run of the demo left behind."""

    exit_code: int
    out: str
    err: str
    out_dir: Path
    seconds: float


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run_demo(tmp_path_factory.mktemp("demo") / "made by the demo")


def run_demo(out_dir: Path, port: int = 0) -> Ended:
    out, err = StringIO(), StringIO()
    started = time.monotonic()
    code = run.run_demo(out_dir, serve=False, console=Console(out, err), port=port, last_day=LAST_DAY)
    return Ended(code, out.getvalue(), err.getvalue(), out_dir, time.monotonic() - started)


def played(plan: TrafficPlan) -> tuple[Sequence[ArrivedSpan], str]:
    """The spans that came out of the pipeline for a plan, and its `/metrics`."""
    registry = Registry.bundled()
    with running_pipeline(0, registry) as pipeline:
        for service in plan.services:
            play_service(service, pipeline.traces_url, registry)
        return pipeline.backend.wait_for(truth_of(plan).spans, timeout_s=30.0), pipeline.scrape()


@pytest.fixture(scope="module")
def small() -> tuple[TrafficPlan, Sequence[ArrivedSpan], str]:
    plan = plan_traffic(LAST_DAY, scale=0.1)
    return plan, *played(plan)


def test_the_demo_ends_well_and_in_time(demo: Ended) -> None:
    assert demo.exit_code == 0
    assert demo.seconds < TIME_LIMIT_S


def test_the_demo_says_what_it_counted(demo: Ended) -> None:
    truth = truth_of(plan_traffic(LAST_DAY))
    duplicates, roll_ups = truth.parts[Part.DUPLICATE], truth.parts[Part.ROLL_UP]
    assert (
        f"{truth.calls:,} calls counted once; {duplicates:,} duplicate and {roll_ups:,} roll-up spans recognised."
    ) in demo.out


def test_the_table_has_every_model_with_its_range_even_one_that_nobody_knows(demo: Ended) -> None:
    truth = truth_of(plan_traffic(LAST_DAY))
    for (_, model), asked in truth.models.items():
        assert re.search(rf"^{re.escape(model)} +{asked.calls:,} ", demo.out, re.MULTILINE)
    assert re.search(r"^acme-frontier-1 .*\d/\d.*$", demo.out, re.MULTILINE)  # by the widest of all coefficients
    assert "modelled, not metered" in demo.out


def test_the_counters_equal_the_total_of_the_table(demo: Ended) -> None:
    counters = counter_totals((demo.out_dir / run.METRICS_NAME).read_text())
    total = next(line for line in demo.out.splitlines() if line.startswith("all calls"))
    shown = re.findall(r"[\d,.]+/([\d,.]+)/[\d,.]+", total)
    assert f"{counters['otel_carbon_emissions_grams_total'] / 1000:,.3f}" == shown[0]
    assert f"{counters['otel_carbon_energy_joules_total'] / 3.6e6:,.3f}" == shown[1]
    assert f"{counters['otel_carbon_water_L_total']:,.2f}" == shown[2]


def test_the_page_is_written_and_named(demo: Ended) -> None:
    page = demo.out_dir / run.PAGE_NAME
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert f"Page: {page.resolve()}" in demo.out


def test_when_nothing_stays_up_the_scraped_metrics_are_named_and_no_address(demo: Ended) -> None:
    scraped = demo.out_dir / run.METRICS_NAME
    assert f"Metrics: {scraped.resolve()}\n" in demo.out
    assert "http://" not in demo.out


def test_progress_goes_to_standard_error(demo: Ended) -> None:
    assert "playing support-assistant, enriched by its own span processor" in demo.err
    assert "playing" not in demo.out


def test_scrape_and_spans_agree_to_the_last_digits(small: tuple[TrafficPlan, Sequence[ArrivedSpan], str]) -> None:
    _, spans, exposition = small
    counters = counter_totals(exposition)
    for name, key, factor in (
        ("otel_carbon_energy_joules_total", ours.ENERGY_KWH, 3.6e6),
        ("otel_carbon_energy_high_joules_total", ours.ENERGY_KWH_HIGH, 3.6e6),
        ("otel_carbon_emissions_grams_total", ours.EMISSIONS_GCO2E, 1.0),
        ("otel_carbon_emissions_low_grams_total", ours.EMISSIONS_GCO2E_LOW, 1.0),
        ("otel_carbon_water_L_total", ours.WATER_L, 1.0),
    ):
        amounts = [span.attributes[key] for span in spans if key in span.attributes]
        total = math.fsum(amount for amount in amounts if isinstance(amount, float))
        assert counters[name] == pytest.approx(total * factor, rel=1e-9)


def test_services_with_and_without_a_span_processor_are_both_enriched(
    small: tuple[TrafficPlan, Sequence[ArrivedSpan], str],
) -> None:
    plan, spans, _ = small
    enriched = {span.service for span in spans if span.attributes.get(ours.STATUS) == ours.STATUS_ESTIMATED}
    assert enriched == {service.scenario.name for service in plan.services}


def test_spans_of_the_plan_arrive_once_and_whole(small: tuple[TrafficPlan, Sequence[ArrivedSpan], str]) -> None:
    plan, spans, _ = small
    planned = sorted((span.name, span.scope, span.start_ns) for span in plan.spans())
    assert sorted((span.name, span.scope, span.start_ns) for span in spans) == planned


def test_two_runs_of_one_plan_give_equal_figures(small: tuple[TrafficPlan, Sequence[ArrivedSpan], str]) -> None:
    plan, spans, _ = small
    again, _ = played(plan)
    assert figures_of(again) == figures_of(spans)


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_pipeline(port, Registry.bundled()) as pipeline:
            assert pipeline.metrics_port != port
            assert "otelcol_process_uptime" in pipeline.scrape()


def test_a_pipeline_that_loses_calls_is_a_fault_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = plan_traffic(LAST_DAY, scale=0.02)
    lossy = replace(whole, services=whole.services[1:])
    monkeypatch.setattr(run, "plan_traffic", lambda _last_day: lossy)
    monkeypatch.setattr(run, "truth_of", lambda _plan: truth_of(whole))
    monkeypatch.setattr(run, "ARRIVAL_TIMEOUT_S", 0.5)
    ended = run_demo(tmp_path)
    assert ended.exit_code == 70
    assert f"calls: {truth_of(lossy).calls:,} found, {truth_of(whole).calls:,} planned" in ended.err
    assert ended.out == ""
    assert not (tmp_path / run.PAGE_NAME).exists()


def test_a_disabled_sdk_is_told_before_anything_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with pytest.raises(ServiceNotPlayed, match="unset OTEL_SDK_DISABLED"):
        run_demo(tmp_path)


def test_the_environment_of_the_reader_does_not_bend_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2")
    monkeypatch.setenv("OTEL_CARBON_REGION", "openai=swedencentral")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    plan = plan_traffic(LAST_DAY, scale=0.02)
    spans, _ = played(plan)
    assert len(spans) == truth_of(plan).spans
    assert "swedencentral" not in {
        span.attributes.get(ours.REGION) for span in spans if span.service == "contract-review"
    }
