"""A document as one HTML file: no scripts, nothing loaded, readable on a telephone and on paper."""

from __future__ import annotations

import html
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from otel_carbon.methodology.document import Bullets, Code, Link, Table, values_of, without_empty_columns, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.methodology.document import Block, Document, Section, Value


def html_of(document: Document) -> str:
    """The text of the page; every string in it is escaped."""
    folder = files("otel_carbon.methodology") / "data"
    contents = "\n".join(
        f'<li><a href="#{_text(section.key)}">{_text(section.title)}</a></li>' for section in document.sections
    )
    return Template((folder / "page.html").read_text(encoding="utf-8")).substitute(
        title=_text(document.title),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        contents=contents,
        sections="\n".join(line for section in document.sections for line in _section_lines(section)),
    )


def _section_lines(section: Section) -> Iterator[str]:
    yield f'<section id="{_text(section.key)}">'
    yield f"<h2>{_text(section.title)}</h2>"
    for block in section.blocks:
        yield from _block_lines(block)
    yield "</section>"


def _block_lines(block: Block) -> Iterator[str]:
    if isinstance(block, Table):
        yield from _table_lines(without_empty_columns(block))
    elif isinstance(block, Bullets):
        yield "<ul>"
        yield from (f"<li>{_text(item)}</li>" for item in block.items)
        yield "</ul>"
    else:
        yield f"<p>{''.join(_value(part) for part in block.parts)}</p>"


def _table_lines(table: Table) -> Iterator[str]:
    """The table in a box that scrolls on its own, by keyboard too, where the screen is too narrow."""
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(table.title)}"><table>'
    yield f"<caption>{_text(table.title)}</caption>"
    heads = "".join(f'<th scope="col">{_text(column.head)}</th>' for column in table.columns)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        anchor = (
            "" if table.anchor_column is None else f' id="{_text(words_of(values_of(row[table.anchor_column])[0]))}"'
        )
        first, *others = (", ".join(map(_value, values_of(cell))) for cell in row)
        yield f'<tr{anchor}><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
    yield "</tbody></table></div>"


def _value(value: Value) -> str:
    if isinstance(value, Link):
        return f'<a href="{_text(value.target)}">{_text(value.words)}</a>' if value.is_safe else _text(value.words)
    if isinstance(value, Code):
        return f"<code>{_text(value.text)}</code>"
    return _text(words_of(value))


def _text(plain: str) -> str:
    return html.escape(plain)
