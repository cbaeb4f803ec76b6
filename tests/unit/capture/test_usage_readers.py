from __future__ import annotations

import json
from typing import Any

import pytest

from otel_carbon.capture import usage_readers as readers
from otel_carbon.capture.usage_readers import Shape, Usage, read_bedrock_headers
from otel_carbon.capture.wire.json_picker import pick


def told(shape: Shape, *texts: Any) -> Usage:
    usage = Usage()
    for text in texts:
        shape.take(usage, pick(json.dumps(text).encode(), shape.tree))
    return usage


def counts(usage: Usage) -> dict[str, int]:
    """The counts by the last parts of their names."""
    return {key.removeprefix("gen_ai.usage.").removesuffix("_tokens"): count for key, count in usage.counts().items()}


def test_openai_counts_cache_and_reasoning_within() -> None:
    usage = {
        "prompt_tokens": 120,
        "completion_tokens": 45,
        "total_tokens": 165,
        "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    found = told(readers.OPENAI, {"id": "r", "model": "m", "usage": usage})
    assert counts(found) == {
        "input": 120,
        "output": 45,
        "cache_read.input": 30,
        "cache_write.input": 10,
        "reasoning.output": 7,
    }
    assert (found.model, found.response_id, found.is_named) == ("m", "r", True)


def test_a_stream_of_responses_tells_all_within_the_response() -> None:
    usage = {"input_tokens": 120, "output_tokens": 45, "output_tokens_details": {"reasoning_tokens": 7}}
    found = told(readers.OPENAI, {"response": {"id": "r", "model": "m", "usage": usage}})
    assert counts(found) == {"input": 120, "output": 45, "reasoning.output": 7}
    assert (found.model, found.response_id) == ("m", "r")


@pytest.mark.parametrize(("total", "output"), [(172, 45 + 7), (165, 45)])
def test_reasoning_beside_the_completion_shows_in_the_total(total: int, output: int) -> None:
    details = {"reasoning_tokens": 7}
    usage = {"prompt_tokens": 120, "completion_tokens": 45, "total_tokens": total, "completion_tokens_details": details}
    assert counts(told(readers.OPENAI, {"usage": usage})) == {"input": 120, "output": output, "reasoning.output": 7}


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 120, "completion_tokens": 45, "prompt_cache_hit_tokens": 30, "prompt_cache_miss_tokens": 90},
        {"prompt_tokens": 120, "completion_tokens": 45, "cached_tokens": 30},
    ],
)
def test_some_who_answer_like_openai_tell_cache_elsewhere(usage: dict[str, int]) -> None:
    assert counts(told(readers.OPENAI, {"usage": usage})) == {"input": 120, "output": 45, "cache_read.input": 30}


def test_a_gateway_tells_what_it_wrote_to_a_cache_among_the_details() -> None:
    details = {"cached_tokens": None, "cache_creation_tokens": 10, "audio_tokens": 0}
    usage = {"prompt_tokens": 120, "completion_tokens": 45, "prompt_tokens_details": details, "cached_tokens": 30}
    found = counts(told(readers.OPENAI, {"usage": usage}))
    assert found == {"input": 120, "output": 45, "cache_read.input": 30, "cache_write.input": 10}


def test_more_reasoning_than_completion_is_beside_it() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 45, "total_tokens": 55, "reasoning_tokens": 700}
    found = counts(told(readers.OPENAI, {"usage": usage}))
    assert found == {"input": 10, "output": 745, "reasoning.output": 700}


@pytest.mark.parametrize("part", ["7", -7, 1e30, True, [7]])
def test_a_part_of_a_wrong_type_leaves_the_whole_as_it_is(part: object) -> None:
    details = {"reasoning_tokens": part, "cached_tokens": part}
    usage = {"prompt_tokens": 10, "completion_tokens": 45, "completion_tokens_details": details}
    found = counts(told(readers.OPENAI, {"usage": {**usage, "prompt_tokens_details": details}}))
    assert found == {"input": 10, "output": 45}


