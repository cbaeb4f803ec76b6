"""Which attribute is read for what: every key of the dialects, and the order of preference."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from otel_carbon import attributes as ours
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.core.usage import COUNT_NAMES
from otel_carbon.spans.dialect import COUNT_FIELDS, PATH_MARK, Dialect, Dialects, known_dialects
from otel_carbon.spans.profile import MAX_TEXT_CHARACTERS
from otel_carbon.spans.providers import provider_name
from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.role import Role
from tests.unit.spans.chat_spans import CHAT, READER, USAGE, read, span_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.read import GenAiReading

# A count of 60 stands in for each of the five; 1000 in and 200 out unless the key under test says otherwise.
COUNT_KEYS = {
    ("input_tokens", "gen_ai.usage.input_tokens"): AdditiveTokens(60, 0, 0, 200, 0),
    ("input_tokens", "gen_ai.usage.prompt_tokens"): AdditiveTokens(60, 0, 0, 200, 0),
    ("output_tokens", "gen_ai.usage.output_tokens"): AdditiveTokens(1000, 0, 0, 60, 0),
    ("output_tokens", "gen_ai.usage.completion_tokens"): AdditiveTokens(1000, 0, 0, 60, 0),
    ("input_tokens", "gen_ai.response.input_tokens"): AdditiveTokens(60, 0, 0, 200, 0),
    ("output_tokens", "gen_ai.response.output_tokens"): AdditiveTokens(1000, 0, 0, 60, 0),
    ("cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"): AdditiveTokens(940, 60, 0, 200, 0),
    ("cache_read_tokens", "gen_ai.usage.cache_read_input_tokens"): AdditiveTokens(940, 60, 0, 200, 0),
    ("cache_read_tokens", "gen_ai.usage.input_tokens.cached"): AdditiveTokens(940, 60, 0, 200, 0),
    ("cache_write_tokens", "gen_ai.usage.cache_write.input_tokens"): AdditiveTokens(940, 0, 60, 200, 0),
    ("cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens"): AdditiveTokens(940, 0, 60, 200, 0),
    ("cache_write_tokens", "gen_ai.usage.cache_creation_input_tokens"): AdditiveTokens(940, 0, 60, 200, 0),
    ("cache_write_tokens", "gen_ai.usage.input_tokens.cache_write"): AdditiveTokens(940, 0, 60, 200, 0),
    ("reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"): AdditiveTokens(1000, 0, 0, 140, 60),
    ("reasoning_tokens", "gen_ai.usage.reasoning_tokens"): AdditiveTokens(1000, 0, 0, 140, 60),
    ("reasoning_tokens", "gen_ai.usage.output_tokens.reasoning"): AdditiveTokens(1000, 0, 0, 140, 60),
    ("total_tokens", "gen_ai.usage.total_tokens"): AdditiveTokens(1000, 0, 0, 200, 0),
}
TEXT_KEYS = {
    ("operation", "gen_ai.operation.name"),
    ("operation", "llm.request.type"),
    ("provider", "gen_ai.provider.name"),
    ("provider", "gen_ai.system"),
    ("request_model", "gen_ai.request.model"),
    ("response_model", "gen_ai.response.model"),
    ("response_id", "gen_ai.response.id"),
    ("address", "server.address"),
    ("address", "net.peer.name"),
    ("rule", "gen_ai.aggregated_usage.input_tokens"),
    ("rule", "gen_ai.aggregated_usage.output_tokens"),
    ("rule", "gen_ai.request.model"),
    ("rule", "traceloop.span.kind"),
}
ALL = known_dialects().all
EVERY_KEY = [(dialect, name, key) for dialect in ALL for name, keys in dialect.keys.items() for key in keys]
TELL_WHAT_OTHERS_COVER = COUNT_FIELDS[len(COUNT_NAMES) :]
COUNTS = [case for case in EVERY_KEY if case[1] in COUNT_FIELDS]
NEIGHBOURS = [
    (dialect, name, better, worse)
    for dialect in ALL
    for name, keys in dialect.keys.items()
    for better, worse in pairwise(keys)
]


def case_id(part: object) -> str:
    return part.name if isinstance(part, Dialect) else str(part)


def of_name(name: str) -> Dialect:
    (found,) = [dialect for dialect in ALL if dialect.name == name]
    return found


def carried(values: Mapping[str, object]) -> dict[str, object]:
    """Attributes that carry values under keys, of which some are members of JSON texts."""
    attributes: dict[str, object] = {}
    trees: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        holder, mark, path = key.partition(PATH_MARK)
        if not mark:
            attributes[key] = value
            continue
        inner = trees.setdefault(holder, {})
        *above, last = path.split(".")
        for name in above:
            deeper = inner.setdefault(name, {})
            assert isinstance(deeper, dict)
            inner = deeper
        inner[last] = value
    return attributes | {holder: json.dumps(tree) for holder, tree in trees.items()}


def read_alone(dialect: Dialect, values: Mapping[str, object]) -> GenAiReading:
    """What a span says whose scope has this dialect, of which the rules are left aside."""
    bare = replace(dialect, scopes=("only",), rules=())
    reading = SpanReader(dialects=Dialects((bare,))).read(span_with(carried(values), scope="only.scope"))
    assert reading is not None
    return reading


def call_of(dialect: Dialect, *without: str) -> dict[str, object]:
    """A chat under the first keys of a dialect, but for the fields that are asked for."""
    said = {
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o",
        "input_tokens": 1000,
        "output_tokens": 200,
    }
    return {dialect.keys[name][0]: value for name, value in said.items() if name not in without and dialect.keys[name]}


def test_every_key_of_the_general_dialect_has_a_case_here() -> None:
    general = of_name("gen-ai")
    by_text, by_presence = general.condition_keys()
    table = {(name, key) for name, keys in general.keys.items() for key in keys}
    assert table | {("rule", key) for key in (*by_text, *by_presence)} == set(COUNT_KEYS) | TEXT_KEYS


@pytest.mark.parametrize(("dialect", "name", "key"), COUNTS, ids=case_id)
def test_each_count_key_of_each_dialect_is_read_for_its_field(dialect: Dialect, name: str, key: str) -> None:
    counts = read_alone(dialect, {**call_of(dialect, name), key: 60}).counts
    expected = {"input_tokens": 1000, "output_tokens": 200, name: 60}
    assert counts == tuple(expected.get(each) for each in COUNT_NAMES)


@pytest.mark.parametrize(("dialect", "name", "key"), [case for case in EVERY_KEY if case not in COUNTS], ids=case_id)
def test_each_text_key_of_each_dialect_is_read_for_its_field(dialect: Dialect, name: str, key: str) -> None:
    reading = read_alone(dialect, {**call_of(dialect, name), key: TEXTS[name]})
    assert heard(reading, name) == TEXTS[name]


@pytest.mark.parametrize(("dialect", "name", "better", "worse"), NEIGHBOURS, ids=case_id)
def test_of_two_keys_for_one_thing_the_first_is_read(dialect: Dialect, name: str, better: str, worse: str) -> None:
    one, other = (60, 77) if name in COUNT_FIELDS else (TEXTS[name], OTHER_TEXTS[name])
    cases = ({worse: other, better: one}, {better: one}, {better: other})
    both, first, second = (heard(read_alone(dialect, {**call_of(dialect, name), **case}), name) for case in cases)
    assert both == first
    if name not in TELL_WHAT_OTHERS_COVER:
        assert both != second


TEXTS = {
    "operation": "embeddings",
    "provider": "groq",
    "request_model": "o3",
    "response_model": "o3",
    "response_id": "resp-1",
    "address": "127.0.0.1",
}
OTHER_TEXTS = {**TEXTS, "operation": "chat", "provider": "deepseek", "request_model": "o4", "response_model": "o4"}
OTHER_TEXTS |= {"response_id": "resp-2", "address": "api.openai.com"}


def heard(reading: GenAiReading, name: str) -> object:
    """What came of a field: of a text what it was taken for, of a count the tokens and what was assumed of them."""
    if name in COUNT_FIELDS:
        return reading.counts, reading.tokens, reading.codes
    profile = reading.profile
    found = {
        "operation": profile.operation,
        "provider": profile.provider,
        "request_model": profile.request_model,
        "response_model": profile.model,
        "response_id": reading.response_id,
        "address": "127.0.0.1" if profile.region.private_host else "",
    }
    return found[name]


@pytest.mark.parametrize(("case", "tokens"), COUNT_KEYS.items(), ids=[case[1] for case in COUNT_KEYS])
def test_each_count_key_is_read(case: tuple[str, str], tokens: AdditiveTokens) -> None:
    field, key = case
    others = {name: count for name, count in USAGE.items() if not name.endswith(f".{field}")}
    assert read({**CHAT, **others, key: 60}).tokens == tokens


@pytest.mark.parametrize("key", ["gen_ai.provider.name", "gen_ai.system"])
def test_each_provider_key_is_read(key: str) -> None:
    reading = read({"gen_ai.operation.name": "chat", key: "groq"})
    assert reading.profile.provider == "groq"


@pytest.mark.parametrize("key", ["gen_ai.operation.name", "llm.request.type"])
def test_each_operation_key_is_read(key: str) -> None:
    assert read({**USAGE, "gen_ai.request.model": "o3", key: "completion"}).profile.operation == "text_completion"


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
        ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.input_tokens.cached"),
        ("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.input_tokens.cache_write"),
        ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        ("gen_ai.usage.reasoning_tokens", "gen_ai.usage.output_tokens.reasoning"),
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


def test_the_operation_is_read_without_regard_to_case() -> None:
    assert read({**CHAT, "gen_ai.operation.name": "Chat"}).profile.operation == "chat"


def test_the_tenant_is_read_from_the_key_that_is_asked_for() -> None:
    span = span_with({**CHAT, "app.team": "search", ours.TENANT: "other"})
    reading = SpanReader("app.team").read(span)
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
    assert READER.read(span_with(attributes)) is None


def test_a_provider_with_counts_is_a_call_even_when_nothing_else_is_named() -> None:
    assert READER.read(span_with({"gen_ai.system": "openai", **USAGE})) is not None


@pytest.mark.parametrize("status", ours.STATUS_VALUES)
def test_the_verdict_of_an_earlier_hop_is_read(status: str) -> None:
    assert read({**CHAT, **USAGE, ours.STATUS: status}).profile.judged == status


@pytest.mark.parametrize("status", ["", "done", 1, True, ("estimated",)])
def test_a_status_that_we_never_write_is_no_verdict(status: object) -> None:
    assert read({**CHAT, **USAGE, ours.STATUS: status}).profile.judged == ""


def test_tenants_that_merely_compare_equal_keep_their_names() -> None:
    assert [read({**CHAT, ours.TENANT: tenant}).profile.tenant for tenant in (1, True)] == ["1", "True"]
