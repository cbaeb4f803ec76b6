from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.console import Console, printable

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ("model", "gCO2e")
LONG_NAME = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
WIDE = ("model", "calls", "low/mid/high")
WIDE_ROWS = ((LONG_NAME, "404", "0.051/0.280/1.685"), ("gpt-4o", "6,305", "0.219/1.340/9.102"))
ROWS = (("gpt-4o", "0.149"), ("a [bold]name[/bold] :smile:", "12"))


def show(console: Console) -> None:
    console.table("by model", COLUMNS, ROWS, right=("gCO2e",))


def on_terminal(use: Callable[[Console], None], columns: int = 0) -> str:
    """What a terminal gets when both streams are one; it is as wide as that, or does not say when that is 0."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        use(Console(stream, stream))
    written = b""
    # The kernel hands out what was written in pieces, and an error once the other end is closed and all is read.
    with suppress(OSError):
        while piece := os.read(ours, 100_000):
            written += piece
    os.close(ours)
    return written.decode()


def words(text: str) -> list[str]:
    """The words of a table without its rules and escape codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[─-]{3,}|━+", " ", text).split()


@pytest.fixture(autouse=True)
def _colourful_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLUMNS", raising=False)


def test_a_plain_table_is_aligned() -> None:
    out = io.StringIO()
    show(Console(out, io.StringIO()))
    assert out.getvalue() == (
        "by model\n"
        "model                        gCO2e\n"
        "---------------------------  -----\n"
        "gpt-4o                       0.149\n"
        "a [bold]name[/bold] :smile:     12\n"
    )


def test_a_terminal_gets_the_same_content_drawn() -> None:
    plain = io.StringIO()
    show(Console(plain, io.StringIO()))
    drawn = on_terminal(show)
    assert "\x1b[" in drawn
    assert words(drawn) == words(plain.getvalue())


def test_no_color_means_no_escape_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    drawn = on_terminal(show)
    assert "\x1b" not in drawn
    assert "gpt-4o" in drawn


def test_without_rich_a_terminal_gets_the_plain_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    plain = io.StringIO()
    show(Console(plain, io.StringIO()))
    assert on_terminal(show).replace("\r\n", "\n") == plain.getvalue()


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    assert (
        printable("gpt\x1b[31m\r\n4o é")
        == "gpt\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}4o é"
    )
    out = io.StringIO()
    Console(out, io.StringIO()).table("t\x1b]0;x", ("name",), [("a\x07",)])
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def work(console: Console) -> None:
    with console.progress("reading", 10) as advance:
        advance(10)
    with console.working("thinking"):
        pass


def test_progress_and_notes_never_reach_the_result() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    work(console)
    console.note("a note")
    assert (out.getvalue(), err.getvalue()) == ("", "a note\n")


def test_a_terminal_sees_that_work_goes_on() -> None:
    seen = on_terminal(work)
    assert "reading" in seen
    assert "thinking" in seen


def test_without_rich_a_terminal_is_told_by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert on_terminal(work) == "reading ...\r\nthinking ...\r\n"


def show_wide(console: Console) -> None:
    console.table("", WIDE, WIDE_ROWS, right=("calls", "low/mid/high"), shortened=("model",))


@pytest.mark.parametrize("rich_missing", [False, True])
@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (70, LONG_NAME),  # 44 + 5 + 17 and two gaps of 2
        (50, LONG_NAME[:23] + "\N{HORIZONTAL ELLIPSIS}"),  # 50 - 5 - 17 - 4 = 24
        (30, LONG_NAME[:15] + "\N{HORIZONTAL ELLIPSIS}"),  # too narrow for all: never less than 16
    ],
)
def test_a_narrow_terminal_shortens_names_and_keeps_numbers_whole(
    columns: int, name: str, monkeypatch: pytest.MonkeyPatch, *, rich_missing: bool
) -> None:
    if rich_missing:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("NO_COLOR", "1")
    lines = [line.split() for line in on_terminal(show_wide, columns).splitlines()]
    assert [name, "404", "0.051/0.280/1.685"] in lines
    assert ["gpt-4o", "6,305", "0.219/1.340/9.102"] in lines


def test_numbers_alone_wider_than_the_terminal_are_left_to_its_own_line_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "404  0.051/0.280/1.685\r\n" in on_terminal(show_wide, 20)


def test_a_table_fits_when_the_names_shortened_leave_room(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bool] = []

    def ask(console: Console) -> None:
        found.append(console.fits(WIDE, WIDE_ROWS, shortened=("model",)))

    on_terminal(ask, 42)  # 16 + 5 + 17 and two gaps of 2
    on_terminal(ask, 41)
    monkeypatch.setenv("COLUMNS", "42")
    on_terminal(ask, 41)
    ask(Console(io.StringIO(), io.StringIO()))
    assert found == [True, False, True, True]


def test_long_texts_that_are_not_to_be_shortened_wrap_and_stay_whole() -> None:
    drawn = on_terminal(lambda console: console.table("", ("field", "value"), [("note", "word " * 30)]), 40)
    assert words(drawn).count("word") == 30
