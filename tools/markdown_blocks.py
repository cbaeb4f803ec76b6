"""Reads the fenced blocks of a Markdown page, so that what it tells a reader to type can be run."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_MARK = re.compile(r"<!-- file: (?P<name>[\w./-]+) -->\n\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the line it starts on, and the file it stands for, if any."""

    language: str
    text: str
    line: int
    file: str


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page; `<!-- file: NAME -->` on the line above a fence names the file it stands for."""
    blocks = []
    for found in _FENCE.finditer(page):
        mark = _FILE_MARK.search(page, 0, found.start())
        line = page.count("\n", 0, found.start()) + 1
        blocks.append(Block(found["language"], found["text"], line, mark["name"] if mark else ""))
    return blocks


def commands_of(block: Block) -> list[str]:
    """The commands of a shell block, one a line; comments are left out."""
    lines = (line.partition("  #")[0].strip() for line in block.text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def main(arguments: list[str]) -> int:
    """Print the block of PAGE that stands for FILE; 0 done, 2 when there is not exactly one."""
    page, file = arguments
    found = [block for block in blocks_of(Path(page).read_text(encoding="utf-8")) if block.file == file]
    if len(found) != 1:
        print(f"{page} has {len(found)} blocks for {file}, not one", file=sys.stderr)
        return 2
    print(found[0].text, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
