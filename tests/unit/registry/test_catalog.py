from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.errors import RegistryError, UnknownFact
from otel_carbon.registry import catalog, facts
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import (
    FACT_KINDS,
    Embodied,
    EnergyCoefficient,
    GridIntensity,
    ProviderPlace,
    Region,
    Site,
    TokenRatio,
    WaterIntensity,
    Zone,
)
from otel_carbon.registry.subjects import ANY_HARDWARE
from tests.support.small_registry import (
    DAY,
    SMALL,
    SOURCES,
    bounds,
    bytes_of,
    energy,
    fact,
    grid,
    layer,
    small_registry,
)

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.registry.facts import Fact

NOR = "NOR/location"


def _grid_id(registry: Registry, day: date | None = DAY) -> str | None:
    found = registry.about(GridIntensity, NOR, day)
    return None if found is None else found.id


def _nor(fact_id: str, **fields: Any) -> dict[str, Any]:
    return grid(fact_id, "NOR", 30, **fields)


def test_a_fact_is_found_by_its_id_with_all_it_says() -> None:
    found = small_registry().fact("grid/NOR/location@1")
    assert isinstance(found, GridIntensity)
    assert asdict(found) == {
        "id": "grid/NOR/location@1",
        "sources": ("lab",),
        "evidence": "assumed",
        "published": date(2026, 1, 15),
        "valid_from": date(2025, 1, 1),
        "valid_to": None,
        "supersedes": None,
        "note": "",
        "zone": "NOR",
        "basis": "location",
        "gco2e_per_kwh": {"low": 10, "mid": 20, "high": 40},
        "derivation": "",
    }


def test_a_fact_is_one_object_however_it_is_asked_for() -> None:
    registry = small_registry()
    assert registry.fact("grid/NOR/location@1") is registry.about(GridIntensity, NOR, DAY)
    assert repr(registry.fact("grid/NOR/location@1")) == "GridIntensity('grid/NOR/location@1')"


@pytest.mark.parametrize(
    ("kind", "subject", "fact_id"),
    [
        (EnergyCoefficient, "one", "energy/acme/one@1"),
        (EnergyCoefficient, "one-2025-01-01", "energy/acme/one@1"),
        (EnergyCoefficient, "acme/one", "energy/acme/one@1"),
        (EnergyCoefficient, "ACME/One", "energy/acme/one@1"),
        (GridIntensity, "NOR/location", "grid/NOR/location@1"),
        (WaterIntensity, "NOR", "water/NOR@1"),
        (Zone, "norway", "zone/NOR@1"),
        (Site, "hall", "site/hall@1"),
        (Region, "NORTH-1", "region/north-1@1"),
        (ProviderPlace, "acme.ai", "provider/acme@1"),
        (TokenRatio, "cache_read", "ratio/cache_read@1"),
        (Embodied, ANY_HARDWARE, "embodied/server@1"),
    ],
)
def test_a_fact_is_found_by_what_it_is_about_in_any_case(kind: type[Fact], subject: str, fact_id: str) -> None:
    found = small_registry().about(kind, subject, DAY)
    assert found is not None
    assert found.id == fact_id


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (EnergyCoefficient, "two"),
        (EnergyCoefficient, "on"),
        (EnergyCoefficient, ""),
        (Zone, "one"),
        (GridIntensity, "NOR"),
    ],
)
def test_what_no_fact_is_about_is_not_found(kind: type[Fact], subject: str) -> None:
    assert small_registry().about(kind, subject, DAY) is None


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2024, 12, 31), None),
        (date(2025, 1, 1), "grid/NOR/location@1"),
        (date(2025, 12, 31), "grid/NOR/location@1"),
        (date(2026, 1, 1), "grid/NOR/location@2"),
        (date(2026, 12, 31), "grid/NOR/location@2"),
        (date(2027, 1, 1), "grid/NOR/location@1"),
        (None, "grid/NOR/location@2"),
    ],
)
def test_of_the_facts_that_cover_a_day_the_one_that_began_last_wins(day: date | None, found: str | None) -> None:
    registry = small_registry(_nor("grid/NOR/location@2", valid_from="2026-01-01", valid_to="2027-01-01"))
    assert _grid_id(registry, day) == found


