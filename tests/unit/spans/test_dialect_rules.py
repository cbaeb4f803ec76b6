"""Dialects as data, on small ones made by hand: when a rule holds, which one counts, and of whose spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.core import reasons
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.spans.dialect import Condition, Dialects, Rule, dialects_from
from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.role import Role
from otel_carbon.spans.view import KIND_CLIENT, KIND_INTERNAL
from tests.unit.spans.chat_spans import span_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.read import GenAiReading

KEYS = {
    "operation": ["op"],
    "provider": ["who"],
    "request_model": ["model"],
    "input_tokens": ["in", "usage#in"],
    "output_tokens": ["out"],
    "cache_read_tokens": ["cached"],
    "total_tokens": ["total"],
}
CALL: Mapping[str, object] = {"op": "chat", "who": "acme", "model": "one", "in": 1000, "out": 200}


def record(name: str = "small", **changes: Any) -> dict[str, Any]:
    """The compiled form of a dialect for scopes under its name."""
    empty = {"markers": ["op"], "telltale": [f"{name}.told"], "trust": 1, "operations": {}, "rules": []}
    return {"name": name, "scopes": [name], "keys": KEYS, **empty, **changes}


def rule(when: Mapping[str, Any], **effects: str) -> dict[str, Any]:
    return {"when": dict(when), **effects}


def try_read(
    dialects: Dialects, attributes: Mapping[str, object], *, scope: str = "small", **span: Any
) -> GenAiReading | None:
    return SpanReader(dialects=dialects).read(span_with(attributes, scope=scope, **span))


def read_by(rules: list[dict[str, Any]], attributes: Mapping[str, object], **span: Any) -> GenAiReading:
    """What a span says under rules."""
    reading = try_read(dialects_from([record(rules=rules)]), attributes, **span)
    assert reading is not None
    return reading


def held(when: Mapping[str, Any], attributes: Mapping[str, object], **span: Any) -> bool:
    """Whether a rule with these conditions holds of a call with these attributes; `None` takes one away."""
    merged = {key: value for key, value in {**CALL, **attributes}.items() if value is not None}
    return read_by([rule(when, provider="it holds")], merged, **span).profile.provider == "it holds"


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        (True, "text", True),
        (True, "", True),
        (True, 0, True),
        (True, False, True),
        (True, None, False),
        (False, None, True),
        (False, "text", False),
        (False, False, False),
        (("text",), "text", True),
        (("text",), "Text", False),
        (("text",), "texts", False),
        (("te*",), "text", True),
        (("*.text", "text.*"), "text.more", True),
        (("*.text", "text.*"), "a.text", True),
        (("*.text", "text.*"), "text", False),
        (("*",), None, False),
        ((), "text", False),
        (("true",), True, True),
        (("false",), False, True),
        (("True",), True, False),
        (("true",), "true", True),
        (("1",), 1, True),
        (("1",), True, False),
        (("1.5",), 1.5, True),
    ],
    ids=str,
)
def test_a_condition_asks_for_presence_absence_or_a_pattern(
    wanted: bool | tuple[str, ...], found: object, expected: bool
) -> None:
    assert Condition("key", wanted).holds(found) is expected
    listed = wanted if isinstance(wanted, bool) else list(wanted)
    assert held({"key": listed}, {"key": found}) is expected


def test_a_rule_holds_when_all_of_its_conditions_do() -> None:
    both = {"a": True, "b": ["yes"]}
    cases: list[dict[str, object]] = [{"a": 1, "b": "yes"}, {"a": 1, "b": "no"}, {"b": "yes"}, {}]
    assert [held(both, case) for case in cases] == [True, False, False, False]
    assert Rule((), {}).holds({})
    assert held({}, {})


@pytest.mark.parametrize(
    ("when", "attributes", "expected"),
    [
        ({"@counts": True}, {}, True),
        ({"@counts": True}, {"in": None}, True),
        ({"@counts": False}, {"in": None, "out": None}, True),
        ({"@counts": False}, {}, False),
        ({"@counts": True}, {"in": None, "out": None, "cached": 5}, False),
        ({"@model": True}, {}, True),
        ({"@model": ["on*"]}, {}, True),
        ({"@model": False}, {"model": None}, True),
        ({"@provider": ["acme"]}, {}, True),
        ({"@provider": ["aws.bedrock"]}, {"who": "Bedrock"}, True),
        ({"@provider": False}, {"who": None}, True),
        ({"@operation": ["chat"]}, {"op": "Chat"}, True),
        ({"@operation": False}, {"op": None}, True),
        ({"@failed": True}, {"error.type": "timeout"}, True),
        ({"@failed": True}, {}, False),
        ({"@failed": False}, {}, True),
        ({"@scope": ["small"]}, {}, True),
        ({"@scope": ["other", "sm*"]}, {}, True),
        ({"@scope": ["other"]}, {}, False),
        ({"@scope_version": True}, {}, False),
        ({"@kind": ["client"]}, {}, True),
        ({"@kind": ["internal", "server"]}, {}, False),
        ({"usage#in": True}, {"in": None, "usage": '{"in": 5}'}, True),
        ({"usage#in": True}, {"usage": "no JSON"}, False),
        ({"usage#in": False}, {"usage": '{"out": 5}'}, True),
    ],
    ids=str,
)
def test_rules_may_ask_for_what_follows_from_a_span(
    when: dict[str, Any], attributes: dict[str, object], expected: bool
) -> None:
    assert held(when, attributes) is expected


@pytest.mark.parametrize(("version", "expected"), [("1.33.9", True), ("1.34.0", False), ("", False)])
def test_rules_may_ask_for_the_version_of_the_scope(version: str, expected: bool) -> None:
    assert held({"@scope_version": ["1.33.*"]}, {}, scope_version=version) is expected


def test_spans_that_differ_only_in_what_a_rule_asks_for_are_told_apart_by_one_reader() -> None:
    when = {"@kind": ["client"], "@failed": False, "flag": True, "text": ["yes"], "@scope_version": ["2*"]}
    reader = SpanReader(dialects=dialects_from([record(rules=[rule(when, provider="it holds")])]))
    fits: dict[str, Any] = {"kind": KIND_CLIENT, "failed": False, "scope_version": "2.1", "scope": "small"}
    more = {**CALL, "flag": 1, "text": "yes"}
    spans = [
        span_with(more, **fits),
        span_with(more, **{**fits, "kind": KIND_INTERNAL}),
        span_with(more, **{**fits, "failed": True}),
        span_with(more, **{**fits, "scope_version": "1.0"}),
        span_with({**more, "text": "no"}, **fits),
        span_with({**CALL, "text": "yes"}, **fits),
        span_with(more, **fits),
    ]
    readings = [reader.read(span) for span in spans]
    held_by = [reading.profile.provider == "it holds" for reading in readings if reading]
    assert held_by == [True, False, False, False, False, False, True]


def test_of_two_rules_about_one_matter_the_first_that_holds_counts() -> None:
    rules = [
        rule({"never": True}, provider="absent"),
        rule({"a": True}, provider="first"),
        rule({}, provider="last", operation="embeddings"),
    ]
    profiles = [read_by(rules, {**CALL, **more}).profile for more in ({"a": 1}, {})]
    assert [profile.provider for profile in profiles] == ["first", "last"]
    assert [profile.operation for profile in profiles] == ["embeddings", "embeddings"]  # the first is silent on it


@pytest.mark.parametrize(
    ("ruled", "role"),
    [("inference", Role.INFERENCE), ("aggregate", Role.AGGREGATE), ("other", Role.OTHER)],
)
def test_a_rule_decides_the_role_against_the_operation(ruled: str, role: Role) -> None:
    for operation in ("chat", "plan", "execute_tool"):
        assert read_by([rule({}, role=ruled)], {**CALL, "op": operation}).profile.role is role


def test_a_span_without_a_role_is_nobodys() -> None:
    dialects = dialects_from([record(rules=[rule({"pending": True}, role="none")])])
    assert try_read(dialects, {**CALL, "pending": True}) is None
    assert try_read(dialects, CALL) is not None


@pytest.mark.parametrize(
    ("word", "reason"),
    [("none", reasons.NO_USAGE), ("invented", reasons.INVENTED_USAGE), ("cache_hit", reasons.CACHE_HIT)],
)
def test_counts_that_are_no_usage_are_not_read(word: str, reason: str) -> None:
    reading = read_by([rule({}, usage=word)], CALL)
    assert (reading.counts, reading.tokens) == (None, None)
    assert reading.problem is not None
    assert reading.problem.reason == reason


def test_a_rule_says_what_the_input_covers() -> None:
    more = {**CALL, "cached": 600}
    assert read_by([rule({}, input="includes_cache")], more).tokens == AdditiveTokens(1000 - 600, 600, 0, 200, 0)
    assert read_by([rule({}, input="excludes_cache")], more).tokens == AdditiveTokens(1000, 600, 0, 200, 0)
    assert read_by([rule({}, input="by_total")], {**more, "total": 1800}).tokens == AdditiveTokens(1000, 600, 0, 200, 0)


def test_zeros_are_nothing_known_only_where_a_rule_says_so() -> None:
    zeros = {**CALL, "in": 0, "out": 0}
    assert read_by([], zeros).counts == (0, 0, None, None, None)
    unknown = read_by([rule({}, zeros="unknown")], zeros)
    assert unknown.problem is not None
    assert unknown.problem.reason == reasons.NO_USAGE
    assert read_by([rule({}, zeros="unknown")], {**zeros, "out": 1}).counts == (0, 1, None, None, None)


def test_what_a_rule_assumes_is_told_with_the_counts() -> None:
    assert read_by([rule({}, assume="output_counted_high")], CALL).codes == ("output_counted_high",)
    assert read_by([], CALL).codes == ()


def test_the_own_words_of_a_dialect_become_those_of_the_conventions() -> None:
    dialects = dialects_from([record(operations={"llm": "chat", "vectors": "embeddings"})])
    found = [try_read(dialects, {**CALL, "op": word}) for word in ("LLM", "vectors", "chat")]
    assert [reading.profile.operation for reading in found if reading] == ["chat", "embeddings", "chat"]


def test_the_longest_scope_of_all_dialects_wins_in_any_order() -> None:
    records = [record("short", scopes=["lib"]), record("long", scopes=["lib.llm", "else"]), record("no", scopes=[])]
    for ordered in (records, records[::-1]):
        of_scope = dialects_from(ordered).of_scope
        found = {name: of_scope(name) for name in ("lib", "lib.web", "lib.llm", "lib.llm.openai", "else", "li", "")}
        assert {name: dialect.name if dialect else "" for name, dialect in found.items()} == {
            "lib": "short",
            "lib.web": "short",
            "lib.llm": "long",
            "lib.llm.openai": "long",
            "else": "long",
            "li": "",
            "": "",
        }


@pytest.mark.parametrize("scope", ["ai", "ai.x", "ai/x", "ai-x", "ai:x", "ai@1"])
def test_a_scope_may_have_more_parts_than_the_dialect_names(scope: str) -> None:
    assert dialects_from([record(scopes=["ai"])]).of_scope(scope) is not None


@pytest.mark.parametrize("scope", ["aiohttp", "ai_x", "AI", "x.ai", "a", ""])
def test_a_scope_that_only_begins_with_the_same_letters_is_another(scope: str) -> None:
    assert dialects_from([record(scopes=["ai"])]).of_scope(scope) is None


def test_a_scope_that_ends_in_a_slash_takes_every_package_below() -> None:
    dialects = dialects_from([record(scopes=["@vendor/"])])
    assert dialects.of_scope("@vendor/instrumentation-openai") is not None
    assert dialects.of_scope("@vendors/other") is None


def test_a_span_of_an_unknown_scope_is_read_by_the_first_dialect_that_it_tells_of() -> None:
    dialects = dialects_from([record("one"), record("two"), record("three", telltale=["op"])])
    cases: list[tuple[dict[str, object], str]] = [
        ({"two.told": 1}, "two"),
        ({"one.told": 1, "two.told": 1}, "one"),
        ({}, "three"),
        ({"one.told": False}, "one"),
    ]
    for more, expected in cases:
        reading = try_read(dialects, {**CALL, **more}, scope="my.app")
        assert reading is not None
        assert reading.profile.dialect == expected


def test_a_span_of_an_unknown_scope_without_a_telltale_is_nobodys() -> None:
    dialects = dialects_from([record()])
    assert try_read(dialects, CALL, scope="my.app") is None
    assert try_read(dialects, CALL, scope="small") is not None


def test_a_known_scope_wins_over_the_telltale_of_another_dialect() -> None:
    reading = try_read(dialects_from([record("one"), record("two")]), {**CALL, "one.told": 1}, scope="two")
    assert reading is not None
    assert reading.profile.dialect == "two"


def test_rules_about_a_scope_never_hold_for_unknown_ones() -> None:
    rules = [rule({"@scope": ["*"]}, provider="it holds")]
    dialects = dialects_from([record(rules=rules)])
    found = [try_read(dialects, {**CALL, "small.told": 1}, scope=scope) for scope in ("small", "small.x", "my.app")]
    assert [reading.profile.provider for reading in found if reading] == ["it holds", "it holds", "acme"]


def test_the_keys_that_rules_ask_for_are_sorted_by_whether_their_text_matters() -> None:
    rules = [rule({"a": True, "b": ["x"], "@counts": True}, role="other"), rule({"b": False, "c": False, "a": True})]
    (dialect,) = dialects_from([record(rules=rules)]).all
    assert dialect.condition_keys() == (("b",), ("a", "c"))


def test_what_must_stay_on_a_span_is_what_counts_and_models_are_read_from() -> None:
    dialects = dialects_from([record("one"), record("two", telltale=["op"])])
    assert dialects.telltale_keys == {"one.told", "op"}
    assert dialects.usage_keys == {"model", "in", "usage", "out", "cached", "total"}
