"""How much of a price catalogue's models the registry knows: itself, its family, its size class."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from genai_prices.data_snapshot import get_snapshot

import otel_carbon.methods
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.ladder import ALIAS, EXACT, FAMILY, SIZE_CLASS, match_model

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVELOPERS = (
    "openai",
    "anthropic",
    "google",
    "mistral",
    "cohere",
    "deepseek",
    "x-ai",
    "groq",
    "together",
    "azure",
    "aws",
)
STEPS = (EXACT, ALIAS, FAMILY, SIZE_CLASS, "generic")
TEST_ENTRIES = {"--"}
"""Lines of the catalogue that name no model."""


def catalogue() -> dict[str, list[str]]:
    """The ids of the installed catalogue by provider; `regional.` is its own word for a Bedrock geography."""
    return {
        provider.id: [model.id.replace("regional.", "us.") for model in provider.models if model.id not in TEST_ENTRIES]
        for provider in get_snapshot().providers
    }


def steps(ids: list[str]) -> Counter[str]:
    """How many ids are found at which step; those that handle no text are left out."""
    found: Counter[str] = Counter()
    for model_id in ids:
        matches = [match_model(Registry.bundled(), model_id, each, None) for each in ("chat", "embeddings")]
        kinds = [match.kind for match in matches if match is not None]
        if kinds:
            found[min(kinds, key=STEPS.index)] += 1
    return found


def share(found: Counter[str], *kinds: str) -> float:
    """The part that was found at one of these steps."""
    return sum(found[kind] for kind in kinds) / found.total()


@pytest.fixture(scope="module")
def by_provider() -> dict[str, Counter[str]]:
    return {provider: steps(ids) for provider, ids in catalogue().items()}


def table(by_provider: dict[str, Counter[str]]) -> Iterator[str]:
    """The coverage as text, one provider a line."""
    yield f"{'provider':26}{'ids':>6}" + "".join(f"{step:>12}" for step in STEPS)
    for provider, found in by_provider.items():
        if found.total():
            shares = "".join(f"{100 * share(found, step):11.1f}%" for step in STEPS)
            yield f"{provider:26}{found.total():6}{shares}"


def test_the_main_providers_are_known_by_model_or_family(
    by_provider: dict[str, Counter[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + "\n".join(table(by_provider)))  # noqa: T201 - the table is what the test is read for
    together: Counter[str] = Counter()
    for provider in DEVELOPERS:
        together += by_provider[provider]
    assert together.total() > 450
    assert share(together, EXACT, ALIAS) >= 0.60
    assert share(together, EXACT, ALIAS, FAMILY) >= 0.98


def test_openrouter_is_known_by_model_family_or_size_class(by_provider: dict[str, Counter[str]]) -> None:
    found = by_provider["openrouter"]
    assert found.total() > 800
    assert share(found, EXACT, ALIAS, FAMILY, SIZE_CLASS) >= 0.95


def test_every_model_that_ecologits_has_retired_is_known_itself() -> None:
    path = Path(otel_carbon.methods.__path__[0]) / "data/ecologits/retired_models.json"
    ids = [name.partition("/")[2] for name in json.loads(path.read_text(encoding="utf-8"))["models"]]
    assert len(ids) == 125
    found = {model: match_model(Registry.bundled(), model, "chat", None) for model in ids}
    assert [model for model, match in found.items() if match is None or match.kind not in (EXACT, ALIAS)] == []


@pytest.mark.parametrize(
    ("spelling", "model"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet-20240620"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("openrouter/openai/gpt-4o-mini", "gpt-4o-mini"),
        ("azure/gpt-4o-2024-11-20", "gpt-4o"),
        ("gpt-35-turbo-16k", "gpt-3.5-turbo-16k"),
        ("meta-llama/llama-3.1-70b-instruct:free", "llama-3.1-70b"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-3.1-8b"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("mistralai/mistral-large-2407", "mistral-large-2407"),
    ],
)
def test_a_spelling_of_a_gateway_is_the_model_itself(spelling: str, model: str) -> None:
    found, wanted = (match_model(Registry.bundled(), name, "chat", None) for name in (spelling, model))
    assert found is not None
    assert wanted is not None
    assert (found.fact.id, found.kind in (EXACT, ALIAS)) == (wanted.fact.id, True)


@pytest.mark.parametrize(
    ("model", "other"),
    [("gpt-4-turbo", "gpt-4"), ("gpt-4o-mini", "gpt-4o"), ("o1-preview", "o1"), ("claude-3-5-haiku", "claude-3-haiku"),
     ("gemini-2.5-flash-lite", "gemini-2.5-flash"), ("gpt-5-mini", "gpt-5"), ("llama-3.1-8b", "llama-3.1-70b")],
)  # fmt: skip
def test_a_similar_name_is_another_model(model: str, other: str) -> None:
    found, wanted = (match_model(Registry.bundled(), name, "chat", None) for name in (model, other))
    assert found is not None
    assert wanted is not None
    assert found.fact.id != wanted.fact.id
