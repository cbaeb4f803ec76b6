from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from otel_carbon.errors import AuthoringError, MissingExtra
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import fact_from_record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.registry.authoring.fact_directory import FactDirectory


def test_a_complete_directory_has_no_problems(facts: FactDirectory) -> None:
    assert facts.problems() == ()


def test_every_record_builds_the_fact_of_its_kind(facts: FactDirectory) -> None:
    compiled = facts.compiled()
    built = {fact_id: type(fact_from_record(record)).__name__ for fact_id, record in compiled.facts.items()}
    assert built["energy/acme/one@2026-11"] == "EnergyCoefficient"
    assert built["region/north-1@2025"] == "Region"
    assert len(built) == 11


def test_a_rule_gives_the_bounds_of_a_bare_mid(facts: FactDirectory) -> None:
    amount = facts.compiled().facts["energy/acme/one@2026-11"]["output_wh_per_ktoken"]
    assert amount == {"low": 0.8 / 2, "mid": 0.8, "high": 2.4}  # 0.8 * 3, rounded to six digits


def test_no_range_reaches_below_the_physical_floor_of_pue(facts: FactDirectory) -> None:
    assert facts.compiled().facts["site/hall@2025"]["pue"] == {"low": 1.0, "mid": 1.1, "high": 3.3}


def test_a_mix_is_the_weighted_mean_between_its_outermost_bounds(facts: FactDirectory) -> None:
    amount = facts.compiled().facts["grid/north/location@2025"]["gco2e_per_kwh"]
    mean = (1 * 30 + 3 * 40) / (1 + 3)
    assert amount == {"low": min(30 / 2, 20), "mid": mean, "high": max(30 * 3, 50)}


def test_a_mix_keeps_its_members_weights_and_unrounded_result(facts: FactDirectory) -> None:
    facts.change("facts.yaml", "grid/SWE/location@2025: 3", "grid/SWE/location@2025: 2")
    record = facts.compiled().facts["grid/north/location@2025"]
    # (1 * 30 + 2 * 40) / 3 = 110 / 3
    assert record["derivation"] == (
        "(1 * 30 (grid/NOR/location@2025) + 2 * 40 (grid/SWE/location@2025)) / 3 = 36.6666666667; "
        "low and high are the outermost of the members"
    )
    assert record["gco2e_per_kwh"]["mid"] == 36.6667


def test_a_derived_grid_keeps_its_terms_their_years_and_its_unrounded_result(facts: FactDirectory) -> None:
    terms = (
        "{national_lifecycle: 36, subregion_direct: 25, national_direct: 30, lifecycle_year: 2024, direct_year: 2023}"
    )
    facts.change(
        "facts.yaml", "{mid: 30, range: range/half@2026}", f"{{mid: 30, range: range/half@2026, derived: {terms}}}"
    )
    # 36 * 25 / 30 = 30
    assert facts.compiled().facts["grid/NOR/location@2025"]["derivation"] == (
        "36 (national life cycle, 2024) * 25 (sub-region direct, 2023) / 30 (national direct, 2023) = 30, rounded to 30"
    )


def test_a_grid_that_was_published_as_it_is_has_no_derivation(facts: FactDirectory) -> None:
    assert facts.compiled().facts["grid/SWE/location@2025"]["derivation"] == ""


def test_optional_fields_are_written_out(facts: FactDirectory) -> None:
    record = facts.compiled().facts["zone/NOR@2025"]
    assert (record["valid_to"], record["supersedes"], record["note"]) == (None, None, "")


def test_the_boundary_is_an_authoring_field_only(facts: FactDirectory) -> None:
    assert "boundary" not in facts.compiled().facts["energy/acme/one@2026-11"]


def test_a_field_of_a_fact_wins_over_the_shared_one(facts: FactDirectory) -> None:
    facts.change("facts.yaml", "    divisor_low: 2\n", "    divisor_low: 2\n    evidence: supplier\n")
    compiled = facts.compiled()
    assert compiled.facts["range/half@2026"]["evidence"] == "supplier"
    assert compiled.facts["site/hall@2025"]["evidence"] == "assumed"


def test_two_letters_that_yaml_1_1_reads_as_no_stay_a_name(facts: FactDirectory) -> None:
    assert facts.compiled().facts["zone/NOR@2025"]["names"] == ["NO", "NOR", "Norway"]


def test_the_split_into_files_does_not_change_the_bytes(facts: FactDirectory) -> None:
    before = compile_directory(facts.root, None)
    text = (facts.root / "facts.yaml").read_text(encoding="utf-8")
    head, marker, zones = text.partition("  zone/NOR@2025:\n")
    shared = head[: head.index("facts:\n")]
    (facts.root / "zones").mkdir()
    facts.write("facts.yaml", head)
    facts.write("zones/all.yaml", f"{shared}facts:\n{marker}{zones}")
    assert compile_directory(facts.root, None) == before


def test_an_error_lists_all_problems(facts: FactDirectory) -> None:
    facts.change("facts.yaml", "    basis: location\n    gco2e_per_kwh: {mid: 30", "    gco2e_per_kwh: {mid: -30")
    with pytest.raises(AuthoringError) as refused:
        facts.compiled()
    assert refused.value.problems == facts.problems()
    assert len(refused.value.problems) >= 2


def test_without_the_yaml_reader_the_error_says_what_to_install(
    facts: FactDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    with pytest.raises(MissingExtra) as missing:
        facts.problems()
    assert str(missing.value) == (
        "reading YAML needs ruamel.yaml; install it with pip install 'otel-carbon[authoring]'"
    )


def test_reading_compiled_facts_needs_no_yaml_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    assert read_bundled().version


def test_a_directory_without_files_is_a_problem(facts: FactDirectory, tmp_path: Path) -> None:
    for path in facts.root.iterdir():
        path.unlink()
    assert facts.problems() == ("facts:1: directory: holds no *.yaml file; name the directory of the facts",)
