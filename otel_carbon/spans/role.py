"""What part a GenAI span plays: an inference, a sum over others, or neither."""

from __future__ import annotations

from enum import Enum

from otel_carbon.spans.view import KIND_CLIENT

CHAT = "chat"
EMBEDDINGS = "embeddings"
INFERENCE_OPERATIONS = frozenset({CHAT, "text_completion", "generate_content", EMBEDDINGS})
AGGREGATE_OPERATIONS = frozenset({"invoke_workflow", "plan"})
OTHER_OPERATIONS = frozenset(
    {
        "count_tokens",
        "create_agent",
        "create_memory",
        "create_memory_store",
        "delete_memory",
        "delete_memory_store",
        "execute_tool",
        "fetch_response",
        "rerank",
        "retrieval",
        "search_memory",
        "update_memory",
        "upsert_memory",
    }
)
INVOKE_AGENT = "invoke_agent"


class Role(Enum):
    """What a GenAI span stands for."""

    INFERENCE = "inference"
    AGGREGATE = "aggregate"
    OTHER = "other"


def role_of(operation: str, *, kind: int, has_counts: bool, has_model: bool) -> Role:
    """The role of a span.

    Args:
        operation: `gen_ai.operation.name` in lower case, empty when absent.
        kind: the span kind as OTLP numbers it; a remote agent (CLIENT) may be the only span of its work.
        has_counts: the span carries input or output token counts.
        has_model: the span names a model.
    """
    if operation in AGGREGATE_OPERATIONS:
        return Role.AGGREGATE
    if operation in INFERENCE_OPERATIONS:
        return Role.INFERENCE
    if operation in OTHER_OPERATIONS:
        return Role.OTHER
    if operation == INVOKE_AGENT:
        if kind != KIND_CLIENT:
            return Role.AGGREGATE
        return Role.INFERENCE if has_counts else Role.OTHER
    return Role.INFERENCE if has_model and has_counts else Role.OTHER


def covered_operation(operation: str) -> str:
    """The operation that coefficients are chosen by; unknown ones with tokens are some kind of chat."""
    return operation if operation in INFERENCE_OPERATIONS else CHAT
