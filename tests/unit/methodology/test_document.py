"""The three forms of a document: whole texts of a small one, and that nothing from outside can break out."""

from __future__ import annotations

import json
import re
from datetime import date
from html.parser import HTMLParser

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.methodology.document import (
    Bullets,
    Code,
    Document,
    Link,
    Section,
    in_short,
    paragraph,
    table,
    words_of,
)
from otel_carbon.methodology.html_page import html_of
from otel_carbon.methodology.json_form import json_of
from otel_carbon.methodology.markdown import markdown_of

NASTY = '<script>alert("1")</script> | `x` ](javascript:alert)'
ROWS = (
    (Code("a|b"), Interval(1.0, 2.0, 4.0), None, (Link("lab", "#lab"), Code("c")), True),
    (Code("second"), 1234, None, (), 0.5),
)
COLUMNS = (("name", "name"), ("amount", "amount, Wh"), ("nothing", "nothing"), ("links", "links"), ("other", "other"))
SMALL = Document(
    "A page",
    "1+abc",
    "abcdef",
    date(2026, 11, 26),
    (
        Section("one", "First part", (paragraph("See ", Link("two", "#two"), " and ", Code("x * y"), "."),)),
        Section("two", "Second part", (Bullets(("a", "b")), table("names", "Names", COLUMNS, ROWS, anchor=0))),
    ),
)

MARKDOWN = """\
# A page

- [First part](#one)
- [Second part](#two)

<a id="one"></a>

## First part

See [two](#two) and `x * y`.

<a id="two"></a>

## Second part

- a
- b

**Names**

| name | amount, Wh | links | other |
| --- | --- | --- | --- |
| <a id="a\\|b"></a>`a\\|b` | 2 (1 to 4) | [lab](#lab), `c` | yes |
| <a id="second"></a>`second` | 1,234 |  | 0.5 |
"""

HTML_BODY = """\
<section id="one">
<h2>First part</h2>
<p>See <a href="#two">two</a> and <code>x * y</code>.</p>
</section>
<section id="two">
<h2>Second part</h2>
<ul>
<li>a</li>
<li>b</li>
</ul>
<div class="scroll" tabindex="0" role="region" aria-label="Names"><table>
<caption>Names</caption>
<thead><tr><th scope="col">name</th><th scope="col">amount, Wh</th><th scope="col">links</th>\
<th scope="col">other</th></tr></thead>
<tbody>
<tr id="a|b"><th scope="row"><code>a|b</code></th><td>2 (1 to 4)</td>\
<td><a href="#lab">lab</a>, <code>c</code></td><td>yes</td></tr>
<tr id="second"><th scope="row"><code>second</code></th><td>1,234</td><td></td><td>0.5</td></tr>
</tbody></table></div>
</section>
"""


def test_markdown_links_its_sections_and_leaves_empty_columns_out() -> None:
    assert markdown_of(SMALL) == MARKDOWN


def test_html_is_one_page_with_the_same_content() -> None:
    page = html_of(SMALL)
    assert page.startswith('<!doctype html>\n<html lang="en">\n')
    assert f"<main>\n{HTML_BODY}</main>" in page
    assert '<li><a href="#one">First part</a></li>' in page


def test_json_keeps_every_column_and_raw_numbers() -> None:
    assert json.loads(json_of(SMALL)) == {
        "format": 1,
        "title": "A page",
        "registry_version": "1+abc",
        "registry_digest": "abcdef",
        "as_of": "2026-11-26",
        "sections": {
            "one": {"title": "First part", "text": ["See two and x * y."], "tables": {}},
            "two": {
                "title": "Second part",
                "text": [["a", "b"]],
                "tables": {
                    "names": {
                        "title": "Names",
                        "columns": dict(COLUMNS),
                        "rows": [
                            {
                                "name": "a|b",
                                "amount": {"low": 1.0, "mid": 2.0, "high": 4.0},
                                "nothing": None,
                                "links": ["lab", "c"],
                                "other": True,
                            },
                            {"name": "second", "amount": 1234, "nothing": None, "links": [], "other": 0.5},
                        ],
                    }
                },
            },
        },
    }


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "HTTPS"])
def test_what_stands_in_an_overlay_is_text_and_its_odd_addresses_are_no_links(target: str) -> None:
    cells = ((Code(NASTY), NASTY, Link(NASTY, target)),)
    columns = (("one", NASTY), ("two", "two"), ("three", "three"))
    section = Section("one", NASTY, (paragraph(NASTY, Link(NASTY, target)), table("x", NASTY, columns, cells)))
    document = Document(NASTY, "1", "1", None, (section,))
    elements = _Elements()
    elements.feed(html_of(document))
    assert "script" not in elements.tags
    assert elements.addresses == ["#one"]
    markdown = re.sub(r"(?<!\\)`[^`]*`", "", markdown_of(document))  # code is not read for links and elements
    assert re.findall(r"(?<!\\)\]\([^)]*\)", markdown) == ["](#one)"]
    assert re.findall(r"(?<!\\)<[a-z/][^>]*>", markdown) == ['<a id="one">', "</a>"]


def test_parentheses_of_an_address_do_not_end_a_markdown_link() -> None:
    link = Link("page", "https://one.example/a_(b) c")
    text = markdown_of(Document("t", "1", "1", None, (Section("s", "s", (paragraph(link),)),)))
    assert "[page](https://one.example/a_%28b%29%20c)" in text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (False, "no"),
        (50_000, "50,000"),
        (-3.7635, "-3.7635"),
        (Interval(0.3, 0.3, 0.3), "0.3"),
        (Interval(0.088077, 0.310764, 1.52178), "0.310764 (0.08808 to 1.522)"),
        (date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_in_words(value: float | Interval | date | None, words: str) -> None:
    assert words_of(value) == words


def test_computed_amounts_are_shown_with_three_digits() -> None:
    assert in_short(Interval(0.088077, 0.310764, 1.52178)) == Interval(0.0881, 0.311, 1.52)


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="table x: 1 cells for 2 columns"):
        table("x", "x", (("a", "a"), ("b", "b")), (("one",),))
