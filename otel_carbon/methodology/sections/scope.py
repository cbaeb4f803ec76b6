"""What is estimated, what is not, and how large that is."""

from __future__ import annotations

from otel_carbon.methodology.document import Bullets, Link, Section, paragraph, table
from otel_carbon.methodology.tables import estimated, exclusions, prose


def scope_section() -> Section:
    """What a figure covers."""
    return Section(
        "scope", "What is estimated", (paragraph(prose("known")), Bullets(estimated()), paragraph(prose("ranges")))
    )


def exclusions_section() -> Section:
    """What no estimate includes, with a rough size of each."""
    rows = tuple(
        (
            each.what,
            "not estimated" if each.low is None or each.high is None else f"{each.low:g} to {each.high:g}",
            each.unit,
            each.basis,
            each.argument,
            tuple(Link(source, f"#{source}") for source in each.sources),
        )
        for each in exclusions()
    )
    columns = (
        ("what", "not included"),
        ("size", "rough size"),
        ("unit", "unit"),
        ("basis", "basis"),
        ("argument", "argument"),
        ("sources", "sources"),
    )
    return Section(
        "exclusions",
        "What is not included",
        (
            paragraph(prose("exclusions")),
            table("exclusions", "Exclusions", columns, rows),
        ),
    )
