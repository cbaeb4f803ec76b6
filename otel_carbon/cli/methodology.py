"""`otel-carbon methodology`: one page on how figures come about, from the registry of facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.output import output_option, write_result
from otel_carbon.cli.registry_choice import as_of_option, chosen_registry, registry_option
from otel_carbon.methodology.html_page import html_of
from otel_carbon.methodology.json_form import json_of
from otel_carbon.methodology.markdown import markdown_of
from otel_carbon.methodology.page import methodology_document

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

WRITERS = {"html": html_of, "json": json_of, "md": markdown_of}
SUFFIXES = {".htm": "html", ".html": "html", ".json": "json"}


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(sorted(WRITERS)),
    help="Markdown, one self-contained HTML file, or JSON; without it the ending of -o says, else md.",
)
@as_of_option
@registry_option
@output_option
def methodology(format_name: str | None, as_of: date | None, registry_file: Path | None, output: Path) -> int:
    """Write one page on how figures come about: formulas, all coefficients, checks, weaknesses, comparisons.

    The page is made from the registry alone; the same registry gives the same page. It has every coefficient with
    range, evidence and sources, the method term by term, what is not included and how large that is, plausibility
    checks over all models, and typical calls by other methods. Exits 3 when no fact was known on the day of --as-of.

    Example: otel-carbon methodology --format html -o methodology.html
    """
    registry = chosen_registry(registry_file, as_of)
    if next(registry.facts(), None) is None:
        click.echo(f"the registry has no facts known on {as_of}", err=True)
        return exit_codes.NOTHING_ESTIMATED
    writer = WRITERS[format_name or SUFFIXES.get(output.suffix.lower(), "md")]
    write_result(writer(methodology_document(registry)).encode(), output)
    return exit_codes.DONE
