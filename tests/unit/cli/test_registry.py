from __future__ import annotations

import json
import shutil
import sys
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled, read_compiled
from otel_carbon.registry.facts import GridIntensity, ProviderPlace, Region
from tests.unit.cli.overlay import OVERLAY, write_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

# 297 x 0.9 and 297 x 1.1: the range rule for sub-regions
GRID_AMOUNT = "297 (267 to 327) gCO2e per kWh"
GRID = "grid/USA-SRVC/location-lifecycle@2023"


def test_every_fact_is_listed_with_its_amount_and_validity(run_cli: RunCli) -> None:
    code, out, err = run_cli("registry", "list")
    facts = list(Registry.bundled().facts())
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == f"{len(facts)} facts, registry {Registry.bundled().version}"
    assert [line.split()[0] for line in lines[3:]] == [fact.id for fact in facts]
    row = next(line for line in lines if line.startswith(GRID))
    assert f" {GRID_AMOUNT} " in row


def test_a_kind_lists_only_its_facts(run_cli: RunCli) -> None:
    document = json.loads(run_cli("registry", "list", "--kind", "ratio", "--json").out)
    assert [fact["id"] for fact in document["facts"]] == [fact.id for fact in Registry.bundled().facts("ratio")]
    assert {fact["kind"] for fact in document["facts"]} == {"ratio"}
    assert document["registry_digest"] == Registry.bundled().digest


def test_before_anything_was_published_the_list_is_empty_and_exits_3(run_cli: RunCli) -> None:
    code, out, err = run_cli("registry", "list", "--as-of", "2020-01-01", "--json")
    assert (code, err) == (3, "the registry has no such facts known on 2020-01-01\n")
    assert json.loads(out)["facts"] == []


def test_a_fact_is_shown_with_units_dates_and_sources(run_cli: RunCli) -> None:
    code, out, err = run_cli("registry", "show", GRID)
    assert (code, err) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in out.split("\n\n")[0].splitlines()[3:])
    assert rows["gco2e_per_kwh"] == GRID_AMOUNT
    assert rows["evidence"] == Registry.bundled().fact(GRID).evidence
    assert rows["valid"].startswith("from ")
    for source_id in Registry.bundled().fact(GRID).sources:
        source = Registry.bundled().source(source_id)
        assert f"source {source_id}: {source.producer}, {source.title} ({source.year})\n  {source.url}\n" in out
        assert f"  licence: {source.licence}; accessed {source.accessed}\n" in out


def test_the_json_of_a_fact_has_units_and_whole_sources(run_cli: RunCli) -> None:
    document = json.loads(run_cli("registry", "show", GRID, "--json").out)
    assert document["gco2e_per_kwh"]["mid"] == 297
    assert document["units"] == {"gco2e_per_kwh": "gCO2e per kWh"}
    assert document["superseded_by"] == []
    assert document["valid_to"] is None
    assert [source["id"] for source in document["sources"]] == list(Registry.bundled().fact(GRID).sources)
    assert set(document["sources"][0]) >= {"producer", "title", "url", "licence", "accessed"}


def test_an_unknown_fact_exits_2_and_names_the_nearest(run_cli: RunCli) -> None:
    code, out, err = run_cli("registry", "show", "energy/openai/gpt4o")
    assert (code, out) == (2, "")
    assert "no fact 'energy/openai/gpt4o' in registry" in err
    assert "similar: energy/openai/gpt-4o@2026-11, " in err


@pytest.mark.parametrize(
    ("name", "fact_id"),
    [
        ("gpt-4o", "energy/openai/gpt-4o@2026-11-26"),
        ("openai/GPT-4o-2024-08-06", "energy/openai/gpt-4o@2026-11-26"),
        ("us-east-1", "region/us-east-1@2026-11"),
        ("mistral_ai", "provider/mistral@2026-11"),
        ("openai-fleet", "site/openai-fleet@2026-11"),
    ],
)
def test_a_name_that_one_fact_goes_by_shows_it(run_cli: RunCli, name: str, fact_id: str) -> None:
    code, out, err = run_cli("registry", "show", name)
    assert (code, err) == (0, "")
    assert out == run_cli("registry", "show", fact_id).out
    assert json.loads(run_cli("registry", "show", name, "--json").out)["id"] == fact_id


