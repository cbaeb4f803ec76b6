"""What answers of each API say of usage, model and response, as the counts that the GenAI conventions ask for.

Input includes what was read from or written to a cache, output includes reasoning, whatever the provider does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.capture.wire.json_tree import tree_of
from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, check_count
from otel_carbon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.capture.wire.json_tree import Picked, Tree
    from otel_carbon.spans.counts import Counts

MAX_NAME_CHARACTERS = 256
COUNT_ATTRIBUTES = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
)
_NOTHING: Mapping[str, object] = {}


@dataclass(slots=True)
class Usage:
    """What has been told of one answer so far; `None` and empty where nothing was.

    `uncached` is an input that leaves out both caches, of APIs that count so.
    """

    input: int | None = None
    uncached: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    model: str = ""
    response_id: str = ""

    @property
    def is_named(self) -> bool:
        """Whether model and response are known."""
        return bool(self.model and self.response_id)

    def totals(self) -> Counts | None:
        """The counts with input that includes both caches; `None` when nothing was told."""
        given = self.input
        if self.uncached is not None:
            given = self.uncached + (self.cache_read or 0) + (self.cache_write or 0)
        if given is None and self.output is None:
            return None
        return given, self.output, self.cache_read, self.cache_write, self.reasoning

    def counts(self) -> dict[str, int]:
        """The counts by attribute of the GenAI conventions."""
        found = zip(COUNT_ATTRIBUTES, self.totals() or (), strict=False)
        return {key: count for key, count in found if count is not None}


class Shape(NamedTuple):
    """How the answers of an API are read: the members wanted, and how to take them.

    A text of a stream without the bytes of `usage_mark` holds no usage. `usage_key` is the member that may have
    the usage so far in each text, the newest in the place of all before it; empty where there is none.
    """

    tree: Tree
    usage_mark: bytes
    read: Callable[[Usage, Picked], None]
    usage_key: str = ""

    def take(self, usage: Usage, picked: Picked) -> None:
        """Take what one text tells; counts of a wrong type tell nothing."""
        try:
            self.read(usage, picked)
        except UsageError:
            return


def _count(usage: Mapping[str, object], *names: str) -> int | None:
    """The first of these counts that is there.

    Raises:
        UsageError: it is no whole number of tokens.
    """
    for name in names:
        found = usage.get(name)
        if found is not None:
            return found if type(found) is int and 0 <= found <= MAX_TOKENS_PER_CALL else check_count(name, found)
    return None


def _part(usage: Mapping[str, object], *names: str) -> int | None:
    """The same of a part of the whole, which is left out where it is no count: the whole is known without it."""
    try:
        return _count(usage, *names) if usage else None
    except UsageError:
        return None


def _inner(usage: Mapping[str, object], *names: str) -> Mapping[str, object]:
    for name in names:
        found = usage.get(name)
        if isinstance(found, dict):
            return found
    return _NOTHING


def _name(picked: Picked, *paths: str) -> str:
    """The first text, cut to a bound."""
    for path in paths:
        found = picked.get(path)
        if isinstance(found, str):
            return found[:MAX_NAME_CHARACTERS]
    return ""


def _read_openai(usage: Usage, picked: Picked) -> None:
    """Chat completions, responses and embeddings, of OpenAI and whoever answers alike."""
    usage.model = _name(picked, "model", "response.model") or usage.model
    usage.response_id = _name(picked, "id", "response.id") or usage.response_id
    told = _inner(picked, "usage", "response.usage", "x_groq.usage")
    if not told:
        return
    given, output = _count(told, "prompt_tokens", "input_tokens"), _count(told, "completion_tokens", "output_tokens")
    parts = _inner(told, "prompt_tokens_details", "input_tokens_details")
    read = _part(parts, "cached_tokens")
    if read is None:
        read = _part(told, "cached_tokens", "prompt_cache_hit_tokens")
    write = _part(parts, "cache_write_tokens", "cache_creation_tokens")
    reasoning = _part(_inner(told, "completion_tokens_details", "output_tokens_details"), "reasoning_tokens")
    if reasoning is None:
        reasoning = _part(told, "reasoning_tokens")
    if reasoning:
        whole = (given or 0) + (output or 0) + reasoning
        if reasoning > (output or 0) or told.get("total_tokens") == whole:  # xAI counts it beside the completion
            output = (output or 0) + reasoning
    usage.input, usage.output = given, output
    usage.cache_read, usage.cache_write, usage.reasoning = read, write, reasoning


def _read_anthropic(usage: Usage, picked: Picked) -> None:
    """Messages: the first event of a stream tells the input, a later one what was put out in the end."""
    usage.model = _name(picked, "model", "message.model") or usage.model
    usage.response_id = _name(picked, "id", "message.id") or usage.response_id
    begun = _inner(picked, "message.usage")
    told = _inner(picked, "usage")
    for each in (begun, told):
        uncached = _count(each, "input_tokens")
        read, write = _count(each, "cache_read_input_tokens"), _count(each, "cache_creation_input_tokens")
        output = None if each is begun else _count(each, "output_tokens")
        reasoning = _count(_inner(each, "output_tokens_details"), "thinking_tokens")
        _update(usage, uncached, output, read, write)
        usage.reasoning = reasoning if reasoning is not None else usage.reasoning


def _update(usage: Usage, uncached: int | None, output: int | None, read: int | None, write: int | None) -> None:
    """Take newer counts, as far as they are told."""
    usage.uncached = uncached if uncached is not None else usage.uncached
    usage.output = output if output is not None else usage.output
    usage.cache_read = read if read is not None else usage.cache_read
    usage.cache_write = write if write is not None else usage.cache_write


def _read_gemini(usage: Usage, picked: Picked) -> None:
    """Contents: candidates leave out thoughts, and the prompt what tools put in."""
    usage.model = _name(picked, "modelVersion") or usage.model
    usage.response_id = _name(picked, "responseId") or usage.response_id
    told = _inner(picked, "usageMetadata")
    if not told:
        return
    given, tools = _count(told, "promptTokenCount"), _count(told, "toolUsePromptTokenCount")
    output, thoughts = _count(told, "candidatesTokenCount"), _count(told, "thoughtsTokenCount")
    usage.input = None if given is None else given + (tools or 0)
    usage.output = None if output is None and thoughts is None else (output or 0) + (thoughts or 0)
    usage.cache_read, usage.reasoning = _count(told, "cachedContentTokenCount"), thoughts


def _read_ollama(usage: Usage, picked: Picked) -> None:
    usage.model = _name(picked, "model") or usage.model
    given, output = _count(picked, "prompt_eval_count"), _count(picked, "eval_count")
    if given is not None or output is not None:
        usage.input, usage.output = given, output


def _read_cohere(usage: Usage, picked: Picked) -> None:
    """Tokens that were processed; billed are fewer, and told where the others are not."""
    usage.response_id = _name(picked, "id") or usage.response_id
    told = _inner(picked, "usage", "delta.usage", "meta")
    tokens = _inner(told, "tokens", "billed_units")
    if tokens:
        usage.input, usage.output = _count(tokens, "input_tokens"), _count(tokens, "output_tokens")
        usage.cache_read = _count(told, "cached_tokens")


def _read_converse(usage: Usage, picked: Picked) -> None:
    told = _inner(picked, "usage")
    read, write = _count(told, "cacheReadInputTokens"), _count(told, "cacheWriteInputTokens")
    _update(usage, _count(told, "inputTokens"), _count(told, "outputTokens"), read, write)


def _read_invoke(usage: Usage, picked: Picked) -> None:
    """What the model itself says, as Anthropic's do, and what Bedrock says of any."""
    told = _inner(picked, INVOCATION_METRICS)
    if not told:
        _read_anthropic(usage, picked)
        if _inner(picked, "usage").get("inputTokens") is not None:  # Nova's answers
            _read_converse(usage, picked)
        return
    read, write = _count(told, "cacheReadInputTokenCount"), _count(told, "cacheWriteInputTokenCount")
    _update(usage, _count(told, "inputTokenCount"), _count(told, "outputTokenCount"), read, write)