def test_groq_tells_a_streams_usage_under_its_own_name() -> None:
    usage = {"prompt_tokens": 120, "completion_tokens": 45}
    found = told(readers.OPENAI, {"id": "r", "model": "m"}, {"id": "r", "x_groq": {"id": "q", "usage": usage}})
    assert counts(found) == {"input": 120, "output": 45}


def test_anthropic_leaves_both_caches_out_of_its_input() -> None:
    usage = {
        "input_tokens": 80,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 10,
        "output_tokens": 45,
        "output_tokens_details": {"thinking_tokens": 7},
    }
    found = told(readers.ANTHROPIC, {"id": "msg", "model": "claude", "usage": usage})
    assert counts(found) == {
        "input": 80 + 30 + 10,
        "output": 45,
        "cache_read.input": 30,
        "cache_write.input": 10,
        "reasoning.output": 7,
    }


BEGUN = {
    "type": "message_start",
    "message": {
        "id": "msg",
        "model": "claude",
        "usage": {"input_tokens": 80, "cache_read_input_tokens": 30, "output_tokens": 1},
    },
}


def test_an_anthropic_stream_tells_its_output_at_the_end() -> None:
    found = told(readers.ANTHROPIC, BEGUN, {"type": "message_delta", "usage": {"output_tokens": 45}})
    assert counts(found) == {"input": 80 + 30, "output": 45, "cache_read.input": 30}


def test_an_anthropic_stream_that_was_cut_tells_no_output() -> None:
    assert counts(told(readers.ANTHROPIC, BEGUN)) == {"input": 80 + 30, "cache_read.input": 30}


def test_what_the_end_of_an_anthropic_stream_corrects_is_corrected() -> None:
    usage = {"input_tokens": 81, "cache_read_input_tokens": 31, "output_tokens": 45}
    found = told(readers.ANTHROPIC, BEGUN, {"type": "message_delta", "usage": usage})
    assert counts(found) == {"input": 81 + 31, "output": 45, "cache_read.input": 31}


def test_gemini_leaves_thoughts_out_of_its_output_and_tools_out_of_its_prompt() -> None:
    usage = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 20,
        "candidatesTokenCount": 38,
        "thoughtsTokenCount": 7,
        "cachedContentTokenCount": 30,
        "totalTokenCount": 165,
    }
    found = told(readers.GEMINI, {"responseId": "r", "modelVersion": "m", "usageMetadata": usage})
    assert counts(found) == {"input": 100 + 20, "output": 38 + 7, "cache_read.input": 30, "reasoning.output": 7}


def test_of_a_gemini_stream_the_last_usage_counts() -> None:
    early, late = {"promptTokenCount": 9}, {"promptTokenCount": 9, "candidatesTokenCount": 5}
    assert counts(told(readers.GEMINI, {"usageMetadata": early}, {"usageMetadata": late})) == {"input": 9, "output": 5}
    assert counts(told(readers.GEMINI, {"usageMetadata": early})) == {"input": 9}


def test_cohere_tells_what_it_processed_and_what_it_bills() -> None:
    tokens, billed = {"input_tokens": 120.0, "output_tokens": 45.0}, {"input_tokens": 60.0, "output_tokens": 41.0}
    both = {
        "type": "message-end",
        "delta": {"usage": {"tokens": tokens, "billed_units": billed, "cached_tokens": 30.0}},
    }
    assert counts(told(readers.COHERE, both)) == {"input": 120, "output": 45, "cache_read.input": 30}
    assert counts(told(readers.COHERE, {"usage": {"billed_units": billed}})) == {"input": 60, "output": 41}
    assert counts(told(readers.COHERE, {"meta": {"billed_units": {"input_tokens": 9}}})) == {"input": 9}


