"""A real HTTP server that answers like the providers' APIs, with counts that the test decides; it takes OTLP as well.

`python -m tests.support.llm_server` serves until it is stopped, and prints its address first.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from tests.support.llm_answers import anthropic, bedrock, google, openai, others
from tests.support.llm_answers.script import Answer, Asked, Script, TokenCounts, plain
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_START_TIMEOUT_S = 10.0
_TOO_MANY_REQUESTS = 429
_TELEMETRY = ("/v1/traces", "/v1/metrics", "/v1/logs")
_ROUTES: tuple[tuple[str, Callable[[Script, Asked], Answer]], ...] = (
    ("*/chat/completions", openai.chat),
    ("*/responses", openai.responses),
    ("*/v1/messages", anthropic.messages),
    ("*/embeddings", openai.embeddings),
    ("*:generateContent", google.generate),
    ("*:streamGenerateContent", google.generate),
    ("*:embedContent", google.embed),
    ("*:batchEmbedContents", google.embed),
    ("*/api/chat", others.ollama_chat),
    ("*/api/generate", others.ollama_generate),
    ("*/api/embed", others.ollama_embed),
    ("*/v2/chat", others.cohere_chat),
    ("*/v2/embed", others.cohere_embed),
    ("*/invoke", bedrock.invoke),
    ("*/invoke-with-response-stream", bedrock.invoke_stream),
    ("*/converse", bedrock.converse),
    ("*/converse-stream", bedrock.converse_stream),
    ("*/completions", openai.completion),
)


class ConnectionCut(Exception):
    """Raised inside the server to have it cut the connection."""


@dataclass(frozen=True, slots=True)
class ServedCall:
    """One request that was answered; `body` is what the client sent, `headers` in lower case."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    script: Script
    response_id: str


@dataclass(slots=True)
class ScriptedLlmServer:
    """The running server at `url` (no trailing slash); `script` answers all that no `queued` one does.

    Its clock is `clock_ahead_s` ahead of ours.
    """

    url: str
    script: Script = field(default_factory=Script)
    queued: list[Script] = field(default_factory=list)
    calls: list[ServedCall] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    clock_ahead_s: float = 0.0
    takes_telemetry: bool = True

    def queue(self, *scripts: Script) -> None:
        """Answer the next requests so, one each."""
        self.queued += scripts

    def release(self) -> None:
        """Let answers go on that wait after `hold_after` events."""
        self.released.set()

    def reset(self) -> None:
        """Forget scripts and calls."""
        self.script = Script()
        self.queued.clear()
        self.calls.clear()
        self.released.clear()

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        call = self._take(scope, body)
        date = formatdate(time.time() + self.clock_ahead_s, usegmt=True)
        if call.path in _TELEMETRY:
            status = 200 if self.takes_telemetry and scope["method"] == "POST" else 405
            await send({"type": "http.response.start", "status": status, "headers": [(b"date", date.encode())]})
            await send({"type": "http.response.body", "body": b""})
            return
        answer = _answer(call)
        await send(_start(call.script, answer, date))
        for number, part in enumerate(_encoded(answer.parts, call.script.encoding)):
            if number == call.script.cut_after:
                raise ConnectionCut
            if number == call.script.hold_after:
                await self._held(receive)
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _held(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """Wait until the answer may go on, or nobody wants it any more."""
        released = asyncio.create_task(asyncio.to_thread(self.released.wait))
        gone = asyncio.ensure_future(receive())  # of a client whose request is whole nothing else comes
        await asyncio.wait((released, gone), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()

    def _take(self, scope: Any, body: bytes) -> ServedCall:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        script = self.queued.pop(0) if self.queued else self._script_for(scope["path"].encode() + body)
        response_id = f"resp-scripted-{len(self.calls):08d}"
        call = ServedCall(scope["path"], scope["query_string"].decode(), headers, body, script, response_id)
        self.calls.append(call)
        return call

    def _script_for(self, asked: bytes) -> Script:
        """The script, unless the request names a model that is `refused`, or one that is `retried` for the first time.

        Clients in processes of their own, which can queue nothing, ask so for what they want;
        of an answer that is to be `aborted` they get two events.
        """
        if b"aborted" in asked:
            return replace(self.script, hold_after=2)
        again = sum(b"retried" in call.path.encode() + call.body for call in self.calls) % 2
        if b"refused" in asked or (b"retried" in asked and not again):
            return replace(self.script, status=_TOO_MANY_REQUESTS, headers={"retry-after": "0"})
        return self.script


@contextmanager
def running_llm_server() -> Iterator[ScriptedLlmServer]:
    """The server on a free port of the loopback interface, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedLlmServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            server,
            date_header=False,
            lifespan="off",
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=1,
            ws="none",
        )
        runner = uvicorn.Server(config)
        thread = threading.Thread(target=runner.run, args=([listener],), name="scripted llm server")
        thread.start()
        try:
            wait_until(lambda: runner.started or None, timeout_s=_START_TIMEOUT_S, what="scripted LLM server")
            yield server
        finally:
            server.release()
            runner.should_exit = True
            thread.join()


@pytest.fixture
def llm_server() -> Iterator[ScriptedLlmServer]:
    """The server, for one test."""
    with running_llm_server() as server:
        yield server


def _answer(call: ServedCall) -> Answer:
    script = call.script
    if script.body is not None:
        return Answer(script.content_type, [script.body])
    if script.status >= 400:
        return plain({"type": "error", "error": {"type": "scripted", "message": "as the test wants it"}})
    shape = next((shape for pattern, shape in _ROUTES if fnmatchcase(call.path, pattern)), None)
    asked = Asked(call.path, call.query, call.headers, _json_object(call.body), call.response_id)
    return shape(script, asked) if shape else plain({"path": call.path})


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _start(script: Script, answer: Answer, date: str) -> dict[str, Any]:
    headers = {"date": date, "content-type": answer.content_type, **answer.headers, **script.headers}
    if script.encoding:
        headers["content-encoding"] = script.encoding
    if len(answer.parts) == 1 and not script.encoding and script.cut_after is None:
        headers["content-length"] = str(len(answer.parts[0]))
    packed = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": script.status, "headers": packed}


def _encoded(parts: list[bytes], encoding: str) -> list[bytes]:
    """The parts as they go over the wire; a compressed answer is cut into as many pieces as there are parts."""
    if not encoding:
        return parts
    packed = _compressed(b"".join(parts), encoding)
    size = max(1, -(-len(packed) // len(parts)))
    return [packed[at : at + size] for at in range(0, len(packed), size)]


def _compressed(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.compress(body)
    if encoding == "br":
        import brotli

        return bytes(brotli.compress(body))
    import zstandard

    return zstandard.compress(body)


def main() -> None:
    """Serve until stopped."""
    with running_llm_server() as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        threading.Event().wait()


__all__ = ["Script", "ScriptedLlmServer", "ServedCall", "TokenCounts", "running_llm_server"]

if __name__ == "__main__":
    main()