def read_bedrock_headers(usage: Usage, headers: Mapping[str, str]) -> None:
    """Take the counts that InvokeModel tells in headers, whatever the model says of itself."""
    told = {name: int(text) for name in _COUNT_HEADERS if (text := headers.get(name, "")).isdecimal()}
    _update(usage, *(told.get(name) for name in _COUNT_HEADERS))


INVOCATION_METRICS = "amazon-bedrock-invocationMetrics"
_COUNT_HEADERS = tuple(
    f"x-amzn-bedrock-{kind}-token-count" for kind in ("input", "output", "cache-read-input", "cache-write-input")
)
_TOKENS = b'_tokens"'
"""In all usage objects that are called so, and not in the `"usage": null` that stands in every text of some streams."""
_MESSAGE = ("id", "model", "usage", "message.id", "message.model", "message.usage")

OPENAI = Shape(
    tree_of("id", "model", "usage", "response.id", "response.model", "response.usage", "x_groq.usage"),
    _TOKENS,
    _read_openai,
    "usage",
)
ANTHROPIC = Shape(tree_of(*_MESSAGE), _TOKENS, _read_anthropic, "usage")
GEMINI = Shape(
    tree_of("usageMetadata", "modelVersion", "responseId"), b'"usageMetadata"', _read_gemini, "usageMetadata"
)
OLLAMA = Shape(tree_of("model", "prompt_eval_count", "eval_count"), b'eval_count"', _read_ollama)
COHERE = Shape(tree_of("id", "usage", "delta.usage", "meta"), _TOKENS, _read_cohere)
BEDROCK_CONVERSE = Shape(tree_of("usage"), b'Tokens"', _read_converse)
BEDROCK_INVOKE = Shape(tree_of(*_MESSAGE, INVOCATION_METRICS), _TOKENS, _read_invoke)
