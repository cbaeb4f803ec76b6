from __future__ import annotations

import dataclasses

import pytest

from otel_carbon.cli.wording import FIELD_LABELS, FIELD_UNITS, range_words, rounded
from otel_carbon.core.assumptions import ASSUMPTIONS, assumption_sentence
from otel_carbon.core.interval import Interval
from otel_carbon.registry import places
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import FACT_KINDS, EnergyCoefficient


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "0"), (0.000026, "0.0000260"), (0.149, "0.149"), (1.806, "1.81"), (42.65, "42.6"), (1234567.8, "1,234,568")],
)
def test_amounts_have_three_significant_digits_and_no_exponent(amount: float, text: str) -> None:
    assert rounded(amount) == text


def test_a_range_is_shown_only_when_there_is_one() -> None:
    assert range_words(Interval(0.5, 1.0, 4.0)) == "1.00 (0.500 to 4.00)"
    assert range_words(Interval.exactly(60.0)) == "60.0"


def test_every_assumption_of_the_bundled_facts_has_words() -> None:
    energy = [fact for fact in Registry.bundled().facts("energy") if isinstance(fact, EnergyCoefficient)]
    codes = {code for fact in energy for code in fact.assumptions}
    codes |= {places.ASSUMED_GENERIC_SITE, places.ASSUMED_PROVIDER_PLACE}
    assert codes - set(ASSUMPTIONS) == set()


def test_an_assumption_of_an_overlay_is_shown_by_its_code() -> None:
    assert assumption_sentence("our_own_guess") == "our_own_guess"


def test_every_amount_of_a_fact_has_a_unit_and_a_label_where_there_are_two() -> None:
    for shape in FACT_KINDS.values():
        amounts = [field.name for field in dataclasses.fields(shape) if field.type == "Interval"]
        assert [name for name in amounts if name not in FIELD_UNITS] == []
        if len(amounts) > 1:
            assert [name for name in amounts if name not in FIELD_LABELS] == []
