"""Made-up traffic whose truth is known: spans as frameworks, twins, gateways and retries write them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_carbon.spans.view import (
    KIND_CLIENT,
    KIND_INTERNAL,
    KIND_SERVER,
    MappingAttributes,
    ResourceView,
    SpanView,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SDK = "opentelemetry.instrumentation.genai.openai"
NATIVE = "com.anthropic.sdk.python"
FRAMEWORK = "openinference.instrumentation.langchain"
OTHER = "opentelemetry.instrumentation.openai.v1"
VERCEL = "ai"
AGENTS = "my.agents"
GATEWAY = "litellm"
SERVICES = tuple(ResourceView(name, "", MappingAttributes({})) for name in ("shop", "mail", "search"))
GATEWAY_SERVICE = ResourceView("llm-gateway", "", MappingAttributes({}))
MS = 1_000_000
START_NS = 1_790_000_000 * 10**9
MODEL = "gpt-4o-2024-08-06"


@dataclass(frozen=True, slots=True)
class Usage:
    """The true counts of one call."""

    input_tokens: int
    output_tokens: int


@dataclass(slots=True)
class Traffic:
    """Spans in the order in which they arrive, and what is true of them."""

    dice: random.Random
    spans: list[tuple[int, SpanView]] = field(default_factory=list)
    calls: list[Usage] = field(default_factory=list)
    silent_calls: int = 0
    _ids: int = 0

    def new_id(self) -> int:
        """An id that no other span or trace has."""
        self._ids += 1
        return self._ids * 0x9E3779B97F4A7C15 % 2**64 or 1

    def call(self) -> Usage:
        """A call that happened, with counts of its own."""
        usage = Usage(self.dice.randrange(20, 100_000), self.dice.randrange(1, 20_000))
        self.calls.append(usage)
        return usage

    def write(
        self,
        attributes: Mapping[str, object],
        scope: str,
        times_ns: tuple[int, int],
        *,
        trace: int,
        parent: int = 0,
        kind: int = KIND_CLIENT,
        service: ResourceView = SERVICES[0],
        failed: bool = False,
    ) -> int:
        """One finished span, which arrives up to half a minute later; returns its id."""
        span_id = self.new_id()
        view = SpanView(MappingAttributes(attributes), scope, service, trace, span_id, parent, kind, *times_ns, failed)
        self.spans.append((times_ns[1] + int(self.dice.expovariate(1 / 3000) * MS), view))
        return span_id


def chat(usage: Usage | None, response_id: str = "", operation: str = "chat") -> dict[str, object]:
    """Attributes of a model call in the words of the GenAI conventions."""
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens} if usage else {}
    if operation == "embeddings":
        counts.pop("output_tokens", None)
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": MODEL,
        **({"gen_ai.response.id": response_id} if response_id else {}),
        **{f"gen_ai.usage.{name}": count for name, count in counts.items()},
    }


def langchain(usage: Usage) -> dict[str, object]:
    """Attributes of the same call in the words of OpenInference."""
    return {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": usage.input_tokens,
        "llm.token_count.completion": usage.output_tokens,
    }


def agent(used: list[Usage], operation: str = "invoke_agent") -> dict[str, object]:
    """Attributes of an agent's turn, which sums up its calls under the same names."""
    total = Usage(sum(each.input_tokens for each in used), sum(each.output_tokens for each in used))
    return {**chat(total), "gen_ai.operation.name": operation}


TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}


