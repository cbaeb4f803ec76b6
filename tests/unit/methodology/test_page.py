"""The page of the shipped registry: its structure, that it is complete, and that its numbers are those of the code."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import date
from html.parser import HTMLParser
from math import exp, log, sqrt
from typing import Any

import pytest

from otel_carbon.core.steps import ASSESSED_STEPS, CONTEXT_STEP, MARKET_STEP, METERED_STEP, OUTLINE
from otel_carbon.methodology.document import Link, Table
from otel_carbon.methodology.html_page import html_of
from otel_carbon.methodology.json_form import json_of
from otel_carbon.methodology.markdown import markdown_of
from otel_carbon.methodology.page import methodology_document
from otel_carbon.methodology.sections import arithmetic, method
from otel_carbon.methodology.tables import anchors, comparisons, exclusion_sources, exclusions
from otel_carbon.methods.literature_tables import disclosures
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient, Fact, GridIntensity, SizeMethod
from tests.support.small_registry import SMALL, small_registry

REGISTRY = Registry.bundled()
DOCUMENT = methodology_document(REGISTRY)
HTML = html_of(DOCUMENT)
MARKDOWN = markdown_of(DOCUMENT)
SECTIONS: dict[str, Any] = json.loads(json_of(DOCUMENT))["sections"]

STRUCTURE = {
    "about": [],
    "scope": [],
    "exclusions": ["exclusions"],
    "formulas": ["formulas", "terms", "example"],
    "method": ["size_formulas", "method/parametric@2026-11-26"],
    "models": ["models", "assessments", "fallbacks"],
    "shared": ["embodied", "ratios", "ranges", "activities", "characters", "meters"],
    "places": ["grids", "sites", "water", "providers", "regions", "zones", "direct"],
    "checks": ["anchors", "finding_counts", "plausibility"],
    "weaknesses": ["known_findings"],
    "comparison": ["typical_calls", "differences"],
    "sources": ["sources"],
}


def rows(section: str, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = SECTIONS[section]["tables"][table]["rows"]
    return found


def test_sections_and_tables_stand_in_their_order() -> None:
    assert {name: list(section["tables"]) for name, section in SECTIONS.items()} == STRUCTURE
    assert list(SECTIONS) == list(STRUCTURE)
    assert re.findall(r'^<section id="(.+)">$', HTML, re.MULTILINE) == list(STRUCTURE)
    titles: list[str] = re.findall(r"^## (.+)$", MARKDOWN, re.MULTILINE)
    assert titles == [section.title for section in DOCUMENT.sections]


@pytest.mark.parametrize(
    ("section", "table", "keys"),
    [
        (
            "models",
            "models",
            (
                "fact models output_wh_per_ktoken input_wh_per_ktoken tier active_b total_b size_evidence "
                "output_usd_per_mtok assumptions how evidence valid sources note"
            ),
        ),
        ("places", "grids", "fact zone basis gco2e_per_kwh how evidence valid sources note"),
        ("checks", "plausibility", "fact output_wh_per_ktoken floor ceiling facility_kwh_per_usd watts findings"),
        ("checks", "anchors", "published about model tokens published_wh ours_wh inside source"),
        ("exclusions", "exclusions", "what size unit basis argument sources"),
        (
            "comparison",
            "typical_calls",
            "call model ours_wh ecologits_wh jegham_wh published ours_gco2e ecologits_gco2e published_gco2e",
        ),
        ("sources", "sources", "id producer title year locator licence redistributable accessed note"),
    ],
)
def test_the_keys_of_json_are_stable(section: str, table: str, keys: str) -> None:
    assert {tuple(row) for row in rows(section, table)} == {tuple(keys.split())}


def test_every_current_fact_is_on_the_page_and_no_superseded_one() -> None:
    facts = list(REGISTRY.facts())
    superseded = {fact.supersedes for fact in facts}
    tables = [table for section in SECTIONS.values() for table in section["tables"].values()]
    shown = {row["fact"] for table in tables for row in table["rows"] if "fact" in row}
    methods = {fact.id for fact in REGISTRY.current(SizeMethod)}
    assert shown | methods == {fact.id for fact in facts} - superseded


def test_every_link_inside_leads_somewhere() -> None:
    targets = {
        part.target
        for section in DOCUMENT.sections
        for block in section.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
        for part in (cell if isinstance(cell, tuple) and not isinstance(cell, Link) else (cell,))
        if isinstance(part, Link) and part.target.startswith("#")
    }
    assert len(targets) > 30
    assert {target for target in targets if f'id="{target[1:]}"' not in HTML} == set()
    assert {target for target in targets if f'<a id="{target[1:]}"></a>' not in MARKDOWN} == set()


def test_every_source_has_a_licence_and_a_day_of_access() -> None:
    for row in rows("sources", "sources"):
        assert row["licence"], row["id"]
        assert date.fromisoformat(row["accessed"]), row["id"]
    assert {source.id for source in REGISTRY.sources()} <= {row["id"] for row in rows("sources", "sources")}


def test_the_formulas_are_those_of_the_code_and_every_term_is_explained() -> None:
    outline = (*OUTLINE, CONTEXT_STEP, METERED_STEP, MARKET_STEP, *ASSESSED_STEPS)
    assert [(row["quantity"], row["formula"]) for row in rows("formulas", "formulas")] == [
        (step.name, step.formula) for step in outline
    ]
    terms = {name for step in outline for name in re.findall(r"[a-z][\w.]+", step.formula)}
    assert terms <= set(arithmetic.TERMS)
    assert set(arithmetic.TERMS) <= terms
    assert all(row["boundary"] and row["source"] for row in rows("formulas", "formulas"))


def test_the_example_is_the_call_of_the_methodology_worked_by_hand() -> None:
    by_name = {row["quantity"]: row for row in rows("formulas", "example")}
    it_kwh = (800 * 0.206 + 300 * 0.687) / 1e6
    assert by_name["it_energy_kwh"]["amount"]["mid"] == pytest.approx(it_kwh)
    assert by_name["energy_kwh"]["at_mid"] == "0.0003709 * 1.15 = 0.000426535"
    grams = it_kwh * 1.15 * 297 + it_kwh * 60
    assert by_name["emissions_gco2e"]["amount"]["mid"] == pytest.approx(grams)


def test_every_term_of_the_method_is_in_words() -> None:
    own = {field.name for field in fields(SizeMethod)} - {field.name for field in fields(Fact)}
    assert set(method.TERMS) == own
    shown = rows("method", "method/parametric@2026-11-26")
    assert {row["term"] for row in shown} == own
    assert {row["term"]: row["amount"] for row in shown}["ln_active_b"] == 0.2387


def test_a_coefficient_can_be_computed_by_hand_from_the_page() -> None:
    terms = {row["term"]: row["amount"] for row in rows("method", "method/parametric@2026-11-26")}
    (gpt_4o,) = [row for row in rows("models", "models") if row["fact"] == "energy/openai/gpt-4o@2026-11-26"]
    assert (gpt_4o["active_b"], gpt_4o["total_b"]) == ("44 to 132", "440")
    b = log(terms["batch"]["mid"] / terms["batch_origin"])
    fit = terms["intercept"] + terms["ln_active_b"] * log(sqrt(44 * 132)) + terms["ln_total_b"] * log(440)
    fit += terms["ln_batch"] * b + terms["ln_batch_squared"] * b * b + terms["fp8"]
    mid = exp(fit) / 3.6 * terms["it_per_accelerator"]["mid"]
    assert gpt_4o["output_wh_per_ktoken"]["mid"] == pytest.approx(mid, rel=0.002)


def test_every_exclusion_names_its_sources_and_what_is_ours_says_so() -> None:
    for each in exclusions():
        assert set(each.sources) <= set(exclusion_sources()), each.key
        assert each.basis == ("judgement" if each.sources == ("judgement",) else "source"), each.key
        assert (each.low is None) == (each.high is None), each.key
    assert {each.key for each in exclusions()} >= {"training", "network", "buildings", "grid_losses", "end_devices"}


def test_anchors_and_differences_name_published_figures() -> None:
    assert {anchor.published for anchor in anchors()} <= set(disclosures())
    assert set(comparisons().differences) - {"ecologits", "jegham_fit"} <= set(disclosures())


def test_every_typical_call_has_our_figure() -> None:
    shown = rows("comparison", "typical_calls")
    assert len(shown) == len(comparisons().calls) * len(comparisons().models)
    assert all(row["ours_wh"] and row["ours_gco2e"] for row in shown)
    (chat,) = [row for row in shown if (row["call"], row["model"]) == ("short chat", "gpt-4o")]
    # (300 x 0.206 + 300 x 0.687) / 1,000 Wh x PUE 1.16
    assert chat["ours_wh"]["mid"] == pytest.approx(0.3 * (0.206 + 0.687) * 1.16, rel=0.005)
    assert chat["published"] == ["openai 0.34 Wh", "epoch 0.3 Wh", "oviedo 0.34 (0.18 to 0.67) Wh"]


def test_figures_of_a_query_stand_beside_the_short_chat_only() -> None:
    others = [row for row in rows("comparison", "typical_calls") if row["call"] != "short chat"]
    names = {text.split()[0] for row in others for text in (*row["published"], *row["published_gco2e"])}
    assert names == {"deepseek_production", "mistral_lca"}


def test_the_same_registry_gives_the_same_page() -> None:
    assert html_of(methodology_document(Registry.bundled())) == HTML
    assert markdown_of(methodology_document(Registry.bundled())) == MARKDOWN


def test_what_the_page_says_in_its_own_words_calls_no_amount_measured() -> None:
    own_words = json.dumps([section["text"] for section in SECTIONS.values()]) + json.dumps(
        rows("comparison", "differences")
    )
    assert "measured" not in own_words.lower()
    assert "All amounts are modelled." in own_words


class _Nesting(HTMLParser):
    VOID = frozenset({"meta", "br", "hr", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_well_nested_self_contained_and_has_no_scripts() -> None:
    page = _Nesting()
    page.feed(HTML)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert "url(" not in HTML.split("</style>")[0]
    assert 'name="viewport"' in HTML
    assert "@media print" in HTML
    assert "prefers-color-scheme: dark" in HTML


def test_an_overlay_is_on_the_page() -> None:
    document = methodology_document(small_registry())
    assert [section.key for section in document.sections] == list(STRUCTURE)
    text = markdown_of(document)
    assert "`energy/acme/one@1`" in text
    assert len(small_registry().current(GridIntensity)) == 2
    assert document.registry_version in text


def test_a_page_as_of_a_day_knows_nothing_published_later() -> None:
    later = {**SMALL[0], "id": "energy/acme/later@1", "models": ["later"], "aliases": [], "published": "2026-03-01"}
    registry = small_registry(later).as_of(date(2026, 2, 1))
    document = methodology_document(registry)
    assert document.as_of == date(2026, 2, 1)
    assert [fact.id for fact in registry.current(EnergyCoefficient)][-1] == "energy/acme/open-one@1"
    assert "energy/acme/later@1" not in json_of(document)
    assert json.loads(json_of(document))["as_of"] == "2026-02-01"
