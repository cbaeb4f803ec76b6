"""Real SDKs, real instrumentation, real weights: what the spans say is what the model server itself counted.

Nothing of ours runs here: these tests show that the ground the main tests stand on is firm.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.support.client_app import CallTokens, ClientApp, ClientAppSettings, running_client_app, sum_tokens
from tests.support.metered_calls import (
    ANTHROPIC_CALLS,
    ANTHROPIC_SCOPE,
    ANTHROPIC_SDK_SCOPE,
    OPENAI_CALLS,
    OPENAI_SCOPE,
    MeteredCall,
    make_metered_call,
    tokens_on,
)
from tests.support.otlp_sink import ReceivedSpan, running_otlp_sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.model_server import ModelServer
    from tests.support.otlp_sink import OtlpSink
    from tests.support.prometheus_server import PrometheusServer
    from tests.support.third_party_receiver import ThirdPartyReceiver


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the client application: what the APIs, the spans and the server said about each call."""

    app: ClientApp
    sink: OtlpSink
    calls: list[MeteredCall]
    spans: list[ReceivedSpan]

    def answered(self, api: str) -> list[MeteredCall]:
        return [each for each in self.calls if each.reported.api == api and each.reported.response_id]

    def named(self, name: str) -> list[MeteredCall]:
        return [each for each in self.calls if each.reported.call == name]

    def spans_of(self, call: MeteredCall) -> list[ReceivedSpan]:
        response_id = call.reported.response_id
        return [each for each in self.spans if each.attributes.get("gen_ai.response.id") == response_id]

    def spans_in(self, *scopes: str) -> list[ReceivedSpan]:
        return [each for each in self.spans if each.scope in scopes]


