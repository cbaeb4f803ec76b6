"""EcoLogits 0.11.3, reproduced: the reference cases were made with the package itself."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.methods.ecologits import EcoLogitsImpacts, ecologits_impacts
from otel_carbon.methods.ecologits_tables import Ends, Size, electricity_mixes, models, retired_models

CASES = json.loads((Path(__file__).parents[2] / "data/ecologits_cases.json").read_text(encoding="utf-8"))["cases"]
EXACT = 1e-9
QUANTITIES = {
    "energy_kwh": "energy_kwh",
    "gwp_usage_gco2e": "emissions_operational_gco2e",
    "gwp_embodied_gco2e": "emissions_embodied_gco2e",
    "gwp_total_gco2e": "emissions_gco2e",
    "water_l": "water_l",
    "primary_energy_mj": "primary_energy_mj",
    "adpe_kgsbeq": "adpe_kgsbeq",
}
"""Name in the cases to the name of ours."""


def _answer(case: dict[str, Any]) -> EcoLogitsImpacts | Unestimated:
    latency_s = math.inf if case["request_latency_s"] is None else case["request_latency_s"]
    provider, model, tokens = case["provider"], case["model"], case["output_tokens"]
    return ecologits_impacts(provider, model, tokens, request_latency_s=latency_s, zone=case["zone_requested"])


def _impacts(model: str, tokens: int, **options: Any) -> EcoLogitsImpacts:
    provider, _, name = model.partition("/")
    found = ecologits_impacts(provider, name, tokens, **options)
    assert isinstance(found, EcoLogitsImpacts), found
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['model']}")
def test_every_reference_case_comes_out_as_the_package_says(case: dict[str, Any]) -> None:
    answer = _answer(case)
    if "errors" in case:
        assert isinstance(answer, Unestimated)
        assert [answer.reason] == case["errors"]
        return
    assert isinstance(answer, EcoLogitsImpacts)
    assert (answer.zone, list(answer.warnings)) == (case["zone_used"], case["warnings"])
    ours = {theirs: getattr(answer, name) for theirs, name in QUANTITIES.items()}
    assert {name: (amount.low, amount.high) for name, amount in ours.items()} == {
        name: pytest.approx((case[name]["min"], case[name]["max"]), rel=EXACT, abs=0) for name in QUANTITIES
    }


def test_there_are_all_the_cases() -> None:
    assert [case["id"] for case in CASES] == list(range(1, 25))


def test_the_arithmetic_of_a_call_by_hand() -> None:
    """1,000 tokens of mistral-large-2407: 123 billion parameters, no published speed, so one number at both ends."""
    impacts = _impacts("mistralai/mistral-large-2407", 1000, retired=True)
    gpus = 2 ** math.ceil(math.log2(math.ceil(1.2 * 123 * 16 / 8 / 80)))  # 295.2 GB on accelerators of 80 GB
    assert gpus == 4
    gpu_wh = 1000 * (1.1665273170451914e-06 * math.exp(-0.011205921025579175 * 64) * 123 + 4.052928146734005e-05)
    seconds = 1000 * (0.0006785088094353663 * 123 + 0.0003119310311688259 * 64 + 0.019473717579473387)
    server_wh = seconds / 3600 * 1200 * 4 / 8 / 64
    assert impacts.energy_kwh.mid == pytest.approx((server_wh + 4 * gpu_wh) / 1000 * 1.16, rel=EXACT)
    embodied_g = seconds / (3 * 365 * 86400 * 64) * (4 / 8 * 5700 + 4 * 273) * 1000
    assert impacts.emissions_embodied_gco2e.mid == pytest.approx(embodied_g, rel=EXACT)


def test_the_mid_is_half_way_between_the_ends() -> None:
    energy = _impacts("openai/gpt-4o", 300).energy_kwh
    assert energy.low < energy.mid < energy.high
    assert energy.mid == (energy.low + energy.high) / 2


def test_a_retired_model_is_refused_as_the_package_refuses_it_unless_it_is_asked_for() -> None:
    refused = ecologits_impacts("anthropic", "claude-3-5-sonnet-20241022", 300)
    assert refused == Unestimated("model-not-registered", "anthropic/claude-3-5-sonnet-20241022")
    allowed = _impacts("anthropic/claude-3-5-sonnet-20241022", 1000, retired=True)
    assert allowed.last_seen == "0.9.1"
    assert allowed.energy_kwh.low * 1000 == pytest.approx(1.93053, rel=1e-5)  # Wh


def test_no_retired_model_is_a_current_one() -> None:
    assert len(models()) == 342 + 9  # names and aliases
    assert len(retired_models()) == 125
    assert set(models()) & set(retired_models()) == set()


def test_a_zone_whose_water_factor_is_not_shipped_has_no_water_and_says_so() -> None:
    impacts = _impacts("openai/gpt-4o", 300, zone="DEU")
    assert impacts.water_l == Unestimated("water_factor_not_shipped", "DEU")
    assert impacts.emissions_gco2e.mid > 0.0


def test_a_zone_without_a_water_factor_of_its_own_takes_that_of_the_world_and_warns() -> None:
    impacts = _impacts("openai/gpt-4o", 300, zone="ALB")
    world = _impacts("openai/gpt-4o", 300, zone="WOR")
    assert impacts.water_l == world.water_l
    assert isinstance(impacts.water_l, Interval)
    assert impacts.warnings[-1] == "electricity-mix-wue-world"


def test_no_more_than_six_zones_and_the_world_have_a_cited_water_factor() -> None:
    cited = {zone for zone, mix in electricity_mixes().items() if mix.water_l_per_kwh not in (None, 3.908)}
    assert cited == {"CHN", "FRA", "GBR", "IRL", "SWE", "USA"}


def test_a_size_of_the_callers_replaces_the_guess_and_is_named() -> None:
    one_size = Size(Ends(44.0, 44.0), Ends(440.0, 440.0))
    impacts = _impacts("openai/gpt-4o", 300, sizes={"openai/gpt-4o": one_size})
    assert impacts.size_given
    own = _impacts("openai/gpt-4o", 300).energy_kwh.low  # the low end of EcoLogits' guess has the same size
    assert (impacts.energy_kwh.low, impacts.energy_kwh.high) == (own, own)


def test_a_size_makes_an_unknown_model_known() -> None:
    impacts = _impacts("openai/mine", 300, sizes={"openai/mine": Size(Ends(8.0, 8.0), Ends(8.0, 8.0))})
    assert impacts.energy_kwh.mid > 0.0
    assert ecologits_impacts("nobody", "mine", 300, sizes={"nobody/mine": Size(Ends(8, 8), Ends(8, 8))}) == (
        Unestimated("model-not-registered", "nobody/mine")
    )


@pytest.mark.parametrize(("tokens", "latency_s"), [(-1, 1.0), (1, -0.5), (1, math.nan)])
def test_impossible_counts_and_latencies_are_refused(tokens: int, latency_s: float) -> None:
    with pytest.raises(ValueError, match="must be >= 0"):
        ecologits_impacts("openai", "gpt-4o", tokens, request_latency_s=latency_s)
