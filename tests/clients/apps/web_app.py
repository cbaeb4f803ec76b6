"""A web application, both WSGI and ASGI; it answers with its version and the id of its process.

`/chat` makes one call, everything else none.

It knows nothing of otel-carbon, and of OpenTelemetry only that its GenAI client writes spans, as this one does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VERSION = "first"
_calls = 0


def chat() -> None:
    """Make one call."""
    global _calls  # noqa: PLW0603 - the state of a process is what the tests look at
    _calls += 1
    with trace.get_tracer("web_app").start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"})
        span.set_attributes({"gen_ai.request.model": "gpt-4o", "gen_ai.response.id": f"resp-{os.getpid()}-{_calls}"})
        span.set_attributes({"gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300})


def answer(path: str) -> bytes:
    """Do what the path says."""
    if path == "/chat":
        chat()
    return f"{VERSION} {os.getpid()}".encode()


def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer as a WSGI application."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer(environ["PATH_INFO"])]


async def asgi(scope: dict[str, Any], _receive: object, send: Callable[..., Any]) -> None:
    """Answer as an ASGI application."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": answer(scope["path"])})
