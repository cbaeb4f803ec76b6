"""The page holds the figures that arrived, loads nothing, and trusts no string."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from otel_carbon.demo.figures import figures_of
from otel_carbon.demo.presentation.page import render_page
from otel_carbon.registry.catalog import Registry
from tests.unit.demo.samples import COEFFICIENT, GRID, estimated, judged, plain

if TYPE_CHECKING:
    from otel_carbon.demo.arrivals import ArrivedSpan

HOSTILE = '"><script>alert(1)</script>&'
VOID = {"meta", "br", "i"}


@pytest.fixture(scope="module")
def page() -> str:
    spans = [
        estimated(300.0, tenant="north"),
        estimated(150.0, model=HOSTILE, tenant=HOSTILE, day=1, more={"otel_carbon.region": HOSTILE}),
        judged("unestimated", "no_usage", model="silent-1"),
        judged("unestimated", HOSTILE),
        judged("duplicate", "same_response_id"),
        judged("aggregate", "aggregate_operation"),
        plain(),
    ]
    return render_page(figures_of(spans), Registry.bundled(), f"Checked {HOSTILE}.")


class Reader(HTMLParser):
    """Collects what a page refers to, and the cells of its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[tuple[str, str, str]] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [(tag, key, value) for key, value in attrs if value and "//" in value]


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_nothing_is_loaded_from_the_network(page: str) -> None:
    reader = read(page)
    outside = {(tag, key) for tag, key, _ in reader.references}
    assert outside == {("a", "href"), ("svg", "xmlns"), ("svg", "xmlns:xlink")}
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(reader.tags)
    assert "url(" not in page
    assert "@import" not in page


def test_links_lead_to_secure_places_only(page: str) -> None:
    assert all(value.startswith("https://") for tag, _, value in read(page).references if tag == "a")


def test_strings_from_telemetry_are_escaped(page: str) -> None:
    assert "<script" not in page
    assert html.escape(HOSTILE) in page


def test_totals_are_the_sums_of_the_arrived_attributes(page: str) -> None:
    headline = page[page.index('<dl class="headline">') : page.index("</dl>")]
    mids = re.findall(r'class="mid">([\d.]+) <small>([^<]+)', headline)
    # 300 g + 150 g = 450 g; x 2 Wh/g = 900 Wh; x 4 mL/g = 1.8 L
    assert mids == [("450", "gCO\N{SUBSCRIPT TWO}e"), ("900", "Wh"), ("1.80", "L")]
    bounds = re.findall(r'class="bounds">([^<]+)', headline)
    assert bounds[0] == "225 \N{EN DASH} 900 gCO\N{SUBSCRIPT TWO}e"


def test_a_model_row_holds_its_own_sums(page: str) -> None:
    row = page[page.index('<th scope="row">gpt-4o<small>openai') :]
    row = row[: row.index("</tr>")]
    assert re.findall(r"<td>([^<]+)", row) == ["2", "300.0", "600.0", "1.200", "100", "10"]


def test_what_is_unknown_is_a_word_and_never_zero(page: str) -> None:
    row = page[page.index('<th scope="row">silent-1') :]
    row = row[: row.index("</tr>")]
    assert row.count('<span class="unknown">unknown</span>') == 3


def test_reasons_stand_in_words(page: str) -> None:
    assert "The span carries no token usage; a stream reports it only when the client asks for it." in page
    assert "Another span with the same provider response id is already counted." in page


def test_every_fact_and_source_behind_the_figures_is_listed(page: str) -> None:
    registry = Registry.bundled()
    for fact_id in (COEFFICIENT, GRID):
        assert f"<code>{fact_id}</code>" in page
        for source_id in registry.fact(fact_id).sources:
            source = registry.source(source_id)
            assert html.escape(source.title) in page
            assert f"Licence: {html.escape(source.licence)}. Read on {source.accessed}" in page


def test_source_numbers_lead_to_sources(page: str) -> None:
    cited = set(re.findall(r'href="#(source-\d+)"', page))
    assert cited
    assert cited <= set(re.findall(r'<li id="(source-\d+)"', page))


def test_modelled_amounts_are_never_sold_as_more(page: str) -> None:
    visible = re.sub(r"<[^>]+>", " ", page[page.index("<body>") : page.index('<section id="facts">')]).lower()
    assert "modelled, not metered" in visible
    for claim in ("measured", "+-5", "\N{PLUS-MINUS SIGN}", "csrd", "audit-proof"):
        assert claim not in visible


def test_charts_have_text_alternatives(page: str) -> None:
    charts = re.findall(r"<svg[^>]*>", page)
    assert charts
    assert all('role="img"' in chart for chart in charts)
    assert len(re.findall(r"<svg[^>]*><title>[^<]+</title><desc>[^<]+</desc>", page)) == len(charts)


def test_the_page_adapts_to_dark_screens_phones_and_paper(page: str) -> None:
    assert "@media (prefers-color-scheme: dark)" in page
    assert "@media print" in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page


def regions_of(*spans: ArrivedSpan) -> str:
    page = render_page(figures_of(spans), Registry.bundled(), "Checked.")
    return page[page.index('<section id="regions">') : page.index('<section id="quality">')]


def default_place(gco2e: float, region: str) -> ArrivedSpan:
    return estimated(gco2e, more={"otel_carbon.region": region, "otel_carbon.region_evidence": "default"})


def test_regions_add_up_to_the_calls_with_an_estimate() -> None:
    section = regions_of(estimated(300.0), default_place(100.0, "FRA"), judged("unestimated", "no_usage"))
    total = section[section.index("<tfoot>") :]
    # 300 g + 100 g = 400 g, x 2 Wh/g = 800 Wh, x 4 mL/g = 1.6 L; 400 g / 0.8 kWh = 500 g/kWh, 1.6 L / 0.8 kWh = 2 L/kWh
    assert re.findall(r"<td>([^<]+)", total) == ["2", "400.0", "500", "1.600", "2.00", "800.0"]
    assert "All calls with an estimate" in total


def test_places_that_nobody_named_are_told_in_words() -> None:
    section = regions_of(default_place(3.0, "mix-openai"), default_place(2.0, "WOR"), estimated(1.0))
    assert '<th scope="row">world average (own hardware, place not configured)<small>WOR</small>' in section
    assert "weighted mix of the grids where openai is taken to run; the calls name no region" in section


def test_column_heads_name_the_quantity_and_its_unit(page: str) -> None:
    heads = set(re.findall(r'<th scope="col">([^<]+)', page))
    assert {"Emissions, gCO\N{SUBSCRIPT TWO}e", "Energy, Wh", "Water, L"} <= heads
    assert not {"L", "Wh", "kWh"} & heads


def test_assumptions_stand_in_words(page: str) -> None:
    assert "<td>The model&#x27;s size is not published; outside guesses are taken.<small>size_guessed</small>" in page


def test_boxes_that_scroll_are_reached_by_keyboard_and_named(page: str) -> None:
    boxes = re.findall(r'<div class="scroll"[^>]*>', page)
    assert len(boxes) == page.count("<table")
    assert all(re.search(r'tabindex="0" role="region" aria-label="[^"]+"', box) for box in boxes)
