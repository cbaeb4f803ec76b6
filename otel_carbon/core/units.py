"""Conversions between the units that facts, spans and metrics are written in."""

from __future__ import annotations

JOULES_PER_KWH = 3_600_000.0
WH_PER_KWH = 1000.0
KWH_PER_NJ = 1.0 / (JOULES_PER_KWH * 1e9)
TOKENS_PER_KTOKEN = 1000.0


def joules_from_kwh(energy_kwh: float) -> float:
    """Energy in joules, as counters carry it."""
    return energy_kwh * JOULES_PER_KWH


def kwh_from_joules(energy_j: float) -> float:
    """Energy in kWh, as spans and reports carry it."""
    return energy_j / JOULES_PER_KWH


def kwh_per_token_from_wh_per_ktoken(energy_wh_per_ktoken: float) -> float:
    """Energy of one token in kWh, from the Wh per 1,000 tokens in which coefficients are published."""
    return energy_wh_per_ktoken / (WH_PER_KWH * TOKENS_PER_KTOKEN)


def wh_per_ktoken_from_kwh_per_token(energy_kwh_per_token: float) -> float:
    """The inverse of `kwh_per_token_from_wh_per_ktoken`."""
    return energy_kwh_per_token * (WH_PER_KWH * TOKENS_PER_KTOKEN)
