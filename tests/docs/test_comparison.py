"""The tables of `docs/comparison.md` are what `tools/compare_tools.py` prints, where they are the same everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from otel_carbon.core.footprint import Footprint
from otel_carbon.estimating import estimate
from otel_carbon.methods.ecologits_tables import VERSION
from tests.docs.pages import README, REPOSITORY
from tests.support.components import require_component
from tools.compare_tools import QUESTIONS
from tools.comparison.other_environments import PROGRAMS
from tools.comparison.questions import CALLS
from tools.markdown_blocks import blocks_of, commands_of

if TYPE_CHECKING:
    from tests.docs.conftest import CheckOutput

PAGE = REPOSITORY / "docs/comparison.md"
TIMEOUT_S = 120.0


def position_of(question: str) -> int:
    """Which block of the page holds the answers to a question."""
    text = PAGE.read_text(encoding="utf-8")
    marked = text.index(f"<!-- answers: {question} -->\n```text\n")
    return len(blocks_of(text[:marked]))


def test_the_page_shows_the_answers_to_every_question() -> None:
    marked = re.findall(r"<!-- answers: (\w+) -->", PAGE.read_text(encoding="utf-8"))

    assert sorted(marked) == sorted([*QUESTIONS, *PROGRAMS])


def test_the_page_tells_how_to_ask_all_tools() -> None:
    (commands,) = [
        commands_of(block) for block in blocks_of(PAGE.read_text(encoding="utf-8")) if block.language == "console"
    ]
    of_readme = {command for block in blocks_of(README.read_text(encoding="utf-8")) for command in commands_of(block)}

    # The first is the README's, which CI runs; it makes the environments and asks the questions as well.
    assert f"{commands[0]} && .venv/bin/python -m pytest" in of_readme
    assert commands[1:] == [
        f".venv/bin/python tools/make_clients.py {' '.join(PROGRAMS)}",
        ".venv/bin/python tools/compare_tools.py",
    ]


def test_the_factors_of_the_spreadsheet_follow_from_the_table_of_calls() -> None:
    short, long = estimate(CALLS[0]), estimate(CALLS[1])
    assert isinstance(short, Footprint)
    assert isinstance(long, Footprint)

    apart = round(long.emissions_gco2e.mid / short.emissions_gco2e.mid)
    tokens_apart = round((50_000 + 300) / (800 + 300))
    said = f"the mids are {apart} times apart, the tokens {tokens_apart} times"
    assert said in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_what_the_page_shows_is_what_the_tools_answer(question: str, check_output: CheckOutput) -> None:
    hint = f"pip install ecologits=={VERSION}"
    require_component(f"ecologits {VERSION}", found=version("ecologits") == VERSION, hint=hint)

    done = subprocess.run(
        [sys.executable, REPOSITORY / "tools/compare_tools.py", question],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    versions, _, table = done.stdout.partition("\n\n")
    assert versions.startswith("otel-carbon ")
    check_output(PAGE, position_of(question), table)
