"""Planned calls as the span trees that instrumentations make of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.demo import genai_keys as keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    AttributeMap = Mapping[str, str | int]

_MARGIN_NS = 2_000_000
"""How much earlier an outer span starts and how much later it ends than what it holds."""
_APP_SCOPE = "sample.agents"
_HTTP_SCOPE = "opentelemetry.instrumentation.asgi"
_HTTPS_PORT = 443


class SpanKind(Enum):
    """Who made the span."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"


class Part(Enum):
    """What a planned span truly is; never on the wire, only the check of the result knows it."""

    CALL = "call"
    DUPLICATE = "duplicate"
    ROLL_UP = "roll_up"
    STEP = "step"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class PlannedUsage:
    """Tokens of one call as its provider reports them; `output_tokens` is absent for embeddings."""

    input_tokens: int
    output_tokens: int | None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call to one model; times are Unix nanoseconds, `usage` is absent when nobody reports it."""

    provider: str
    requested_model: str
    model: str
    operation: str
    host: str
    region: str
    tenant: str
    start_ns: int
    end_ns: int
    response_id: str
    usage: PlannedUsage | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class PlannedSpan:
    """A span to be made: `request` is known at its start, `response` when it ends."""

    name: str
    scope: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    part: Part
    request: AttributeMap = field(default_factory=dict)
    response: AttributeMap = field(default_factory=dict)
    children: tuple[PlannedSpan, ...] = ()
    call: PlannedCall | None = None
    failed: bool = False

    def walk(self) -> Iterator[PlannedSpan]:
        """This span and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


BEDROCK_SCOPE = "opentelemetry.instrumentation.botocore.bedrock-runtime"
"""The instrumentation that passes on what Bedrock says, which leaves cache out of the input."""


def call_span(call: PlannedCall, scope: str, part: Part = Part.CALL, *, with_id: bool = True) -> PlannedSpan:
    """The span of a call as one instrumentation reports it."""
    return PlannedSpan(
        f"{call.operation} {call.requested_model}",
        scope,
        SpanKind.CLIENT,
        call.start_ns,
        call.end_ns,
        part,
        _request_attributes(call),
        _response_attributes(call, scope, with_id=with_id),
        call=call,
        failed=bool(call.error),
    )


def around(call: PlannedCall, inner: PlannedSpan, scope: str) -> PlannedSpan:
    """The same call once more, as an instrumentation around the client library sees it."""
    return PlannedSpan(
        f"{call.operation} {call.requested_model}",
        scope,
        SpanKind.CLIENT,
        call.start_ns - _MARGIN_NS,
        call.end_ns + _MARGIN_NS,
        Part.DUPLICATE,
        _request_attributes(call),
        _response_attributes(call, scope, with_id=True),
        (inner,),
        call,
        failed=bool(call.error),
    )


def tool_span(name: str, start_ns: int, end_ns: int) -> PlannedSpan:
    """A tool that an agent ran between two calls."""
    request = {keys.OPERATION: "execute_tool", "gen_ai.tool.name": name}
    return PlannedSpan(f"execute_tool {name}", _APP_SCOPE, SpanKind.INTERNAL, start_ns, end_ns, Part.STEP, request)


def agent_span(name: str, children: Sequence[PlannedSpan], calls: Sequence[PlannedCall]) -> PlannedSpan:
    """An agent's turn, which carries the sum of its calls' tokens."""
    request = {keys.OPERATION: "invoke_agent", "gen_ai.agent.name": name}
    return _enclosing(f"invoke_agent {name}", request, _summed_usage(calls), children)


def workflow_span(name: str, children: Sequence[PlannedSpan], calls: Sequence[PlannedCall]) -> PlannedSpan:
    """A workflow over agents, which sums up again what they summed up."""
    request = {keys.OPERATION: "invoke_workflow", "gen_ai.workflow.name": name}
    return _enclosing(f"invoke_workflow {name}", request, _summed_usage(calls), children)


def http_span(route: str, children: Sequence[PlannedSpan]) -> PlannedSpan:
    """The web request that caused it all; no GenAI span."""
    return PlannedSpan(
        f"POST {route}",
        _HTTP_SCOPE,
        SpanKind.SERVER,
        min(child.start_ns for child in children) - _MARGIN_NS,
        max(child.end_ns for child in children) + _MARGIN_NS,
        Part.PLAIN,
        {"http.request.method": "POST", "http.route": route, "url.scheme": "https"},
        {"http.response.status_code": 200},
        tuple(children),
    )


def _enclosing(
    name: str, request: AttributeMap, response: AttributeMap, children: Sequence[PlannedSpan]
) -> PlannedSpan:
    return PlannedSpan(
        name,
        _APP_SCOPE,
        SpanKind.INTERNAL,
        min(child.start_ns for child in children) - _MARGIN_NS,
        max(child.end_ns for child in children) + _MARGIN_NS,
        Part.ROLL_UP,
        request,
        response,
        tuple(children),
    )


def _summed_usage(calls: Sequence[PlannedCall]) -> dict[str, str | int]:
    used = [call.usage for call in calls if call.usage is not None]
    return {
        keys.INPUT_TOKENS: sum(usage.input_tokens for usage in used),
        keys.OUTPUT_TOKENS: sum(usage.output_tokens or 0 for usage in used),
    }


def _request_attributes(call: PlannedCall) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        keys.OPERATION: call.operation,
        keys.PROVIDER: call.provider,
        keys.REQUEST_MODEL: call.requested_model,
        "server.address": call.host,
        "server.port": _HTTPS_PORT,
    }
    if call.region:
        attributes["cloud.region"] = call.region
    if call.tenant:
        attributes[ours.TENANT] = call.tenant
    return attributes


def _response_attributes(call: PlannedCall, scope: str, *, with_id: bool) -> dict[str, str | int]:
    if call.error:
        return {"error.type": call.error}
    attributes: dict[str, str | int] = {keys.RESPONSE_MODEL: call.model}
    if with_id:
        attributes[keys.RESPONSE_ID] = call.response_id
    return attributes | _usage_attributes(call.usage, scope)


def _usage_attributes(usage: PlannedUsage | None, scope: str) -> dict[str, str | int]:
    if usage is None:
        return {}
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    counts = {
        keys.INPUT_TOKENS: usage.input_tokens - (cached if scope == BEDROCK_SCOPE else 0),
        keys.OUTPUT_TOKENS: usage.output_tokens,
        keys.CACHE_READ_TOKENS: usage.cache_read_tokens or None,
        keys.CACHE_WRITE_TOKENS: usage.cache_write_tokens or None,
        keys.REASONING_TOKENS: usage.reasoning_tokens or None,
    }
    return {key: count for key, count in counts.items() if count is not None}
