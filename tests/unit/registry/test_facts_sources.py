from __future__ import annotations

import re
from pathlib import Path

import pytest

import otel_carbon.registry as package
from otel_carbon.registry.authoring.check import check_directory
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.authoring.releases import FILE, check_frozen
from otel_carbon.registry.compiled import BUNDLED, read_bundled
from otel_carbon.registry.facts import FACT_KINDS, fact_from_record, kind_of, source_from_record
from otel_carbon.yaml_source import Problem, read_yaml
from tools.generate_facts_page import PAGE, REPOSITORY, facts_page

DATA = Path(package.__path__[0]) / "data"
COMPILED = read_bundled()


def test_the_bundled_sources_have_no_problems() -> None:
    assert check_directory(DATA, None) == ()


def test_the_compiled_registry_is_up_to_date_with_its_sources() -> None:
    assert compile_directory(DATA, None) == (DATA / BUNDLED).read_bytes()


def test_the_page_of_facts_is_up_to_date() -> None:
    assert (REPOSITORY / PAGE).read_text(encoding="utf-8") == facts_page(COMPILED)


def test_no_released_fact_changed() -> None:
    assert list(check_frozen((DATA / FILE).read_bytes(), COMPILED.facts)) == []


def test_every_fact_has_sources_with_licence_and_access_date() -> None:
    for record in COMPILED.facts.values():
        fact = fact_from_record(record)
        assert fact.sources, fact.id
        for source_id in fact.sources:
            source = source_from_record(COMPILED.sources[source_id])
            assert source.licence, fact.id
            assert source.accessed <= fact.published, fact.id
            assert source.url, fact.id


def test_every_source_is_used() -> None:
    used = {source_id for record in COMPILED.facts.values() for source_id in record["sources"]}
    assert used == set(COMPILED.sources)


def test_no_source_is_share_alike_or_closed_to_redistribution() -> None:
    refused = re.compile(r"share.?alike|\bby.?sa\b|odbl|gpl|\bnd\b|no.?redistribution", re.IGNORECASE)
    assert [source["id"] for source in COMPILED.sources.values() if refused.search(source["licence"])] == []


def test_no_figure_comes_from_tables_that_may_not_be_passed_on() -> None:
    refused = re.compile(r"electricity ?maps|watttime|green software|\baib\b|\bifi\b", re.IGNORECASE)
    told = [" ".join(map(str, source.values())) for source in COMPILED.sources.values()]
    assert [text for text in told if refused.search(text)] == []


def test_the_water_source_gives_twelve_figures_and_is_marked_limited() -> None:
    citing = [fact_id for fact_id, record in COMPILED.facts.items() if "wri-water-2020" in record["sources"]]
    assert COMPILED.sources["wri-water-2020"]["redistributable"] == "limited"
    assert len(citing) == 12


def test_every_kind_of_fact_is_present() -> None:
    assert {kind_of(fact_id) for fact_id in COMPILED.facts} == set(FACT_KINDS)


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.yaml")), ids=lambda path: path.name)
def test_a_source_file_is_in_order(path: Path) -> None:
    problems: list[Problem] = []
    document = read_yaml(path, path.name, problems)
    assert problems == []
    assert document is not None
    for section in ("sources", "shared", "facts"):
        records = (document.mapping() or {}).get(section)
        below = {} if records is None else records.mapping() or {}
        assert list(below) == sorted(below)
        for record in below.values():
            fields = record.mapping() or {}
            assert section == "shared" or list(fields) == sorted(fields)


def test_the_page_shows_every_fact_and_the_licence_of_every_source() -> None:
    page = facts_page(COMPILED)
    assert [fact_id for fact_id in COMPILED.facts if f"| `{fact_id}` |" not in page] == []
    for source_id, source in COMPILED.sources.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f'| <a id="{source_id}"></a>')]
        assert f"| {source['licence']} |" in row
        assert f"| {source['accessed']} |" in row


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.csv")), ids=lambda path: path.name)
def test_a_table_is_named_by_a_source_file_beside_it(path: Path) -> None:
    texts = [each.read_text(encoding="utf-8") for each in path.parent.glob("*.yaml")]
    lists = [named for text in texts for named in re.findall(r"^(?:tables|aliases): \[(.+)\]$", text, re.MULTILINE)]
    assert [name for named in lists for name in named.split(", ")].count(path.name) == 1


def test_the_notice_names_every_producer_whose_licence_asks_for_it() -> None:
    notice = (REPOSITORY / "NOTICE").read_text(encoding="utf-8")
    owed = {each["producer"] for each in COMPILED.sources.values() if each["redistributable"] == "yes"}
    assert [producer for producer in sorted(owed) if producer not in notice] == []


def test_every_source_file_names_its_format_in_the_first_line() -> None:
    firsts = {path.read_text(encoding="utf-8").splitlines()[0] for path in DATA.rglob("*.yaml")}
    assert firsts == {"# otel-carbon registry, format 1 (docs/registry.md)"}