def test_the_name_of_a_zone_lists_its_facts_with_their_ids(run_cli: RunCli) -> None:
    ids = ["grid/FRA/location-lifecycle@2024", "water/FRA@2020", "zone/FRA@2026-11"]
    code, out, err = run_cli("registry", "show", "france")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[3:]] == ids
    assert [fact["id"] for fact in json.loads(run_cli("registry", "show", "FRA", "--json").out)["facts"]] == ids


def test_a_name_that_no_fact_goes_by_exits_2_with_the_ids_of_similar_ones(run_cli: RunCli) -> None:
    code, out, err = run_cli("registry", "show", "mistral-larg")
    assert (code, out) == (2, "")
    similar = err.partition("similar: ")[2].strip().split(", ")
    assert {"energy/mistral/mistral-large-4@2026-11-26"} <= set(similar)
    assert {run_cli("registry", "show", fact_id).code for fact_id in similar} == {0}


@pytest.mark.parametrize("kind", ["provider", "region"])
def test_places_are_listed_with_zone_and_site(run_cli: RunCli, kind: str) -> None:
    lines = run_cli("registry", "list", "--kind", kind).out.splitlines()[3:]
    for line, fact in zip(lines, Registry.bundled().facts(kind), strict=True):
        assert isinstance(fact, Region | ProviderPlace)
        assert f" zone {fact.zone}, site {fact.site} " in line


def test_zones_and_range_rules_are_listed_with_what_they_say(run_cli: RunCli) -> None:
    assert " zone USA-SRVC, water of USA " in run_cli("registry", "list", "--kind", "zone").out
    assert " mid x 0.9 to mid x 1.1 " in run_cli("registry", "list", "--kind", "range").out


def test_a_grid_shows_how_it_was_computed_unless_it_was_published(run_cli: RunCli) -> None:
    fact = Registry.bundled().fact(GRID)
    assert isinstance(fact, GridIntensity)
    derivation = fact.derivation
    # 383.55 * 270.48 / 349.67 = 296.687...
    assert derivation.endswith(" = 296.687173621, rounded to 297")
    assert f"derivation     {derivation}\n" in run_cli("registry", "show", GRID).out
    assert "derivation" not in run_cli("registry", "show", "grid/FRA/location-lifecycle@2024").out


def test_a_fact_that_was_not_known_yet_is_unknown(run_cli: RunCli) -> None:
    assert run_cli("registry", "show", GRID, "--as-of", "2020-01-01").code == 2


def test_the_bundled_facts_have_no_problem(run_cli: RunCli) -> None:
    assert run_cli("registry", "check") == (0, "no problem found\n", "")


def test_the_bundled_directory_named_by_hand_is_no_overlay_of_itself(run_cli: RunCli) -> None:
    with resources.as_file(resources.files("otel_carbon.registry").joinpath("data")) as directory:
        assert run_cli("registry", "check", str(directory)) == (0, "no problem found\n", "")


@pytest.mark.parametrize("version", ["version: 2026.11.0", "version: 2026.12.0"])
def test_a_checkout_beside_an_installed_package_is_no_overlay_of_it(
    run_cli: RunCli, tmp_path: Path, version: str
) -> None:
    checkout, body = tmp_path / "data", tmp_path / "registry.json"
    with resources.as_file(resources.files("otel_carbon.registry").joinpath("data")) as installed:
        shutil.copytree(installed, checkout)
    (checkout / "registry.yaml").write_text(
        f"# otel-carbon registry, format 1 (docs/registry.md)\n{version}\n", encoding="utf-8"
    )
    said = f"{checkout} holds the source of the bundled facts: taken as a whole, not as an overlay\n"
    assert run_cli("registry", "check", str(checkout)) == (0, "no problem found\n", said)
    code, out, err = run_cli("registry", "compile", str(checkout), "-o", str(body))
    assert (code, out) == (0, "")
    assert err.startswith(said)
    assert read_compiled(body).facts == read_bundled().facts


def test_an_overlay_that_reuses_one_bundled_id_is_still_refused(run_cli: RunCli, tmp_path: Path) -> None:
    text = OVERLAY.replace("grid/FRA/acme@2026-11:", "grid/FRA/location-lifecycle@2024:").replace(
        "supersedes: grid/FRA/location-lifecycle@2024, ", ""
    )
    code, out, err = run_cli("registry", "check", str(write_overlay(tmp_path / "facts", text)))
    assert (code, err) == (1, "")
    assert "is the id of a bundled fact" in out


