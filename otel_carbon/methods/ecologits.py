"""EcoLogits 0.11.3 computed from its published formulas, without the package.

The functions that hold a formula name their quantity; units stand in every name, `_b` is a billion parameters.
Source of all of them: EcoLogits 0.11.3, `ecologits/impacts/llm.py`; the numbers are in `data/ecologits/`.
Boundary: accelerators, host share and PUE; grid average over the life cycle; manufacture of the hardware.
Left out: input tokens, idle reserve, training, networks, end devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.methods.ecologits_tables import (
    VERSION,
    Ends,
    Model,
    constants,
    electricity_mixes,
    hosts,
    models,
    retired_models,
)
from otel_carbon.methods.result import MODEL_NOT_REGISTERED, WATER_FACTOR_NOT_SHIPPED, ZONE_NOT_REGISTERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.methods.ecologits_tables import Constants, ElectricityMix, Host, Size

S_PER_HOUR = 3600.0
WH_PER_KWH = 1000.0
G_PER_KG = 1000.0
BITS_PER_BYTE = 8


@dataclass(frozen=True, slots=True)
class EcoLogitsImpacts:
    """What EcoLogits says of one call: low and high are its min and max, mid is its mean, half way between them."""

    energy_kwh: Interval
    """At the facility, PUE included."""
    emissions_operational_gco2e: Interval
    emissions_embodied_gco2e: Interval
    emissions_gco2e: Interval
    water_l: Interval | Unestimated
    """Of the use phase: on site and for the electricity."""
    primary_energy_mj: Interval
    adpe_kgsbeq: Interval
    """Depletion of mineral resources, in kg of antimony."""
    zone: str
    warnings: tuple[str, ...]
    """The codes that the package itself gives."""
    last_seen: str = VERSION
    """The last version that knew the model; an earlier one of retired models."""
    size_given: bool = False
    """Whether the caller's size was taken instead of EcoLogits' own."""


def ecologits_impacts(
    provider: str,
    model: str,
    output_tokens: int,
    *,
    request_latency_s: float = math.inf,
    zone: str | None = None,
    sizes: Mapping[str, Size] | None = None,
    retired: bool = False,
) -> EcoLogitsImpacts | Unestimated:
    """The impacts of one call by EcoLogits 0.11.3; input tokens play no part.

    Args:
        provider: as EcoLogits names it, such as `openai`, `mistralai` or `google_genai`.
        model: the exact name, or one of EcoLogits' nine aliases.
        output_tokens: all output tokens.
        request_latency_s: how long the request took, in seconds; caps the modelled time of generation.
        zone: ISO 3166 alpha-3 code of the grid, or `WOR`; the provider's default zone when `None`.
        sizes: `provider/model` to a size that replaces EcoLogits' own, for models whose size is a guess.
        retired: whether models that only earlier versions knew may be used; 0.11.3 itself refuses them.

    Returns:
        The impacts, energy in kWh, emissions in gCO2e, water in L; or why there are none, with EcoLogits' own
        codes `model-not-registered` and `zone-not-registered`.

    Raises:
        ValueError: a negative token count or latency, or a latency that is no number.
    """
    if output_tokens < 0 or not request_latency_s >= 0:
        msg = f"output_tokens and request_latency_s must be >= 0, got {output_tokens} and {request_latency_s}"
        raise ValueError(msg)
    name = f"{provider}/{model}"
    size = (sizes or {}).get(name)
    known = _known_model(name, size, retired=retired)
    if known is None or provider not in hosts():
        return Unestimated(MODEL_NOT_REGISTERED, name)
    host = hosts()[provider]
    mix = electricity_mixes().get(zone or host.zone)
    if mix is None:
        return Unestimated(ZONE_NOT_REGISTERED, zone or host.zone)
    low, high = (_run(each, output_tokens, request_latency_s) for each in _ends_of(known))
    return _impacts(low, high, host, mix, zone or host.zone, known, size_given=size is not None)


def _known_model(name: str, size: Size | None, *, retired: bool) -> Model | None:
    known = models().get(name) or (retired_models().get(name) if retired else None)
    if size is None:
        return known
    return known._replace(size=size) if known else Model(size, None, 0.0, ())


class _End(NamedTuple):
    """A model at one end of its guessed size."""

    active_b: float
    total_b: float
    tokens_per_s: float | None
    first_token_s: float


def _ends_of(model: Model) -> tuple[_End, _End]:
    (active_low, active_high), (total_low, total_high) = model.size
    speed = model.tokens_per_s, model.first_token_s
    return _End(active_low, total_low, *speed), _End(active_high, total_high, *speed)


class _Run(NamedTuple):
    """A call at one end: IT energy in kWh, and the share of the hardware's life in kgCO2e, kg of antimony and MJ."""

    it_energy_kwh: float
    embodied_kgco2e: float
    embodied_kgsbeq: float
    embodied_mj: float


