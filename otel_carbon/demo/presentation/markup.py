"""Escaped HTML in small pieces: every string that enters the page passes here."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_carbon.core.interval import Interval
    from otel_carbon.presentation.scales import Scale

UNKNOWN = '<span class="unknown">unknown</span>'


def text(plain: str) -> str:
    """A string from anywhere as HTML text, CO2 with its index lowered."""
    return html.escape(plain).replace("CO2", "CO\N{SUBSCRIPT TWO}")


def cell(plain: str, small: str = "", *, classes: str = "") -> str:
    """A table cell with an optional second line in small."""
    return f"<td{_class(classes)}>{text(plain)}{_small(small)}</td>"


def head(plain: str, small: str = "", *, classes: str = "", scope: str = "row") -> str:
    """A heading cell of a row or column."""
    return f'<th scope="{scope}"{_class(classes)}>{text(plain)}{_small(small)}</th>'


def amount_cell(amount: Interval | None, scale: Scale) -> str:
    """An amount, its mid above its bounds; not knowing is a word, never 0."""
    if amount is None:
        return f"<td>{UNKNOWN}</td>"
    return cell(scale.number(amount.mid), scale.bounds(amount))


def table(headings: Sequence[str], rows: Iterable[str], *, label: str, footer: str = "", classes: str = "") -> str:
    """A table of finished rows that scrolls on its own, by keyboard too, where the screen is too narrow.

    Args:
        headings: of the columns.
        rows: the finished cells of each row.
        label: what the table shows, for who does not see it.
        footer: the finished cells of the last row.
        classes: of the table, for the style sheet.
    """
    columns = "".join(head(each, scope="col") for each in headings)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    foot = f"\n<tfoot><tr>{footer}</tr></tfoot>" if footer else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(label)}"><table{_class(classes)}>\n'
        f"<thead><tr>{columns}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>{foot}\n</table></div>"
    )


def _class(classes: str) -> str:
    return f' class="{classes}"' if classes else ""


def _small(plain: str) -> str:
    return f"<small>{text(plain)}</small>" if plain else ""
