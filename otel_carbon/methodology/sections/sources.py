"""All sources that the page names, with their licences."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from otel_carbon.methodology.document import Code, Link, Section, paragraph, table
from otel_carbon.methodology.tables import exclusion_sources, prose
from otel_carbon.methods.literature_tables import sources as literature_sources
from otel_carbon.registry.plausibility_limits import plausibility_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.methodology.document import Cell
    from otel_carbon.registry.catalog import Registry

_COLUMNS = (
    ("id", "id"),
    ("producer", "producer"),
    ("title", "title"),
    ("year", "year"),
    ("locator", "where in it"),
    ("licence", "licence"),
    ("redistributable", "may be passed on"),
    ("accessed", "read on"),
    ("note", "note"),
)


def sources_section(registry: Registry) -> Section:
    """Sources of facts, of figures that are compared with, and of what is left out."""
    of_facts = {source.id: asdict(source) for source in registry.sources()}
    others = {name: asdict(source) for name, source in literature_sources().items()}
    records = {**plausibility_data().sources, **exclusion_sources(), **others, **of_facts}
    rows = tuple(_row(name, records[name]) for name in sorted(records))
    return Section(
        "sources", "Sources", (paragraph(prose("sources")), table("sources", "Sources", _COLUMNS, rows, anchor=0))
    )


def _row(name: str, record: Mapping[str, Cell]) -> tuple[Cell, ...]:
    url, title = str(record["url"]), str(record["title"])
    year = record["year"]
    return (
        Code(name),
        record["producer"],
        Link(title, url) if "://" in url else title,
        str(year),
        record.get("locator"),
        record["licence"],
        record.get("redistributable"),
        record["accessed"],
        record.get("note"),
    )
