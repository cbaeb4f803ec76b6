"""Whether energy facts can be true: each check on made-up facts, and over all models that are shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import EnergyCoefficient
from otel_carbon.registry.plausibility import accelerators_for, findings_of, latest_method, plausibility_of_all
from otel_carbon.registry.plausibility_limits import (
    CODES,
    MID_ABOVE_CEILING,
    MID_BELOW_FLOOR,
    PRICE_HIGH,
    PRICE_LOW,
    SIZE_ABOVE_LARGER,
    SMALLER_ABOVE_LARGER,
    WATTS_HIGH,
    Finding,
    plausibility_data,
)
from otel_carbon.registry.siblings import sibling_pairs
from tests.support.small_registry import bounds, energy, layer

if TYPE_CHECKING:
    from otel_carbon.registry.plausibility import Plausibility

METHOD = dict(read_bundled().facts["method/parametric@2026-11-26"])
SOURCES = {source: dict(read_bundled().sources[source]) for source in METHOD["sources"]}
LIMITS = plausibility_data().limits


def sized(name: str, mid: float, **fields: Any) -> dict[str, Any]:
    """A closed model of 100 billion parameters, 50 of which work on a token."""
    defaults: dict[str, Any] = {
        "output_wh_per_ktoken": bounds(mid / 2, mid, mid * 2),
        "active_b_low": 50.0,
        "active_b_high": 50.0,
        "total_b_low": 100.0,
        "total_b_high": 100.0,
        "valid_from": "2026-01-01",
        "sources": list(SOURCES),
    }
    return energy(f"energy/acme/{name}@1", name, **(defaults | fields))


def checked(*facts: dict[str, Any], **tokens_per_s: float) -> tuple[Plausibility, ...]:
    registry = Registry((layer([METHOD, *facts], sources=SOURCES),))
    return plausibility_of_all(registry, tokens_per_s, LIMITS)


def codes(*facts: dict[str, Any], **tokens_per_s: float) -> list[str]:
    return [finding.code for finding in findings_of(checked(*facts, **tokens_per_s))]


def test_energy_for_a_dollar_is_that_of_a_million_tokens_at_the_facility() -> None:
    (found,) = checked(sized("one", 0.5, output_usd_per_mtok=6.0))
    # 0.5 Wh per 1,000 tokens is 0.5 kWh per million; x 1.2 (PUE) / 6 USD
    assert found.facility_kwh_per_usd == pytest.approx(0.5 * 1.2 / 6.0)
    assert found.findings == ()


@pytest.mark.parametrize(
    ("usd", "found"),
    [
        (20.3, [PRICE_LOW]),  # 0.6 / 20.3 = 0.0296 kWh per USD, beyond what rounding explains
        (19.9, []),
        (0.61, []),
        (0.59, [PRICE_HIGH, MID_ABOVE_CEILING]),  # 0.6 / 0.59 = 1.02 kWh per USD
    ],
)
def test_energy_for_a_dollar_lies_within_the_method_s_limits(usd: float, found: list[str]) -> None:
    assert codes(sized("one", 0.5, output_usd_per_mtok=usd)) == found


def test_open_weights_have_no_ceiling_but_the_common_limit() -> None:
    assert codes(sized("one", 0.5, output_usd_per_mtok=0.1, open_weights=True)) == [PRICE_HIGH]


def test_a_mid_below_the_floor_is_found() -> None:
    # 0.0025 J x 50 billion x 1.3 / 3.6 = 0.0451 Wh per 1,000 tokens
    (found,) = checked(sized("one", 0.045))
    assert found.floor_wh_per_ktoken == pytest.approx(0.0025 * 50 * 1.3 / 3.6)
    assert [each.code for each in checked(sized("one", 0.04))[0].findings] == [MID_BELOW_FLOOR]
    assert found.findings == ()  # within the half percent of rounding


def test_watts_follow_from_energy_speed_batch_and_accelerators() -> None:
    (found,) = checked(sized("one", 0.5), one=50.0)
    # 0.5 / 1.57 Wh of the accelerators are 1.146 J a token; x 50 tokens a second x 128 requests; 120 GB need two
    assert found.watts_per_accelerator == pytest.approx(0.5 / 1.57 * 3.6 * 50 * 128 / 2)
    assert [each.code for each in found.findings] == [WATTS_HIGH]
    assert codes(sized("one", 0.5), one=9.0) == []  # 660 W


@pytest.mark.parametrize(("total_b", "count"), [(8.0, 1), (66.0, 1), (67.0, 2), (440.0, 8), (671.0, 16)])
def test_accelerators_are_the_next_power_of_two_that_holds_the_weights(total_b: float, count: int) -> None:
    # 1.2 GB a billion parameters at 8 bits, 80 GB each: 66 -> 79.2, 67 -> 80.4, 440 -> 528 (7), 671 -> 805 (11)
    assert accelerators_for(total_b, LIMITS) == count


def test_a_mini_above_its_larger_sibling_is_found_with_both_names() -> None:
    small, large = sized("gpt-9-mini", 0.6), sized("gpt-9", 0.5)
    assert findings_of(checked(small, large)) == (Finding(SMALLER_ABOVE_LARGER, small["id"], large["id"]),)
    assert codes(sized("gpt-9-mini", 0.5), large) == []


def test_a_small_model_with_more_working_parameters_is_found_too() -> None:
    small = sized("gpt-9-mini", 0.4, active_b_low=60.0, active_b_high=60.0)
    assert codes(small, sized("gpt-9", 0.5)) == [SIZE_ABOVE_LARGER]


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("gpt-9-nano", "gpt-9-mini"),
        ("gpt-9", "gpt-9-pro"),
        ("gemini-9-flash-lite", "gemini-9-flash"),
        ("gemini-9-flash-lite", "gemini-9-pro"),
        ("claude-haiku-9-1", "claude-opus-9-1"),
        ("claude-9-haiku-20260101", "claude-9-sonnet"),
        ("mistral-small-2601", "mistral-large-2602"),
        ("glm-9-air", "glm-9"),
    ],
)
def test_names_tell_which_sibling_is_the_larger_one(smaller: str, larger: str) -> None:
    registry = Registry((layer([sized(smaller, 0.1), sized(larger, 0.2)], sources=SOURCES),))
    pairs = sibling_pairs(registry.current(EnergyCoefficient), LIMITS.size_words)
    assert [(each.models[0], other.models[0]) for each, other in pairs] == [(smaller, larger)]


def test_models_of_other_lines_and_developers_are_no_siblings() -> None:
    facts = [sized("gpt-8-mini", 0.1), sized("gpt-9", 0.2), sized("gpt-8", 0.1, developer="other")]
    registry = Registry((layer(facts, sources=SOURCES),))
    assert list(sibling_pairs(registry.current(EnergyCoefficient), LIMITS.size_words)) == []


def test_of_several_larger_siblings_the_one_nearest_in_time_counts() -> None:
    facts = [
        sized("mistral-small-2601", 0.1, valid_from="2026-01-15"),
        sized("mistral-large-2411", 0.2, valid_from="2024-11-15"),
        sized("mistral-large-2512", 0.2, valid_from="2025-12-15"),
    ]
    registry = Registry((layer(facts, sources=SOURCES),))
    pairs = sibling_pairs(registry.current(EnergyCoefficient), LIMITS.size_words)
    assert [other.models[0] for _, other in pairs] == ["mistral-large-2512"]


def test_a_superseded_fact_is_not_held_against_anything() -> None:
    old = sized("one", 0.5, output_usd_per_mtok=0.1)
    new = {**sized("one", 0.5), "id": "energy/acme/one@2", "supersedes": old["id"]}
    assert [each.fact.id for each in checked(old, new)] == ["energy/acme/one@2"]


def test_without_a_method_nothing_can_be_judged() -> None:
    registry = Registry((layer([sized("one", 0.5)], sources=SOURCES),))
    assert latest_method(registry) is None
    assert plausibility_of_all(registry, {}, LIMITS) == ()


def test_every_code_has_words_and_every_known_group_a_reason() -> None:
    assert {group.findings[0].code for group in plausibility_data().known} <= set(CODES)
    assert all(group.reason for group in plausibility_data().known)
