"""Golden files: exact text on disk, rewritten by one flag so that the difference is reviewed as a diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UPDATE_FLAG = "--update-golden"
_update = [False]


def set_update(*, update: bool) -> None:
    _update[0] = update


def check_golden(path: Path, text: str) -> None:
    if _update[0]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return
    expected = path.read_bytes().decode() if path.exists() else ""
    assert text == expected, (
        f"{path.name} differs; if the change is meant, run pytest {UPDATE_FLAG} and review the diff"
    )
