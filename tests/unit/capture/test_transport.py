from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from otel_carbon import AsyncCaptureTransport, CaptureTransport
from tests.support.captured_spans import ANSWER, CHAT_URL, QUESTION, SSE, STREAMED, TOLD, memory, stream_of

if TYPE_CHECKING:
    from tests.support.captured_spans import Captured

JSON = {"content-type": "application/json"}


def answering(http: Any) -> Any:
    """A transport that answers chats, with a stream if that is asked for."""

    def answer(request: Any) -> Any:
        if b"stream" in request.content:
            return http.Response(200, headers=SSE, content=b"".join(stream_of()))
        return http.Response(200, headers=JSON, content=ANSWER)

    return http.MockTransport(answer)


def test_a_transport_captures_plain_calls_and_streams(http: Any) -> None:
    found = memory()
    with http.Client(transport=CaptureTransport(answering(http), found.provider)) as client:
        assert client.post(CHAT_URL, json=QUESTION).content == ANSWER
        assert client.post(CHAT_URL, json={**QUESTION, "stream": True}).content == b"".join(stream_of())
        client.get(CHAT_URL)
    assert found.attributes() == [TOLD, STREAMED]


@pytest.mark.anyio
async def test_an_asynchronous_transport_captures_alike(http: Any) -> None:
    found = memory()
    async with http.AsyncClient(transport=AsyncCaptureTransport(answering(http), found.provider)) as client:
        assert (await client.post(CHAT_URL, json=QUESTION)).content == ANSWER
        assert (await client.post(CHAT_URL, json={**QUESTION, "stream": True})).content == b"".join(stream_of())
        await client.get(CHAT_URL)
    assert found.attributes() == [TOLD, STREAMED]


def test_a_transport_in_a_client_that_is_captured_stands_back(http: Any, captured: Captured) -> None:
    found = memory()
    http.Client(transport=CaptureTransport(answering(http), found.provider)).post(CHAT_URL, json=QUESTION)
    assert (found.attributes(), captured.attributes()) == ([], [TOLD])


@pytest.mark.parametrize(("variable", "word"), [("OTEL_CARBON_DISABLED", "true"), ("OTEL_CARBON_CAPTURE", "false")])
def test_a_transport_can_be_switched_off(http: Any, monkeypatch: pytest.MonkeyPatch, variable: str, word: str) -> None:
    monkeypatch.setenv(variable, word)
    found = memory()
    client = http.Client(transport=CaptureTransport(answering(http), found.provider))
    assert client.post(CHAT_URL, json=QUESTION).content == ANSWER
    assert found.spans() == []


def test_an_exception_passes_and_is_an_error(http: Any) -> None:
    found = memory()
    raised = http.ReadTimeout("slow")

    def fail(_request: Any) -> Any:
        raise raised

    with pytest.raises(http.ReadTimeout) as caught:
        http.Client(transport=CaptureTransport(http.MockTransport(fail), found.provider)).post(CHAT_URL, json=QUESTION)
    assert caught.value is raised
    assert found.only()["error.type"] == "ReadTimeout"


@pytest.mark.anyio
async def test_an_exception_of_an_asynchronous_transport_passes_too(http: Any) -> None:
    found = memory()

    async def fail(_request: Any) -> Any:
        raise http.ReadTimeout("slow")

    client = http.AsyncClient(transport=AsyncCaptureTransport(http.MockTransport(fail), found.provider))
    with pytest.raises(http.ReadTimeout):
        await client.post(CHAT_URL, json=QUESTION)
    assert found.only()["error.type"] == "ReadTimeout"


def test_the_wrapped_transport_is_opened_and_closed_as_ever(http: Any) -> None:
    calls: list[str] = []

    class Transport(http.BaseTransport):  # type: ignore[misc]  # of either package
        def __enter__(self) -> Any:
            calls.append("enter")
            return self

        def __exit__(self, *_args: object) -> None:
            calls.append("exit")

        def close(self) -> None:
            calls.append("close")

    with http.Client(transport=CaptureTransport(Transport())):
        pass
    http.Client(transport=CaptureTransport(Transport())).close()
    assert calls == ["enter", "exit", "close"]


@pytest.mark.anyio
async def test_so_is_an_asynchronous_one(http: Any) -> None:
    calls: list[str] = []

    class Transport(http.AsyncBaseTransport):  # type: ignore[misc]  # of either package
        async def __aenter__(self) -> Any:
            calls.append("enter")
            return self

        async def __aexit__(self, *_args: object) -> None:
            calls.append("exit")

        async def aclose(self) -> None:
            calls.append("close")

    async with http.AsyncClient(transport=AsyncCaptureTransport(Transport())):
        pass
    await http.AsyncClient(transport=AsyncCaptureTransport(Transport())).aclose()
    assert calls == ["enter", "exit", "close"]


def test_a_transport_is_of_the_package_of_the_one_that_it_wraps(http: Any) -> None:
    sync, both = CaptureTransport(http.MockTransport(None)), AsyncCaptureTransport(http.MockTransport(None))
    other = httpx2 if http is httpx else httpx
    assert isinstance(sync, CaptureTransport)
    assert isinstance(sync, http.BaseTransport)
    assert not isinstance(sync, other.BaseTransport)
    assert isinstance(both, AsyncCaptureTransport)
    assert isinstance(both, http.AsyncBaseTransport)
    assert type(sync) is type(CaptureTransport(transport=http.MockTransport(None), tracer_provider=None))
    assert type(copy.copy(sync)) is type(sync)


def test_what_only_has_the_methods_of_a_transport_is_wrapped_all_the_same(http: Any) -> None:
    found, transport = memory(), answering(http)

    class Alike:
        def handle_request(self, request: Any) -> Any:
            return transport.handle_request(request)

        def close(self) -> None: ...

    http.Client(transport=CaptureTransport(Alike(), found.provider)).post(CHAT_URL, json=QUESTION)
    assert found.only() == TOLD
