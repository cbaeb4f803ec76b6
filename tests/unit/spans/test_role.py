"""What part a span plays, for every operation that the conventions name and for those they do not."""

from __future__ import annotations

import pytest

from otel_carbon.spans.role import Role, covered_operation, role_of
from otel_carbon.spans.view import KIND_CLIENT, KIND_INTERNAL, KIND_SERVER
from tests.unit.spans.chat_spans import USAGE, read

INFERENCE = ("chat", "generate_content", "text_completion", "embeddings")
AGGREGATES = ("invoke_workflow", "plan")
OTHERS = (
    "create_agent",
    "execute_tool",
    "retrieval",
    "search_memory",
    "create_memory",
    "update_memory",
    "upsert_memory",
    "delete_memory",
    "create_memory_store",
    "delete_memory_store",
    "fetch_response",
    "count_tokens",
    "rerank",
)
UNKNOWN = ("decide", "agent_step", "guardrail", "")
KINDS = (0, KIND_INTERNAL, KIND_SERVER, KIND_CLIENT, 4, 5)
YES_NO = (True, False)
AGGREGATED = ("gen_ai.aggregated_usage.input_tokens", "gen_ai.aggregated_usage.output_tokens")


def role(operation: str, *, kind: int = KIND_CLIENT, counts: bool = True, model: bool = True) -> Role:
    return role_of(operation, kind=kind, has_counts=counts, has_model=model)


@pytest.mark.parametrize("operation", INFERENCE)
@pytest.mark.parametrize("counts", YES_NO)
@pytest.mark.parametrize("model", YES_NO)
@pytest.mark.parametrize("kind", KINDS)
def test_model_calls_are_inference_with_or_without_usage(operation: str, counts: bool, model: bool, kind: int) -> None:
    assert role(operation, kind=kind, counts=counts, model=model) is Role.INFERENCE


@pytest.mark.parametrize("operation", AGGREGATES)
@pytest.mark.parametrize("counts", YES_NO)
@pytest.mark.parametrize("kind", KINDS)
def test_what_wraps_calls_is_an_aggregate(operation: str, counts: bool, kind: int) -> None:
    assert role(operation, kind=kind, counts=counts) is Role.AGGREGATE


@pytest.mark.parametrize("operation", OTHERS)
@pytest.mark.parametrize("counts", YES_NO)
@pytest.mark.parametrize("kind", KINDS)
def test_what_runs_no_model_is_never_inference_whatever_it_carries(operation: str, counts: bool, kind: int) -> None:
    assert role(operation, kind=kind, counts=counts) is Role.OTHER


@pytest.mark.parametrize(
    ("kind", "counts", "expected"),
    [
        (KIND_CLIENT, True, Role.INFERENCE),  # a remote agent: maybe the only span of its work
        (KIND_CLIENT, False, Role.OTHER),
        (KIND_INTERNAL, True, Role.AGGREGATE),
        (KIND_INTERNAL, False, Role.AGGREGATE),
        (0, True, Role.AGGREGATE),
        (KIND_SERVER, True, Role.AGGREGATE),
    ],
)
def test_an_agent_is_inference_only_as_a_remote_service_with_usage(kind: int, counts: bool, expected: Role) -> None:
    assert role("invoke_agent", kind=kind, counts=counts) is expected


@pytest.mark.parametrize("operation", UNKNOWN)
def test_unknown_operations_are_inference_only_with_model_and_counts(operation: str) -> None:
    assert role(operation, counts=True, model=True) is Role.INFERENCE
    assert role(operation, counts=True, model=False) is Role.OTHER
    assert role(operation, counts=False, model=True) is Role.OTHER
    assert role(operation, counts=False, model=False) is Role.OTHER


@pytest.mark.parametrize("operation", [*INFERENCE, *AGGREGATES, *OTHERS, *UNKNOWN, "invoke_agent"])
def test_aggregated_usage_makes_any_span_an_aggregate(operation: str) -> None:
    asked = {"gen_ai.operation.name": operation, "gen_ai.request.model": "gpt-4o", **USAGE}
    found = [read({**asked, key: 5000}).profile.role for key in AGGREGATED]
    assert found == [Role.AGGREGATE] * 2


def test_coefficients_of_unknown_operations_are_those_of_a_chat() -> None:
    assert {operation: covered_operation(operation) for operation in INFERENCE} == {name: name for name in INFERENCE}
    assert {covered_operation(operation) for operation in (*UNKNOWN, "invoke_agent")} == {"chat"}


@pytest.mark.parametrize("operation", ["invoke_agent", "agent_step"])
def test_a_span_of_another_operation_is_read_as_a_chat(operation: str) -> None:
    reading = read({"gen_ai.operation.name": operation, "gen_ai.request.model": "gpt-4o", **USAGE})
    assert reading.profile.role is Role.INFERENCE
    assert reading.profile.operation == "chat"


@pytest.mark.parametrize("operation", [*AGGREGATES, *OTHERS])
def test_usage_of_what_is_no_inference_is_not_read(operation: str) -> None:
    reading = read({"gen_ai.operation.name": operation, "gen_ai.request.model": "gpt-4o", **USAGE})
    assert (reading.tokens, reading.counts, reading.problem) == (None, None, None)
    assert reading.profile.operation == operation
