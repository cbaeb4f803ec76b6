"""Pieces of OTTL: what its parser, and the Collector's reading of configurations, would take for something else."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from otel_carbon.exporting.ottl_text import in_yaml, literal, looked_up, pattern_of_glob


@pytest.mark.parametrize(
    ("number", "text"),
    [(1e-07, "1.0e-07"), (2.5e-07, "2.5e-07"), (0.0, "0.0"), (3.0, "3.0"), (1e22, "1.0e+22"), (0.1, "0.1")],
)
def test_a_float_has_a_point_also_before_an_exponent(number: float, text: str) -> None:
    assert literal(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_the_same_double_and_never_as_an_integer(number: float) -> None:
    assert "." in literal(number)
    assert float(literal(number)) == number


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        literal(number)


def test_flags_and_counts_are_not_mistaken_for_each_other() -> None:
    assert literal({"open": True, "row": 1, "low": 1.0}) == '{"open": true, "row": 1, "low": 1.0}'


@given(st.text())
def test_a_text_reads_back_whatever_is_in_it(text: str) -> None:
    assert json.loads(literal(text)) == text


def test_a_table_is_looked_up_without_being_copied() -> None:
    assert looked_up({"a": [1, 2]}, 'span.cache["k"]', "0") == 'Coalesce([{"a": [1, 2]}])[span.cache["k"]][0]'


@settings(deadline=None)  # the first example also loads the reader of YAML
@given(st.text(st.characters(exclude_categories=("C", "Z"))))
def test_a_statement_comes_out_of_yaml_as_it_went_in_but_for_doubled_dollars(statement: str) -> None:
    assert YAML(typ="safe").load(in_yaml(statement)) == statement.replace("$", "$$")


def test_a_glob_becomes_a_pattern_of_the_whole_name() -> None:
    assert pattern_of_glob("*.openai.azure.com") == r"^.*\.openai\.azure\.com$"
