"""A server of OpenAI's shape on loopback, with counts that the test decides; it takes OTLP as well."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUT_TOKENS = 8
OUTPUT_TOKENS = 3


@dataclass(slots=True)
class ChatServer:
    """What it answers, and what it was sent; `clock_ahead_s` is how far its clock is ahead of ours."""

    url: str = ""
    clock_ahead_s: float = 0.0
    with_usage: bool = True
    takes_telemetry: bool = True
    bodies: list[bytes] = field(default_factory=list)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """A chat completion, with an id of its own."""
        answer: dict[str, Any] = {
            "id": f"chatcmpl-{len(self.bodies)}-{time.monotonic_ns()}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": CONTENT}}],
        }
        if self.with_usage:
            total = INPUT_TOKENS + OUTPUT_TOKENS
            counts = {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS, "total_tokens": total}
            answer["usage"] = counts
        return answer


CONTENT = "canary-of-an-answer"
"""What no report may hold."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_told: ChatServer

    def do_HEAD(self) -> None:
        self._send(405, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server_told.bodies.append(body)
        if "json" not in self.headers["Content-Type"]:
            self._send(200 if self.server_told.takes_telemetry else 400, b"")
            return
        request = json.loads(body)
        answer = self.server_told.answer(request)
        self._send(200, json.dumps(answer).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        now_s = time.time() if timestamp is None else timestamp
        return formatdate(now_s + self.server_told.clock_ahead_s, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Stay silent."""


@contextmanager
def running_chat_server() -> Iterator[ChatServer]:
    """A server on a loopback port of its own."""
    told = ChatServer()

    class Handler(_Handler):
        server_told = told

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A chat server in this process."""
    with running_chat_server() as server:
        yield server