def _run(end: _End, output_tokens: int, request_latency_s: float) -> _Run:
    own = constants()
    gpus = gpu_count(own, end.total_b)
    latency_s = min(generation_latency_s(own, end, output_tokens), request_latency_s)
    energy_kwh = server_energy_kwh(own, latency_s, gpus) + gpus * gpu_energy_kwh(own, end.active_b, output_tokens)
    share = latency_s / (own.hardware_life_s * own.batch)
    servers = gpus / own.server_gpus
    return _Run(
        energy_kwh,
        share * (servers * own.server_embodied_kgco2e + gpus * own.gpu_embodied_kgco2e),
        share * (servers * own.server_embodied_kgsbeq + gpus * own.gpu_embodied_kgsbeq),
        share * (servers * own.server_embodied_mj + gpus * own.gpu_embodied_mj),
    )


def gpu_energy_kwh(own: Constants, active_b: float, output_tokens: int) -> float:
    """Energy of one accelerator for a call: `tokens * (alpha * exp(beta * batch) * active_b + gamma)`, in kWh."""
    slope = own.gpu_energy_alpha_wh_per_active_b * math.exp(own.gpu_energy_beta_per_batch * own.batch)
    return output_tokens * (slope * active_b + own.gpu_energy_gamma_wh) / WH_PER_KWH


def generation_latency_s(own: Constants, end: _End, output_tokens: int) -> float:
    """Seconds that the call occupies its hardware: the published speed, else a fit on active size and batch."""
    if end.tokens_per_s is not None:
        per_token_s = 1 / end.tokens_per_s
    else:
        per_token_s = (
            own.latency_alpha_s_per_active_b * end.active_b
            + own.latency_beta_s_per_batch * own.batch
            + own.latency_gamma_s
        )
    return output_tokens * per_token_s + end.first_token_s


def gpu_count(own: Constants, total_b: float) -> int:
    """Accelerators that hold the weights with a reserve of memory, rounded up to a power of two."""
    memory_gb = own.memory_overhead * total_b * own.weight_bits / BITS_PER_BYTE
    needed = math.ceil(memory_gb / own.gpu_memory_gb)
    return 1 << (needed - 1).bit_length()


def server_energy_kwh(own: Constants, latency_s: float, gpus: int) -> float:
    """Energy of the host without accelerators: its power, for the share of accelerators and of the batch, in kWh."""
    return latency_s / S_PER_HOUR * own.server_power_kw * (gpus / own.server_gpus) / own.batch


def _impacts(
    low: _Run, high: _Run, host: Host, mix: ElectricityMix, zone: str, model: Model, *, size_given: bool
) -> EcoLogitsImpacts:
    it_kwh = Ends(low.it_energy_kwh, high.it_energy_kwh)
    energy_kwh = _product(it_kwh, host.pue)
    operational = _scaled(energy_kwh, mix.kgco2e_per_kwh * G_PER_KG)
    embodied = Ends(low.embodied_kgco2e * G_PER_KG, high.embodied_kgco2e * G_PER_KG)
    warnings = tuple(dict.fromkeys((*model.warnings, *mix.warnings)))
    primary = _sum(_scaled(energy_kwh, mix.mj_per_kwh), Ends(low.embodied_mj, high.embodied_mj))
    adpe = _sum(_scaled(energy_kwh, mix.kgsbeq_per_kwh), Ends(low.embodied_kgsbeq, high.embodied_kgsbeq))
    return EcoLogitsImpacts(
        energy_kwh=interval_from_ends(energy_kwh),
        emissions_operational_gco2e=interval_from_ends(operational),
        emissions_embodied_gco2e=interval_from_ends(embodied),
        emissions_gco2e=interval_from_ends(_sum(operational, embodied)),
        water_l=_water_l(it_kwh, host, mix, zone),
        primary_energy_mj=interval_from_ends(primary),
        adpe_kgsbeq=interval_from_ends(adpe),
        zone=zone,
        warnings=warnings,
        last_seen=model.last_seen,
        size_given=size_given,
    )


def _water_l(it_kwh: Ends, host: Host, mix: ElectricityMix, zone: str) -> Interval | Unestimated:
    """`IT energy * (WUE + PUE * water of the electricity)`, in litres."""
    if mix.water_l_per_kwh is None:
        return Unestimated(WATER_FACTOR_NOT_SHIPPED, zone)
    per_it_kwh = _sum(host.wue_l_per_kwh, _scaled(host.pue, mix.water_l_per_kwh))
    return interval_from_ends(_product(it_kwh, per_it_kwh))


def interval_from_ends(ends: Ends) -> Interval:
    """The range with EcoLogits' own mean as mid, which is half way between the ends."""
    return Interval(ends.low, (ends.low + ends.high) / 2, ends.high)


def _sum(one: Ends, other: Ends) -> Ends:
    return Ends(one.low + other.low, one.high + other.high)


def _product(one: Ends, other: Ends) -> Ends:
    return Ends(one.low * other.low, one.high * other.high)


def _scaled(ends: Ends, factor: float) -> Ends:
    return Ends(ends.low * factor, ends.high * factor)
