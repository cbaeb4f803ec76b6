"""Numbers and units in words, for the pages that people read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_carbon.core.interval import Interval

FIELD_UNITS = {
    "batch": "requests served together",
    "characters_per_token": "characters per token",
    "direct_gco2e_per_kwh": "gCO2e per kWh, direct",
    "ewif_l_per_kwh": "L per kWh",
    "gco2e_per_it_kwh": "gCO2e per IT kWh",
    "gco2e_per_output_ktoken": "gCO2e per 1,000 output tokens",
    "gco2e_per_kwh": "gCO2e per kWh",
    "input_tokens": "tokens per request",
    "context_j_per_gb": "J of the accelerators per GB",
    "context_wh_per_ktoken_ktoken": "IT Wh per 1,000 output tokens at 1,000 tokens of context",
    "input_wh_per_ktoken": "IT Wh per 1,000 tokens",
    "it_per_accelerator": "of the accelerators' energy",
    "it_per_metered": "IT kWh per metered kWh",
    "l_per_kwh": "L per kWh",
    "l_per_output_ktoken": "L per 1,000 output tokens",
    "output_tokens": "tokens per request",
    "output_wh_per_ktoken": "IT Wh per 1,000 tokens",
    "prefill_utilisation": "of an accelerator's operations",
    "pue": "facility kWh per IT kWh",
    "ratio": "of an uncached input token",
    "wue_l_per_it_kwh": "L per IT kWh",
}
"""Field of a fact to the unit of its amount."""

FIELD_LABELS = {
    "batch": "batch",
    "context_j_per_gb": "looking back",
    "context_wh_per_ktoken_ktoken": "context",
    "input_tokens": "input",
    "input_wh_per_ktoken": "input",
    "gco2e_per_output_ktoken": "emissions",
    "it_per_accelerator": "host and idle",
    "l_per_output_ktoken": "water",
    "output_tokens": "output",
    "output_wh_per_ktoken": "output",
    "prefill_utilisation": "use in reading",
    "pue": "PUE",
    "wue_l_per_it_kwh": "WUE",
}
"""Field of a fact to the name of its amount, where a fact has two of them."""

SIGNIFICANT_DIGITS = 3


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
