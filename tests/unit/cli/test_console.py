from __future__ import annotations

import io
import os
import pty
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.console import Console, printable

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ("model", "gCO2e")
ROWS = (("gpt-4o", "0.149"), ("a [bold]name[/bold] :smile:", "12"))


def show(console: Console) -> None:
    console.table("by model", COLUMNS, ROWS, right=("gCO2e",))


def on_terminal(use: Callable[[Console], None]) -> str:
    """What a terminal gets when both streams are one."""
    ours, theirs = pty.openpty()
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
