"""A copy of the convention in which a test can plant a mistake."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.support.live_check import SEMCONV

if TYPE_CHECKING:
    from pathlib import Path


class ConventionCopy:
    """The real convention, copied; `replace` changes one passage of one file."""

    def __init__(self, parent: Path) -> None:
        self.folder = parent / "semconv"
        shutil.copytree(SEMCONV, self.folder)

    def replace(self, file: str, old: str, new: str) -> int:
        """Replace the first occurrence and return its line, from 1."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        before, found, after = text.partition(old)
        assert found, f"{old!r} is not in {file}"
        path.write_text(before + new + after, encoding="utf-8")
        return before.count("\n") + 1
