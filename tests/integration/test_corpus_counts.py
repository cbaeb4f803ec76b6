"""Recorded telemetry, counted: each call once with its true tokens, in whatever order its spans arrive."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.otlp.any_value import value_from_message
from otel_carbon.otlp.summary import summary_of
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.role import Role
from otel_carbon.spans.view import MappingAttributes, ResourceView, SpanView
from tests.support.corpus import capture, captures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.enricher import Outcome
    from otel_carbon.spans.read import GenAiReading
    from tests.support.corpus import Capture

TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")
THOUGHTS = "thoughts are in no count, and nothing tells which calls had some"
CACHE = "cache is in no count, and nothing tells which calls had some"
SPANS_DO_NOT_TELL = {
    "adkold-agent": ({"output"}, THOUGHTS),
    "adkold-plus-genai": ({"output"}, THOUGHTS),
    "genai-bedrock": ({"input"}, CACHE),
    "ollm-bedrock": ({"input", "output"}, f"{CACHE}; a stream of Llama tells the count of its first chunk"),
    "openlit-anthropic": ({"input"}, "a stream says zero of a cache that it read"),
    "vercel4": ({"output"}, THOUGHTS),
}
"""Captures whose calls come out right, but not all counts: these, because the spans tell too little to know better."""
CALLS_UNTOLD = {
    "oi-litellm": (4, "answers from LiteLLM's cache look like calls"),
    "ollmjs-openai-enrich": (3, "counts of a tokenizer look like a provider's"),
    "openlit-mistral": (-1, "a span hangs below the span of another call, so that one looks like a sum"),
}
"""Captures of which not even the number of calls can be known from their spans, and how many too many are found."""
GATEWAY = "one call was told to the gateway only, and the client counts"
NEEDS_SETTINGS = {
    "gateway-litellm": EnrichSettings(pass_through=frozenset({"llm-gateway"})),
    "gateway-litellm-v2": EnrichSettings(pass_through=frozenset({"llm-gateway", "litellm"})),
}
"""Captures of a client and a gateway, of whose embeddings no id tells that they are one: the user says who counts."""
ORDER_MATTERS = {
    "litellmold-plus-openai-in-span": "an application's span carries the counts of one of the two calls below it",
}
"""Captures whose spans must be decided together: alone and in a bad order, a call is taken for a part of another."""
RIGHT = [
    recorded
    for recorded in captures()
    if recorded.name not in SPANS_DO_NOT_TELL.keys() | CALLS_UNTOLD.keys() | NEEDS_SETTINGS.keys()
]
ORDERS: dict[str, Callable[[list[Arrival]], Sequence[Arrival]]] = {
    "in order of end": sorted,
    "in body order": list,
    "in reverse": lambda spans: spans[::-1],
    **{f"shuffled by {seed}": lambda spans, seed=seed: shuffled(spans, seed) for seed in range(20)},  # type: ignore[misc]  # binds the seed
}


class Found(NamedTuple):
    """Calls with usage, and their tokens in the order of `TOKENS`."""

    calls: int
    tokens: tuple[int, ...]


class Arrival(NamedTuple):
    """One span as a request of its own."""

    end_ns: int
    body: bytes


def arrivals(recorded: Capture) -> list[Arrival]:
    """Every span alone, in the order of the bodies."""
    found = []
    for body in recorded.traces:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    request = ExportTraceServiceRequest()
                    of_resource = request.resource_spans.add(resource=resource_spans.resource)
                    of_resource.scope_spans.add(scope=scope_spans.scope, spans=[span])
                    found.append(Arrival(span.end_time_unix_nano, request.SerializeToString()))
    return found


def shuffled(spans: list[Arrival], seed: int) -> list[Arrival]:
    return random.Random(seed).sample(spans, len(spans))


def found_in(bodies: Sequence[bytes], settings: EnrichSettings | None = None) -> Found:
    """What the summary says when these requests arrive one after the other."""
    enrich = TracesEnricher(Enricher(Registry.bundled(), settings))
    outcomes: list[Outcome] = []
    for body in bodies:
        outcomes += enrich.enrich(body)[1]
    summary = summary_of(outcomes, len(outcomes), "")
    return Found(summary["with_usage"], tuple(summary["tokens"][name] for name in TOKENS))


def together(recorded: Capture, settings: EnrichSettings | None = None) -> Found:
    """What comes of all bodies of a capture decided together: concatenated requests are one request."""
    return found_in([b"".join(recorded.traces)], settings)


def truth_of(recorded: Capture) -> Found:
    recoverable = recorded.truth.recoverable
    return Found(recorded.truth.calls_with_usage_in_spans, tuple(getattr(recoverable, name) for name in TOKENS))


def by_name(recorded: Capture) -> str:
    return recorded.name


def test_the_table_of_captures_has_no_wrong_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines, wrong = [], []
    for recorded in captures():
        found, truth = together(recorded, NEEDS_SETTINGS.get(recorded.name)), truth_of(recorded)
        off = [name for name, a, b in zip(("calls", *TOKENS), flat(found), flat(truth), strict=True) if a != b]
        excused, why = SPANS_DO_NOT_TELL.get(recorded.name, (set(), CALLS_UNTOLD.get(recorded.name, (0, GATEWAY))[1]))
        excused = {"calls", *TOKENS} if recorded.name in CALLS_UNTOLD.keys() | NEEDS_SETTINGS.keys() else excused
        if not set(off) <= excused:
            wrong.append(recorded.name)
        says = "right" if not off else f"{', '.join(off)}: {why}"
        lines.append(f"{recorded.name:32} {found.calls:4} {' '.join(f'{count:8}' for count in found.tokens)}  {says}")
    with capsys.disabled():
        print("", f"{'capture':32} call {' '.join(f'{name:>8.8}' for name in TOKENS)}", *lines, sep="\n")  # noqa: T201 - the table is the point
    assert wrong == []


def flat(found: Found) -> tuple[int, ...]:
    return (found.calls, *found.tokens)


@pytest.mark.parametrize("recorded", RIGHT, ids=by_name)
def test_calls_and_tokens_are_the_true_ones(recorded: Capture) -> None:
    assert together(recorded) == truth_of(recorded)


@pytest.mark.parametrize("name", NEEDS_SETTINGS)
def test_a_gateway_that_passes_calls_on_counts_none_when_it_is_named(name: str) -> None:
    recorded = capture(name)
    told_to_the_gateway_only = 1  # a stream whose client did not ask for usage
    calls = recorded.truth.calls_with_usage_in_spans
    assert together(recorded).calls == calls + 1
    assert together(recorded, NEEDS_SETTINGS[name]).calls == calls - told_to_the_gateway_only


@pytest.mark.parametrize("name", SPANS_DO_NOT_TELL)
def test_where_spans_tell_too_little_the_calls_are_right_and_only_known_counts_are_off(name: str) -> None:
    recorded = capture(name)
    found, truth = together(recorded), truth_of(recorded)
    off = {which for which, a, b in zip(TOKENS, found.tokens, truth.tokens, strict=True) if a != b}
    assert found.calls == truth.calls
    assert off == SPANS_DO_NOT_TELL[name][0], "tell what is right now, too"


@pytest.mark.parametrize("name", CALLS_UNTOLD)
def test_where_spans_do_not_tell_the_calls_the_number_is_off_by_what_is_known(name: str) -> None:
    recorded = capture(name)
    assert together(recorded).calls - truth_of(recorded).calls == CALLS_UNTOLD[name][0]


@pytest.mark.parametrize("recorded", [each for each in RIGHT if each.name not in ORDER_MATTERS], ids=by_name)
def test_spans_that_arrive_alone_come_to_the_same_calls_in_every_order(recorded: Capture) -> None:
    spans = arrivals(recorded)
    calls = {order: found_in([span.body for span in arrange(spans)]).calls for order, arrange in ORDERS.items()}
    assert calls == dict.fromkeys(ORDERS, recorded.truth.calls_with_usage_in_spans)


@pytest.mark.parametrize("recorded", [each for each in RIGHT if not each.is_framework], ids=by_name)
def test_input_and_output_are_exact_in_order_of_end_and_else_within_what_twins_disagree_by(recorded: Capture) -> None:
    spans = arrivals(recorded)
    truth = truth_of(recorded)
    assert found_in([span.body for span in sorted(spans)]).tokens[:2] == truth.tokens[:2]
    slack = truth.calls if len(recorded.scopes) > 1 else 0  # twins differ by one token a call
    for arrange in ORDERS.values():
        found = found_in([span.body for span in arrange(spans)])
        assert found.tokens[0] == truth.tokens[0]
        assert abs(found.tokens[1] - truth.tokens[1]) <= slack


@pytest.mark.parametrize("recorded", RIGHT, ids=by_name)
def test_bodies_that_are_sent_twice_add_nothing(recorded: Capture) -> None:
    enricher = Enricher(Registry.bundled())
    enrich = TracesEnricher(enricher)
    enrich(b"".join(recorded.traces))
    once = enricher.totals.snapshot()
    for body in reversed(recorded.traces):
        enrich(body)
    again = enricher.totals.snapshot()
    assert (again.rows, again.operations) == (once.rows, once.operations)


@pytest.mark.parametrize("recorded", RIGHT, ids=by_name)
def test_the_counters_hold_the_tokens_of_the_summary(recorded: Capture) -> None:
    enricher = Enricher(Registry.bundled())
    _, outcomes = TracesEnricher(enricher).enrich(b"".join(recorded.traces))
    summary = summary_of(outcomes, len(outcomes), "")
    rows = enricher.totals.snapshot().rows.values()
    uncached, read, write, visible, reasoning = (sum(row[AMOUNTS + kind] for row in rows) for kind in range(5))
    told = sum(
        sum(outcome.reading.tokens)
        for outcome in outcomes
        if outcome.reading.tokens is not None and outcome.status in ("estimated", "unestimated")
    )
    assert uncached + read + write + visible + reasoning == told
    assert (read, write, reasoning) == tuple(
        summary["tokens"][name] for name in ("cache_read", "cache_write", "reasoning")
    )


@pytest.mark.parametrize("recorded", [each for each in captures() if each.dialect == "http-only"], ids=by_name)
def test_plain_web_requests_get_nothing(recorded: Capture) -> None:
    enricher = Enricher(Registry.bundled())
    assert [TracesEnricher(enricher)(body) for body in recorded.traces] == list(recorded.traces)
    snapshot = enricher.totals.snapshot()
    assert (snapshot.rows, snapshot.operations, snapshot.spans) == ({}, {}, {})
    assert recorded.span_count > 0


def test_invented_counts_are_marked_and_count_as_no_usage() -> None:
    for name in ("openlit-openai", "openlitold-openai"):
        recorded = capture(name)
        _, outcomes = TracesEnricher(Enricher(Registry.bundled())).enrich(b"".join(recorded.traces))
        marked = [outcome for outcome in outcomes if outcome.reason == "invented_usage"]
        assert len(marked) == len(recorded.foreign_usage_spans) == 1
        assert [outcome.footprint for outcome in marked] == [None]


TRUE_PROVIDERS = {"azure": "azure.ai.openai", "mistral": "mistral_ai", "xai": "x_ai"}
"""The providers of the recordings in the words of the conventions."""
NOT_TOLD = {
    ("adkold-agent", "gcp.vertex_ai", "gcp.gemini"): "ADK names itself",
    ("adkold-plus-genai", "gcp.vertex_ai", "gcp.gemini"): "ADK names itself",
    ("genai-langchain-providers", "gcp.gen_ai", "gcp.gemini"): "one of Google's, says the span",
    ("ollm-google", "gcp.gen_ai", "gcp.gemini"): "one of Google's, says the span",
    ("ollm-langchain-providers", "gcp.gen_ai", "gcp.gemini"): "one of Google's, says the span",
    ("gateway-litellm", "openai", "anthropic"): "the client knows the gateway's API only",
    ("gateway-litellm", "openai", "azure.ai.openai"): "the client knows the gateway's API only",
    ("gateway-litellm-v2", "openai", "anthropic"): "the client knows the gateway's API only",
    ("gateway-litellm-v2", "openai", "azure.ai.openai"): "the client knows the gateway's API only",
    ("langfuse-js", "", "openai"): "no attribute tells",
    ("mlflow-semconv", "", "openai"): "no attribute tells",
    ("langfuse-langchain", "", "anthropic"): "no attribute tells",
    ("langfuse-langchain-alone", "", "anthropic"): "no attribute tells",
    ("langfuse-openai", "", "openai"): "no attribute tells",
    ("litellmold-plus-ollm", "", "openai"): "no attribute tells",
    ("litellmold-plus-openai", "", "openai"): "no attribute tells",
    ("litellmold-plus-openai-in-span", "", "openai"): "no attribute tells",
    ("oi-litellm", "", "openai"): "no attribute tells",
    ("ollm-openai-compat", "openai", "vllm"): "a private host that speaks OpenAI's API",
    ("openlit-openai-compat", "openai", "vllm"): "a private host that speaks OpenAI's API",
    ("v2-openai-compat", "openai", "vllm"): "a private host that speaks OpenAI's API",
    ("ollmjs-openai", "openai", "groq"): "no host on the span",
    ("ollmjs-openai-enrich", "openai", "groq"): "no host on the span",
    ("ollmjsold-openai", "openai", "groq"): "no host on the span",
    ("openlit-litellm", "litellm", "openai"): "OpenLIT names the client library",
    ("vercel6-plus-openai", "wrapped-openai", "openai"): "a provider made up by the application",
    ("vercel6-providers", "gateway", "vercel.ai_gateway"): "the gateway's own name for itself",
}
"""Providers that spans name otherwise than they were, by recording."""


def test_the_provider_of_each_call_is_read_right() -> None:
    wrong = set()
    for recorded in captures():
        calls = {span_id: call for call in recorded.calls for span_id in call.usage_span_ids}
        for span_id, reading in readings(recorded).items():
            if span_id in calls and reading.profile.role is Role.INFERENCE:
                provider = calls[span_id].provider or ""
                truth = TRUE_PROVIDERS.get(provider, provider)
                if reading.profile.provider != truth:
                    wrong.add((recorded.name, reading.profile.provider, truth))
    assert wrong == NOT_TOLD.keys()


ALIASES = {"gateway-litellm", "gateway-litellm-v2"}
"""Recordings whose spans name the gateway's alias of a model."""


