"""Every Python block of the documents runs, and prints what the block below it shows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import all_pages, page_name
from tools.markdown_blocks import blocks_of

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from tests.docs.conftest import CheckOutput, Run

NEEDS_AN_API = "app.py"
"""Run with one in `test_readme_commands.py`."""


def python_blocks() -> list[ParameterSet]:
    """Page and position of every Python block."""
    return [
        pytest.param(page, i, id=f"{page_name(page)}:{block.line}")
        for page in all_pages()
        for i, block in enumerate(blocks_of(page.read_text(encoding="utf-8")))
        if block.language == "python" and block.file != NEEDS_AN_API
    ]


@pytest.mark.parametrize(("page", "position"), python_blocks())
def test_python_of_the_documents_runs(page: Path, position: int, run_as_reader: Run, check_output: CheckOutput) -> None:
    block, *below = blocks_of(page.read_text(encoding="utf-8"))[position:]

    output = run_as_reader([sys.executable, "-W", "error", "-c", block.text]).stdout

    if output:
        assert below[0].language == "text", "what it prints is not shown"
        check_output(page, position + 1, output)
