"""Energy of a token from the size of its model, by a fit over benchmark runs; pure arithmetic over a method's facts."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.core.interval import Interval

JOULES_PER_WH = 3600.0
TOKENS_PER_KTOKEN = 1000.0
BYTES_PER_GB = 1e9


class OutputFit(NamedTuple):
    """Coefficients of `ln(joules of the accelerators per output token)`; parameters count in billions."""

    intercept: float
    ln_active_b: float
    ln_total_b: float
    ln_batch: float
    ln_batch_squared: float
    fp8: float
    b200: float
    batch_origin: float
    """The batch at which the terms of the batch are zero."""


class Size(NamedTuple):
    """Parameters of a model in billions: those active for a token, and all of them."""

    active_b: float
    total_b: float


def accelerator_wh_per_ktoken(fit: OutputFit, size: Size, batch: float, *, fp8: bool, b200: bool = False) -> float:
    """Energy of the accelerators for 1,000 output tokens, in Wh.

    Formula: `exp(intercept + sum of coefficient * term) * 1000 / 3600`; the batch counts relative to its origin.
    Boundary: accelerators only, prompt included as in the benchmark; before host, idle reserve and PUE.
    Source: the method's fact.
    """
    at = log(batch / fit.batch_origin)
    joules = exp(
        fit.intercept
        + fit.ln_active_b * log(size.active_b)
        + fit.ln_total_b * log(size.total_b)
        + fit.ln_batch * at
        + fit.ln_batch_squared * at * at
        + fit.fp8 * fp8
        + fit.b200 * b200
    )
    return joules * TOKENS_PER_KTOKEN / JOULES_PER_WH


def batch_factors(fit: OutputFit, batch: Interval) -> tuple[float, float]:
    """How much less (as a divisor) and more energy the largest and the smallest batch take than the mid one."""
    size = Size(1.0, 1.0)  # the batch's part of the fit does not depend on it
    low, mid, high = (accelerator_wh_per_ktoken(fit, size, at, fp8=False) for at in (batch.low, batch.mid, batch.high))
    return mid / high, low / mid


def prefill_wh_per_ktoken(active_b: float, flops_per_s: float, utilisation: float, watts: float) -> float:
    """Energy of the accelerators for reading 1,000 tokens, in Wh: two operations a parameter and token.

    Formula: `2 * active_b * 1e9 * 1000 / (flops_per_s * utilisation) * watts / 3600`.
    Boundary: accelerators only. Source: the method's fact.
    """
    seconds = 2.0 * active_b * 1e9 * TOKENS_PER_KTOKEN / (flops_per_s * utilisation)
    return seconds * watts / JOULES_PER_WH


def context_wh_per_ktoken_ktoken(kv_bytes_per_token: float, j_per_gb: float) -> float:
    """Energy of the accelerators for looking back from 1,000 output tokens at 1,000 tokens each, in Wh.

    Formula: `kv_bytes_per_token * 1000 * 1000 / 1e9 * j_per_gb / 3600`.
    Boundary: accelerators only; keys and values are read again for each pair.
    Source: the model's bytes and the method's fact.
    """
    gigabytes = kv_bytes_per_token * TOKENS_PER_KTOKEN**2 / BYTES_PER_GB
    return gigabytes * j_per_gb / JOULES_PER_WH


def combined(factors: Iterable[float]) -> float:
    """Independent causes as one factor: the root of the sum of their squared logarithms."""
    return exp(sqrt(sum(log(factor) ** 2 for factor in factors)))


def geometric_mean(low: float, high: float) -> float:
    """The middle of a range that is known by its ratio."""
    return sqrt(low * high)
