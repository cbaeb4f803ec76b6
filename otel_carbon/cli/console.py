"""Tables, lines and progress for people; drawn by rich on a terminal, plain with equal content elsewhere."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import rich.console

LEAST_SHORTENED = 16
"""Characters that a shortened text keeps at least."""
GAP = "  "
TERMINAL_WIDTH = 80
"""Where a terminal does not say how wide it is."""
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Console:
    """Results go to `out`, everything about the work to `err`; text from outside cannot steer the terminal."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err

    def line(self, text: str = "") -> None:
        """A line of the result."""
        self._out.write(printable(text) + "\n")

    def note(self, text: str) -> None:
        """A line about the work, not part of the result."""
        self._out.flush()
        self._err.write(printable(text) + "\n")
        self._err.flush()

    def fits(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, shortened: Collection[str] = ()) -> bool:
        """Whether a table needs no more than the terminal's width; where there is no terminal, every table fits."""
        width = _width(self._out)
        least = [
            min(needed, max(LEAST_SHORTENED, len(column))) if column in shortened else needed
            for column, needed in zip(columns, _widths(columns, rows), strict=True)
        ]
        return width is None or _total(least) <= width

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Collection[str] = (),
        shortened: Collection[str] = (),
    ) -> None:
        """A table of the result.

        Args:
            title: the line above it.
            columns: the headings.
            rows: the cells, as many in each row as there are headings.
            right: columns of numbers: aligned to the right, and never wrapped or cut.
            shortened: columns whose texts end with an ellipsis where the terminal is too narrow for them.
        """
        width = _width(self._out)
        cells = [[printable(cell) for cell in row] for row in rows]
        if width is not None:
            cells = _shortened(columns, cells, shortened, width)
        terminal = _rich_terminal(self._out, width)
        unbroken = {*right, *shortened}
        needed = zip(columns, _widths(columns, cells), strict=True)
        whole = _total([size for column, size in needed if column in unbroken])
        # On a terminal that has no room for what must not wrap, lines that it breaks itself lose nothing.
        if terminal is None or width is None or whole > width:
            self._out.write(_plain_table(printable(title), columns, cells, right))
        else:
            _draw_table(terminal, printable(title), columns, cells, right, unbroken)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how far a long work is, while it lasts and only on a terminal.

        Yields:
            A function that takes how many of `total` were done since the last time.
        """
        terminal = _rich_terminal(self._err)
        if terminal is None:
            if self._err.isatty():
                self.note(f"{label} ...")
            yield _ignore
            return
        from rich.progress import Progress

        with Progress(console=terminal, transient=True) as bar:
            task = bar.add_task(printable(label), total=total)
            yield lambda count: bar.update(task, advance=count)

    @contextmanager
    def working(self, label: str) -> Iterator[None]:
        """Show that a work of unknown length goes on, while it lasts and only on a terminal."""
        terminal = _rich_terminal(self._err)
        if terminal is None:
            if self._err.isatty():
                self.note(f"{label} ...")
            yield
            return
        with terminal.status(printable(label)):
            yield


def printable(text: str) -> str:
    """The text without control characters: names in telemetry and files may hold anything."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else REPLACEMENT for character in text)


def _ignore(_count: int) -> None:
    """Progress that nobody sees."""


def _width(stream: TextIO) -> int | None:
    """How many characters a line of the terminal holds; None where there is no terminal."""
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or TERMINAL_WIDTH
    except OSError:
        return TERMINAL_WIDTH


def _rich_terminal(stream: TextIO, width: int | None = None) -> rich.console.Console | None:
    """A rich console on a terminal; None where output is plain: no terminal, or rich is not installed."""
    if not stream.isatty():
        return None
    try:
        from rich.console import Console as RichConsole
    except ImportError:
        return None
    # rich's own reading of NO_COLOR drops colours but keeps bold; no escape codes at all is what people ask for.
    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return RichConsole(file=stream, color_system=colours, width=width, highlight=False, markup=False, emoji=False)


def _draw_table(
    terminal: rich.console.Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Collection[str],
    unbroken: Collection[str],
) -> None:
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    table.padding, table.pad_edge = (0, len(GAP) - 1, 0, 0), False  # the box draws the other blank of a gap
    for column in columns:
        justify: Literal["right", "left"] = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column in unbroken)
    for row in rows:
        table.add_row(*row)
    terminal.print(table)


def _plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str]) -> str:
    widths = _widths(columns, rows)
    aligned = [column in right for column in columns]

    def written(row: Sequence[str]) -> str:
        cells = zip(row, widths, aligned, strict=True)
        return GAP.join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in cells)

    lines = [title] if title else []
    lines += [written(columns), GAP.join("-" * width for width in widths), *(written(row) for row in rows)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _shortened(
    columns: Sequence[str], rows: Sequence[Sequence[str]], shortened: Collection[str], width: int
) -> list[list[str]]:
    """The rows with an ellipsis in the columns that may have one, as far as the table is wider than the terminal."""
    limits = _widths(columns, rows)
    for position, column in enumerate(columns):
        if column in shortened:
            least = max(LEAST_SHORTENED, len(column))
            limits[position] -= min(max(0, limits[position] - least), max(0, _total(limits) - width))
    return [[_cut(cell, limit) for cell, limit in zip(row, limits, strict=True)] for row in rows]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS
