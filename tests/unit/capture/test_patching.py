from __future__ import annotations

import importlib
import sys
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from otel_carbon.capture.patching import capture
from tests.support.captured_spans import ANSWER, CHAT_URL, QUESTION, SSE, STREAMED, TOLD, capturing, memory, stream_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.captured_spans import Captured

JSON = {"content-type": "application/json"}
METHODS = [
    (httpx.Client, "send"),
    (httpx.AsyncClient, "send"),
    (httpx2.Client, "send"),
    (httpx2.AsyncClient, "send"),
    (aiohttp.ClientSession, "_request"),
]


def client_of(http: Any, answer: Callable[[Any], Any] | None = None, **options: Any) -> Any:
    """A client whose transport gives an answer; a plain one unless told otherwise."""
    reply = answer or (lambda _request: http.Response(200, headers=JSON, content=ANSWER))
    return http.Client(transport=http.MockTransport(reply), **options)


def streaming_client(http: Any, events: list[bytes]) -> Any:
    return client_of(http, lambda _request: http.Response(200, headers=SSE, content=iter(events)))


def test_a_plain_call_is_a_client_span_with_the_providers_own_counts(http: Any, captured: Captured) -> None:
    answer = client_of(http).post(CHAT_URL, json=QUESTION)
    (span,) = captured.spans()
    assert answer.content == ANSWER
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-4o", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes or {}) == TOLD
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "otel_carbon.capture"
    assert span.instrumentation_scope.version


@pytest.mark.anyio
async def test_an_asynchronous_call_is_captured_alike(http: Any, captured: Captured) -> None:
    transport = http.MockTransport(lambda _request: http.Response(200, headers=JSON, content=ANSWER))
    async with http.AsyncClient(transport=transport) as client:
        assert (await client.post(CHAT_URL, json=QUESTION)).content == ANSWER
    assert captured.only() == TOLD


def test_a_stream_is_a_span_until_its_end(http: Any, captured: Captured) -> None:
    with streaming_client(http, stream_of()).stream("POST", CHAT_URL, json=QUESTION) as answer:
        chunks = answer.iter_raw()
        read = [next(chunks) for _ in stream_of()]
        assert captured.spans() == []
        read += list(chunks)
    assert read == stream_of()
    assert captured.only() == STREAMED


def test_a_stream_that_is_read_at_once_is_captured_too(http: Any, captured: Captured) -> None:
    answer = streaming_client(http, stream_of()).post(CHAT_URL, json=QUESTION)
    assert answer.content == b"".join(stream_of())
    assert captured.only() == STREAMED


def test_a_stream_without_usage_is_a_span_without_usage_and_its_request_is_not_changed(
    http: Any, captured: Captured
) -> None:
    asked: list[bytes] = []

    def answer(request: Any) -> Any:
        asked.append(request.content)
        return http.Response(200, headers=SSE, content=iter(stream_of()[:3]))

    client = client_of(http, answer)
    request = client.build_request("POST", CHAT_URL, json={**QUESTION, "stream": True})
    body = request.content
    assert client.send(request).status_code == 200
    assert asked == [body]
    assert not [key for key in captured.only() if key.startswith("gen_ai.usage")]
    assert captured.only()["gen_ai.response.id"] == STREAMED["gen_ai.response.id"]


def test_clients_that_exist_already_are_captured(http: Any) -> None:
    client = client_of(http)
    with capturing() as captured:
        client.post(CHAT_URL, json=QUESTION)
    assert captured.only() == TOLD


def test_whatever_transport_a_client_has_or_mounts_is_captured(http: Any, captured: Captured) -> None:
    mounted = http.MockTransport(lambda _request: http.Response(200, headers=JSON, content=ANSWER))
    with http.Client(mounts={"http://llm.test": mounted}) as client:
        client.post(CHAT_URL, json=QUESTION)
    assert captured.only() == TOLD


@pytest.mark.parametrize("url", ["http://shop.test/api/items", "http://shop.test/forms/7/responses"])
def test_other_requests_are_left_alone(http: Any, captured: Captured, url: str) -> None:
    client_of(http).post(url, json={"model": "gpt-4o"})
    client_of(http).get(CHAT_URL)
    assert captured.spans() == []


def test_a_path_that_could_be_anybodys_needs_a_known_host_or_a_model(http: Any, captured: Captured) -> None:
    client = client_of(http)
    client.post("http://survey.test/v1/responses", json={"answers": [1, 2]})
    assert captured.spans() == []
    client.post("http://survey.test/v1/responses", json={"model": "gpt-4o", "input": "x"})
    client.post("https://api.openai.com/v1/responses", content=iter([b"{}"]))
    assert [each["server.port"] for each in captured.attributes()] == [80, 443]


