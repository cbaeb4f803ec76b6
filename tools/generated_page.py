"""What every generator of one page does with it: write it, or only compare."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REPOSITORY = Path(__file__).resolve().parents[1]


def write_or_check(
    page: Path, made: Callable[[], str], *, command: str, about: str | None, arguments: Sequence[str] | None
) -> int:
    """Write the page, or with `--check` only compare; 0 done, 1 out of date.

    Args:
        page: its path in the repository.
        made: makes its text.
        command: what writes it, for whoever finds it out of date.
        about: the description of the program.
        arguments: those of the program, `None` for those of the process.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    check = parser.parse_args(arguments).check
    path, text = REPOSITORY / page, made()
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"{page}: {f'out of date; run {command}' if check else 'written'}")
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 1 if check else 0
