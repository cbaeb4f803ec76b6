"""What a test decides about an answer, and the answer that comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CANARY = "zanzibar-canary"
"""Stands in all that a model says; it must show up nowhere but in the application."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Neutral counts: `input` includes both caches, `output` includes reasoning."""

    input: int = 120
    output: int = 45
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How one request is answered.

    Attributes:
        counts: what the usage object says, each API in its own way.
        status: an HTTP status; from 400 on an error object is the answer.
        tells_usage: whether usage is sent; `None` leaves it to the API, of which OpenAI's asks for `include_usage`.
        model: the model named in the answer; empty for the one that was asked for.
        encoding: `gzip`, `br`, `zstd` or empty.
        deltas: into how many events a streamed text is split.
        padding: characters added to each of them.
        cut_after: how many events are sent before the connection is cut; `None` for all.
        hold_after: how many events are sent before the server waits to be released; `None` for all.
        headers: further headers.
        body: sent as it is, with `content_type`, instead of an answer of the API.
    """

    counts: TokenCounts = field(default_factory=TokenCounts)
    status: int = 200
    tells_usage: bool | None = None
    model: str = ""
    encoding: str = ""
    deltas: int = 3
    padding: int = 0
    cut_after: int | None = None
    hold_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"

    def texts(self) -> list[str]:
        """The parts of what the model says."""
        return [f"{CANARY} {number} {'x' * self.padding}" for number in range(self.deltas)]

    def text(self) -> str:
        """All that the model says."""
        return "".join(self.texts())


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the shapes need it."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    response_id: str

    @property
    def model(self) -> str:
        """The model asked for in the body."""
        return str(self.body.get("model") or "")

    @property
    def streams(self) -> bool:
        """Whether the body asks for a stream."""
        return bool(self.body.get("stream"))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: one part for a plain one, one for each event of a stream."""

    content_type: str
    parts: list[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


def plain(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON document in one part."""
    return Answer("application/json", [json.dumps(document).encode()], headers or {})


def sse(events: Iterable[Mapping[str, Any] | str], *, named: bool = False) -> Answer:
    """Server-sent events; `named` ones tell their type in a line of their own."""
    return Answer("text/event-stream; charset=utf-8", [_event(each, named=named) for each in events])


def _event(event: Mapping[str, Any] | str, *, named: bool) -> bytes:
    if isinstance(event, str):
        return f"data: {event}\n\n".encode()
    name = f"event: {event['type']}\n" if named else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


def ndjson(documents: Iterable[Mapping[str, Any]]) -> Answer:
    """A JSON document a line."""
    return Answer("application/x-ndjson", [json.dumps(each).encode() + b"\n" for each in documents])
