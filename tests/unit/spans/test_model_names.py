"""Model names as spans carry them: prefixes, ARNs of Bedrock, and the user's map of deployments."""

from __future__ import annotations

import pytest

from otel_carbon.spans.model_names import mapped_model, named_model
from otel_carbon.spans.read import SpanReader
from tests.unit.spans.chat_spans import CHAT, USAGE, read, span_with

BEDROCK = "arn:aws:bedrock:eu-central-1:123456789012:"
SONNET = "anthropic.claude-3-5-sonnet-20240620-v1:0"
MAP = {"prod-chat": "gpt-4o", "azure.ai.openai/prod-chat": "gpt-4o-mini", "empty": ""}


@pytest.mark.parametrize(
    ("spelled", "model"),
    [
        ("gpt-4o", "gpt-4o"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("publishers/models/gemini", "publishers/models/gemini"),
        ("openai/gpt-4o", "openai/gpt-4o"),
        (SONNET, SONNET),
        (f"arn:aws:bedrock:eu-central-1::foundation-model/{SONNET}", SONNET),
        (f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{SONNET}", SONNET),
        (f"{BEDROCK}inference-profile/eu.{SONNET}", f"eu.{SONNET}"),
        (f"{BEDROCK}async-invoke-model/{SONNET}", SONNET),
        ("", ""),
    ],
)
def test_a_name_is_reduced_to_that_of_the_model(spelled: str, model: str) -> None:
    assert named_model(spelled) == model


@pytest.mark.parametrize(
    "resource",
    [
        "application-inference-profile/a1b2c3d4e5f6",
        "provisioned-model/a1b2c3d4e5f6",
        "custom-model/my-model/a1b2c3d4e5f6",
        "custom-model-deployment/a1b2c3d4e5f6",
        "imported-model/a1b2c3d4e5f6",
        "prompt-router/a1b2c3d4e5f6",
        "prompt/A1B2C3:1",
        "agent/A1B2C3",
        "foundation-model",
        "",
    ],
)
def test_an_aws_resource_that_only_stands_for_a_model_names_none(resource: str) -> None:
    assert named_model(BEDROCK + resource) == ""


@pytest.mark.parametrize(
    "arn", ["arn:", "arn:aws", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/llama", "arn:::::"]
)
def test_other_arns_and_broken_ones_name_none(arn: str) -> None:
    assert named_model(arn) == ""


@pytest.mark.parametrize(
    ("provider", "model", "behind"),
    [
        ("azure.ai.openai", "prod-chat", "gpt-4o-mini"),
        ("openai", "prod-chat", "gpt-4o"),
        ("", "prod-chat", "gpt-4o"),
        ("openai", "gpt-4o", ""),
        ("openai", "empty", ""),
        ("openai", "", ""),
    ],
)
def test_a_name_behind_its_provider_wins_over_the_name_alone(provider: str, model: str, behind: str) -> None:
    assert mapped_model(provider, model, MAP) == behind
    assert mapped_model(provider, model, {}) == ""


@pytest.mark.parametrize(
    ("names", "model"),
    [
        ({"gen_ai.request.model": "prod-chat"}, "gpt-4o"),
        ({"gen_ai.request.model": "prod-chat", "gen_ai.provider.name": "azure"}, "gpt-4o-mini"),
        ({"gen_ai.request.model": "prod-chat", "gen_ai.response.model": "unheard-of"}, "gpt-4o"),
        ({"gen_ai.request.model": "o3", "gen_ai.response.model": "prod-chat"}, "gpt-4o"),
        ({"gen_ai.request.model": "o3"}, "o3"),
    ],
)
def test_a_span_is_read_with_the_model_behind_its_deployment(names: dict[str, object], model: str) -> None:
    reading = SpanReader(models=MAP).read(span_with({**CHAT, **USAGE, **names}))
    assert reading is not None
    assert reading.profile.model == model


def test_an_arn_that_names_none_leaves_the_word_to_the_other_model() -> None:
    arn = BEDROCK + "application-inference-profile/a1b2c3d4e5f6"
    assert read({**CHAT, "gen_ai.request.model": arn, "gen_ai.response.model": SONNET}).profile.model == SONNET
    assert read({**CHAT, "gen_ai.request.model": SONNET, "gen_ai.response.model": arn}).profile.model == SONNET
    assert read({**CHAT, "gen_ai.request.model": arn}).profile.model == ""