def test_problems_are_printed_with_file_and_line_and_exit_1(run_cli: RunCli, tmp_path: Path) -> None:
    directory = write_overlay(tmp_path / "facts", OVERLAY.replace("mid: 40", "mid: 60"))
    code, out, err = run_cli("registry", "check", str(directory))
    assert (code, err) == (1, "")
    assert out == (
        "acme.yaml:8: facts.grid/FRA/acme@2026-11.gco2e_per_kwh: "
        "has low 30.0, mid 60.0, high 50.0; order them low <= mid <= high\n1 problem\n"
    )


def test_a_whole_registry_may_not_lean_on_the_bundled_facts(run_cli: RunCli, tmp_path: Path) -> None:
    directory = str(write_overlay(tmp_path / "facts"))
    assert run_cli("registry", "check", directory).code == 0
    code, out, _ = run_cli("registry", "check", directory, "--standalone")
    assert code == 1
    assert "grid/FRA/location-lifecycle@2024" in out


def test_a_compiled_overlay_changes_the_estimate_and_is_shown(run_cli: RunCli, tmp_path: Path) -> None:
    compiled = tmp_path / "acme.json"
    code, out, err = run_cli("registry", "compile", str(write_overlay(tmp_path / "facts")), "-o", str(compiled))
    size = compiled.stat().st_size
    assert (code, out) == (0, "")
    assert err == f"wrote {compiled}, {size:,} bytes; use it with OTEL_CARBON_REGISTRY={compiled}\n"
    call = ("estimate", "--model", "gpt-4o", "--output-tokens", "300", "--region", "FRA", "--json")
    plain = json.loads(run_cli(*call).out)
    changed = json.loads(run_cli(*call, "--registry", str(compiled)).out)
    assert changed["grid_id"] == "grid/FRA/acme@2026-11"
    assert changed["energy_kwh"] == plain["energy_kwh"]
    assert changed["emissions_operational_gco2e"]["mid"] == pytest.approx(changed["energy_kwh"]["mid"] * 40, rel=1e-12)
    assert changed["registry_version"] != plain["registry_version"]
    replaced = json.loads(run_cli("registry", "show", plain["grid_id"], "--json", "--registry", str(compiled)).out)
    assert replaced["superseded_by"] == ["grid/FRA/acme@2026-11"]


def test_the_overlay_of_the_environment_is_used(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = tmp_path / "acme.json"
    run_cli("registry", "compile", str(write_overlay(tmp_path / "facts")), "-o", str(compiled))
    monkeypatch.setenv("OTEL_CARBON_REGISTRY", str(compiled))
    assert "acme" in run_cli("registry", "list", "--kind", "grid").out


def test_an_overlay_that_cannot_be_read_is_bad_input_and_named(run_cli: RunCli, tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    expected = f"Error: {missing}: cannot read the registry: No such file or directory\n"
    assert run_cli("registry", "list", "--registry", str(missing)) == (2, "", expected)


def test_compiling_mistakes_is_bad_input_and_writes_nothing(run_cli: RunCli, tmp_path: Path) -> None:
    directory = write_overlay(tmp_path / "facts", OVERLAY.replace("mid: 40", "mid: 60"))
    code, _, err = run_cli("registry", "compile", str(directory), "-o", str(tmp_path / "acme.json"))
    assert code == 2
    assert "acme.yaml:8: " in err
    assert not (tmp_path / "acme.json").exists()


def test_compiling_never_overwrites_a_source(run_cli: RunCli, tmp_path: Path) -> None:
    directory = write_overlay(tmp_path / "facts")
    code, _, err = run_cli("registry", "compile", str(directory), "-o", str(directory / "acme.yaml"))
    assert code == 2
    assert "is the input itself; choose another file" in err
    assert (directory / "acme.yaml").read_text(encoding="utf-8") == OVERLAY


def test_checking_without_the_yaml_reader_prints_the_install_line(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    code, out, err = run_cli("registry", "check")
    assert (code, out) == (2, "")
    assert "pip install 'otel-carbon[authoring]'" in err
