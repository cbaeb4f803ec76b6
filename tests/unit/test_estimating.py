from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon import attributes, estimating
from otel_carbon.core.factors import Factors
from otel_carbon.core.footprint import Footprint, Unestimated, footprint_of
from otel_carbon.core.steps import steps_of
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import (
    MAX_CACHED_SUBJECTS,
    NS_PER_DAY,
    FactorResolver,
    day_from_unix_ns,
    estimate,
    has_usage,
)
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.write import footprint_attributes
from tests.support.small_registry import DAY, MODEL, bounds, energy, grid, small_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL = CallSubject("acme", MODEL, "chat", None, "default", DAY)


def _usage(**changes: Any) -> TokenUsage:
    return TokenUsage(**{"provider": "acme", "model": MODEL, "output_tokens": 1000, "at": DAY, **changes})


def _all_of(factors: Factors | Unestimated) -> dict[str, Any]:
    assert isinstance(factors, Factors)
    return asdict(factors)


def _footprint(usage: TokenUsage, registry: Registry | None = None) -> Footprint:
    found = estimate(usage, registry=registry or small_registry())
    assert isinstance(found, Footprint)
    return found


def test_the_estimate_of_one_call_from_tokens_to_litres() -> None:
    found = _footprint(_usage(input_tokens=2000, cache_read_tokens=600, cache_write_tokens=400, reasoning_tokens=300))
    it_wh = 1.0 * 1 + 0.6 * 1 * 0.2 + 0.4 * 1 * 1.25 + 1.0 * 2
    kwh = it_wh / 1000 * 1.25
    assert found.it_energy_kwh.mid == pytest.approx(it_wh / 1000)
    assert found.energy_kwh.mid == pytest.approx(kwh)
    operational, embodied = found.emissions_operational_gco2e, found.emissions_embodied_gco2e
    assert operational is not None
    assert embodied is not None
    assert operational.mid == pytest.approx(kwh * 20)
    assert embodied.mid == pytest.approx(it_wh / 1000 * 50)
    assert found.emissions_gco2e.mid == pytest.approx(kwh * 20 + it_wh / 1000 * 50)
    assert found.water_l.mid == pytest.approx(it_wh / 1000 * 0.5 + kwh * 2)
    assert found.energy_kwh.low == pytest.approx((1.0 * 0.5 + 0.6 * 0.5 * 0.1 + 0.4 * 0.5 + 1.0 * 1) / 1000 * 1.25)
    assert found.energy_kwh.high == pytest.approx((1.0 * 2 + 0.6 * 2 * 0.5 + 0.4 * 2 * 1.5 + 1.0 * 4) / 1000 * 1.25)


def test_the_worked_example_of_the_bundled_registry() -> None:
    usage = TokenUsage("openai", "gpt-4o-2024-11-20", 800, 300, region="us-east-1", at=date(2026, 11, 22))
    found = estimate(usage)
    assert isinstance(found, Footprint)
    it_wh = 0.8 * 0.206 + 0.3 * 0.687
    assert found.it_energy_kwh.mid == pytest.approx(it_wh / 1000)
    assert found.energy_kwh.mid == pytest.approx(it_wh / 1000 * 1.15)
    assert found.emissions_gco2e.mid == pytest.approx(it_wh / 1000 * (1.15 * 297 + 60))
    assert found.water_l.mid == pytest.approx(it_wh / 1000 * (0.12 + 1.15 * 3.13))
    assert 0.03 < found.emissions_gco2e.low < 0.149 < found.emissions_gco2e.high < 0.9
    assert found.provenance.registry_version == Registry.bundled().version


@pytest.mark.parametrize("region", ["north-1", "NORTH-1"])
def test_a_region_that_the_caller_gives_is_configured(region: str) -> None:
    provenance = _footprint(_usage(region=region)).provenance
    assert (provenance.region, provenance.region_evidence) == ("north-1", "configured")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output_tokens": None}, "no_usage"),
        ({"output_tokens": None, "input_tokens": 5}, "no_usage"),
        ({"output_tokens": None, "model": ""}, "no_usage"),
        ({"model": ""}, "model_not_named"),
        ({"model": "nine"}, "model_not_registered"),
        ({"region": "atlantis-1"}, "zone_unknown"),
        ({"provider": "nobody"}, "zone_unknown"),
        ({"operation": "embeddings"}, "operation_not_covered"),
        ({"at": date(2024, 12, 31)}, "outside_validity"),
    ],
)
def test_without_a_figure_there_is_a_reason(changes: dict[str, Any], reason: str) -> None:
    found = estimate(_usage(**changes), registry=small_registry())
    assert isinstance(found, Unestimated)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("operation", "input_tokens", "output_tokens", "usable"),
    [
        ("chat", 5, 5, True),
        ("chat", None, 5, True),
        ("chat", None, 0, True),
        ("chat", 5, None, False),
        ("chat", None, None, False),
        ("embeddings", 5, None, True),
        ("embeddings", 0, None, True),
        ("embeddings", None, None, False),
    ],
)
def test_only_embeddings_have_a_usage_without_output_tokens(
    operation: str, input_tokens: int | None, output_tokens: int | None, usable: bool
) -> None:
    assert has_usage(operation, input_tokens, output_tokens) is usable


