"""From the size of a model to its energy coefficient: mid, bounds from independent causes, and what clips them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.interval import Interval
from otel_carbon.core.parametric import (
    JOULES_PER_WH,
    TOKENS_PER_KTOKEN,
    OutputFit,
    Size,
    accelerator_wh_per_ktoken,
    batch_factors,
    combined,
    context_wh_per_ktoken_ktoken,
    geometric_mean,
    prefill_wh_per_ktoken,
)

if TYPE_CHECKING:
    from otel_carbon.registry.facts import SizeMethod

SIZE_GUESSED = "size_guessed"
HARDWARE_GUESSED = "hardware_guessed"
BATCH_GUESSED = "batch_guessed"
OUTSIDE_FIT = "outside_fit"
SIZE_SUSPECT = "size_suspect"
WIDENED = "widened_by_other_method"
CEILING = "clipped_to_ceiling"
MID_CEILING = "mid_clipped_to_ceiling"
MID_OF_CEILING = 0.5
"""A mid above the ceiling is lowered to this share of it: whoever sells at a profit has other costs as well."""
FLOOR = "clipped_to_floor"
BENCHMARK = "benchmark"
PARAMETRIC = "parametric"


class Evidence(NamedTuple):
    """What is known of a model: parameters in billions, list prices in US dollars per million tokens.

    `benchmark_wh_per_ktoken` is of the accelerators alone; `other_wh_per_ktoken` is another method's range at `it`.
    """

    active_b: tuple[float, float]
    total_b: tuple[float, float]
    guessed: bool
    developer: str
    open_weights: bool
    embeddings: bool
    benchmark_wh_per_ktoken: float | None
    other_wh_per_ktoken: tuple[float | None, float | None]
    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    kv_bytes_per_token: float | None = None


class SizedEnergy(NamedTuple):
    """IT energy of 1,000 tokens in Wh, what was assumed, and the computation in words."""

    output_wh_per_ktoken: Interval
    input_wh_per_ktoken: Interval
    assumptions: tuple[str, ...]
    method: str
    derivation: str
    context_wh_per_ktoken_ktoken: Interval | None = None
    """Wh for 1,000 output tokens at 1,000 tokens of context, where the bytes are known."""


class _Bounds(NamedTuple):
    low: float
    mid: float
    high: float
    codes: tuple[str, ...]
    words: tuple[str, ...]


def sized_energy(method: SizeMethod, evidence: Evidence) -> SizedEnergy:
    """The coefficient of a model: by its benchmark where there is one, else by the fit over its size."""
    if evidence.embeddings:
        return _of_reading(method, evidence)
    found = _clipped(method, evidence, _widened(evidence, _by_causes(method, evidence)))
    output = Interval(found.low, found.mid, found.high)
    kv_bytes, context, words = evidence.kv_bytes_per_token, None, found.words
    if kv_bytes is not None:
        context = _of_context(method, kv_bytes)
        words += (f"{kv_bytes:g} bytes of keys and values read for each token of context",)
    return SizedEnergy(
        output,
        _input(method, evidence, found),
        (*_guesses(evidence), *found.codes),
        BENCHMARK if evidence.benchmark_wh_per_ktoken is not None else PARAMETRIC,
        "; ".join(words),
        context,
    )


def _by_causes(method: SizeMethod, evidence: Evidence) -> _Bounds:
    """The mid, and bounds from the causes that make it uncertain."""
    fit, host = OutputFit(*(getattr(method, name) for name in OutputFit._fields)), method.it_per_accelerator
    size = Size(geometric_mean(*evidence.active_b), geometric_mean(*evidence.total_b))
    less, more = batch_factors(fit, method.batch)
    down, up = [less, host.mid / host.low], [more, host.high / host.mid]
    codes: list[str] = []
    if evidence.benchmark_wh_per_ktoken is not None:
        accelerator = evidence.benchmark_wh_per_ktoken
        words = f"benchmark {accelerator:.4g} Wh of the accelerators"
        causes = [method.serving_factor]
    else:
        accelerator = accelerator_wh_per_ktoken(fit, size, method.batch.mid, fp8=True)
        words = (
            f"fit at {size.active_b:.4g} of {size.total_b:.4g} billion parameters, batch {method.batch.mid:g}, 8 bits: "
            f"{accelerator:.4g} Wh of the accelerators"
        )
        causes = [method.fit_factor, *([method.size_factor] if evidence.guessed else [])]
        if not _is_fitted(method, size):
            codes.append(OUTSIDE_FIT)
    mid = accelerator * host.mid
    divisor, factor = combined((*down, *causes)), combined((*up, *causes))
    said = (f"{words} * {host.mid:g} = {mid:.4g}", f"causes / {divisor:.3g} and x {factor:.3g}")
    return _Bounds(mid / divisor, mid, mid * factor, tuple(codes), said)


def _is_fitted(method: SizeMethod, size: Size) -> bool:
    return (
        method.fitted_active_b_low <= size.active_b <= method.fitted_active_b_high
        and method.fitted_total_b_low <= size.total_b <= method.fitted_total_b_high
    )


def _widened(evidence: Evidence, found: _Bounds) -> _Bounds:
    """The bounds, united with the range of another admissible method."""
    low, high = evidence.other_wh_per_ktoken
    if low is None or high is None or (found.low <= low and high <= found.high):
        return found
    words = f"united with {low:.4g} to {high:.4g} of another method"
    return found._replace(
        low=min(found.low, low),
        high=max(found.high, high),
        codes=(*found.codes, WIDENED),
        words=(*found.words, words),
    )


def _clipped(method: SizeMethod, evidence: Evidence, found: _Bounds) -> _Bounds:
    """The bounds within what arithmetic needs and what the price can pay for.

    Prices say nothing of weights that anyone may host, nor of hosts that are not known.
    """
    floor = floor_wh_per_ktoken(method, evidence.active_b[0])
    if found.low < floor <= found.mid:
        found = _noted(found._replace(low=floor), FLOOR, f"low raised to the floor {floor:.4g}")
    price = evidence.output_usd_per_mtok
    if evidence.open_weights or not price:
        return found
    if evidence.guessed and found.mid * method.facility_per_it / price < method.least_kwh_per_usd:
        found = found._replace(high=max(found.high, found.mid * method.suspect_factor_high))
        found = _noted(
            found, SIZE_SUSPECT, f"price {price:g} USD contradicts the size: high x {method.suspect_factor_high:g}"
        )
    ceiling = ceiling_wh_per_ktoken(method, evidence.developer, price)
    if found.mid > ceiling:
        lowered = MID_OF_CEILING * ceiling / found.mid
        words = f"mid and low lowered by {1 / lowered:.3g} to half of the ceiling"
        found = _noted(found._replace(mid=found.mid * lowered, low=found.low * lowered), MID_CEILING, words)
    if found.high > ceiling:
        found = _noted(found._replace(high=ceiling), CEILING, f"high lowered to the ceiling {ceiling:.4g}")
    return found


def _noted(found: _Bounds, code: str, words: str) -> _Bounds:
    return found._replace(codes=(*found.codes, code), words=(*found.words, words))


def floor_wh_per_ktoken(method: SizeMethod, active_b_low: float) -> float:
    """Wh at `it` per 1,000 output tokens that no benchmark has come below, for so many billion active parameters."""
    return (
        method.floor_j_per_active_b * active_b_low * method.it_per_accelerator.low * TOKENS_PER_KTOKEN / JOULES_PER_WH
    )


def ceiling_wh_per_ktoken(method: SizeMethod, developer: str, usd_per_mtok: float) -> float:
    """Wh at `it` per 1,000 tokens that the price of a million of them, in US dollars, can pay for."""
    own = developer in method.own_chips
    return usd_per_mtok * (method.kwh_per_usd_own_chips if own else method.kwh_per_usd) / method.facility_per_it


def _input(method: SizeMethod, evidence: Evidence, output: _Bounds) -> Interval:
    """By its ratio to output, with the bounds of the arithmetic of reading, which tells experts from dense models."""
    mid, reading = output.mid * method.input_per_output, _reading(method, evidence)[0]
    low, high = mid / method.input_divisor_low, mid * method.input_factor_high
    if SIZE_SUSPECT in output.codes:
        high = mid * method.suspect_factor_high
    low, high = min(low, reading.low), max(high, reading.high)
    price = None if evidence.open_weights else evidence.input_usd_per_mtok
    ceiling = ceiling_wh_per_ktoken(method, evidence.developer, price) if price else high
    if mid > ceiling:
        low, mid = low * MID_OF_CEILING * ceiling / mid, MID_OF_CEILING * ceiling
    return Interval(low, mid, min(high, ceiling))


def _of_context(method: SizeMethod, kv_bytes_per_token: float) -> Interval:
    """Wh at `it` for 1,000 output tokens at 1,000 of context: each reads the keys and values of all before it."""
    host, reading = method.it_per_accelerator, method.context_j_per_gb
    least, mid = (
        context_wh_per_ktoken_ktoken(kv_bytes_per_token, j_per_gb) * of_host
        for j_per_gb, of_host in ((reading.low, host.low), (reading.mid, host.mid))
    )
    return Interval(least, mid, mid * combined((reading.high / reading.mid, host.high / host.mid)))


def _of_reading(method: SizeMethod, evidence: Evidence) -> SizedEnergy:
    """The coefficient of a model that reads only: arithmetic decides, whatever the batch."""
    amount, said = _reading(method, evidence)
    nothing = Interval.exactly(0.0)  # no token is written
    return SizedEnergy(nothing, amount, _guesses(evidence), PARAMETRIC, said)


def _reading(method: SizeMethod, evidence: Evidence) -> tuple[Interval, str]:
    """Wh at `it` for reading 1,000 tokens, by arithmetic over the working parameters, and how it was computed."""
    host, use = method.it_per_accelerator, method.prefill_utilisation
    active_b = geometric_mean(*evidence.active_b)
    accelerator = prefill_wh_per_ktoken(active_b, method.prefill_flops_per_s, use.mid, method.prefill_watts)
    mid = accelerator * host.mid
    causes = [method.size_factor] if evidence.guessed else []
    divisor = combined((use.high / use.mid, host.mid / host.low, *causes))
    factor = combined((use.mid / use.low, host.high / host.mid, *causes))
    rate = f"{method.prefill_flops_per_s:.3g} a second and {method.prefill_watts:g} W"
    words = (
        f"2 operations for each of {active_b:.4g} billion parameters at {use.mid:g} of {rate}: "
        f"{accelerator:.3g} Wh of the accelerators * {host.mid:g} = {mid:.3g}"
    )
    said = f"{words}; causes / {divisor:.3g} and x {factor:.3g}"
    return Interval(mid / divisor, mid, mid * factor), said


def _guesses(evidence: Evidence) -> tuple[str, ...]:
    guesses = {SIZE_GUESSED: evidence.guessed, HARDWARE_GUESSED: True, BATCH_GUESSED: not evidence.embeddings}
    return tuple(code for code, holds in guesses.items() if holds)
