"""The example of `docs/registry.md` for `otel-carbon registry diff` is run, with the files that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.pages import REPOSITORY
from tools.markdown_blocks import blocks_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.conftest import CheckOutput, Run

PAGE = REPOSITORY / "docs/registry.md"
FILES = ("sweden/grid.yaml", "calls.jsonl")
COMMANDS = (
    "otel-carbon registry compile sweden -o sweden.json",
    "otel-carbon registry diff bundled sweden.json --usage calls.jsonl",
)


def test_the_difference_that_the_page_shows_is_what_the_command_prints(
    run_as_reader: Run, check_output: CheckOutput, reader_folder: Path
) -> None:
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    for file in FILES:
        (shown,) = [block.text for block in blocks if block.file == file]
        path = reader_folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    (position,) = [number for number, block in enumerate(blocks) if block.text.splitlines() == [*COMMANDS]]

    outputs = [run_as_reader(command.split()).stdout for command in COMMANDS]

    assert outputs[0] == ""
    check_output(PAGE, position + 1, outputs[1])
