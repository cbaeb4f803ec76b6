"""What is asked of sessions of aiohttp, in every form, answered by a server of its own."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from otel_carbon.capture.aiohttp_requests import _Request
from otel_carbon.capture.patching import Capture
from tests.support.captured_spans import ANSWER, QUESTION, TOLD, capturing, memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import ModuleType

    from tests.support.captured_spans import Captured

pytestmark = pytest.mark.anyio
PATH = "/v1/chat/completions"
SURVEY = "/v1/responses"
"""A path that could be anybody's."""


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The address of a server that gives the same answer to everything."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=ANSWER, content_type="application/json")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()


def told_by(url: str) -> dict[str, Any]:
    return TOLD | {"server.address": "127.0.0.1", "server.port": URL(url).port}


async def by_module(url: str) -> bytes:
    async with aiohttp.request("POST", url + PATH, json=QUESTION) as response:
        return await response.read()


async def by_verb(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.post(url + PATH, json=QUESTION) as response:
        return await response.read()


async def by_name_of_the_verb(url: str) -> bytes:
    async with aiohttp.ClientSession() as session:
        response = await session.request(method="post", url=URL(url + PATH), json=QUESTION)
        return await response.read()


async def by_base(url: str) -> bytes:
    async with (
        aiohttp.ClientSession(f"{url}/v1/chat/") as session,
        session.post("completions?version=1", data=json.dumps(QUESTION)) as response,
    ):
        return await response.read()


async def by_bytes(url: str) -> bytes:
    data = json.dumps(QUESTION).encode()
    async with aiohttp.ClientSession() as session, session.post(url + PATH, data=data) as response:
        return await response.read()


WAYS = [by_module, by_verb, by_name_of_the_verb, by_base, by_bytes]


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_is_captured_however_it_is_made(
    url: str, captured: Captured, way: Callable[[str], Awaitable[bytes]]
) -> None:
    assert await way(url) == ANSWER
    assert captured.only() == told_by(url)


async def test_a_session_that_exists_already_is_captured_and_left_alone_again(url: str) -> None:
    async with aiohttp.ClientSession(url) as session:
        with capturing() as captured:
            async with session.post(PATH, json=QUESTION) as response:
                await response.read()
        async with session.post(PATH, json=QUESTION) as response:
            assert type(response.content) is aiohttp.StreamReader
    assert captured.only() == told_by(url)


async def test_other_requests_are_left_alone(url: str, captured: Captured) -> None:
    async with aiohttp.ClientSession(url) as session:
        for method, path in (("GET", PATH), ("POST", "/api/items"), ("POST", "/forms/7/responses")):
            async with session.request(method, path, json=QUESTION if method == "POST" else None) as response:
                assert await response.read() == ANSWER
    assert captured.spans() == []


async def test_a_path_that_could_be_anybodys_needs_a_model_and_an_input(url: str, captured: Captured) -> None:
    async with aiohttp.ClientSession(url) as session:
        for asked in ({"answers": [1, 2]}, {"model": 7, "input": "x"}, {"model": "gpt-4o", "input": "x"}):
            async with session.post(SURVEY, json=asked) as response:
                await response.read()
        async with session.post(SURVEY, data=io.BytesIO(b'{"model": "gpt-4o", "input": "x"}')) as response:
            await response.read()
    assert [each["gen_ai.request.model"] for each in captured.attributes()] == ["gpt-4o"]


@pytest.mark.parametrize("wrong", ["http://[", 7, None, "x/v1/chat/completions"])
async def test_what_is_no_address_is_refused_by_aiohttp_alone(
    captured: Captured, caplog: pytest.LogCaptureFixture, wrong: Any
) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises((ValueError, TypeError)):
            await session.post(wrong, json=QUESTION)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ({}, b""),
        ({"data": b'{"model": "m"}'}, b'{"model": "m"}'),
        ({"data": '{"model": "m"}'}, b'{"model": "m"}'),
        ({"data": {"model": "m"}}, b""),
        ({"json": {"model": "modèle", "messages": ["zanzibar"]}}, '{"model": "modèle", "messages": null}'.encode()),
        ({"json": {"model": ["zanzibar"], "input": 1}}, b'{"model": null, "input": null}'),
        ({"json": ["zanzibar"]}, b""),
    ],
)
def test_of_a_body_that_is_no_text_yet_only_names_and_the_model_are_looked_at(
    options: dict[str, Any], content: bytes
) -> None:
    assert _Request(URL("http://llm.test/v1/chat/completions"), options).content == content


def test_a_version_without_the_method_is_left_as_it_is_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    class Session:
        pass

    module: ModuleType = type(aiohttp)("aiohttp")
    module.ClientSession = Session  # type: ignore[attr-defined]  # as an older or later one might be
    switch = Capture()
    switch.switch_on(memory().provider)
    module.__version__ = "2.0"  # type: ignore[attr-defined]  # as above
    try:
        switch._patch_module(module)
        assert switch.unknown == {"aiohttp": "2.0"}
    finally:
        switch.switch_off()
    assert not hasattr(Session, "_request")
    assert caplog.messages == ["calls of aiohttp are not captured"]