def test_of_facts_that_began_on_one_day_the_one_published_last_wins() -> None:
    registry = small_registry(_nor("grid/NOR/location@0", published="2026-02-01"))
    assert _grid_id(registry) == "grid/NOR/location@0"


def test_the_order_in_which_facts_are_written_decides_nothing() -> None:
    later = _nor("grid/NOR/location@2", valid_from="2026-01-01")
    assert _grid_id(Registry((layer([later, *SMALL]),))) == _grid_id(Registry((layer([*SMALL, later]),)))


def test_a_superseded_fact_is_passed_over_but_kept() -> None:
    registry = small_registry(_nor("grid/NOR/location@0", valid_from="2024-01-01", supersedes="grid/NOR/location@1"))
    assert _grid_id(registry) == "grid/NOR/location@0"
    assert registry.fact("grid/NOR/location@1").id == "grid/NOR/location@1"


def test_of_a_chain_of_successors_only_the_last_is_used() -> None:
    registry = small_registry(
        _nor("grid/NOR/location@2", supersedes="grid/NOR/location@1"),
        _nor("grid/NOR/location@3", supersedes="grid/NOR/location@2"),
    )
    assert _grid_id(registry) == "grid/NOR/location@3"


def test_what_was_published_later_was_not_known() -> None:
    registry = small_registry(_nor("grid/NOR/location@2", published="2026-05-01", supersedes="grid/NOR/location@1"))
    before, since = registry.as_of(date(2026, 4, 30)), registry.as_of(date(2026, 5, 1))
    assert (_grid_id(before), _grid_id(since)) == ("grid/NOR/location@1", "grid/NOR/location@2")
    assert "grid/NOR/location@2" not in [found.id for found in before.facts()]
    with pytest.raises(UnknownFact, match=r"^no fact 'grid/NOR/location@2' in registry 2026\.1\.0\+"):
        before.fact("grid/NOR/location@2")


def test_before_anything_was_published_nothing_is_known() -> None:
    registry = small_registry().as_of(date(2026, 1, 14))
    assert list(registry.facts()) == []
    assert _grid_id(registry) is None


def test_a_registry_as_of_a_day_says_so_and_keeps_its_version() -> None:
    registry = small_registry()
    earlier = registry.as_of(DAY)
    assert (registry.known_on, earlier.known_on) == (None, DAY)
    assert (earlier.version, earlier.digest) == (registry.version, registry.digest)


def test_facts_come_in_the_order_of_their_ids() -> None:
    assert [found.id for found in small_registry().facts()] == sorted(record["id"] for record in SMALL)


def test_facts_of_one_kind_are_those_whose_ids_begin_with_it() -> None:
    assert [found.id for found in small_registry().facts("ratio")] == ["ratio/cache_read@1", "ratio/cache_write@1"]


def test_a_source_is_found_by_its_id() -> None:
    source = small_registry().source("lab")
    assert (source.producer, source.accessed, source.locator) == ("Laboratory", date(2026, 1, 10), "table 1")
    assert list(small_registry().sources()) == [source]


def test_an_unknown_id_is_named_with_the_version_and_where_to_look() -> None:
    registry = small_registry()
    with pytest.raises(UnknownFact) as refused:
        registry.fact("grid/ATL@1")
    assert str(refused.value) == (
        f"no fact 'grid/ATL@1' in registry {registry.version}; `otel-carbon registry list` shows all"
    )
    with pytest.raises(UnknownFact, match="no source 'rumour' in registry "):
        registry.source("rumour")


def test_version_and_digest_come_from_the_bytes() -> None:
    digest = hashlib.sha256(bytes_of(SMALL)).hexdigest()
    registry = Registry((layer(SMALL),))
    assert registry.digest == digest
    assert registry.version == f"2026.1.0+{digest[:12]}"


