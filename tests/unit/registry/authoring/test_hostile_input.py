"""Directories that are broken on purpose: each is refused at a line, at once, and nothing is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.registry.authoring.check import check_directory
from otel_carbon.registry.compiled import read_bundled

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
version: acme-1
sources:
  acme-2026: {accessed: 2026-11-20, licence: own data, producer: Acme, redistributable: facts, title: Sizes,
    url: https://acme.example, year: 2026}
shared: {published: 2026-11-20, sources: [acme-2026], valid_from: 2026-01-01, evidence: assumed}
"""
SIZED = """\
  energy/acme/NAME@2026:
    aliases: []
    boundary: it
    developer: acme
    family: acme
    models: [NAME]
    open_weights: false
    operations: [chat]
    size_evidence: name
    sized_by: method/parametric@2026-11-26
    active_b: {low: 7, high: 7}
    total_b: {low: 7, high: 7}
"""
CLASS = """\
  fallback/size-class/some@2026:
    level: size_class
    name: some
    open_weights: false
    operations: [chat]
    patterns: ['*-some']
    sized_by: method/parametric@2026-11-26
    low_b: 3
    high_b: 9
    active_share: {low: 0.1, high: 1}
"""
COLUMNS = "id,site,pue.low,pue.mid,pue.high,wue_l_per_it_kwh.low,wue_l_per_it_kwh.mid,wue_l_per_it_kwh.high,note\n"
GOOD = "site/acme-a@2026,acme-a,1.1,1.2,1.3,0,0.1,0.2,{}\n"
BAD = "site/acme-b@2026,acme-b,9,1.2,1.3,0,0.1,0.2,\n"


def said(directory: Path, yaml: str, **tables: str | bytes) -> list[str]:
    (directory / "facts.yaml").write_text(yaml, encoding="utf-8")
    for name, text in tables.items():
        body = text.encode() if isinstance(text, str) else text
        (directory / f"{name}.csv").write_bytes(body)
    return list(check_directory(directory, read_bundled()))


def sized(name: str, old: str = "", new: str = "") -> str:
    return SIZED.replace("NAME", name).replace(old, new) if old else SIZED.replace("NAME", name)


def test_what_the_cases_below_break_is_whole(tmp_path: Path) -> None:
    assert said(tmp_path, HEAD + "facts:\n" + sized("acme-7b") + CLASS) == []


def test_further_names_and_assumptions_may_be_left_out(tmp_path: Path) -> None:
    assert said(tmp_path, HEAD + "facts:\n" + sized("acme-7b", "    aliases: []\n", "")) == []


ACTIVE = "active_b: {low: 7, high: 7}"


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        (ACTIVE, "active_b: {low: .nan, high: 7}", "active_b.low", "is nan; write a finite"),
        (ACTIVE, "active_b: {low: 7, high: .inf}", "active_b.high", "is inf; write a finite"),
        (ACTIVE, "active_b: {low: 7, high: 70}", "active_b.high", "more than all 7"),
        (ACTIVE, "active_b: {low: 7e9, high: 7e9}", "active_b.low", "write billions"),
        (ACTIVE, "active_b: {low: 7, high: 3}", "active_b", "order them 0 < low <= high"),
        (ACTIVE, "active_b: 7", "active_b", "needs low and high"),
        ("family: acme", "output_usd_per_mtok: 1", "output_usd_per_mtok", "a price of no day"),
        ("family: acme", "benchmark_wh_per_ktoken: 0", "benchmark_wh_per_ktoken", "is 0; leave it out"),
        ("family: acme", "kv_bytes_per_token: -1", "kv_bytes_per_token", "write a finite number of at least 0"),
        ("family: acme", "kv_bytes_per_token: 0", "kv_bytes_per_token", "is 0; write bytes for one token"),
        ("family: acme", "kv_bytes_per_token: 1.0e+12", "kv_bytes_per_token", "at most 1e+08"),
        ("operations: [chat]", "operations: [chit]", "operations", "holds 'chit'; use chat,"),
        ("models: [acme-7b]", "models: ['']", "models", "a name of 0 characters"),
        ("boundary: it", "boundary: [it]", "boundary", "is ('it',); write `boundary: it`"),
        ("sized_by: method/parametric@2026-11-26", "sized_by: [one]", "sized_by", "names ('one',)"),
    ],
)
def test_a_broken_size_is_pointed_at(tmp_path: Path, old: str, new: str, key: str, what: str) -> None:
    yaml = HEAD + "facts:\n" + sized("acme-7b", old, new)
    line = yaml[: yaml.index(new)].count("\n") + 1
    place = f"facts.yaml:{line}: facts.energy/acme/acme-7b@2026.{key}: "
    found = [problem for problem in said(tmp_path, yaml) if problem.startswith(place)]
    assert [what in problem for problem in found].count(True) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("low_b: 3", "low_b: 0"), ("low_b: 3", "low_b: 90"), ("high: 1}", "high: 3}"), ("low: 0.1", "low: 2")],
)
def test_a_band_of_sizes_that_is_none_is_pointed_at(tmp_path: Path, old: str, new: str) -> None:
    problems = said(tmp_path, HEAD + "facts:\n" + CLASS.replace(old, new))
    assert len(problems) == 1
    assert problems[0].startswith("facts.yaml:14: facts.fallback/size-class/some@2026.low_b: is ")


