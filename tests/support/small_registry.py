"""A tiny registry of made-up facts with round numbers, so that a test shows all that its expected figures rest on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import compiled_bytes, parse_compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.registry.compiled import CompiledRegistry

    Record = dict[str, Any]

DAY = date(2026, 6, 1)
"""A day on which every fact of the small registry applies."""
PUBLISHED = "2026-01-15"
VALID_FROM = "2025-01-01"
VERSION = "2026.1.0"

MODEL = "one"
"""A closed model."""
OPEN_MODEL = "open-one"


def bounds(low: float, mid: float, high: float) -> dict[str, float]:
    """An amount in the compiled form."""
    return {"low": low, "mid": mid, "high": high}


def fact(fact_id: str, **fields: Any) -> Record:
    """The record of one fact, with defaults for what all facts have."""
    return {
        "id": fact_id,
        "sources": ["lab"],
        "evidence": "assumed",
        "published": PUBLISHED,
        "valid_from": VALID_FROM,
        "valid_to": None,
        "supersedes": None,
        "note": "",
        **fields,
    }


def energy(fact_id: str, *models: str, **fields: Any) -> Record:
    """A coefficient of 2 (1 to 4) Wh per 1,000 output tokens and half of it for input, unless told otherwise."""
    defaults: Record = {
        "developer": "acme",
        "models": list(models),
        "aliases": [],
        "operations": ["chat"],
        "open_weights": False,
        "method": "parametric",
        "output_wh_per_ktoken": bounds(1, 2, 4),
        "input_wh_per_ktoken": bounds(0.5, 1, 2),
        "assumptions": [],
    }
    return fact(fact_id, **(defaults | fields))


def grid(fact_id: str, zone: str, mid: float, **fields: Any) -> Record:
    """A location-based intensity of half to twice `mid`, unless told otherwise."""
    defaults: Record = {"zone": zone, "basis": "location", "gco2e_per_kwh": bounds(mid / 2, mid, mid * 2)}
    return fact(fact_id, **(defaults | fields))


def site(name: str, pue: float, wue: float) -> Record:
    """A site without ranges."""
    return fact(f"site/{name}@1", site=name, pue=bounds(pue, pue, pue), wue_l_per_it_kwh=bounds(wue, wue, wue))


def zone(name: str, *names: str, water_zone: str = "NOR") -> Record:
    """A zone that takes its water intensity from `water_zone`."""
    return fact(f"zone/{name}@1", zone=name, names=[name, *names], water_zone=water_zone)


SMALL: tuple[Record, ...] = (
    energy("energy/acme/one@1", MODEL, "one-2025-01-01", aliases=["acme/one"], assumptions=["size_guessed"]),
    energy("energy/acme/open-one@1", OPEN_MODEL, open_weights=True),
    energy("energy/acme/embedder@1", "embedder", operations=["embeddings"]),
    fact("ratio/cache_read@1", token_kind="cache_read", ratio=bounds(0.1, 0.2, 0.5)),
    fact("ratio/cache_write@1", token_kind="cache_write", ratio=bounds(1, 1.25, 1.5)),
    fact("embodied/server@1", gco2e_per_it_kwh=bounds(25, 50, 100)),
    grid("grid/NOR/location@1", "NOR", 20),
    grid("grid/SWE/location@1", "SWE", 40),
    zone("NOR", "NO", "Norway"),
    zone("SWE", "SE", "Sweden"),
    fact("water/NOR@1", zone="NOR", l_per_kwh=bounds(1, 2, 4)),
    site("fleet", 1.25, 0.5),
    site("hall", 1.1, 0.1),
    site("generic", 1.5, 1.0),
    fact("region/north-1@1", region="north-1", cloud="acme", zone="SWE", site="hall"),
    fact("provider/acme@1", provider="acme", names=["acme", "acme.ai"], zone="NOR", site="fleet"),
    fact("provider/self_hosted@1", provider="self_hosted", names=["self_hosted"], zone="SWE", site="generic"),
)
"""Acme's fleet in Norway, its hall in the Swedish region north-1, and a generic site for everyone else."""

SOURCES: Mapping[str, Record] = {
    "lab": {
        "id": "lab",
        "producer": "Laboratory",
        "title": "Runs",
        "year": 2026,
        "url": "https://lab.example/runs",
        "licence": "CC-BY-4.0",
        "accessed": "2026-01-10",
        "redistributable": "facts",
        "locator": "table 1",
        "note": "",
    }
}


def bytes_of(facts: Iterable[Record], version: str = VERSION, sources: Mapping[str, Record] = SOURCES) -> bytes:
    """The compiled bytes of some facts."""
    return compiled_bytes(version, sources, {record["id"]: record for record in facts})


def layer(facts: Iterable[Record], version: str = VERSION, sources: Mapping[str, Record] = SOURCES) -> CompiledRegistry:
    """Some facts as a layer of a registry."""
    return parse_compiled(bytes_of(facts, version, sources), "small.json")


def small_registry(*more: Record, without: tuple[str, ...] = ()) -> Registry:
    """The small registry with more facts, without those whose ids are named."""
    return Registry((layer([*(each for each in SMALL if each["id"] not in without), *more]),))
