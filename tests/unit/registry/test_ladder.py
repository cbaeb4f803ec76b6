"""From a model id to its energy, step by step down: itself, another spelling, family, size class, any model."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest

import otel_carbon.registry
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import parse_compiled, read_bundled
from otel_carbon.registry.facts import Fallback
from otel_carbon.registry.ladder import known_model, match_model

METHOD = (Path(otel_carbon.registry.__path__[0]) / "data/method.yaml").read_text(encoding="utf-8")
FACTS = """\
version: test-1
sources:
  nine-2026: {accessed: 2026-11-20, licence: own data, producer: Nine, redistributable: facts, title: Sizes,
    url: https://nine.example, year: 2026}
shared:
  published: 2026-11-20
  sources: [nine-2026]
  valid_from: 2026-01-01
facts:
  energy/nine/nine-mini@2026: &model
    aliases: [nine/mini]
    boundary: it
    developer: nine
    family: nine
    models: [nine-mini-1, nine-mini-1-2026-02-03]
    open_weights: false
    operations: [chat, text_completion, generate_content]
    size_evidence: guessed
    sized_by: method/parametric@2026-11-26
    active_b: {low: 8, high: 28}
    total_b: {low: 8, high: 28}
  energy/nine/nine-large@2026:
    aliases: []
    boundary: it
    developer: nine
    family: nine
    models: [nine-large-4.5]
    open_weights: false
    operations: [chat, text_completion, generate_content]
    size_evidence: guessed
    sized_by: method/parametric@2026-11-26
    active_b: {low: 44, high: 132}
    total_b: {low: 440, high: 440}
  fallback/family/nine@2026:
    evidence: assumed
    level: family
    name: nine
    open_weights: false
    operations: [chat, text_completion, generate_content]
    patterns: ['nine-*']
  fallback/size-class/40-to-100@2026:
    evidence: assumed
    level: size_class
    name: 40-to-100
    open_weights: true
    operations: [chat, text_completion, generate_content]
    patterns: ['#40-100']
    low_b: 40
    high_b: 100
    active_share: {low: 0.1, high: 1}
    sized_by: method/parametric@2026-11-26
  fallback/size-class/mini@2026:
    evidence: assumed
    level: size_class
    name: mini
    open_weights: false
    operations: [chat]
    patterns: ['*-mini*']
    low_b: 5
    high_b: 60
    active_share: {low: 0.1, high: 1}
    sized_by: method/parametric@2026-11-26
  fallback/generic/text@2026:
    evidence: assumed
    level: generic
    name: text
    open_weights: false
    operations: [chat, text_completion, generate_content]
    patterns: ['*']
    low_b: 5
    high_b: 2000
    active_share: {low: 0.03, high: 1}
    sized_by: method/parametric@2026-11-26
  fallback/none/images@2026:
    evidence: assumed
    level: none
    name: images
    open_weights: false
    operations: [chat]
    patterns: ['*-image*']
"""
FACTS = FACTS.replace(" &model", "")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    directory = tmp_path_factory.mktemp("ladder")
    (directory / "facts.yaml").write_text(FACTS, encoding="utf-8")
    (directory / "method.yaml").write_text(METHOD, encoding="utf-8")
    base = read_bundled()
    (directory / "sources.yaml").write_text(
        "sources:\n"
        + "".join(
            f"  {source}: {{accessed: 2026-11-20, licence: own data, producer: P, redistributable: facts, title: T,"
            " url: https://x.example, year: 2026}\n"
            for source in ("otel-carbon-methodology", "ml-energy-leaderboard-2026", "google-gemini-2025")
        ),
        encoding="utf-8",
    )
    assert base.facts
    return Registry((parse_compiled(compile_directory(directory, None), "ladder.json"),))


def found(registry: Registry, model: str, operation: str = "chat") -> tuple[str, str]:
    """Which fact stands for a model, and by which step."""
    match = match_model(registry, model, operation, None)
    return ("", "") if match is None else (match.fact.id, match.kind)


@pytest.mark.parametrize(
    ("model", "fact", "kind"),
    [
        ("nine-mini-1", "energy/nine/nine-mini@2026", "exact"),
        ("NINE-Mini-1-2026-02-03", "energy/nine/nine-mini@2026", "exact"),
        ("nine/mini", "energy/nine/nine-mini@2026", "alias"),
        (" nine-mini-1\n", "energy/nine/nine-mini@2026", "exact"),
        ("openrouter/nine/nine-mini-1", "energy/nine/nine-mini@2026", "alias"),
        ("nine-mini-1@20260501", "energy/nine/nine-mini@2026", "alias"),
        ("nine-mini-1-2026-05-01", "energy/nine/nine-mini@2026", "alias"),
        ("nine-large-4-5", "energy/nine/nine-large@2026", "alias"),
        ("nine", "fallback/family/nine@2026", "family"),
        ("nine:latest", "fallback/family/nine@2026", "family"),
        ("eight:64x70b", "fallback/generic/text@2026", "generic"),
        ("nine-huge-7", "fallback/family/nine@2026", "family"),
        ("vendor/nine-huge-7:free", "fallback/family/nine@2026", "family"),
        ("eight-70b-instruct", "fallback/size-class/40-to-100@2026", "size_class"),
        ("eight-mini-2", "fallback/size-class/mini@2026", "size_class"),
        ("eight-mini-70b", "fallback/size-class/40-to-100@2026", "size_class"),
        ("whatever", "fallback/generic/text@2026", "generic"),
        ("eight-1500b", "fallback/generic/text@2026", "generic"),
        ("eight-7000b", "", ""),
        ("nine-huge-7b", "fallback/family/nine@2026", "family"),
        ("nine-huge-70b", "fallback/size-class/40-to-100@2026", "size_class"),
        ("nine-huge-0.5b", "", ""),
        ("nine-huge-4000b", "", ""),
        ("ft:nine-mini-1:acme::image-1", "energy/nine/nine-mini@2026", "alias"),
        ("nine-image-1", "", ""),
    ],
)
def test_the_nearest_step_is_taken(registry: Registry, model: str, fact: str, kind: str) -> None:
    assert found(registry, model) == (fact, kind)


def test_a_step_that_does_not_cover_the_operation_is_passed_over(registry: Registry) -> None:
    assert found(registry, "eight-mini-2", "text_completion") == ("fallback/generic/text@2026", "generic")
    assert found(registry, "whatever", "embeddings") == ("", "")


def test_a_family_that_does_not_cover_the_operation_says_so_rather_than_any_model(registry: Registry) -> None:
    match = match_model(registry, "nine-huge-7", "embeddings", None)
    assert match is not None
    assert (match.fact.id, match.kind) == ("fallback/family/nine@2026", "family")
    assert "embeddings" not in match.fact.operations


def test_a_model_that_is_known_keeps_its_fact_whatever_the_operation(registry: Registry) -> None:
    assert found(registry, "nine-mini-1", "embeddings") == ("energy/nine/nine-mini@2026", "exact")


def test_every_step_is_wider_than_the_one_above_it(registry: Registry) -> None:
    spreads = []
    for model in ("nine-mini-1", "nine-huge-7", "whatever"):
        match = match_model(registry, model, "chat", None)
        assert match is not None
        spreads.append(match.fact.output_wh_per_ktoken.high / match.fact.output_wh_per_ktoken.low)
    assert spreads == sorted(spreads)
    assert len(set(spreads)) == len(spreads)


def test_a_family_reaches_from_the_least_to_the_most_of_its_members(registry: Registry) -> None:
    mini, large = (known_model(registry, model, None) for model in ("nine-mini-1", "nine-large-4.5"))
    family = registry.fact("fallback/family/nine@2026")
    assert mini is not None
    assert large is not None
    assert isinstance(family, Fallback)
    low, high = mini.fact.output_wh_per_ktoken, large.fact.output_wh_per_ktoken
    assert (family.output_wh_per_ktoken.low, family.output_wh_per_ktoken.high) == (low.low, high.high)
    assert family.output_wh_per_ktoken.mid == pytest.approx(sqrt(low.mid * high.mid), rel=0.01)  # three digits
    assert family.assumptions == ("family_taken",)
    assert "energy/nine/nine-mini@2026" in family.derivation


@pytest.mark.parametrize(
    "name", ["", "*", "-", "a" * 100_000, "nine-" * 5000, "1b" * 2000, "../" * 300, "\0", "é-mini"]
)
def test_a_strange_name_is_matched_in_bounded_time_or_not_at_all(registry: Registry, name: str) -> None:
    assert found(registry, name)[1] in ("family", "size_class", "generic", "")
