"""Which attribute is read for what: every key of the dialect table, and the order of preference."""

from __future__ import annotations

from dataclasses import fields

import pytest

from otel_carbon import attributes as ours
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.spans.dialects import DIALECTS, PROVIDER_NAMES, provider_name
from otel_carbon.spans.read import MAX_TEXT_CHARACTERS, read_span
from otel_carbon.spans.role import Role
from tests.unit.spans.chat_spans import CHAT, USAGE, read, span_with

# A count of 60 stands in for each of the five; 1000 in and 200 out unless the key under test says otherwise.
COUNT_KEYS = {
    ("otel-genai", "input_tokens", "gen_ai.usage.input_tokens"): AdditiveTokens(60, 0, 0, 200, 0),
    ("otel-genai", "input_tokens", "gen_ai.usage.prompt_tokens"): AdditiveTokens(60, 0, 0, 200, 0),
    ("otel-genai", "output_tokens", "gen_ai.usage.output_tokens"): AdditiveTokens(1000, 0, 0, 60, 0),
    ("otel-genai", "output_tokens", "gen_ai.usage.completion_tokens"): AdditiveTokens(1000, 0, 0, 60, 0),
    ("otel-genai", "cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"): AdditiveTokens(940, 60, 0, 200, 0),
    ("otel-genai", "cache_read_tokens", "gen_ai.usage.cache_read_input_tokens"): AdditiveTokens(940, 60, 0, 200, 0),
    ("otel-genai", "cache_write_tokens", "gen_ai.usage.cache_write.input_tokens"): AdditiveTokens(940, 0, 60, 200, 0),
    ("otel-genai", "cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens"): AdditiveTokens(
        940, 0, 60, 200, 0
    ),
    ("otel-genai", "cache_write_tokens", "gen_ai.usage.cache_creation_input_tokens"): AdditiveTokens(
        940, 0, 60, 200, 0
    ),
    ("otel-genai", "reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"): AdditiveTokens(1000, 0, 0, 140, 60),
    ("otel-genai", "reasoning_tokens", "gen_ai.usage.reasoning_tokens"): AdditiveTokens(1000, 0, 0, 140, 60),
}
TEXT_KEYS = {
    ("otel-genai", "operation", "gen_ai.operation.name"),
    ("otel-genai", "provider", "gen_ai.provider.name"),
    ("otel-genai", "provider", "gen_ai.system"),
    ("otel-genai", "request_model", "gen_ai.request.model"),
    ("otel-genai", "response_model", "gen_ai.response.model"),
    ("otel-genai", "response_id", "gen_ai.response.id"),
    ("otel-genai", "roll_up", "gen_ai.aggregated_usage.input_tokens"),
    ("otel-genai", "roll_up", "gen_ai.aggregated_usage.output_tokens"),
}
NOT_KEYS = ("name", "scopes", "markers")


def test_every_key_of_every_dialect_has_a_case_here() -> None:
    table = {
        (dialect.name, field.name, key)
        for dialect in DIALECTS
        for field in fields(dialect)
        if field.name not in NOT_KEYS
        for key in getattr(dialect, field.name)
    }
    assert table == set(COUNT_KEYS) | TEXT_KEYS


@pytest.mark.parametrize(("case", "tokens"), COUNT_KEYS.items(), ids=[case[2] for case in COUNT_KEYS])
def test_each_count_key_is_read(case: tuple[str, str, str], tokens: AdditiveTokens) -> None:
    field, key = case[1], case[2]
    others = {name: count for name, count in USAGE.items() if not name.endswith(f".{field}")}
    assert read({**CHAT, **others, key: 60}).tokens == tokens


@pytest.mark.parametrize("key", ["gen_ai.provider.name", "gen_ai.system"])
def test_each_provider_key_is_read(key: str) -> None:
    reading = read({"gen_ai.operation.name": "chat", key: "groq"})
    assert reading.profile.provider == "groq"


@pytest.mark.parametrize("key", ["gen_ai.request.model", "gen_ai.response.model"])
def test_each_model_key_is_read(key: str) -> None:
    assert read({"gen_ai.operation.name": "chat", key: "o3"}).profile.model == "o3"


@pytest.mark.parametrize("key", ["gen_ai.aggregated_usage.input_tokens", "gen_ai.aggregated_usage.output_tokens"])
def test_totals_under_names_made_for_sums_are_no_usage_of_a_call(key: str) -> None:
    reading = read({**CHAT, **USAGE, key: 5000})
    assert reading.profile.role is Role.AGGREGATE
    assert reading.tokens is None