@pytest.fixture(scope="module")
def run(model_server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    span_count = len(OPENAI_CALLS) + 2 * len(ANTHROPIC_CALLS)
    with running_otlp_sink() as sink:
        settings = ClientAppSettings(model_url=model_server.url, otlp_endpoint=sink.http_endpoint)
        with running_client_app(settings, tmp_path_factory.mktemp("client")) as app:
            calls = [make_metered_call(app, model_server, name) for name in OPENAI_CALLS + ANTHROPIC_CALLS]
            app.export()
            yield Run(app, sink, calls, sink.wait_for_spans(span_count))


def server_tokens(calls: list[MeteredCall]) -> CallTokens:
    return sum_tokens([each.server_tokens for each in calls])


def usage_of(spans: list[ReceivedSpan]) -> CallTokens:
    return sum_tokens([tokens for each in spans if (tokens := tokens_on(each))])


def test_the_usage_in_every_answer_equals_what_the_server_counted_meanwhile(run: Run) -> None:
    with_usage = [each for each in run.calls if each.reported.usage]

    assert [each.reported.tokens for each in with_usage] == [each.server_tokens for each in with_usage]
    # All but two refusals and one stream that reports nothing.
    assert len(with_usage) == len(run.calls) - 2 - 1


def test_every_span_of_a_call_carries_the_usage_of_its_answer(run: Run) -> None:
    for call in run.answered("openai") + run.answered("anthropic"):
        assert {tokens_on(span) for span in run.spans_of(call)} == {call.reported.tokens}, call


def test_token_counts_on_spans_equal_the_servers_own_counters(run: Run) -> None:
    untold = server_tokens(run.named("openai_stream_without_usage"))

    assert usage_of(run.spans_in(OPENAI_SCOPE, ANTHROPIC_SCOPE)) + untold == server_tokens(run.calls)


def test_tokens_of_a_stream_without_usage_are_known_to_the_server_only(run: Run) -> None:
    (untold,), (told,) = run.named("openai_stream_without_usage"), run.named("openai_stream_with_usage")

    assert untold.reported.tokens is None
    assert [tokens_on(span) for span in run.spans_of(untold)] == [None]
    # The same prompt, so the same number of prompt tokens.
    assert untold.server_tokens.input == told.server_tokens.input
    assert untold.server_tokens.output > 0


def test_an_openai_call_yields_one_span(run: Run) -> None:
    assert [len(run.spans_of(call)) for call in run.answered("openai")] == [1] * 6
    assert len(run.spans_in(OPENAI_SCOPE)) == len(OPENAI_CALLS)


def test_an_anthropic_call_yields_a_span_of_the_instrumentation_and_below_it_one_of_the_sdk(run: Run) -> None:
    answered = run.answered("anthropic")

    assert len(answered) == 5
    for call in answered:
        by_scope = {each.scope: each.span for each in run.spans_of(call)}
        assert by_scope.keys() == {ANTHROPIC_SCOPE, ANTHROPIC_SDK_SCOPE}
        assert by_scope[ANTHROPIC_SDK_SCOPE].parent_span_id == by_scope[ANTHROPIC_SCOPE].span_id
    assert usage_of(run.spans_in(ANTHROPIC_SDK_SCOPE)) == usage_of(run.spans_in(ANTHROPIC_SCOPE))


@pytest.mark.parametrize("name", ["openai_long_prompt", "anthropic_long_prompt"])
def test_the_second_of_two_equal_long_prompts_is_mostly_read_from_the_cache(run: Run, name: str) -> None:
    first, second = (each.server_tokens for each in run.named(name))

    assert first.input == second.input
    assert second.input // 2 < second.cache_read < second.input


def test_a_refused_call_leaves_spans_with_an_error_and_without_usage(run: Run) -> None:
    failed = [each for each in run.spans if "error.type" in each.attributes]

    assert sorted(each.scope for each in failed) == sorted([OPENAI_SCOPE, ANTHROPIC_SCOPE, ANTHROPIC_SDK_SCOPE])
    assert [tokens_on(each) for each in failed] == [None] * 3
    assert {each.span.status.code for each in failed} == {each.span.status.STATUS_CODE_ERROR for each in failed}


def test_a_refused_call_moves_no_counter_of_the_server(run: Run) -> None:
    refused = run.named("openai_refused") + run.named("anthropic_refused")

    assert [each.reported.http_status for each in refused] == [400, 400]
    assert [each.server_tokens for each in refused] == [CallTokens(0, 0, 0)] * 2


@pytest.mark.parametrize(("path", "status"), [("/v1/chat/completions", 400), ("/v1/no_such_route", 404)])
def test_a_malformed_or_misdirected_request_moves_no_counter(model_server: ModelServer, path: str, status: int) -> None:
    before = model_server.tokens()
    with pytest.raises(urllib.error.HTTPError) as refusal:
        post(f"{model_server.url}{path}", b'{"messages": "no list"}', content_type="application/json")

    with refusal.value:
        assert refusal.value.code == status
    assert model_server.tokens() == before


def test_spans_name_the_api_dialect_and_the_loopback_server_that_really_answered(run: Run) -> None:
    assert {each.attributes["gen_ai.provider.name"] for each in run.spans_in(OPENAI_SCOPE)} == {"openai"}
    assert {each.attributes["gen_ai.provider.name"] for each in run.spans_in(ANTHROPIC_SCOPE)} == {"anthropic"}
    assert {each.attributes["server.address"] for each in run.spans} == {"127.0.0.1"}
    assert {each.attributes["gen_ai.request.model"] for each in run.spans} == {"smollm2-135m"}


def test_no_exported_body_holds_any_prompt(run: Run) -> None:
    bodies = b"".join(run.sink.bodies("traces"))

    assert b"smollm2-135m" in bodies
    assert b"Name a" not in bodies
    assert b"stay brief" not in bodies


def test_spans_arrive_over_grpc_as_well(model_server: ModelServer, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    settings = ClientAppSettings(
        model_url=model_server.url,
        otlp_endpoint=otlp_sink.grpc_endpoint,
        otlp_protocol="grpc",
        service_name="over-grpc",
    )
    with running_client_app(settings, tmp_path) as app:
        call = make_metered_call(app, model_server, "openai_plain")
        app.export()
        (span,) = otlp_sink.wait_for_spans(1)

    assert tokens_on(span) == call.server_tokens
    assert span.resource["service.name"] == "over-grpc"


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_third_party_collector_hands_on_every_span_unchanged(
    run: Run, third_party_receiver: ThirdPartyReceiver, protocol: str
) -> None:
    for body in run.sink.bodies("traces"):
        if protocol == "http":
            post(f"{third_party_receiver.http_endpoint}/v1/traces", body, content_type="application/x-protobuf")
        else:
            call_export(third_party_receiver.grpc_endpoint, body)

    arrived = third_party_receiver.sink.wait_for_spans(len(run.spans))

    assert {each.span.span_id: (each.scope, each.attributes) for each in arrived} == {
        each.span.span_id: (each.scope, each.attributes) for each in run.spans
    }
    assert len(arrived) == len(run.spans)


def test_prometheus_scrapes_the_token_counts_of_the_application(run: Run, prometheus_server: PrometheusServer) -> None:
    prometheus_server.scrape({"client": run.app.metrics_target()})
    prometheus_server.wait_for_fresh_scrape()

    on_spans = usage_of(run.spans_in(OPENAI_SCOPE, ANTHROPIC_SCOPE))
    total = 'sum(gen_ai_client_token_usage_sum{{gen_ai_token_type="{}"}})'
    assert prometheus_server.value(total.format("input")) == on_spans.input
    assert prometheus_server.value(total.format("output")) == on_spans.output
    assert prometheus_server.value('up{job="client"}') == 1.0
    assert prometheus_server.value("no_such_metric") is None


def post(url: str, body: bytes, *, content_type: str) -> None:
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def call_export(endpoint: str, body: bytes) -> None:
    with grpc.insecure_channel(endpoint.removeprefix("http://")) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        export(body, timeout=10)
