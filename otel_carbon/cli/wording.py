"""Codes, numbers and units in words, for the pages that people read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_carbon.core.interval import Interval

PROVIDER_IS_DEVELOPER = "provider_is_developer"

ASSUMPTIONS = {
    "batch_guessed": "How many requests the hardware serves at once is a guess.",
    "generic_site": "The data centre is unknown; a typical one is taken.",
    "hardware_guessed": "The kind of accelerator is a guess.",
    "outside_fit": "The model lies outside the sizes that the energy formula was fitted on.",
    "power_guessed": "The power that the hardware draws is a guess.",
    "provider_default_place": "No region is given; the provider's usual places are taken.",
    PROVIDER_IS_DEVELOPER: "No provider is given; the developer of the model is taken to run it.",
    "size_guessed": "The model's size is not published; outside guesses are taken.",
    "size_suspect": "The guessed size looks too small for what the model does; the upper bound is widened.",
}

FIELD_UNITS = {
    "ewif_l_per_kwh": "L per kWh",
    "gco2e_per_it_kwh": "gCO2e per IT kWh",
    "gco2e_per_kwh": "gCO2e per kWh",
    "input_wh_per_ktoken": "IT Wh per 1,000 tokens",
    "l_per_kwh": "L per kWh",
    "output_wh_per_ktoken": "IT Wh per 1,000 tokens",
    "pue": "facility kWh per IT kWh",
    "ratio": "of an uncached input token",
    "wue_l_per_it_kwh": "L per IT kWh",
}
"""Field of a fact to the unit of its amount."""

FIELD_LABELS = {
    "input_wh_per_ktoken": "input",
    "output_wh_per_ktoken": "output",
    "pue": "PUE",
    "wue_l_per_it_kwh": "WUE",
}
"""Field of a fact to the name of its amount, where a fact has two of them."""

SIGNIFICANT_DIGITS = 3


def assumption_sentence(code: str) -> str:
    """What was assumed, in words; the code itself where an overlay brings one of its own."""
    return ASSUMPTIONS.get(code, code)


def rounded(amount: float) -> str:
    """An amount with three significant digits, whole above 100, and no exponent."""
    if amount == 0.0:
        return "0"
    decimals = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(amount))
    return f"{amount:,.{max(decimals, 0)}f}"


def range_words(interval: Interval) -> str:
    """`mid (low to high)`, or one number when there is no range."""
    if interval.low == interval.high:
        return rounded(interval.mid)
    return f"{rounded(interval.mid)} ({rounded(interval.low)} to {rounded(interval.high)})"
