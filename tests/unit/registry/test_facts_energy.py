from __future__ import annotations

from math import exp, log, sqrt

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient, Fact, RangeRule, TokenRatio
from otel_carbon.registry.ladder import known_model

OVERHEAD = 1.57  # host and idle reserve on top of the accelerator
LN_TWO = log(128 / 64)  # reference batch over the fit's batch


def _coefficient(model: str) -> EnergyCoefficient:
    coefficient = Registry.bundled().about(EnergyCoefficient, model, None)
    assert coefficient is not None
    return coefficient


def _fact(fact_id: str) -> Fact:
    return Registry.bundled().fact(fact_id)


def _fitted_wh_per_ktoken(active_low: float, active_high: float, total: float) -> float:
    """FP8 on H100 at batch 128, IT boundary; sizes in billions of parameters."""
    joules = exp(
        -3.7635
        + 0.2387 * log(sqrt(active_low * active_high))
        + 0.6383 * log(total)
        - 0.5124 * LN_TWO
        + 0.0429 * LN_TWO**2
        - 0.3665
    )
    return joules / 3.6 * OVERHEAD


@pytest.mark.parametrize(
    ("model", "active_low", "active_high", "total"),
    [
        ("gpt-4o", 44, 132, 440),
        ("claude-sonnet-4-5", 44, 132, 440),
        ("claude-3-5-sonnet-20241022", 44, 132, 440),
        ("gemini-2.5-flash", 44, 132, 440),
        ("gpt-5", 30, 90, 300),
        ("gpt-5-mini", 25, 70, sqrt(25 * 70)),
        ("gpt-4o-mini", 8, 28, sqrt(8 * 28)),
        ("gemini-2.5-flash-lite", 8, 28, sqrt(8 * 28)),
        ("claude-haiku-4-5", 10, 35, sqrt(10 * 35)),
        ("gemini-2.5-pro", 200, 600, 2000),
        ("mistral-large-2512", 41, 41, 675),
        ("mistral-large-2407", 123, 123, 123),
    ],
)
def test_a_parametric_coefficient_is_the_fit_at_its_guessed_size(
    model: str, active_low: float, active_high: float, total: float
) -> None:
    coefficient = _coefficient(model)
    assert coefficient.method == "parametric"
    fitted = _fitted_wh_per_ktoken(active_low, active_high, total)
    assert coefficient.output_wh_per_ktoken.mid == pytest.approx(fitted, rel=0.01)  # two to three digits are kept


@pytest.mark.parametrize(
    ("model", "gpu_wh_per_ktoken"),
    [("llama-3.1-8b", 0.026419), ("llama-3.1-70b", 0.15649), ("llama-3.1-405b-fp8", 0.67486)],
)
def test_a_benchmarked_coefficient_is_the_gpu_energy_with_overhead(model: str, gpu_wh_per_ktoken: float) -> None:
    coefficient = _coefficient(model)
    assert coefficient.method == "benchmark"
    assert coefficient.output_wh_per_ktoken.mid == pytest.approx(
        gpu_wh_per_ktoken * OVERHEAD, rel=0.012
    )  # two to three digits are kept


def test_an_input_token_takes_thirty_percent_of_an_output_token() -> None:
    for coefficient in Registry.bundled().facts("energy"):
        assert isinstance(coefficient, EnergyCoefficient)
        if "chat" in coefficient.operations:
            expected = 0.30 * coefficient.output_wh_per_ktoken.mid
            # Published to the third decimal or to two digits; 0.02 for 0.07 is the coarsest.
            assert abs(coefficient.input_wh_per_ktoken.mid - expected) <= max(0.0011, 0.01 * expected), coefficient.id


def test_the_example_call_takes_0_371_wh_of_it_energy() -> None:
    coefficient = _coefficient("gpt-4o-2024-11-20")
    energy_wh = 800 / 1000 * coefficient.input_wh_per_ktoken.mid + 300 / 1000 * coefficient.output_wh_per_ktoken.mid
    assert energy_wh == pytest.approx(0.8 * 0.206 + 0.3 * 0.687)
    assert round(energy_wh, 3) == 0.371


