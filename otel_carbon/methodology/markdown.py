"""A document as Markdown; also the table writer of the generated pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.methodology.document import (
    Bullets,
    Code,
    Link,
    Paragraph,
    Table,
    values_of,
    without_empty_columns,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_carbon.methodology.document import Block, Cell, Document, Section, Value

_TEXT_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>"})
_ADDRESS_SIGNS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "()<> "})
APOSTROPHE = "'"


def markdown_of(document: Document) -> str:
    """The text of the page; sections are linked from its head."""
    blocks = [f"# {_text(document.title)}"]
    blocks.append("\n".join(f"- [{_text(each.title)}](#{each.key})" for each in document.sections))
    for section in document.sections:
        blocks += _section_blocks(section)
    return "\n\n".join(blocks) + "\n"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of finished cells; bars in them are escaped, lines are joined."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_in_table(cell) for cell in line)} |" for line in lines)


def _section_blocks(section: Section) -> list[str]:
    anchor = f'<a id="{section.key}"></a>'
    return [f"{anchor}\n\n## {_text(section.title)}", *(_block(block) for block in section.blocks)]


def _block(block: Block) -> str:
    if isinstance(block, Table):
        shown = without_empty_columns(block)
        rows = ([_anchored(shown, row, number) for number in range(len(row))] for row in shown.rows)
        heads = [_text(column.head) for column in shown.columns]
        return f"**{_text(block.title)}**\n\n{markdown_table(heads, rows)}"
    if isinstance(block, Bullets):
        return "\n".join(f"- {_text(item)}" for item in block.items)
    assert isinstance(block, Paragraph)  # noqa: S101 - there are no further blocks
    return "".join(_value(part) for part in block.parts)


def _anchored(block: Table, row: Sequence[Cell], number: int) -> str:
    values = values_of(row[number])
    said = ", ".join(_value(each) for each in values)
    return f'<a id="{words_of(values[0])}"></a>{said}' if number == block.anchor_column else said


def _value(value: Value) -> str:
    if isinstance(value, Link):
        return (
            f"[{_text(value.words)}]({value.target.translate(_ADDRESS_SIGNS)})" if value.is_safe else _text(value.words)
        )
    if isinstance(value, Code):
        return f"`{value.text.replace('`', APOSTROPHE)}`"
    return _text(words_of(value))


def _text(plain: str) -> str:
    return plain.translate(_TEXT_SIGNS)


def _in_table(cell: str) -> str:
    return cell.replace("\n", " ").replace("|", "\\|")