@pytest.mark.parametrize("pattern", ["acme-?", "Acme-*", "<two words>", "acme[0-9]", "<acme"])
def test_a_pattern_that_can_fit_no_name_is_pointed_at(tmp_path: Path, pattern: str) -> None:
    problems = said(tmp_path, HEAD + "facts:\n" + CLASS.replace("*-some", pattern))
    assert len(problems) == 1
    assert f"patterns: holds {pattern!r}; use small letters" in problems[0]


def test_two_models_that_differ_in_signs_alone_collide(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, HEAD + "facts:\n" + sized("acme-4-5") + sized("acme-4.5"))
    assert "claims 'acme-4-5' on days when energy/acme/acme-4" in problem


def test_two_facts_that_supersede_each_other_are_refused(tmp_path: Path) -> None:
    one = sized("acme-a", "aliases: []", "aliases: []\n    supersedes: energy/acme/acme-b@2026")
    two = sized("acme-b", "aliases: []", "aliases: []\n    supersedes: energy/acme/acme-a@2026")
    problems = said(tmp_path, HEAD + "facts:\n" + one + two)
    assert ["which in turn supersedes this one" in problem for problem in problems].count(True) == len((one, two))


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("other,energy/acme/gone@2026,x", "names 'energy/acme/gone@2026', which is no energy fact"),
        ("acme-b,energy/acme/acme-a@2026,x", "gives it the name 'acme-b' of energy/acme/acme-b@2026"),
        ("one,two,x", "names 'two', which is no energy fact"),
    ],
)
def test_an_alias_that_leads_nowhere_or_to_another_model_is_refused(tmp_path: Path, row: str, what: str) -> None:
    yaml = HEAD + "aliases: [names.csv]\nfacts:\n" + sized("acme-a") + sized("acme-b")
    problems = said(tmp_path, yaml, names=f"id,fact,how\n{row}\n")
    assert [problem.startswith("names.csv:2: ") and what in problem for problem in problems] == [True]


def test_an_alias_table_with_a_column_of_its_own_is_refused(tmp_path: Path) -> None:
    yaml = HEAD + "aliases: [names.csv]\nfacts:\n" + sized("acme-a")
    (problem,) = said(tmp_path, yaml, names="id,fact,weight\nother,energy/acme/acme-a@2026,3\n")
    assert problem.startswith("names.csv:2: facts.other.weight: unknown column")


@pytest.mark.parametrize(("cell", "line"), [('"one\ntwo"', 4), ('"one\n# two\n\nthree"', 6), ("a\u2028b", 3)])
def test_lines_are_counted_right_after_a_cell_of_several_lines(tmp_path: Path, cell: str, line: int) -> None:
    (problem,) = said(tmp_path, HEAD + "tables: [sites.csv]\n", sites=COLUMNS + GOOD.format(cell) + BAD)
    assert problem.startswith(f"sites.csv:{line}: facts.site/acme-b@2026.pue: has low 9.0")


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (COLUMNS + GOOD.format("x" * 10_000_000), "sites.csv:2: csv: field larger than field limit"),
        (COLUMNS + GOOD.format('"open'), "sites.csv:2: csv: unexpected end of data"),
        ("", "sites.csv:1: csv: is empty"),
        (COLUMNS.replace("note", "site"), "sites.csv:1: csv: needs columns of different names"),
        (COLUMNS.replace("note", "no.."), "sites.csv:1: csv: has the column 'no..'"),
        (COLUMNS + GOOD.replace("1.1", "9" * 5000).format(""), "sites.csv:2: facts.site/acme-a@2026.pue.low: is '999"),
        (COLUMNS + GOOD.replace("1.1", "nan").format(""), "sites.csv:2: facts.site/acme-a@2026.pue.low: is 'nan'"),
        (COLUMNS + GOOD.replace("site/acme-a@2026", "").format(""), "sites.csv:2: id: is empty"),
    ],
    ids=["ten megabytes", "open quote", "empty", "column twice", "dots", "digits", "nan", "no id"],
)
def test_a_broken_table_is_pointed_at(tmp_path: Path, table: str, what: str) -> None:
    problems = said(tmp_path, HEAD + "tables: [sites.csv]\n", sites=table)
    assert [problem.startswith(what) for problem in problems] == [True]


def test_a_table_may_begin_with_a_mark_of_its_encoding_and_end_its_lines_in_two_signs(tmp_path: Path) -> None:
    table = (COLUMNS + GOOD.format("")).replace("\n", "\r\n").encode("utf-8-sig")
    assert said(tmp_path, HEAD + "tables: [sites.csv]\n", sites=table) == []


def test_lists_that_stand_for_each_other_are_not_followed(tmp_path: Path) -> None:
    lists = "".join(f"b{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 9))
    problems = said(tmp_path, f"b0: &a0 [x]\n{lists}")
    assert any("is used again as an alias; write it out" in problem for problem in problems)


@pytest.mark.parametrize("yaml", ["[" * 3000, "facts: &a\n  x: *a\n", "a: 0x1F\n", "a: .nan\n", "\0"])
def test_yaml_that_is_odd_is_refused_and_nothing_breaks(tmp_path: Path, yaml: str) -> None:
    assert said(tmp_path, yaml) != []