@pytest.mark.parametrize(
    ("model", "output", "divisor_low", "factor_high"),
    [
        ("gpt-4o", 0.687, 3.12, 4.63),
        ("claude-haiku-4-5", 0.0655, 3.12, 10),
        ("gemini-2.5-pro", 2.59, 3.12, 16.7 / 2.59),  # clipped: 10 USD * 2 kWh / 1.2
        ("mistral-large-2407", 0.342, 2.46, 3.92),
        ("mistral-large-2512", 0.779, 2.46, 3.92),
        ("llama-3.1-70b", 0.246, 2.02, 3.47),
    ],
)
def test_the_output_range_follows_its_rule(model: str, output: float, divisor_low: float, factor_high: float) -> None:
    amount = _coefficient(model).output_wh_per_ktoken
    assert amount.mid == output
    assert amount.low == pytest.approx(output / divisor_low, rel=0.01)  # three digits are kept
    assert amount.high == pytest.approx(output * factor_high, rel=0.01)


def test_the_rule_of_published_sizes_combines_batch_overhead_and_fit() -> None:
    rule = _fact("range/output-size-published@2026-11")
    assert isinstance(rule, RangeRule)
    assert rule.factor_high == pytest.approx(exp(sqrt(log(3.09) ** 2 + log(1.40) ** 2 + log(2.0) ** 2)), rel=1e-3)
    assert 1 / rule.factor_low == pytest.approx(exp(sqrt(log(1.72) ** 2 + log(1.21) ** 2 + log(2.0) ** 2)), rel=1e-3)


def test_every_parametric_model_beyond_the_sizes_of_the_fit_says_so() -> None:
    assert "outside_fit" in _coefficient("mistral-large-2512").assumptions  # 675 billion, the fit reaches 671
    assert "outside_fit" not in _coefficient("mistral-large-2407").assumptions


def test_the_input_range_is_narrower_upward_and_wider_downward() -> None:
    amount = _coefficient("gpt-4o").input_wh_per_ktoken
    assert amount.low == pytest.approx(0.206 / 4.4, rel=0.01)
    assert amount.high == pytest.approx(0.206 * 3.5, rel=0.01)


def test_the_laptop_model_has_bounds_of_its_own() -> None:
    assert _coefficient("smollm2-135m").output_wh_per_ktoken == Interval(0.02, 0.07, 0.3)
    assert "outside_fit" in _coefficient("smollm2-135m").assumptions


@pytest.mark.parametrize(
    ("spelling", "fact_id"),
    [
        ("openai/gpt-4o", "energy/openai/gpt-4o@2026-11-26"),
        ("GPT-4o-2024-08-06", "energy/openai/gpt-4o@2026-11-26"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "energy/anthropic/claude-sonnet-4-5@2026-11-26"),
        ("claude-sonnet-4-5@20250929", "energy/anthropic/claude-sonnet-4-5@2026-11-26"),
        ("meta.llama3-1-70b-instruct-v1:0", "energy/meta/llama-3.1-70b@2026-11-26"),
        ("meta-llama/Llama-3.1-8B-Instruct", "energy/meta/llama-3.1-8b@2026-11-26"),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "energy/huggingface/smollm2-135m@2026-11"),
    ],
)
def test_a_spelling_leads_to_its_model(spelling: str, fact_id: str) -> None:
    assert _coefficient(spelling).id == fact_id


@pytest.mark.parametrize(
    ("name", "fact_id"),
    [
        ("llama4:128x17b", "energy/meta/llama-4-maverick@2026-11-26"),
        ("AI21-Jamba-Instruct", "energy/ai21/jamba-instruct@2026-11-26"),
        ("gemma3:27b-it-qat", "energy/google/gemma-3-27b@2026-11-26"),
        ("nvidia/DeepSeek-R1-FP4", "energy/deepseek/deepseek-v3-and-r1@2026-11-26"),
        ("qwen.qwen3-235b-a22b-2507-v1:0", "energy/qwen/qwen3-235b-a22b-instruct-2507@2026-11-26"),
        ("deepseek-coder-v2:16b", "energy/deepseek/deepseek-coder-v2-lite@2026-11-26"),
        ("devstral-latest", "energy/mistral/devstral-2512@2026-11-26"),
    ],
)
def test_a_name_that_a_host_gives_leads_to_its_model(name: str, fact_id: str) -> None:
    found = known_model(Registry.bundled(), name, None)
    assert found is not None
    assert found.fact.id == fact_id


