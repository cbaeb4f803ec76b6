from __future__ import annotations

import pytest

from otel_carbon.core import reasons

PUBLISHED_CODES = {
    "no_usage",
    "failed_no_usage",
    "invalid_usage",
    "absurd_usage",
    "parts_exceed_whole",
    "invented_usage",
    "model_not_registered",
    "model_not_named",
    "zone_unknown",
    "operation_not_covered",
    "outside_validity",
    "cache_hit",
    "strict_fallback_refused",
}
"""Codes that others match on: they may gain company, but never change."""

CODES = {name: code for name, code in vars(reasons).items() if name.isupper() and isinstance(code, str)}


def test_every_published_code_exists() -> None:
    assert set(CODES.values()) >= PUBLISHED_CODES


def test_a_code_is_its_name_in_lower_case() -> None:
    assert {code.upper(): code for code in CODES.values()} == CODES


def test_codes_and_sentences_are_the_same_set() -> None:
    assert set(reasons.SENTENCES) == set(CODES.values())


@pytest.mark.parametrize("code", sorted(reasons.SENTENCES))
def test_a_code_has_one_line_that_reads_as_a_sentence(code: str) -> None:
    sentence = reasons.sentence(code)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_no_two_codes_say_the_same() -> None:
    assert len(set(reasons.SENTENCES.values())) == len(reasons.SENTENCES)


def test_an_unknown_code_has_no_sentence() -> None:
    with pytest.raises(KeyError):
        reasons.sentence("because")