def test_an_overlay_wins_even_over_a_fact_that_began_later(tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    path.write_bytes(bytes_of([_nor("grid/NOR/acme@1", valid_from="2020-01-01", published="2020-01-01")], "acme-1"))
    assert _grid_id(small_registry().with_overlay(path)) == "grid/NOR/acme@1"
    assert _grid_id(small_registry()) == "grid/NOR/location@1"


def test_an_overlay_wins_only_on_the_days_it_covers(tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    path.write_bytes(bytes_of([_nor("grid/NOR/acme@1", valid_from="2026-07-01")]))
    registry = small_registry().with_overlay(path)
    assert _grid_id(registry, date(2026, 6, 30)) == "grid/NOR/location@1"
    assert _grid_id(registry, date(2026, 7, 1)) == "grid/NOR/acme@1"


def test_an_overlay_may_supersede_a_fact_below_it(tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    path.write_bytes(bytes_of([_nor("grid/NOR/acme@1", valid_to="2026-01-01", supersedes="grid/NOR/location@1")]))
    assert _grid_id(small_registry().with_overlay(path), DAY) is None


def test_an_overlay_changes_digest_and_version_but_not_the_release(tmp_path: Path) -> None:
    body = bytes_of([_nor("grid/NOR/acme@1")], "acme-1")
    path = tmp_path / "overlay.json"
    path.write_bytes(body)
    base = small_registry()
    registry = base.with_overlay(path)
    digest = hashlib.sha256(f"{base.digest}\n{hashlib.sha256(body).hexdigest()}".encode()).hexdigest()
    assert registry.digest == digest != base.digest
    assert registry.version == f"2026.1.0+{digest[:12]}"


def test_an_overlay_is_seen_as_of_the_same_day(tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    path.write_bytes(bytes_of([_nor("grid/NOR/acme@1", published="2026-05-01")]))
    assert _grid_id(small_registry().as_of(date(2026, 4, 30)).with_overlay(path)) == "grid/NOR/location@1"


def test_an_overlay_cannot_redefine_a_fact() -> None:
    with pytest.raises(RegistryError) as refused:
        Registry((layer(SMALL), layer([_nor("grid/NOR/location@1"), grid("grid/SWE/location@1", "SWE", 1)])))
    assert str(refused.value) == (
        "an overlay redefines grid/NOR/location@1, grid/SWE/location@1; "
        "give its fact an id of its own, with `supersedes`"
    )


def test_an_overlay_cannot_redefine_a_source_but_may_repeat_it() -> None:
    Registry((layer(SMALL), layer([], sources=SOURCES)))
    with pytest.raises(RegistryError) as refused:
        Registry((layer(SMALL), layer([], sources={"lab": SOURCES["lab"] | {"year": 2025}})))
    assert str(refused.value) == "an overlay redefines the source 'lab'; give it an id of its own"


@pytest.mark.parametrize(
    "record",
    [
        _nor("grid/NOR/acme@1", gco2e_per_kwh=bounds(3, 2, 1)),
        _nor("grid/NOR/acme@1", gco2e_per_kwh={"mid": 1}),
        _nor("grid/NOR/acme@1", valid_from="yesterday"),
        _nor("grid/NOR/acme@1", colour="green"),
        {"id": "grid/NOR/acme@1"},
        fact("weather/NOR@1", zone="NOR"),
        energy("energy/acme/two@1", "two", published=2026),
    ],
)
def test_a_malformed_fact_of_an_overlay_is_refused_before_any_call_needs_it(
    record: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "overlay.json"
    path.write_bytes(bytes_of([record]))
    with pytest.raises(RegistryError) as refused:
        small_registry().with_overlay(path)
    assert str(refused.value).startswith(f"{path}: the fact {record['id']!r} is malformed (")
    assert str(refused.value).endswith("; make the file again with `otel-carbon registry compile DIR -o FILE`")


def test_facts_are_built_when_first_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def counted(record: Any) -> Fact:
        built.append(record["id"])
        return facts.fact_from_record(record)

    monkeypatch.setattr(catalog, "fact_from_record", counted)
    registry = small_registry()
    assert built == []
    registry.about(GridIntensity, NOR, DAY)
    registry.about(GridIntensity, NOR, DAY)
    registry.fact("grid/NOR/location@1")
    assert built == ["grid/NOR/location@1"]


def test_the_bundled_registry_is_read_once() -> None:
    assert Registry.bundled() is Registry.bundled()


@pytest.mark.parametrize("kind", FACT_KINDS)
def test_the_bundled_registry_builds_every_fact_of_a_kind(kind: str) -> None:
    found = list(Registry.bundled().facts(kind))
    assert found
    assert {type(each) for each in found} == {FACT_KINDS[kind]}
