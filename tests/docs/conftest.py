"""Fixtures of the tests that run what the documents say."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, run

import pytest

from tests.docs.pages import REPOSITORY
from tests.support import golden
from tests.support.llm_server import llm_server
from tests.support.otlp_sink import otlp_sink
from tools.markdown_blocks import blocks_of

__all__ = ["llm_server", "otlp_sink"]

Run = Callable[[Sequence[str]], CompletedProcess[str]]
CheckOutput = Callable[[Path, int, str], None]
TIMEOUT_S = 60.0


@pytest.fixture
def reader_folder(tmp_path: Path) -> Path:
    """Where a reader types: it has the repository's folders, and whatever is written stays out of them."""
    for name in ("tests", "otel_carbon", "docs", "deploy"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    return tmp_path


@pytest.fixture
def run_as_reader(reader_folder: Path) -> Run:
    """Runs a program as a reader does, with the commands of this installation on the `PATH`."""

    def run_here(arguments: Sequence[str]) -> CompletedProcess[str]:
        result = run(
            arguments,
            cwd=reader_folder,
            env=reader_environment(),
            capture_output=True,
            text=True,
            stdin=DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert result.returncode == 0, f"{' '.join(arguments)}: exit code {result.returncode}\n{result.stderr}"
        return result

    return run_here


def reader_environment() -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


@pytest.fixture
def check_output(request: pytest.FixtureRequest) -> CheckOutput:
    """Compares an output with the block of a page that shows it, or rewrites the page when asked to."""

    def check(page: Path, position: int, output: str) -> None:
        text = page.read_text(encoding="utf-8")
        shown = blocks_of(text)[position]
        if not request.config.getoption(golden.UPDATE_FLAG):
            assert output == shown.text, f"{page.name} differs; if the change is meant, run pytest {golden.UPDATE_FLAG}"
            return
        lines = text.split("\n")
        end = lines.index("```", shown.line)
        lines[shown.line : end] = output.removesuffix("\n").split("\n")
        page.write_text("\n".join(lines), encoding="utf-8")

    return check