@pytest.mark.parametrize(
    ("current", "older"),
    [
        ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        ("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
        ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
    ],
)
def test_the_current_key_wins_over_the_older_one(current: str, older: str) -> None:
    both = read({**CHAT, **USAGE, older: 77, current: 60})
    assert both == read({**CHAT, **USAGE, current: 60})
    assert both != read({**CHAT, **USAGE, older: 77, current: 77})


def test_a_current_count_of_zero_wins_over_an_older_key() -> None:
    older = {"gen_ai.usage.prompt_tokens": 9, "gen_ai.usage.completion_tokens": 9}
    reading = read({**CHAT, **older, "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 1})
    assert reading.tokens == AdditiveTokens(0, 0, 0, 1, 0)


def test_the_current_provider_key_wins_over_the_older_one() -> None:
    reading = read({**CHAT, "gen_ai.system": "anthropic"})
    assert reading.profile.provider == "openai"


def test_the_model_that_answered_wins_over_the_one_asked_for() -> None:
    reading = read({**CHAT, "gen_ai.response.model": "gpt-4o-2024-08-06"})
    assert reading.profile.model == "gpt-4o-2024-08-06"


@pytest.mark.parametrize("nothing", ["", 5, ("gpt-4o-mini",)], ids=["empty", "number", "array"])
def test_a_response_model_that_names_nothing_leaves_the_request_model(nothing: object) -> None:
    assert read({**CHAT, "gen_ai.response.model": nothing}).profile.model == "gpt-4o"


@pytest.mark.parametrize(
    ("spelled", "provider"),
    [
        ("xai", "x_ai"),
        ("x_ai", "x_ai"),
        ("az.ai.openai", "azure.ai.openai"),
        ("az.ai.inference", "azure.ai.inference"),
        ("gemini", "gcp.gemini"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("aws_bedrock", "aws.bedrock"),
        ("aws.bedrock", "aws.bedrock"),
        ("mistral", "mistral_ai"),
        ("mistralai", "mistral_ai"),
        ("OpenAI", "openai"),
        ("Anthropic", "anthropic"),
        ("vLLM", "vllm"),
        ("a-gateway-of-our-own", "a-gateway-of-our-own"),
    ],
)
def test_providers_are_spelled_as_the_convention_does(spelled: str, provider: str) -> None:
    assert provider_name(spelled) == provider
    assert read({**CHAT, "gen_ai.provider.name": spelled}).profile.provider == provider


def test_no_spelling_leads_to_another_spelling() -> None:
    assert not set(PROVIDER_NAMES.values()) & PROVIDER_NAMES.keys()


def test_the_operation_is_read_without_regard_to_case() -> None:
    assert read({**CHAT, "gen_ai.operation.name": "Chat"}).profile.operation == "chat"


def test_the_tenant_is_read_from_the_key_that_is_asked_for() -> None:
    span = span_with({**CHAT, "app.team": "search", ours.TENANT: "other"})
    reading = read_span(span, "app.team")
    assert reading is not None
    assert reading.profile.tenant == "search"


def test_a_tenant_that_is_a_number_is_read_as_text() -> None:
    assert read({**CHAT, ours.TENANT: 42}).profile.tenant == "42"


@pytest.mark.parametrize("key", ["gen_ai.request.model", "gen_ai.provider.name", ours.TENANT])
def test_long_texts_are_cut(key: str) -> None:
    profile = read({**CHAT, key: "x" * 10_000}).profile
    assert "x" * MAX_TEXT_CHARACTERS in (profile.model, profile.provider, profile.tenant)


def test_texts_up_to_the_bound_are_not_cut() -> None:
    assert read({**CHAT, "gen_ai.request.model": "x" * MAX_TEXT_CHARACTERS}).profile.model == "x" * MAX_TEXT_CHARACTERS


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.request.method": "GET"},
        {"gen_ai.provider.name": "openai"},
        {"gen_ai.conversation.id": "c1"},
    ],
    ids=["nothing", "web", "provider only", "conversation only"],
)
def test_spans_that_name_neither_operation_nor_model_are_nobodys(attributes: dict[str, object]) -> None:
    assert read_span(span_with(attributes)) is None


def test_a_provider_with_counts_is_a_call_even_when_nothing_else_is_named() -> None:
    assert read_span(span_with({"gen_ai.system": "openai", **USAGE})) is not None


@pytest.mark.parametrize("status", ours.STATUS_VALUES)
def test_the_verdict_of_an_earlier_hop_is_read(status: str) -> None:
    assert read({**CHAT, **USAGE, ours.STATUS: status}).profile.judged == status


@pytest.mark.parametrize("status", ["", "done", 1, True, ("estimated",)])
def test_a_status_that_we_never_write_is_no_verdict(status: object) -> None:
    assert read({**CHAT, **USAGE, ours.STATUS: status}).profile.judged == ""


def test_tenants_that_merely_compare_equal_keep_their_names() -> None:
    assert [read({**CHAT, ours.TENANT: tenant}).profile.tenant for tenant in (1, True)] == ["1", "True"]