def test_the_request_is_sent_within_the_span(http: Any, captured: Captured) -> None:
    seen: list[int] = []

    def answer(_request: Any) -> Any:
        seen.append(trace.get_current_span().get_span_context().span_id)
        return http.Response(200, headers=JSON, content=ANSWER)

    client_of(http, answer).post(CHAT_URL, json=QUESTION)
    assert seen == [captured.spans()[0].context.span_id]
    assert not trace.get_current_span().get_span_context().is_valid


def test_an_exception_of_the_transport_reaches_the_application_as_it_is(http: Any, captured: Captured) -> None:
    raised = http.ConnectTimeout("zanzibar-canary")

    def fail(_request: Any) -> Any:
        raise raised

    with pytest.raises(http.ConnectTimeout) as caught:
        client_of(http, fail).post(CHAT_URL, json=QUESTION)
    (span,) = captured.spans()
    assert caught.value is raised
    assert (span.attributes or {})["error.type"] == "ConnectTimeout"
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())


@pytest.mark.parametrize("status", [400, 429, 500, 529])
def test_a_refusal_is_a_span_with_its_status_and_without_usage(http: Any, captured: Captured, status: int) -> None:
    client_of(http, lambda _request: http.Response(status, headers=JSON, content=ANSWER)).post(CHAT_URL, json=QUESTION)
    (span,) = captured.spans()
    assert (span.attributes or {})["error.type"] == str(status)
    assert span.status.status_code is StatusCode.ERROR
    assert not [key for key in span.attributes or {} if key.startswith("gen_ai.usage")]


def test_a_redirect_is_followed_within_one_span(http: Any, captured: Captured) -> None:
    def answer(request: Any) -> Any:
        if request.url.host == "llm.test":
            return http.Response(307, headers={"location": "http://other.test/v1/chat/completions"})
        return http.Response(200, headers=JSON, content=ANSWER)

    client_of(http, answer, follow_redirects=True).post(CHAT_URL, json=QUESTION)
    assert captured.only() == TOLD


def test_an_answer_that_a_hook_has_read_is_captured(http: Any, captured: Captured) -> None:
    client = client_of(http, event_hooks={"response": [lambda response: response.read()]})
    with client.stream("POST", CHAT_URL, json=QUESTION) as answer:
        assert answer.read() == ANSWER
    assert captured.only() == TOLD


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/html", b"<html>usage</html>"),
        ("application/json", b'{"usage": {"prompt_tokens": "many", "completion_tokens": 45}}'),
        ("application/json", b'{"usage": {"prompt_tokens": 120'),
        ("application/json", b""),
        ("application/json", b"\xff\xfe\x00"),
        ("application/json", b'{"object": "something that is no completion", "usage": "5 GB"}'),
        ("text/event-stream", b'data: {"usage": {"prompt_tokens": [1]}}\n\ndata: {"usa'),
        ("application/vnd.amazon.eventstream", b"\x00\x00\x00\x01\xff\xff\xff\xff"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_is_none_is_the_applications_and_tells_no_counts(
    http: Any, captured: Captured, content_type: str, content: bytes, *, streamed: bool
) -> None:
    client = client_of(
        http, lambda _request: http.Response(200, headers={"content-type": content_type}, content=content)
    )
    if streamed:
        with client.stream("POST", CHAT_URL, json=QUESTION) as answer:
            assert b"".join(answer.iter_bytes()) == content
    else:
        assert client.post(CHAT_URL, json=QUESTION).content == content
    assert not [key for key in captured.only() if key.startswith("gen_ai.usage")]


def test_every_method_is_what_it_was_once_capturing_is_off() -> None:
    before = [owner.__dict__[name] for owner, name in METHODS]
    with capturing():
        assert all(owner.__dict__[name] is not old for (owner, name), old in zip(METHODS, before, strict=True))
        assert httpx.Client.send.__name__ == "send"
        assert iscoroutinefunction(aiohttp.ClientSession._request)
    assert [owner.__dict__[name] for owner, name in METHODS] == before


def test_a_method_that_others_have_wrapped_since_stays_theirs_and_captures_nothing(
    http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capturing() as captured:
        ours = http.Client.send

        def theirs(*args: Any, **options: Any) -> Any:
            return ours(*args, **options)

        monkeypatch.setattr(http.Client, "send", theirs)
    assert http.Client.send is theirs
    assert client_of(http).post(CHAT_URL, json=QUESTION).content == ANSWER
    assert captured.spans() == []
    monkeypatch.undo()
    http.Client.send = ours.__wrapped__


def test_spans_go_to_the_provider_that_was_given_last(http: Any, captured: Captured) -> None:
    later = memory()
    captured.provider.shutdown()
    assert capture.switch_on(later.provider)
    assert capture.switch_on()
    client_of(http).post(CHAT_URL, json=QUESTION)
    assert (captured.attributes(), later.attributes()) == ([], [TOLD])


def test_a_provider_that_is_given_after_the_global_one_was_meant_is_taken(http: Any) -> None:
    assert capture.switch_on()
    later = memory()
    assert capture.switch_on(later.provider)
    client_of(http).post(CHAT_URL, json=QUESTION)
    assert later.only() == TOLD


def test_a_package_that_is_loaded_again_is_captured_once(http: Any, captured: Captured) -> None:
    before = http.Client.send
    importlib.reload(http)
    assert http.Client.send is before
    client_of(http).post(CHAT_URL, json=QUESTION)
    assert captured.only() == TOLD


def test_a_package_that_is_dropped_and_imported_again_is_captured_again(http: Any, captured: Captured) -> None:
    of_package = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == http.__name__}
    for name in of_package:
        del sys.modules[name]
    try:
        client_of(importlib.import_module(http.__name__)).post(CHAT_URL, json=QUESTION)
    finally:
        sys.modules.update(of_package)
    client_of(http).post(CHAT_URL, json=QUESTION)
    assert captured.attributes() == [TOLD, TOLD]


@pytest.mark.parametrize(("variable", "word"), [("OTEL_CARBON_DISABLED", "true"), ("OTEL_CARBON_CAPTURE", "false")])
def test_the_environment_keeps_it_off(monkeypatch: pytest.MonkeyPatch, variable: str, word: str) -> None:
    monkeypatch.setenv(variable, word)
    before = httpx.Client.send
    assert capture.switch_on() is False
    assert httpx.Client.send is before


def test_it_stands_back_where_instrumentation_is_suppressed(http: Any, captured: Captured) -> None:
    token = otel_context.attach(otel_context.set_value("suppress_instrumentation", True))
    try:
        client_of(http).post(CHAT_URL, json=QUESTION)
    finally:
        otel_context.detach(token)
    assert captured.spans() == []


CHAT_SPAN = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
OPENINFERENCE_SPAN = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}
AGENT_SPAN = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o"}