def test_the_model_of_each_call_is_read_right() -> None:
    wrong = set()
    for recorded in captures():
        calls = {span_id: call for call in recorded.calls for span_id in call.usage_span_ids}
        for span_id, reading in readings(recorded).items():
            if span_id in calls and reading.profile.role is Role.INFERENCE and recorded.name not in ALIASES:
                true = [name for name in (calls[span_id].model_returned, calls[span_id].model_requested) if name]
                read = reading.profile.model.rpartition("/")[2]
                if not any(name.endswith(read) or read.endswith(name) for name in true) or not read:
                    wrong.add((recorded.name, reading.profile.model, true[-1].partition("/")[0]))
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile"
    assert {each for each in wrong if each[2] != arn} == {("ollm-llamaindex", "", "claude-sonnet-4-5")}
    assert {each[1] for each in wrong if each[2] == arn} == {""}


def readings(recorded: Capture) -> dict[str, GenAiReading]:
    """What each GenAI span of a recording says, by its id."""
    reader, found = SpanReader(), {}
    for body in recorded.traces:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    attributes = {each.key: value_from_message(each.value) for each in span.attributes}
                    view = SpanView(
                        MappingAttributes(attributes),
                        scope_spans.scope.name,
                        ResourceView("", "", MappingAttributes({})),
                        kind=int(span.kind),
                        scope_version=scope_spans.scope.version,
                    )
                    reading = reader.read(view)
                    if reading is not None:
                        found[span.span_id.hex()] = reading
    return found
