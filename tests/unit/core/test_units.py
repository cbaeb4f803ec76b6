from __future__ import annotations

from otel_carbon.core import units


def test_one_kwh_is_three_point_six_megajoules() -> None:
    assert units.joules_from_kwh(1.0) == 1000 * 3600
    assert units.kwh_from_joules(1000 * 3600) == 1.0


def test_coefficients_are_published_in_wh_per_thousand_tokens() -> None:
    assert units.kwh_per_token_from_wh_per_ktoken(1.0) == 1 / 1000 / 1000
    assert units.wh_per_ktoken_from_kwh_per_token(1e-6) == 1.0
