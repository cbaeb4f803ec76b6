"""The demo finds its own mistakes."""

from __future__ import annotations

from otel_carbon.demo.checks import counter_totals, differences_from_counters, differences_from_truth
from otel_carbon.demo.figures import figures_of
from otel_carbon.demo.span_trees import Part
from otel_carbon.demo.traffic import ModelTruth, Truth
from tests.unit.demo.samples import estimated, judged

NO_PARTS = dict.fromkeys(Part, 0)


def truth(calls: int = 2, duplicates: int = 1, input_tokens: int = 200) -> Truth:
    model = ModelTruth(calls, input_tokens, 20)
    return Truth({("openai", "gpt-4o"): model}, NO_PARTS | {Part.CALL: calls, Part.DUPLICATE: duplicates})


ARRIVED = [estimated(1.0), estimated(2.0), judged("duplicate", "same_shape")]

EXPOSITION = """\
# TYPE otel_carbon_energy_joules_total counter
otel_carbon_energy_joules_total{a="1"} 7200.0
otel_carbon_energy_joules_total{a="2"} 14400.0
# TYPE otel_carbon_energy_low_joules_total counter
otel_carbon_energy_low_joules_total 10800.0
# TYPE otel_carbon_energy_high_joules_total counter
otel_carbon_energy_high_joules_total 43200.0
# TYPE otel_carbon_emissions_grams_total counter
otel_carbon_emissions_grams_total 3.0
# TYPE otel_carbon_emissions_low_grams_total counter
otel_carbon_emissions_low_grams_total 1.5
# TYPE otel_carbon_emissions_high_grams_total counter
otel_carbon_emissions_high_grams_total 6.0
# TYPE otel_carbon_water_L_total counter
otel_carbon_water_L_total 0.012
# TYPE otel_carbon_water_low_L_total counter
otel_carbon_water_low_L_total 0.006
# TYPE otel_carbon_water_high_L_total counter
otel_carbon_water_high_L_total 0.024
# TYPE otel_carbon_tokens_total counter
otel_carbon_tokens_total{otel_carbon_token_type="input_uncached"} 200.0
otel_carbon_tokens_total{otel_carbon_token_type="output_visible"} 20.0
# TYPE otel_carbon_operations_total counter
otel_carbon_operations_total 2.0
"""
"""0.002 kWh a gram, 3.6 MJ a kWh: 1 g is 7,200 J, 2 g are 14,400 J; bounds are half and double."""


def test_the_truth_is_recognised() -> None:
    assert differences_from_truth(figures_of(ARRIVED), truth()) == ()


def test_a_call_counted_twice_is_told() -> None:
    found = differences_from_truth(figures_of([*ARRIVED, estimated(2.0)]), truth())
    assert "spans: 4 found, 3 planned" in found
    assert "calls: 3 found, 2 planned" in found
    assert "openai/gpt-4o: calls, input and output tokens (3, 300, 30) found, (2, 200, 20) planned" in found


def test_a_missed_duplicate_is_told() -> None:
    assert "duplicate spans: 1 found, 2 planned" in differences_from_truth(figures_of(ARRIVED), truth(duplicates=2))


def test_wrong_tokens_are_told() -> None:
    found = differences_from_truth(figures_of(ARRIVED), truth(input_tokens=201))
    assert found == ("openai/gpt-4o: calls, input and output tokens (2, 200, 20) found, (2, 201, 20) planned",)


def test_counters_are_summed_over_their_labels() -> None:
    assert counter_totals(EXPOSITION)["otel_carbon_energy_joules_total"] == 7200.0 + 14400.0


def test_counters_that_agree_make_no_difference() -> None:
    assert differences_from_counters(figures_of(ARRIVED), EXPOSITION) == ()


def test_a_counter_off_by_more_than_rounding_is_told() -> None:
    wrong = EXPOSITION.replace("grams_total 3.0", "grams_total 3.00001")
    found = differences_from_counters(figures_of(ARRIVED), wrong)
    assert found == ("otel_carbon_emissions_grams_total: 3.00001 counted, 3.0 on the spans",)


def test_an_absent_counter_is_told() -> None:
    found = differences_from_counters(figures_of(ARRIVED), "")
    assert len(found) == 11