def test_embeddings_are_estimated_from_their_input() -> None:
    found = _footprint(_usage(model="embedder", operation="embeddings", output_tokens=None, input_tokens=3000))
    assert found.it_energy_kwh.mid == pytest.approx(3000 * 1 / 1e6)


@pytest.mark.parametrize(
    ("day", "grid_id"),
    [
        (date(2025, 1, 1), "grid/NOR/location@1"),
        (date(2025, 12, 31), "grid/NOR/location@1"),
        (date(2026, 1, 1), "grid/NOR/location@2"),
        (date(2026, 5, 31), "grid/NOR/location@2"),
        (date(2026, 6, 1), "grid/NOR/location@3"),
        (date(2030, 1, 1), "grid/NOR/location@3"),
    ],
)
def test_a_call_is_estimated_with_the_facts_of_its_day(day: date, grid_id: str) -> None:
    registry = small_registry(
        grid("grid/NOR/location@2", "NOR", 30, valid_from="2026-01-01"),
        grid("grid/NOR/location@3", "NOR", 60, valid_from="2026-06-01"),
    )
    mid = {"grid/NOR/location@1": 20, "grid/NOR/location@2": 30, "grid/NOR/location@3": 60}[grid_id]
    found = _footprint(_usage(at=day), registry)
    assert found.provenance.grid_id == grid_id
    assert found.emissions_operational_gco2e is not None
    assert found.emissions_operational_gco2e.mid == pytest.approx(1000 * 2 / 1e6 * 1.25 * mid)


def test_a_moment_is_estimated_with_the_facts_of_its_utc_day() -> None:
    registry = small_registry(grid("grid/NOR/location@2", "NOR", 30, valid_from="2026-01-01"))
    late = datetime.fromisoformat("2025-12-31T23:30:00-01:00")
    assert _footprint(_usage(at=late), registry).provenance.grid_id == "grid/NOR/location@2"


