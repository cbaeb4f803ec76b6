"""What instrumentations write that are not among the recordings, and mistakes that reading them once made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.enricher import Enricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.dialect import known_dialects
from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.role import Role
from tests.unit.spans.chat_spans import CHAT, USAGE, span_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.dialect import Dialect
    from otel_carbon.spans.read import GenAiReading

CLAUDE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openrouter",
    "gen_ai.request.model": "claude-opus-4",
}
CACHED = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 90}


def read(attributes: Mapping[str, object], scope: str, version: str = "") -> GenAiReading:
    reading = SpanReader().read(span_with(attributes, scope=scope, scope_version=version))
    assert reading is not None
    return reading


def test_asking_whether_a_text_is_there_does_not_hide_what_it_says() -> None:
    azure = {**CHAT, **USAGE, "gen_ai.system": "az.ai.inference", "az.namespace": "Microsoft.CognitiveServices"}
    azure.pop("gen_ai.provider.name")
    assert read(azure, "azure.ai.inference").profile.provider == "azure.ai.inference"
    agent = {"gen_ai.operation.name": "invoke_agent", "agent_name": "a", "model_name": "gpt-4o", **USAGE}
    assert read(agent, "pydantic-ai").profile.role is not Role.INFERENCE
    answered = {**CHAT, **USAGE, "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "r"}
    assert read(answered, "logfire.openai").profile.model == "gpt-4o-2024-08-06"


@pytest.mark.parametrize("dialect", known_dialects().all, ids=lambda dialect: dialect.name)
def test_no_rule_of_a_dialect_hides_a_text(dialect: Dialect) -> None:
    scope = dialect.scopes[0] if dialect.scopes else "my.app"
    telltale = dict.fromkeys(dialect.telltale[:1], "x")
    asked_for = {dialect.keys["request_model"][0]: "a-model"}
    reading = SpanReader().read(span_with({**CHAT, **USAGE, **telltale, **asked_for}, scope=scope))
    assert reading is None or reading.profile.model == "a-model"


@pytest.mark.parametrize(
    ("scope", "attributes", "tokens"),
    [
        ("my.gateway", {**CLAUDE, **CACHED}, AdditiveTokens(10, 90, 0, 50, 0)),
        (
            "openinference.instrumentation.anthropic",
            {
                "openinference.span.kind": "LLM",
                "llm.token_count.prompt": 10,
                "llm.token_count.completion": 50,
                "llm.token_count.prompt_details.cache_read": 90,
            },
            AdditiveTokens(10, 90, 0, 50, 0),
        ),
        (
            "my.app",
            {
                "gen_ai.provider.name": "gcp.gemini",
                "gen_ai.request.model": "gemini-2.5-pro",
                "gen_ai.usage.input_tokens": 10,
                "gen_ai.usage.output_tokens": 50,
                "gen_ai.usage.reasoning.output_tokens": 200,
            },
            AdditiveTokens(10, 0, 0, 50, 200),
        ),
        (
            "Experimental.Microsoft.Extensions.AI",
            {**CHAT, "gen_ai.response.input_tokens": 10, "gen_ai.response.output_tokens": 50},
            AdditiveTokens(10, 0, 0, 50, 0),
        ),
        (
            "strands.telemetry.tracer",
            {**CLAUDE, **CACHED, "gen_ai.usage.total_tokens": 150},
            AdditiveTokens(10, 90, 0, 50, 0),
        ),
    ],
)
def test_counts_cover_what_their_writer_means(scope: str, attributes: Mapping[str, object], tokens: object) -> None:
    assert read(attributes, scope).tokens == tokens


def test_an_agent_of_strands_sums_up_its_cycles_whatever_kind_it_is() -> None:
    agent = {**CHAT, **USAGE, "gen_ai.operation.name": "invoke_agent"}
    assert read(agent, "strands.telemetry.tracer").profile.role is Role.AGGREGATE
    assert read({"event_loop.cycle_id": "1"}, "strands.telemetry.tracer").profile.role is Role.OTHER


@pytest.mark.parametrize(
    ("written", "provider"), [('"openai"', "openai"), ("None", ""), ("litellm_proxy/x", "litellm_proxy")]
)
def test_a_provider_is_read_through_quotes_and_words_for_none(written: str, provider: str) -> None:
    assert read({**CHAT, "gen_ai.provider.name": written, **USAGE}, "my.app").profile.provider == provider


def test_a_model_that_is_called_none_is_no_model() -> None:
    assert (
        read({**CHAT, "gen_ai.response.model": "none", **USAGE}, "org.springframework.boot").profile.model == "gpt-4o"
    )


@pytest.mark.parametrize("text", ["{'a': {[]: 2}}", "{'a': " * 100, "{'\\d': 1}", "{'a'}"])
def test_a_text_that_is_nearly_a_python_dict_costs_no_other_span_its_count(text: str) -> None:
    poison = span_with(
        {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": text}, scope="langfuse-sdk"
    )
    outcomes = Enricher(Registry.bundled()).enrich_together([poison, span_with({**CHAT, **USAGE})])
    assert outcomes[1] is not None
    assert outcomes[1].reading.tokens == AdditiveTokens(1000, 0, 0, 200, 0)


@pytest.mark.parametrize("added_at_export", [{}, {"gen_ai.response.model": "gpt-4o"}])
def test_the_span_of_a_stream_of_logfire_is_no_call_beside_the_log_of_its_usage(
    added_at_export: dict[str, str],
) -> None:
    """In process it has no model of the answer yet; the log has an id and the counts."""
    asked = {**CHAT, "logfire.span_type": "span", **added_at_export}
    assert read(asked, "logfire.openai").profile.role is Role.OTHER
    assert read({**asked, "error.type": "timeout"}, "logfire.openai").profile.role is Role.INFERENCE
    told = {**CHAT, **USAGE, "logfire.span_type": "log", "gen_ai.response.id": "r"}
    assert read(told, "logfire.openai").profile.role is Role.INFERENCE
