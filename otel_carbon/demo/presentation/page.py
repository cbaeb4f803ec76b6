"""One HTML file that holds the whole result: no script, nothing loaded, every string escaped."""

from __future__ import annotations

from datetime import date
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.core.assumptions import assumption_sentence
from otel_carbon.core.reasons import SENTENCES
from otel_carbon.demo.presentation import charts, figures_html, markup
from otel_carbon.demo.presentation.evidence import evidence_for
from otel_carbon.presentation.scales import DASH
from otel_carbon.presentation.style import base_style
from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.demo.figures import Figures
    from otel_carbon.demo.presentation.evidence import CitedFact, Evidence
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Source

_DARK_CHART_COLOURS = {
    charts.QUIET: "#98a6a8",
    charts.RULE: "#2f3a3d",
    charts.ACCENT: "#5cc3ae",
    charts.WATER: "#77b1e8",
}
_STATUS_HEADINGS = {
    ours.STATUS_UNESTIMATED: "Calls without an estimate",
    ours.STATUS_DUPLICATE: "Spans that report a call once more",
    ours.STATUS_AGGREGATE: "Spans that sum up others",
}


def render_page(figures: Figures, registry: Registry, proof: str) -> str:
    """The page for what arrived.

    Args:
        figures: what the arrived spans sum up to.
        registry: the facts that they were estimated with.
        proof: one sentence on what was checked.
    """
    first, last = figures.days[0].name[0], figures.days[-1].name[0]
    evidence = evidence_for(registry, figures.fact_ids, date.fromisoformat(last))
    return Template(_data("page.html")).substitute(
        period=markup.text(f"{_long_date(first)} {DASH} {_long_date(last)}"),
        style=base_style() + Template(_data("page.css")).substitute(dark_chart_colours=_dark_chart_colours()),
        headline=figures_html.headline(figures),
        proof=markup.text(proof),
        days=figures_html.daily(figures),
        models=figures_html.models(figures),
        tenants=figures_html.tenants(figures),
        regions=figures_html.regions(figures),
        quality=_quality(figures),
        facts=_facts(evidence),
        sources="\n".join(_source(number, source) for number, source in enumerate(evidence.sources, 1)),
        registry=markup.text(", ".join(figures.registry_versions)),
        version=markup.text(VERSION),
    )


def _data(name: str) -> str:
    return resources.files("otel_carbon.demo.presentation").joinpath("data", name).read_text(encoding="utf-8")


def _long_date(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"


def _dark_chart_colours() -> str:
    """The charts' colours for dark screens: attributes of an SVG give way to any style sheet."""
    return "\n".join(
        f'  svg [fill="{light}"] {{ fill: {dark}; }} svg [stroke="{light}"] {{ stroke: {dark}; }}'
        for light, dark in _DARK_CHART_COLOURS.items()
    )


def _quality(figures: Figures) -> str:
    overall = figures.overall
    share = f"{overall.estimated / overall.calls:.1%}" if overall.calls else DASH
    rows = [
        _quality_row("Calls", "each counted once, whatever reported it", overall.calls),
        _quality_row("Calls with an estimate", f"{share} of all calls", overall.estimated),
        *_reason_rows(figures),
        _quality_row("Other spans", "tools and web requests: no inference, nothing to count", figures.other_spans),
    ]
    assumed = [
        markup.cell(assumption_sentence(code), code) + markup.cell(f"{count:,}", classes="number")
        for code, count in sorted(figures.fact_ids.assumptions.items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    return (
        markup.table(("What", "Why", "Count"), rows, label="Data quality", classes="text")
        + "<h3>What had to be assumed</h3>"
        + markup.table(("Assumption", "Calls"), assumed, label="What had to be assumed", classes="text")
    )


def _reason_rows(figures: Figures) -> Iterator[str]:
    for status, heading in _STATUS_HEADINGS.items():
        found = [(count, reason) for (each, reason), count in figures.reasons.items() if each == status]
        for count, reason in sorted(found, key=lambda entry: (-entry[0], entry[1])):
            yield _quality_row(heading, SENTENCES.get(reason, reason), count, reason)
            heading = ""  # noqa: PLW2901 - said once for all its reasons


def _quality_row(what: str, why: str, count: int, code: str = "") -> str:
    return markup.cell(what) + markup.cell(why, code) + markup.cell(f"{count:,}", classes="number")


def _facts(evidence: Evidence) -> str:
    return "\n".join(
        f"<h3>{markup.text(heading)}</h3>\n"
        + markup.table(
            ("Fact", "Amount", "Evidence"), (_fact(fact) for fact in facts), label=heading, classes="text facts"
        )
        for heading, facts in evidence.facts
    )


def _fact(fact: CitedFact) -> str:
    amounts = "<br>".join(markup.text(amount) for amount in fact.amounts)
    cited = ", ".join(f'<a href="#source-{number}">{number}</a>' for number in fact.sources)
    note = f"<p>{markup.text(fact.note)}</p>" if fact.note else ""
    return (
        f"<td><code>{markup.text(fact.id)}</code></td><td>{amounts}</td>"
        f"<td>{markup.text(fact.evidence)}; sources {cited}{note}</td>"
    )


def _source(number: int, source: Source) -> str:
    locator = f", {markup.text(source.locator)}" if source.locator else ""
    name = markup.text(source.title)
    titled = f'<a href="{markup.text(source.url)}">{name}</a>' if source.url.startswith("https://") else name
    return (
        f'<li id="source-{number}">{markup.text(source.producer)} ({source.year}): {titled}{locator}. '
        f"<span>Licence: {markup.text(source.licence)}. Read on {source.accessed.isoformat()}.</span></li>"
    )