@pytest.fixture
def local_day_is_not_the_utc_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Move the local time zone so far that its date differs from the date in UTC, whatever the hour is."""
    behind, ahead = "XXX12", "XXX-14"
    monkeypatch.setenv("TZ", behind if datetime.now(UTC).hour < 11 else ahead)
    time.tzset()
    yield
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the local time zone cannot be changed on this system")
@pytest.mark.usefixtures("local_day_is_not_the_utc_day")
def test_without_a_day_a_call_is_of_today_in_utc() -> None:
    before = datetime.now(UTC).date()
    days = [before + timedelta(days=offset) for offset in range(-2, 4)]
    registry = small_registry(
        *(grid(f"grid/NOR/location@{day}", "NOR", 30, valid_from=str(day)) for day in days),
    )
    found = _footprint(_usage(at=None), registry)
    after = datetime.now(UTC).date()
    assert date.today() not in (before, after)  # noqa: DTZ011 - the local day is what must not be taken
    assert found.provenance.grid_id in {f"grid/NOR/location@{day}" for day in (before, after)}


def test_the_registry_of_a_day_in_the_past_gives_the_figure_of_that_day() -> None:
    restated = energy(
        "energy/acme/one@2",
        MODEL,
        published="2026-05-01",
        supersedes="energy/acme/one@1",
        output_wh_per_ktoken=bounds(2, 3, 5),
    )
    registry = small_registry(restated)
    assert _footprint(_usage(), registry).it_energy_kwh.mid == pytest.approx(3e-3)
    assert _footprint(_usage(), registry.as_of(date(2026, 4, 30))).it_energy_kwh.mid == pytest.approx(2e-3)


def test_a_resolver_asks_the_registry_once_for_each_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(registry: Registry, call: CallSubject, configured: Any, **more: Any) -> Any:
        asked.append(call)
        return resolve_factors(registry, call, configured, **more)

    monkeypatch.setattr(estimating, "resolve_factors", counted)
    resolver = FactorResolver(small_registry())
    unknown = CALL._replace(model="nine")
    for call in (CALL, CALL, unknown, unknown, CALL):
        resolver.factors_of(call)
    assert asked == [CALL, unknown]


def test_a_resolver_remembers_a_bounded_number_of_subjects() -> None:
    resolver = FactorResolver(small_registry())
    first = resolver.factors_of(CALL)
    for number in range(MAX_CACHED_SUBJECTS):
        resolver.factors_of(CALL._replace(model=f"made-up-{number}"))
    again = resolver.factors_of(CALL)
    assert again is not first
    assert _all_of(again) == _all_of(first)


def test_a_resolver_applies_the_configured_regions() -> None:
    resolver = FactorResolver(small_registry(), {"acme": "north-1"})
    found = resolver.factors_of(CALL)
    assert isinstance(found, Factors)
    assert found.provenance.region == "north-1"


def test_an_input_that_is_not_reported_is_said_to_be_an_assumption() -> None:
    silent, zero = _footprint(_usage()), _footprint(_usage(input_tokens=0))
    assert (silent.amounts, silent.tokens) == (zero.amounts, zero.tokens)
    assert silent.provenance.assumptions == (*zero.provenance.assumptions, "input_not_reported")


def test_the_facade_and_the_parts_agree() -> None:
    usage = _usage(input_tokens=7, region="north-1")
    factors = resolve_factors(small_registry(), CALL._replace(region="north-1", region_evidence="configured"))
    assert not isinstance(factors, Unestimated)
    direct, through_facade = footprint_of(usage.additive_tokens(), factors), _footprint(usage)
    assert (direct.amounts, direct.tokens) == (through_facade.amounts, through_facade.tokens)
    assert _all_of(direct.factors) == _all_of(through_facade.factors)


@pytest.mark.parametrize(
    ("time_ns", "day"),
    [
        (0, date(1970, 1, 1)),
        (NS_PER_DAY - 1, date(1970, 1, 1)),
        (NS_PER_DAY, date(1970, 1, 2)),
        (1_772_323_199_999_999_999, date(2026, 2, 28)),
        (1_772_323_200_000_000_000, date(2026, 3, 1)),
        (2**64 - 1, date(2554, 7, 21)),
    ],
)
def test_the_day_of_a_unix_time_is_in_utc(time_ns: int, day: date) -> None:
    assert day_from_unix_ns(time_ns) == day


def test_a_service_that_its_supplier_had_assessed_takes_emissions_and_water_from_the_assessment() -> None:
    call = TokenUsage("mistral_ai", "mistral-large-2407", input_tokens=1000, output_tokens=400)
    found = _footprint(call, Registry.bundled())
    assert found.emissions_gco2e.mid == pytest.approx(1.14)  # of an answer of 400 tokens
    assert found.water_l.mid == pytest.approx(0.045)
    assert found.emissions_operational_gco2e is found.emissions_embodied_gco2e is found.emissions_market_gco2e is None
    assert "assessed_by_supplier" in found.provenance.assumptions
    assert found.provenance.fact_ids["assessed"] == ("assessment/mistral/mistral-large-2407@2025-07",)
    in_france = _footprint(replace(call, region="FRA"), Registry.bundled())
    assert in_france.emissions_gco2e == found.emissions_gco2e  # no grid comes into it
    assert [step.name for step in steps_of(found)] == ["it_energy_kwh", "energy_kwh", "emissions_gco2e", "water_l"]


@pytest.mark.parametrize("provider", ["self_hosted", "azure.ai.openai", "aws.bedrock"])
def test_the_assessment_of_one_service_says_nothing_of_another(provider: str) -> None:
    call = TokenUsage(provider, "mistral-large-2407", input_tokens=1000, output_tokens=400, region="us-east-1")
    found = _footprint(call, Registry.bundled())
    assert found.factors.assessed is None
    assert found.emissions_operational_gco2e is not None


def test_attributes_of_an_assessed_call_leave_out_the_parts_that_it_does_not_tell() -> None:
    call = TokenUsage("mistral_ai", "mistral-large-2407", input_tokens=1000, output_tokens=400)
    written = footprint_attributes(_footprint(call, Registry.bundled()), full=True)
    assert written[attributes.EMISSIONS_GCO2E] == pytest.approx(1.14)
    assert attributes.IT_ENERGY_KWH in written
    assert attributes.EMISSIONS_OPERATIONAL_GCO2E not in written
    assert attributes.EMISSIONS_EMBODIED_GCO2E not in written
