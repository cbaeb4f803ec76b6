from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_carbon.errors import AuthoringError
from otel_carbon.registry.authoring.compile import compile_directory

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
version: test-1
sources:
  tables-2026:
    accessed: 2026-11-20
    licence: own data
    producer: Acme
    redistributable: facts
    title: Tables
    url: https://acme.example/tables
    year: 2026
shared:
  evidence: assumed
  published: 2026-11-20
  sources: [tables-2026]
  valid_from: 2026-01-01
"""
WITH_TABLE = HEAD + "tables: [sites.csv]\n"


def compiled(directory: Path, yaml: str, **tables: str) -> dict[str, dict[str, object]]:
    (directory / "facts.yaml").write_text(yaml, encoding="utf-8")
    for name, text in tables.items():
        (directory / f"{name}.csv").write_text(text, encoding="utf-8")
    facts: dict[str, dict[str, object]] = json.loads(compile_directory(directory, None))["facts"]
    return facts


def test_a_row_of_a_table_is_the_fact_that_yaml_would_say(tmp_path: Path) -> None:
    table = (
        "# two halls\n"
        "id,site,pue.low,pue.mid,pue.high,wue_l_per_it_kwh.low,wue_l_per_it_kwh.mid,wue_l_per_it_kwh.high,note\n"
        'site/acme-a@2026,acme-a,1.05,1.07,1.1,0,0.02,0.05,"cold, dry"\n'
        "site/acme-b@2026,acme-b,1.1,1.2,1.3,0.1,0.2,0.4,\n"
    )
    (tmp_path / "tables").mkdir()
    (tmp_path / "yaml").mkdir()
    yaml = HEAD + (
        "facts:\n"
        "  site/acme-a@2026: {site: acme-a, pue: {low: 1.05, mid: 1.07, high: 1.1},"
        " wue_l_per_it_kwh: {low: 0, mid: 0.02, high: 0.05}, note: 'cold, dry'}\n"
        "  site/acme-b@2026: {site: acme-b, pue: {low: 1.1, mid: 1.2, high: 1.3},"
        " wue_l_per_it_kwh: {low: 0.1, mid: 0.2, high: 0.4}}\n"
    )
    assert compiled(tmp_path / "tables", WITH_TABLE, sites=table) == compiled(tmp_path / "yaml", yaml)


def test_a_cell_of_a_list_column_is_split_at_semicolons(tmp_path: Path) -> None:
    table = "id,zone,names[],water_zone\nzone/AAA@2026,AAA,AA; Aland,AAA\n"
    water = HEAD + (
        "tables: [zones.csv]\nfacts:\n  water/AAA@2026: {zone: AAA, l_per_kwh: {low: 1, mid: 2, high: 4}}\n"
    )
    assert compiled(tmp_path, water, zones=table)["zone/AAA@2026"]["names"] == ["AA", "Aland"]


def test_columns_nest_to_any_depth(tmp_path: Path) -> None:
    derived = "gco2e_per_kwh.derived"
    table = (
        "id,zone,basis,gco2e_per_kwh.mid,gco2e_per_kwh.range,"
        f"{derived}.national_lifecycle,{derived}.subregion_direct,{derived}.national_direct,"
        f"{derived}.direct_year,{derived}.lifecycle_year\n"
        "grid/AAA@2026,AAA,location,300,range/a@2026,400,150,200,2023,2024\n"
    )
    yaml = HEAD + (
        "tables: [grids.csv]\n"
        "facts:\n"
        "  range/a@2026: {factor_low: 0.5, factor_high: 2}\n"
        "  water/AAA@2026: {zone: AAA, l_per_kwh: {low: 1, mid: 2, high: 4}}\n"
        "  zone/AAA@2026: {zone: AAA, names: [AA], water_zone: AAA}\n"
    )
    grid = compiled(tmp_path, yaml, grids=table)["grid/AAA@2026"]
    assert grid["gco2e_per_kwh"] == {"low": 150, "mid": 300, "high": 600}
    assert str(grid["derivation"]).endswith(" = 300, rounded to 300")  # 400 * 150 / 200


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("site,pue.mid\n", "sites.csv:1: csv: needs columns of different names, the first of them id"),
        ("id,site,site\n", "sites.csv:1: csv: needs columns of different names, the first of them id"),
        (
            "id,site,pue,pue.mid\n",
            "sites.csv:1: csv: has the column pue beside its part pue.mid; keep the parts only",
        ),
        (
            "id,site,note\n\nsite/a@2026,a\n",
            "sites.csv:3: site/a@2026: has 2 cells under 3 columns; put cells that hold commas in quotes",
        ),
        (
            "id,site,pue.low,pue.mid,pue.high\nsite/a@2026,a,1.2,1.1,1.3\n",
            "sites.csv:2: facts.site/a@2026.pue: has low 1.2, mid 1.1, high 1.3; order them low <= mid <= high",
        ),
        (
            "id,site,pve.mid\nsite/a@2026,a,1.2\n",
            (
                "sites.csv:2: facts.site/a@2026.pve: unknown key; use evidence, note, published, pue, site, sources, "
                "supersedes, valid_from, valid_to, wue_l_per_it_kwh"
            ),
        ),
    ],
)
def test_a_mistake_in_a_table_names_its_file_line_and_key(tmp_path: Path, table: str, expected: str) -> None:
    with pytest.raises(AuthoringError) as refused:
        compiled(tmp_path, WITH_TABLE, sites=table)
    assert expected in refused.value.problems


def test_a_table_that_is_not_there_is_named_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError) as refused:
        compiled(tmp_path, WITH_TABLE)
    line = WITH_TABLE.splitlines().index("tables: [sites.csv]") + 1
    assert refused.value.problems == (
        f"facts.yaml:{line}: tables: names 'sites.csv', which is no file beside this one; correct the name",
    )
