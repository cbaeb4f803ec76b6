"""Tables, lines and progress for people; drawn by rich on a terminal, plain with equal content elsewhere."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import rich.console

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

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()
    ) -> None:
        """A table of the result; the columns named in `right` are aligned to the right."""
        cells = [[printable(cell) for cell in row] for row in rows]
        terminal = _rich_terminal(self._out)
        if terminal is None:
            self._out.write(_plain_table(printable(title), columns, cells, right))
        else:
            _draw_table(terminal, printable(title), columns, cells, right)

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


def _rich_terminal(stream: TextIO) -> rich.console.Console | None:
    """A rich console on a terminal; None where output is plain: no terminal, or rich is not installed."""
    if not stream.isatty():
        return None
    try:
        from rich.console import Console as RichConsole
    except ImportError:
        return None
    # rich's own reading of NO_COLOR drops colours but keeps bold; no escape codes at all is what people ask for.
    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return RichConsole(file=stream, color_system=colours, highlight=False, markup=False, emoji=False)


def _draw_table(
    terminal: rich.console.Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Collection[str],
) -> None:
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    terminal.print(table)


def _plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str]) -> str:
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    aligned = [column in right for column in columns]

    def written(row: Sequence[str]) -> str:
        cells = zip(row, widths, aligned, strict=True)
        return "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in cells)

    lines = [title] if title else []
    lines += [written(columns), "  ".join("-" * width for width in widths), *(written(row) for row in rows)]
    return "".join(f"{line.rstrip()}\n" for line in lines)
