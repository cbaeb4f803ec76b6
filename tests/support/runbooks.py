"""The queries that the runbooks tell people to look at first."""

from __future__ import annotations

from pathlib import Path

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs/runbooks"


def queries_of(page: Path) -> list[str]:
    """The lines of the PromQL blocks of a page, a query each."""
    blocks = page.read_text(encoding="utf-8").split("```promql\n")[1:]
    return [line for block in blocks for line in block.partition("```")[0].splitlines() if line]