def test_converse_leaves_both_caches_out_of_its_input() -> None:
    usage = {"inputTokens": 80, "outputTokens": 45, "cacheReadInputTokens": 30, "cacheWriteInputTokens": 10}
    expected = {"input": 120, "output": 45, "cache_read.input": 30, "cache_write.input": 10}
    assert counts(told(readers.BEDROCK_CONVERSE, {"usage": usage})) == expected
    assert counts(told(readers.BEDROCK_INVOKE, {"usage": usage})) == expected


def test_what_bedrock_counts_stands_over_what_a_model_said() -> None:
    metrics = {"inputTokenCount": 80, "outputTokenCount": 45, "cacheReadInputTokenCount": 30}
    found = told(readers.BEDROCK_INVOKE, BEGUN, {"type": "message_stop", readers.INVOCATION_METRICS: metrics})
    assert counts(found) == {"input": 80 + 30, "output": 45, "cache_read.input": 30}


def test_bedrock_tells_counts_in_headers_too() -> None:
    usage = Usage()
    read_bedrock_headers(
        usage,
        {
            "x-amzn-bedrock-input-token-count": "80",
            "x-amzn-bedrock-output-token-count": "45",
            "x-amzn-bedrock-cache-read-input-token-count": "30",
            "x-amzn-bedrock-cache-write-input-token-count": "many",
        },
    )
    assert counts(usage) == {"input": 80 + 30, "output": 45, "cache_read.input": 30}


WRONG = ["120", "many", 1.5, -1, True, [120], {"n": 120}, 10**9]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    ("shape", "holder", "given", "output"),
    [
        (readers.OPENAI, "usage", "prompt_tokens", "completion_tokens"),
        (readers.OPENAI, "usage", "completion_tokens", "prompt_tokens"),
        (readers.ANTHROPIC, "usage", "input_tokens", "output_tokens"),
        (readers.ANTHROPIC, "usage", "output_tokens", "input_tokens"),
        (readers.GEMINI, "usageMetadata", "promptTokenCount", "candidatesTokenCount"),
        (readers.BEDROCK_CONVERSE, "usage", "outputTokens", "inputTokens"),
        (readers.BEDROCK_INVOKE, readers.INVOCATION_METRICS, "outputTokenCount", "inputTokenCount"),
    ],
)
def test_a_count_of_a_wrong_type_makes_all_of_them_none(
    shape: Shape, holder: str, given: str, output: str, wrong: object
) -> None:
    assert counts(told(shape, {holder: {given: wrong, output: 45}})) == {}


@pytest.mark.parametrize("usage", [None, [], "120", 120, {}, {"prompt_tokens": None}, {"unknown": 1}])
@pytest.mark.parametrize(
    "shape", [readers.OPENAI, readers.ANTHROPIC, readers.COHERE, readers.OLLAMA, readers.BEDROCK_CONVERSE]
)
def test_a_usage_object_that_is_none_tells_nothing(shape: Shape, usage: object) -> None:
    assert (
        counts(told(shape, {"usage": usage, "usageMetadata": usage, "eval_count": usage if usage == [] else None}))
        == {}
    )


def test_ollama_tells_counts_beside_everything_else() -> None:
    found = told(
        readers.OLLAMA, {"model": "m"}, {"model": "m", "done": True, "prompt_eval_count": 120, "eval_count": 45}
    )
    assert counts(found) == {"input": 120, "output": 45}
    assert counts(told(readers.OLLAMA, {"model": "m", "eval_count": "45"})) == {}


def test_names_are_cut_to_a_bound_and_of_the_right_type() -> None:
    found = told(readers.OPENAI, {"id": ["r"], "model": "m" * 1000})
    assert (found.response_id, len(found.model)) == ("", readers.MAX_NAME_CHARACTERS)
    found = told(readers.OPENAI, {"id": "r", "model": "m"}, {"id": "", "model": None})
    assert (found.response_id, found.model) == ("r", "m")