@pytest.mark.parametrize(
    ("scope", "kind", "attributes", "spans"),
    [
        ("opentelemetry.instrumentation.genai.openai", SpanKind.CLIENT, CHAT_SPAN, 1),
        ("my.own.code", SpanKind.INTERNAL, CHAT_SPAN, 1),
        ("openinference.instrumentation.openai", SpanKind.INTERNAL, OPENINFERENCE_SPAN, 1),
        ("my.own.gateway", SpanKind.SERVER, CHAT_SPAN, 2),
        ("my.own.code", SpanKind.INTERNAL, AGENT_SPAN, 2),
        ("my.own.code", SpanKind.INTERNAL, {"gen_ai.operation.name": "execute_tool"}, 2),
        ("my.own.code", SpanKind.CLIENT, {"http.request.method": "POST"}, 2),
        ("my.own.code", SpanKind.INTERNAL, {}, 2),
    ],
)
def test_it_stands_back_below_the_span_of_a_model_call_and_below_no_other(
    captured: Captured, scope: str, kind: SpanKind, attributes: dict[str, str], spans: int
) -> None:
    with captured.provider.get_tracer(scope).start_as_current_span("outer", kind=kind, attributes=attributes):
        client_of(httpx2).post(CHAT_URL, json=QUESTION)
    assert len(captured.spans()) == spans


def test_a_span_that_is_not_recorded_costs_no_reading(http: Any) -> None:
    with capturing(sampler=ALWAYS_OFF) as captured:
        client = streaming_client(http, stream_of())
        with client.stream("POST", CHAT_URL, json=QUESTION) as answer:
            assert not hasattr(answer.stream, "_exchange")
            assert b"".join(answer.iter_raw()) == b"".join(stream_of())
    assert captured.spans() == []


def test_without_an_sdk_nothing_is_begun(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert capture.switch_on(trace.NoOpTracerProvider())
    with streaming_client(http, stream_of()).stream("POST", CHAT_URL, json=QUESTION) as answer:
        assert not hasattr(answer.stream, "_exchange")


def test_a_failure_of_ours_stays_ours_and_is_told_once(
    http: Any, captured: Captured, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("zanzibar-canary")

    monkeypatch.setattr("otel_carbon.capture.exchange._unsaid", ["failure"])
    monkeypatch.setattr("otel_carbon.capture.capturer.recognise", fail)
    monkeypatch.setattr("otel_carbon.capture.exchange._framer_of", fail)
    assert client_of(http).post(CHAT_URL, json=QUESTION).content == ANSWER
    monkeypatch.undo()
    assert caplog.messages == ["an answer was not read for its usage (RuntimeError); the application is unaffected"]
