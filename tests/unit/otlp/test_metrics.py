"""Metrics requests, as instrumentations and the SDK send them, booked for the services that are counted from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from otel_carbon import TokenUsage, estimate
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.enricher import Enricher
from otel_carbon.otlp.json_codec import metrics_from_json
from otel_carbon.otlp.metrics import UsageFromMetrics
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from tests.support.corpus import capture, captures
from tests.support.sdk_meter import CUMULATIVE, DELTA, SdkMeter
from tests.unit.otlp.booked_metrics import CLAUDE, SONNET, TOKEN_USAGE, Collector, booked, in_and_out

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import AggregationTemporality

ENERGY_MID, EMISSIONS_MID, WATER_MID = 0, 3, 6
JOULES_PER_KWH = 3.6e6
COUNTERS = "gen_ai.client.inference.usage"

AS_IN_SPANS = {
    "genai-openai",
    "genai-openai-responses",
    "genai-openai-in-server",
    "genai-google",
    "genai-langchain",
    "genai-langchain-plus-openai",
    "v2-openai-latest",
    "ollm-openai-compat",
    "ollm-ollama",
    "ollm-langchain",
    "ollmold-openai",
    "openlit-openai-compat",
    "openlit-ollama",
    "logfire-pydantic-ai",
    "logfireold-pydantic-ai",
}
"""Captures whose metrics say as much as their spans: the input, output and number of the same calls."""
NOT_AS_IN_SPANS = {
    "agents-genai": "no token metric",
    "httpx-raw": "no token metric",
    "httpx-openai3": "no token metric",
    "openlitold-openai": "no token type: one histogram of input and output together",
    "botocore-bedrock": "input without cache, and no points for one of the models",
    "ollm-anthropic": "its own count of output differs by one a call",
    "v2-openai-default": "no points for streams",
    "v2-openai-compat": "no points for streams",
    "ollm-openai": "no points for the Responses API",
    "openlit-openai": "counts made up for a stream that told none",
    "openlit-google": "thoughts outside the output",
}
"""Captures whose metrics say less or something else, and why."""


def in_spans(name: str) -> tuple[int, int, int]:
    truth = capture(name).truth
    return truth.recoverable.input, truth.recoverable.output, truth.calls_with_usage_in_spans


def with_metrics() -> set[str]:
    return {recorded.name for recorded in captures() if recorded.metrics}


def test_every_capture_with_metrics_is_expected_to_agree_with_its_spans_or_not() -> None:
    assert AS_IN_SPANS | NOT_AS_IN_SPANS.keys() == with_metrics()
    assert not AS_IN_SPANS & NOT_AS_IN_SPANS.keys()


@pytest.mark.parametrize("name", sorted(AS_IN_SPANS))
def test_recorded_metrics_come_to_what_the_spans_of_the_same_calls_come_to(name: str) -> None:
    collector = booked(*capture(name).metrics)
    assert in_and_out(collector) == in_spans(name)
    assert set(collector.outcomes()) == {"added"}


@pytest.mark.parametrize("name", sorted(NOT_AS_IN_SPANS))
def test_metrics_that_say_less_than_spans_are_known(name: str) -> None:
    assert in_and_out(booked(*capture(name).metrics)) != in_spans(name) or in_spans(name) == (0, 0, 0)


@pytest.mark.parametrize("name", sorted(AS_IN_SPANS))
def test_recorded_metrics_that_are_sent_twice_add_nothing(name: str) -> None:
    bodies = capture(name).metrics
    assert in_and_out(booked(*bodies, *bodies)) == in_spans(name)


def test_the_footprint_of_metrics_is_that_of_the_tokens() -> None:
    collector = booked(*capture("genai-langchain-plus-openai").metrics)
    expected = estimate(TokenUsage("openai", "gpt-4o-2024-08-06", 3558, 386))
    assert isinstance(expected, Footprint)
    assert collector.amount(ENERGY_MID) == pytest.approx(expected.energy_kwh.mid * JOULES_PER_KWH, rel=1e-12)
    assert collector.amount(EMISSIONS_MID) == pytest.approx(expected.emissions_gco2e.mid, rel=1e-12)
    assert collector.amount(WATER_MID) == pytest.approx(expected.water_l.mid, rel=1e-12)
    assert collector.calls() == {("estimated", ""): 4}
    (labels,) = collector.rows
    assert (labels.provider, labels.model) == ("openai", "gpt-4o-2024-08-06")
    assert (labels.service, labels.tier, labels.tenant) == ("corpus-app", "token_physical", "none")


def test_labels_are_those_of_the_spans_of_the_same_calls() -> None:
    recorded = capture("genai-openai-in-server")
    from_spans = Enricher(Registry.bundled())
    for body in recorded.traces:
        TracesEnricher(from_spans)(body)
    assert set(booked(*recorded.metrics).rows) == set(from_spans.totals.snapshot().rows)


def claude_session(meter: SdkMeter) -> list[bytes]:
    """Three reports of a session with two models: what was used, nothing, and some more."""
    for kind, tokens in (("input", 8), ("cacheRead", 118_000), ("cacheCreation", 9_000), ("output", 1_000)):
        meter.add(CLAUDE, tokens, type=kind, model=SONNET, session__id="a", user__email="someone@example.org")
    meter.add(CLAUDE, 50, type="input", model="claude-haiku-4-5-20251001", session__id="a")
    bodies = [meter.body(), meter.body() if meter.temporality is CUMULATIVE else b""]
    for kind, tokens in (("input", 2), ("cacheRead", 2_000), ("output", 200)):
        meter.add(CLAUDE, tokens, type=kind, model=SONNET, session__id="a", user__email="someone@example.org")
    return [*bodies, meter.body()]


SESSION = AdditiveTokens(8 + 50 + 2, 118_000 + 2_000, 9_000, 1_000 + 200, 0)


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
def test_claude_code_is_counted_from_its_four_disjoint_counts(temporality: AggregationTemporality) -> None:
    with SdkMeter("claude-code", temporality=temporality) as meter:
        collector = booked(*claude_session(meter))
    assert collector.tokens() == SESSION
    assert collector.calls() == {}  # a counter of tokens does not say how many calls
    assert {(labels.provider, labels.model) for labels in collector.rows} == {
        ("anthropic", SONNET),
        ("anthropic", "claude-haiku-4-5-20251001"),
    }
    sonnet = estimate(
        TokenUsage(
            "anthropic",
            SONNET,
            input_tokens=(8 + 2) + (118_000 + 2_000) + 9_000,
            output_tokens=1_000 + 200,
            cache_read_tokens=118_000 + 2_000,
            cache_write_tokens=9_000,
        )
    )
    haiku = estimate(TokenUsage("anthropic", "claude-haiku-4-5-20251001", input_tokens=50, output_tokens=0))
    assert isinstance(sonnet, Footprint)
    assert isinstance(haiku, Footprint)
    expected_g = sonnet.emissions_gco2e.mid + haiku.emissions_gco2e.mid
    assert collector.amount(EMISSIONS_MID) == pytest.approx(expected_g, rel=1e-12)


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
def test_the_bodies_of_the_sdk_in_any_order_and_again_come_to_the_same(temporality: AggregationTemporality) -> None:
    with SdkMeter("claude-code", temporality=temporality) as meter:
        first, second, third = claude_session(meter)
    assert booked(first, first, second, third, second, first).tokens() == SESSION
    assert booked(third, first, second, third).tokens() == SESSION


def test_a_process_that_started_before_the_collector_has_a_base_line_first() -> None:
    with SdkMeter("claude-code", temporality=CUMULATIVE) as meter:
        meter.add(CLAUDE, 1_000, type="output", model=SONNET)
        before = meter.body()
        collector = Collector()
        collector.usage = UsageFromMetrics(collector.enricher)  # starts now
        meter.add(CLAUDE, 200, type="output", model=SONNET)
        after = meter.body()
    collector.take(before, after)
    assert collector.tokens() == AdditiveTokens(0, 0, 0, 200, 0)
    assert collector.outcomes() == {"base_line": 1, "added": 1}


def test_the_four_counts_of_claude_code_are_never_taken_for_calls_or_for_parts_of_each_other() -> None:
    with SdkMeter("claude-code") as meter:
        meter.add(CLAUDE, 500, type="cacheRead", model=SONNET)
        collector = booked(meter.body())
    assert collector.tokens() == AdditiveTokens(0, 500, 0, 0, 0)
    assert collector.usage.numbers().waiting_tokens == 0


def counters(meter: SdkMeter) -> None:
    """One call by the counters of the current conventions: 300 input tokens of which 40 cached, 90 output."""
    for name, modality, tokens in (
        ("input_tokens", "text", 100),
        ("input_tokens", "image", 200),
        ("cache_read.input_tokens", "text", 40),
        ("cache_write.input_tokens", "text", 10),
        ("output_tokens", "text", 90),
        ("reasoning.output_tokens", "text", 25),
    ):
        meter.add(f"{COUNTERS}.{name}", tokens, gen_ai__token__modality=modality, **OPENAI_CALL)


OPENAI_CALL = {
    "gen_ai__operation__name": "chat",
    "gen_ai__provider__name": "openai",
    "gen_ai__request__model": "gpt-4o",
    "gen_ai__response__model": "gpt-4o-2024-08-06",
}
ONE_CALL = AdditiveTokens(100 + 200 - 40 - 10, 40, 10, 90 - 25, 25)


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
def test_counters_are_summed_over_modality_and_parts_are_taken_out(temporality: AggregationTemporality) -> None:
    with SdkMeter("app", temporality=temporality) as meter:
        counters(meter)
        first = meter.body()
        counters(meter)
        collector = booked(first, meter.body())
    assert collector.tokens() == AdditiveTokens(*(2 * tokens for tokens in ONE_CALL))
    assert collector.calls() == {}


def histogram_of_one_call(meter: SdkMeter) -> None:
    meter.record(TOKEN_USAGE, 300, gen_ai__token__type="input", **OPENAI_CALL)
    meter.record(TOKEN_USAGE, 90, gen_ai__token__type="output", **OPENAI_CALL)


def test_a_scope_that_sends_counters_and_the_histogram_counts_once_with_its_calls() -> None:
    with SdkMeter("app") as meter:
        counters(meter)
        histogram_of_one_call(meter)
        first = meter.body()
        histogram_of_one_call(meter)
        counters(meter)
        collector = booked(first, meter.body())
    assert collector.tokens() == AdditiveTokens(*(2 * tokens for tokens in ONE_CALL))
    assert collector.calls() == {("estimated", ""): 2}
    assert collector.outcomes() == {"added": 2 * 6, "replaced": 2 * 2}


@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
def test_histograms_of_both_kinds_give_tokens_and_calls(
    temporality: AggregationTemporality, *, exponential: bool
) -> None:
    with SdkMeter("app", temporality=temporality, exponential=exponential) as meter:
        histogram_of_one_call(meter)
        first = meter.body()
        histogram_of_one_call(meter)
        histogram_of_one_call(meter)
        second = meter.body()
    (metric,) = ExportMetricsServiceRequest.FromString(first).resource_metrics[0].scope_metrics[0].metrics
    assert metric.WhichOneof("data") == ("exponential_histogram" if exponential else "histogram")
    collector = booked(first, second)
    assert in_and_out(collector) == (3 * 300, 3 * 90, 3)


def test_what_agents_sum_up_is_not_added_to_their_calls() -> None:
    with SdkMeter("app") as meter:
        histogram_of_one_call(meter)
        meter.record(TOKEN_USAGE, 300, gen_ai__token__type="input", gen_ai__operation__name="invoke_agent")
        collector = booked(meter.body())
    assert in_and_out(collector) == (300, 90, 1)
    assert collector.outcomes() == {"added": 2, "not_read": 1}


def test_token_types_of_others_are_left_out() -> None:
    with SdkMeter("app") as meter:
        meter.record(TOKEN_USAGE, 40, gen_ai__token__type="cacheRead", **OPENAI_CALL)
        collector = booked(meter.body())
    assert (collector.rows, collector.outcomes()) == ({}, {"not_read": 1})


def test_a_model_without_a_figure_keeps_its_tokens_and_says_why() -> None:
    with SdkMeter("app") as meter:
        meter.record(TOKEN_USAGE, 300, gen_ai__token__type="input", gen_ai__request__model="nobodys-image-1")
        collector = Collector()
        ((_, reason),) = collector.usage.book(meter.body())
    assert reason == "model_not_registered"
    assert collector.calls() == {("unestimated", "model_not_registered"): 1}
    assert (collector.tokens().input_uncached, collector.amount(ENERGY_MID)) == (300, 0)


def test_regions_models_and_tenants_are_read_as_from_spans() -> None:
    with SdkMeter("app", resource={"team": "a"}) as meter:
        host = {"server__address": "bedrock-runtime.eu-west-1.amazonaws.com"}
        model = {"gen_ai__request__model": "prod-chat", "gen_ai__token__type": "input"}
        meter.record(TOKEN_USAGE, 1, **model, **host)
        meter.record(TOKEN_USAGE, 1, **model, **host, team="b")
        collector = booked(meter.body(), tenant_attribute="team", models={"prod-chat": SONNET})
    assert {(row.provider, row.region, row.model, row.tenant) for row in collector.rows} == {
        ("aws.bedrock", "eu-west-1", SONNET, "a"),
        ("aws.bedrock", "eu-west-1", SONNET, "b"),
    }


def test_json_says_the_same() -> None:
    with SdkMeter("app", temporality=DELTA) as meter:
        counters(meter)
        body = meter.body()
    text = json_format.MessageToJson(ExportMetricsServiceRequest.FromString(body))
    assert booked(metrics_from_json(json.dumps(json.loads(text)).encode())).tokens() == ONE_CALL


def test_the_metrics_of_other_services_are_not_read() -> None:
    with SdkMeter("web") as web, SdkMeter("claude-code") as claude:
        histogram_of_one_call(web)
        claude_session(claude)
        both = web.body() + claude.body()  # requests put end to end are one request
    collector = booked(both, usage_source={"claude-code": "metrics"})
    assert {labels.service for labels in collector.rows} == {"claude-code"}
    collector = booked(both, usage_source={"*": "metrics", "claude-code": "spans"})
    assert {labels.service for labels in collector.rows} == {"web"}
