"""The data on usage metrics says only what code understands."""

from __future__ import annotations

import tomllib

from otel_carbon.spans.dialect import EFFECTS, TEXT_FIELDS
from otel_carbon.usage_metrics.sources import COUNTS, SOURCES, known_metrics


def test_every_metric_counts_what_is_understood() -> None:
    for metric in known_metrics().values():
        assert set(metric.counts.values()) <= set(COUNTS), metric.name
        assert metric.calls in ("", *metric.counts.values()), metric.name
        assert bool(metric.by) == ("" not in metric.counts), metric.name
        assert set(metric.family.keys) == set(TEXT_FIELDS), metric.name


def test_families_replace_families_that_exist() -> None:
    families = {metric.family.name for metric in known_metrics().values()}
    assert {name for metric in known_metrics().values() for name in metric.family.replaces} <= families


def test_families_say_what_their_input_covers_in_the_words_of_dialects() -> None:
    records = tomllib.loads(SOURCES.read_text(encoding="utf-8"))["family"]
    assert {record.get("input", "includes_cache") for record in records} <= set(EFFECTS["input"])
    assert {metric.family.name for metric in known_metrics().values() if metric.family.excludes_cache} == {
        "claude-code"
    }


def test_the_values_of_an_attribute_that_are_not_known_count_nothing() -> None:
    metric = known_metrics()["gen_ai.client.token.usage"]
    assert metric.count_of({"gen_ai.token.type": "input"}) == "input_tokens"
    assert [metric.count_of({"gen_ai.token.type": said}) for said in ("total", 3, ("input",))] == ["", "", ""]
    assert metric.count_of({}) == ""


def test_the_spelling_of_a_model_tells_where_claude_code_ran_it() -> None:
    family = known_metrics()["claude_code.token.usage"].family
    spelled = {
        "claude-sonnet-4-5-20250929": "anthropic",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0": "aws.bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2": "aws.bedrock",
        "claude-sonnet-4-5@20250929": "gcp.vertex_ai",
    }
    assert {model: family.provider_by_model(model) for model in spelled} == spelled