def test_the_newest_of_a_host_is_not_that_of_the_developer() -> None:
    assert known_model(Registry.bundled(), "devstral:latest", None) is None


def test_no_model_is_known_by_a_moving_name() -> None:
    for coefficient in Registry.bundled().facts("energy"):
        assert isinstance(coefficient, EnergyCoefficient)
        names = coefficient.models + coefficient.aliases
        if any("latest" in name.lower() for name in names):
            assert "moves no more" in coefficient.note, coefficient.id


def test_a_guessed_size_is_flagged() -> None:
    for coefficient in Registry.bundled().facts("energy"):
        assert isinstance(coefficient, EnergyCoefficient)
        if coefficient.sized_by:
            assert ("size_guessed" in coefficient.assumptions) is (coefficient.size_evidence == "guessed")


def test_cached_tokens_are_priced_in_energy_not_in_money() -> None:
    read, write = _fact("ratio/cache_read@2026-11"), _fact("ratio/cache_write@2026-11")
    assert isinstance(read, TokenRatio)
    assert isinstance(write, TokenRatio)
    assert read.ratio == Interval(0.0, 0.10, 0.25)
    assert write.ratio == Interval(1.0, 1.0, 1.1)


@pytest.mark.parametrize(
    ("model", "pue", "low", "mid", "high"),
    [
        ("gpt-4o", 1.16, 0.26, 0.80, 3.7),
        ("gpt-4o-mini", 1.16, 0.02, 0.06, 0.60),
        ("gpt-5", 1.16, 0.18, 0.57, 2.6),
        ("gpt-5.5-pro", 1.16, 1.5, 9.1, 180),
        ("claude-sonnet-4-5", 1.12, 0.25, 0.77, 3.6),
        ("claude-haiku-4-5", 1.12, 0.02, 0.07, 0.75),
        ("gemini-2.5-flash", 1.09, 0.24, 0.75, 3.5),
        ("mistral-large-2512", 1.2, 0.46, 0.94, 1.5),
        ("mistral-large-2407", 1.2, 0.20, 0.41, 1.4),
        ("llama-3.1-70b", 1.2, 0.15, 0.29, 0.72),
        ("deepseek-v3", 1.25, 0.14, 0.21, 1.1),
        ("gpt-5.5", 1.16, 0.49, 1.51, 7.0),
    ],
)
def test_a_model_worked_by_hand_comes_out_within_a_quarter(
    model: str, pue: float, low: float, mid: float, high: float
) -> None:
    """Facility energy of 1,000 output tokens in Wh, worked out apart from this code from the same sources."""
    found = _coefficient(model).output_wh_per_ktoken.scaled(pue)
    assert found.mid == pytest.approx(mid, rel=0.25)
    assert found.low <= mid <= found.high
    assert low <= found.mid <= high


def test_a_smaller_sibling_takes_less() -> None:
    for small, large in (
        ("gpt-4o-mini", "gpt-4o"),
        ("gpt-5-mini", "gpt-5"),
        ("gpt-5-nano", "gpt-5-mini"),
        ("claude-haiku-4-5", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5", "claude-opus-4-5"),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash"),
        ("gemini-2.5-flash", "gemini-2.5-pro"),
        ("llama-3.1-8b", "llama-3.1-70b"),
    ):
        assert _coefficient(small).output_wh_per_ktoken.mid < _coefficient(large).output_wh_per_ktoken.mid, small


def test_a_figure_that_its_price_cannot_pay_for_is_clipped_and_says_so() -> None:
    pro = _coefficient("gpt-5.5-pro")
    assert pro.output_wh_per_ktoken.high == pytest.approx(180 * 1.0 / 1.2)  # USD per million tokens, kWh per USD, PUE
    assert "clipped_to_ceiling" in pro.assumptions
    assert "ceiling" in pro.derivation
