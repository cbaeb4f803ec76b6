"""Writes the parameter files of `otel_carbon/methods/data/ecologits/` from the installed `ecologits` package.

Needs exactly the version that they reproduce: `pip install ecologits==0.11.3`.
Retired models are those that the versions of `--earlier` knew and this one does not: for each a folder named for
the version and holds the unpacked package, as `pip download --no-deps ecologits==0.9.1` and unpacking make one.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATA = Path(__file__).resolve().parents[1] / "otel_carbon/methods/data/ecologits"
VERSION = "0.11.3"
LICENCE = "MPL-2.0; the text is LICENSES/MPL-2.0.txt of the source tree"
ACCESSED = "2026-11-26"
WATER_ZONES = frozenset({"CHN", "FRA", "GBR", "IRL", "SWE", "USA"})
"""The zones whose own water factor is cited; the publisher lets only an insubstantial part be reproduced."""

CONSTANTS = {
    "weight_bits": "MODEL_QUANTIZATION_BITS",
    "gpu_energy_alpha_wh_per_active_b": "GPU_ENERGY_ALPHA",
    "gpu_energy_beta_per_batch": "GPU_ENERGY_BETA",
    "gpu_energy_gamma_wh": "GPU_ENERGY_GAMMA",
    "latency_alpha_s_per_active_b": "LATENCY_ALPHA",
    "latency_beta_s_per_batch": "LATENCY_BETA",
    "latency_gamma_s": "LATENCY_GAMMA",
    "gpu_memory_gb": "GPU_MEMORY",
    "gpu_embodied_kgco2e": "GPU_EMBODIED_IMPACT_GWP",
    "gpu_embodied_kgsbeq": "GPU_EMBODIED_IMPACT_ADPE",
    "gpu_embodied_mj": "GPU_EMBODIED_IMPACT_PE",
    "server_gpus": "SERVER_GPUS",
    "server_power_kw": "SERVER_POWER",
    "server_embodied_kgco2e": "SERVER_EMBODIED_IMPACT_GWP",
    "server_embodied_kgsbeq": "SERVER_EMBODIED_IMPACT_ADPE",
    "server_embodied_mj": "SERVER_EMBODIED_IMPACT_PE",
    "hardware_life_s": "HARDWARE_LIFESPAN",
    "batch": "BATCH_SIZE",
}
"""Our name, with its unit, to the package's."""
MEMORY_OVERHEAD = 1.2
"""Written out in the package's `model_required_memory`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; 0 done, 2 when another version is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--earlier", nargs="*", type=Path, default=[], help="folders of earlier versions, oldest first")
    earlier: list[Path] = parser.parse_args(arguments).earlier
    if version("ecologits") != VERSION:
        print(f"ecologits {version('ecologits')} is installed; pip install ecologits=={VERSION}")
        return 2
    DATA.mkdir(parents=True, exist_ok=True)
    packaged = files("ecologits") / "data"
    models = json.loads((packaged / "models.json").read_text(encoding="utf-8"))
    mixes = json.loads((packaged / "electricity_mixes.json").read_text(encoding="utf-8"))
    _write("method.json", _about("ecologits/impacts/llm.py, ecologits/tracers/utils.py"), _method())
    _write("models.json", _about("ecologits/data/models.json"), _models(models["models"], models["aliases"]))
    _write(
        "electricity_mixes.json", _about("ecologits/data/electricity_mixes.json"), _mixes(mixes["electricity_mixes"])
    )
    if earlier:
        about = _about("ecologits/data/models.json of the version in `last_seen`") | {
            "version": _names(earlier),
            "source": "EcoLogits, earlier versions",
        }
        current = _models(models["models"], models["aliases"])
        _write("retired_models.json", about, {"models": _retired(earlier, current["models"] | current["aliases"])})
    return 0


def _names(folders: Sequence[Path]) -> str:
    return ", ".join(folder.name for folder in folders)


def _retired(folders: Sequence[Path], current: Mapping[str, Any]) -> dict[str, Any]:
    """The models of earlier versions that are gone, each with what the last version that had it says of it."""
    found: dict[str, Any] = {}
    for folder in folders:
        content = json.loads((folder / "ecologits/data/models.json").read_text(encoding="utf-8"))
        listed = _models(content["models"], content["aliases"])
        every = listed["models"] | {alias: listed["models"][name] for alias, name in listed["aliases"].items()}
        found |= {name: {**record, "last_seen": folder.name, "retired": True} for name, record in every.items()}
    return {name: record for name, record in found.items() if name not in current}


def _about(locator: str) -> dict[str, str]:
    return {
        "accessed": ACCESSED,
        "licence": LICENCE,
        "locator": locator,
        "producer": "GenAI Impact and the EcoLogits contributors",
        "source": f"EcoLogits, version {VERSION}",
        "url": "https://ecologits.ai",
        "version": VERSION,
    }


def _method() -> dict[str, Any]:
    from ecologits.impacts import llm
    from ecologits.tracers.utils import PROVIDER_CONFIG_MAP

    constants = {ours: getattr(llm, theirs) for ours, theirs in CONSTANTS.items()}
    return {
        "constants": constants | {"memory_overhead": MEMORY_OVERHEAD},
        "providers": {
            name: {
                "zone": config.datacenter_location,
                "pue": _bounds(config.datacenter_pue),
                "wue_l_per_kwh": _bounds(config.datacenter_wue),
            }
            for name, config in sorted(PROVIDER_CONFIG_MAP.items())
        },
    }


def _models(models: Iterable[Mapping[str, Any]], aliases: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "aliases": {f"{each['provider']}/{each['name']}": f"{each['provider']}/{each['alias']}" for each in aliases},
        "models": {f"{each['provider']}/{each['name']}": _model(each) for each in models},
    }


def _model(model: Mapping[str, Any]) -> dict[str, Any]:
    parameters = model["architecture"]["parameters"]
    mixture = isinstance(parameters, dict) and "total" in parameters
    deployment = model.get("deployment") or {}
    record: dict[str, Any] = {
        "active_b": _bounds(parameters["active"] if mixture else parameters),
        "total_b": _bounds(parameters["total"] if mixture else parameters),
    }
    record |= {"tokens_per_s": deployment.get("tps"), "first_token_s": deployment.get("ttft")}
    record["warnings"] = model.get("warnings")
    return {key: entry for key, entry in record.items() if entry is not None}


def _mixes(mixes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"electricity_mixes": {each["name"]: _mix(each) for each in mixes}}


def _mix(mix: Mapping[str, Any]) -> dict[str, Any]:
    warnings = mix["warnings"] or []
    of_the_world = mix["name"] == "WOR" or "electricity-mix-wue-world" in warnings
    cited = of_the_world or mix["name"] in WATER_ZONES
    return {
        "kgco2e_per_kwh": mix["gwp"],
        "kgsbeq_per_kwh": mix["adpe"],
        "mj_per_kwh": mix["pe"],
        "water_l_per_kwh": mix["wue"] if cited else None,
        "warnings": warnings,
    }


def _bounds(amount: Any) -> list[float]:  # noqa: ANN401 - a number, a JSON object or the package's range
    if isinstance(amount, int | float):
        return [amount, amount]
    if isinstance(amount, dict):
        return [amount["min"], amount["max"]]
    return [amount.min, amount.max]


def _write(name: str, about: Mapping[str, str], content: Mapping[str, Any]) -> None:
    """One record a line, so that a change of one model is a change of one line."""
    sections = [f'"about": {json.dumps(about, indent=1, sort_keys=True)}']
    for key, records in sorted(content.items()):
        lines = ",\n".join(f"  {json.dumps(each)}: {json.dumps(entry)}" for each, entry in sorted(records.items()))
        sections.append(f'"{key}": {{\n{lines}\n}}')
    (DATA / name).write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
