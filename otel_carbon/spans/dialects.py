"""How each family of instrumentations spells what we read: one row a dialect, keys in order of preference."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """The attribute keys of one family of conventions; of several keys the first present one is read.

    `scopes` are prefixes of instrumentation scope names; a dialect without scopes reads every scope.
    `markers` are key prefixes of which a span must carry one to be looked at.
    """

    name: str
    scopes: tuple[str, ...]
    markers: tuple[str, ...]
    operation: tuple[str, ...]
    provider: tuple[str, ...]
    request_model: tuple[str, ...]
    response_model: tuple[str, ...]
    response_id: tuple[str, ...]
    input_tokens: tuple[str, ...]
    output_tokens: tuple[str, ...]
    cache_read_tokens: tuple[str, ...]
    cache_write_tokens: tuple[str, ...]
    reasoning_tokens: tuple[str, ...]
    roll_up: tuple[str, ...]
    """Keys whose presence says that the span sums up its children."""


OTEL_GENAI = Dialect(
    name="otel-genai",
    scopes=(),
    markers=("gen_ai.",),
    operation=("gen_ai.operation.name",),
    provider=("gen_ai.provider.name", "gen_ai.system"),
    request_model=("gen_ai.request.model",),
    response_model=("gen_ai.response.model",),
    response_id=("gen_ai.response.id",),
    input_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    cache_read_tokens=("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
    cache_write_tokens=(
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    reasoning_tokens=("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
    roll_up=("gen_ai.aggregated_usage.input_tokens", "gen_ai.aggregated_usage.output_tokens"),
)

DIALECTS = (OTEL_GENAI,)
"""In order of preference: the first whose scope fits is used."""

MARKERS = tuple(dict.fromkeys(marker for dialect in DIALECTS for marker in dialect.markers))
"""Key prefixes of all dialects: a span without any of them is nobody's GenAI span."""

PROVIDER_NAMES = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "aws_bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
}
"""Older or foreign spellings of a provider to the GenAI convention's."""


def dialect_of(scope: str) -> Dialect:
    """The dialect that reads spans of an instrumentation scope."""
    for dialect in DIALECTS:
        if not dialect.scopes or scope.startswith(dialect.scopes):
            return dialect
    return OTEL_GENAI


def provider_name(spelled: str) -> str:
    """A provider's name as the GenAI conventions spell it."""
    name = spelled.lower()
    return PROVIDER_NAMES.get(name, name)


TELLTALE_KEYS = frozenset(
    key
    for dialect in DIALECTS
    for key in (*dialect.operation, *dialect.provider, *dialect.request_model, *dialect.response_model)
)
"""Keys of which every GenAI span of any dialect carries one."""
