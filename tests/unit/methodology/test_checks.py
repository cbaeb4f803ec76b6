"""What must hold of the facts that are shipped, and which findings are known."""

from __future__ import annotations

from datetime import date

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.methodology.anchoring import AnchorCheck, anchor_checks
from otel_carbon.methodology.sections.checks import published_tokens_per_s
from otel_carbon.methodology.tables import Anchor
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient
from otel_carbon.registry.plausibility import findings_of, plausibility_of_all
from otel_carbon.registry.plausibility_limits import SMALLER_ABOVE_LARGER, plausibility_data
from otel_carbon.registry.siblings import sibling_pairs

REGISTRY = Registry.bundled()
DATA = plausibility_data()
DAY = date(2026, 11, 26)
FINDINGS = findings_of(plausibility_of_all(REGISTRY, published_tokens_per_s(), DATA.limits))
CHECKS = anchor_checks(REGISTRY, DAY)


def test_every_finding_is_known_with_its_reason_and_every_known_one_is_found() -> None:
    known = [finding for group in DATA.known for finding in group.findings]
    assert sorted(FINDINGS) == sorted(known), (
        "add the new finding to plausibility.json with its reason, or take it away"
    )


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("gpt-4o-mini", "gpt-4o"),
        ("gpt-4.1-mini", "gpt-4.1"),
        ("gpt-5-nano", "gpt-5-mini"),
        ("claude-3-5-haiku", "claude-3-5-sonnet-20241022"),
        ("claude-haiku-4-5", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5", "claude-opus-4-5"),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash"),
        ("gemini-2.5-flash", "gemini-2.5-pro"),
        ("mistral-small-2506", "mistral-medium-2508"),
    ],
)
def test_a_smaller_model_of_a_line_takes_less(smaller: str, larger: str) -> None:
    small, large = (REGISTRY.about(EnergyCoefficient, name, DAY) for name in (smaller, larger))
    assert small is not None
    assert large is not None
    assert small.output_wh_per_ktoken.mid < large.output_wh_per_ktoken.mid
    assert small.input_wh_per_ktoken.mid < large.input_wh_per_ktoken.mid


def test_no_model_takes_more_than_its_larger_sibling() -> None:
    pairs = list(sibling_pairs(REGISTRY.current(EnergyCoefficient), DATA.limits.size_words))
    assert len(pairs) > 50
    assert [finding for finding in FINDINGS if finding.code == SMALLER_ABOVE_LARGER] == []


def test_gpt_5_5_pro_is_clipped_and_says_so() -> None:
    fact = REGISTRY.about(EnergyCoefficient, "gpt-5.5-pro", DAY)
    assert fact is not None
    assert "clipped_to_ceiling" in fact.assumptions
    assert fact.output_wh_per_ktoken.high == 150.0  # 180 USD per million tokens x 1 kWh / PUE 1.2


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.anchor.published}-{check.anchor.model}")
def test_a_figure_of_a_service_in_production_lies_inside_our_range(check: AnchorCheck) -> None:
    assert check.ours_wh is not None
    assert check.is_inside, f"published {check.published_wh}, ours {check.ours_wh}"


def test_the_anchors_are_the_published_figures() -> None:
    published = {(each.anchor.published, each.anchor.model): each.published_wh for each in CHECKS}
    # 0.18 (to 0.33) Wh per 1,000 output tokens, for 300
    deepseek = published["deepseek_production", "deepseek-v3"]
    assert (deepseek.low, deepseek.high) == pytest.approx((0.18 * 0.3, 0.33 * 0.3))
    assert published["openai", "gpt-4o"].mid == 0.34
    assert published["google", "gemini-2.5-flash"].mid == 0.24
    assert published["epoch", "gpt-4o"].mid == 0.3
    assert published["oviedo", "gpt-4o"] == Interval(0.18, 0.34, 0.67)


@pytest.mark.parametrize(
    ("ours", "whole_range", "inside"),
    [
        (Interval(0.1, 0.5, 0.7), True, True),
        (Interval(0.1, 0.5, 0.6), True, False),
        (Interval(0.1, 0.5, 0.6), False, True),
        (Interval(0.35, 0.5, 0.6), False, False),
        (None, False, False),
    ],
)
def test_an_anchor_is_inside_with_its_mid_or_its_whole_range(
    ours: Interval | None, whole_range: bool, inside: bool
) -> None:
    anchor = Anchor("oviedo", "openai", "gpt-4o", 300, 300, whole_range, "")
    assert AnchorCheck(anchor, Interval(0.18, 0.34, 0.67), ours).is_inside is inside