def single(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """One call by one instrumentation."""
    usage = to.call()
    to.write(chat(usage, f"r{to.new_id()}"), SDK, (at, at + 900 * MS), trace=trace, parent=parent, service=service)
    return usage


def wrapped(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """A framework's span around the SDK's."""
    usage = to.call()
    outer = to.write(langchain(usage), FRAMEWORK, (at, at + 950 * MS), trace=trace, parent=parent, service=service)
    to.write(chat(usage), SDK, (at + MS, at + 940 * MS), trace=trace, parent=outer, service=service)
    return usage


def twin_elsewhere(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """The SDK's own span in a trace of its own, known by the response's id."""
    usage, response_id = to.call(), f"msg{to.new_id()}"
    to.write(chat(usage, response_id), OTHER, (at, at + 700 * MS), trace=trace, parent=parent, service=service)
    to.write(chat(usage, response_id), NATIVE, (at + MS, at + 690 * MS), trace=to.new_id(), service=service)
    return usage


def siblings(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """Two instrumentations of one SDK, side by side and without an id."""
    usage = to.call()
    for scope in (SDK, OTHER):
        to.write(chat(usage), scope, (at, at + 650 * MS), trace=trace, parent=parent, service=service)
    return usage


def three_spans(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """A function of Vercel's SDK, its model call, and the client library below."""
    usage = to.call()
    counts = {"ai.usage.inputTokens": usage.input_tokens, "ai.usage.outputTokens": usage.output_tokens}
    function, inner = {"ai.operationId": "ai.generateText", **counts}, {"ai.operationId": "ai.generateText.doGenerate"}
    end = at + 800 * MS
    outer_id = to.write(function, VERCEL, (at, end), trace=trace, parent=parent, kind=KIND_INTERNAL, service=service)
    inner_id = to.write(
        {**inner, **counts}, VERCEL, (at, end), trace=trace, parent=outer_id, kind=KIND_INTERNAL, service=service
    )
    to.write(chat(usage), SDK, (at, end), trace=trace, parent=inner_id, service=service)
    return usage


def through_gateway(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """A client, the gateway's server span, and the gateway's own call, on a clock that runs five seconds ahead."""
    usage, response_id, ahead = to.call(), f"gw{to.new_id()}", 5000 * MS
    client = to.write(chat(usage, response_id), SDK, (at, at + 900 * MS), trace=trace, parent=parent, service=service)
    served = to.write(
        chat(usage, response_id),
        GATEWAY,
        (at + ahead, at + ahead + 890 * MS),
        trace=trace,
        parent=client,
        kind=KIND_SERVER,
        service=GATEWAY_SERVICE,
    )
    times_ns = (at + ahead + MS, at + ahead + 880 * MS)
    to.write(chat(usage, response_id), GATEWAY, times_ns, trace=trace, parent=served, service=GATEWAY_SERVICE)
    return usage


def retried(to: Traffic, at: int, trace: int, parent: int = 0, service: ResourceView = SERVICES[0]) -> Usage:
    """A failure without usage, then the same request again."""
    failure = {**chat(None), "error.type": "RateLimitError"}
    to.write(failure, SDK, (at, at + 90 * MS), trace=trace, parent=parent, service=service, failed=True)
    return single(to, at + 100 * MS, trace, parent, service)


ONE_CALL: tuple[Callable[[Traffic, int, int, int, ResourceView], Usage], ...] = (
    single,
    wrapped,
    twin_elsewhere,
    siblings,
    three_spans,
    through_gateway,
    retried,
)


def parallel(to: Traffic, at: int, trace: int, service: ResourceView, operation: str) -> None:
    """Calls at the same time with the same counts, by one instrumentation and without ids."""
    usage = Usage(to.dice.randrange(20, 100_000), to.dice.randrange(1, 20_000) if operation == "chat" else 0)
    for _ in range(to.dice.randrange(2, 7)):
        to.calls.append(usage)
        to.write(chat(usage, operation=operation), SDK, (at, at + 500 * MS), trace=trace, service=service)


def agents(to: Traffic, at: int, trace: int, service: ResourceView) -> None:
    """A workflow over agents over calls and tools, each of which sums up what is below it."""
    workflow, agent_id, tool = to.new_id(), to.new_id(), to.new_id()
    used = [
        to.dice.choice(ONE_CALL)(to, at + step * 1000 * MS, trace, agent_id, service)
        for step in range(to.dice.randrange(1, 5))
    ]
    end = at + 6000 * MS
    for span_id, parent, attributes in (
        (agent_id, workflow, agent(used)),
        (workflow, 0, agent(used, "invoke_workflow")),
        (tool, agent_id, TOOL),
    ):
        view = SpanView(
            MappingAttributes(attributes), AGENTS, service, trace, span_id, parent, KIND_INTERNAL, at, end, failed=False
        )
        to.spans.append((end + int(to.dice.expovariate(1 / 3000) * MS), view))


def tool_that_asks(to: Traffic, at: int, trace: int, service: ResourceView) -> None:
    """A call that streams while a tool below it asks another model."""
    usage = to.call()
    outer = to.write(chat(usage), SDK, (at, at + 3000 * MS), trace=trace, service=service)
    tool = to.write(
        TOOL, AGENTS, (at + MS, at + 2000 * MS), trace=trace, parent=outer, kind=KIND_INTERNAL, service=service
    )
    single(to, at + 2 * MS, trace, tool, service)


def silent_stream(to: Traffic, at: int, trace: int, service: ResourceView) -> None:
    """A stream whose client did not ask for the usage."""
    to.silent_calls += 1
    to.write(chat(None, f"s{to.new_id()}"), SDK, (at, at + 500 * MS), trace=trace, service=service)


def simulate(traces: int, seed: int) -> Traffic:
    """Traffic of many traces, its spans in order of arrival, some of them delivered twice."""
    to = Traffic(random.Random(seed))
    for number in range(traces):
        at, trace, service = START_NS + number * 40 * MS, to.new_id(), to.dice.choice(SERVICES)
        match to.dice.randrange(12):
            case 0:
                parallel(to, at, trace, service, "chat")
            case 1:
                parallel(to, at, trace, service, "embeddings")
            case 2 | 3:
                agents(to, at, trace, service)
            case 4:
                tool_that_asks(to, at, trace, service)
            case 5:
                silent_stream(to, at, trace, service)
            case _:
                to.dice.choice(ONE_CALL)(to, at, trace, 0, service)
    again = to.dice.sample(to.spans, len(to.spans) // 50)
    to.spans += [(arrives_ns + 60_000 * MS, span) for arrives_ns, span in again]
    to.spans.sort(key=lambda arrival: arrival[0])
    return to
