"""The parameters of EcoLogits 0.11.3, read from its data files when first asked for."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "0.11.3"


class Ends(NamedTuple):
    """The two ends of a range that EcoLogits carries; equal where it has one number."""

    low: float
    high: float


class Size(NamedTuple):
    """Parameters of a model in billions: those active for one token, and all of them."""

    active_b: Ends
    total_b: Ends


class Model(NamedTuple):
    """A model with its published speed where there is one, and the codes of EcoLogits' warnings."""

    size: Size
    tokens_per_s: float | None
    first_token_s: float
    warnings: tuple[str, ...]
    last_seen: str = VERSION
    """The last version of EcoLogits that knew the model."""


class Host(NamedTuple):
    """Where EcoLogits takes a provider to run: zone, PUE, and litres evaporated on site per IT kWh."""

    zone: str
    pue: Ends
    wue_l_per_kwh: Ends


class ElectricityMix(NamedTuple):
    """What a kWh in a zone stands for; the water is None where its figure is not part of this package."""

    kgco2e_per_kwh: float
    kgsbeq_per_kwh: float
    mj_per_kwh: float
    water_l_per_kwh: float | None
    warnings: tuple[str, ...]


class Constants(NamedTuple):
    """Fitted and assumed constants of the formulas, units in the names; `_b` is a billion parameters."""

    batch: int
    gpu_embodied_kgco2e: float
    gpu_embodied_kgsbeq: float
    gpu_embodied_mj: float
    gpu_energy_alpha_wh_per_active_b: float
    gpu_energy_beta_per_batch: float
    gpu_energy_gamma_wh: float
    gpu_memory_gb: float
    hardware_life_s: float
    latency_alpha_s_per_active_b: float
    latency_beta_s_per_batch: float
    latency_gamma_s: float
    memory_overhead: float
    server_embodied_kgco2e: float
    server_embodied_kgsbeq: float
    server_embodied_mj: float
    server_gpus: int
    server_power_kw: float
    weight_bits: int


@lru_cache(maxsize=1)
def constants() -> Constants:
    """The constants of the formulas."""
    return Constants(**_content("method.json")["constants"])


@lru_cache(maxsize=1)
def hosts() -> Mapping[str, Host]:
    """Provider, as EcoLogits names it, to where it runs."""
    return {
        name: Host(record["zone"], Ends(*record["pue"]), Ends(*record["wue_l_per_kwh"]))
        for name, record in _content("method.json")["providers"].items()
    }


@lru_cache(maxsize=1)
def models() -> Mapping[str, Model]:
    """`provider/name` to the model; aliases stand beside the names."""
    content = _content("models.json")
    found = {name: _model(record) for name, record in content["models"].items()}
    return found | {alias: found[name] for alias, name in content["aliases"].items()}


@lru_cache(maxsize=1)
def retired_models() -> Mapping[str, Model]:
    """`provider/name` to a model that earlier versions knew and this one does not."""
    return {name: _model(record) for name, record in _content("retired_models.json")["models"].items()}


@lru_cache(maxsize=1)
def electricity_mixes() -> Mapping[str, ElectricityMix]:
    """Zone (ISO 3166 alpha-3, `WOR` and `EEE`) to its electricity."""
    mixes = _content("electricity_mixes.json")["electricity_mixes"]
    return {zone: ElectricityMix(**record | {"warnings": tuple(record["warnings"])}) for zone, record in mixes.items()}


def _model(record: Mapping[str, Any]) -> Model:
    size = Size(Ends(*record["active_b"]), Ends(*record["total_b"]))
    speed, first = record.get("tokens_per_s"), record.get("first_token_s", 0.0)
    return Model(size, speed, first, tuple(record.get("warnings", ())), record.get("last_seen", VERSION))


@lru_cache(maxsize=4)
def _content(name: str) -> dict[str, Any]:
    text = (files("otel_carbon.methods") / "data/ecologits" / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def provider_name(provider: str) -> str:
    """The name that EcoLogits has for a provider, whose name of ours or of telemetry is given."""
    lowered = provider.lower()
    name: str = _provider_names().get(lowered, lowered)
    return name


@lru_cache(maxsize=1)
def _provider_names() -> Mapping[str, str]:
    text = (files("otel_carbon.methods") / "data/ecologits_providers.json").read_text(encoding="utf-8")
    names: dict[str, str] = json.loads(text)["providers"]
    return names
