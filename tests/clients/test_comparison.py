"""What `docs/comparison.md` says of tools in environments of their own is so when they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.pages import REPOSITORY
from tests.support.clients import client_program
from tools.comparison.other_environments import table
from tools.markdown_blocks import blocks_of

if TYPE_CHECKING:
    from tools.comparison.questions import Table

BLOCKS = blocks_of((REPOSITORY / "docs/comparison.md").read_text(encoding="utf-8"))


def shown(tool: str) -> list[list[str]]:
    """The rows of the table that the page shows, without title, heading and rule."""
    (block,) = [block for block in BLOCKS if block.text.startswith(f"{tool} ")]
    return [line.split("  ") for line in block.text.splitlines()[3:]]


def answers_of(tool: str) -> Table:
    return table(tool, str(client_program(tool, "python")))


def test_openlit_tells_tokens_and_cost_and_no_footprint() -> None:
    answers = answers_of("openlit")

    told = {row[0]: row[1] for row in answers.rows}
    assert told["input and output tokens of two calls, as its spans tell"] == "1,600 and 600"
    assert told["of them for cost"] == "gen_ai.usage.cost"
    assert told["of them for energy, emissions or water"] == "none"
    assert told["attributes of its spans for energy, emissions or water"] == "none"
    on_the_page = {row[0].strip(): row[-1].strip() for row in shown("OpenLIT")}
    assert on_the_page.keys() == told.keys()
    number_of_metrics = "metrics that it sends"  # which grows with its versions
    assert {**on_the_page, number_of_metrics: ""} == {**told, number_of_metrics: ""}


def test_codecarbon_tells_the_energy_of_the_client_whatever_the_answers_are() -> None:
    answers = answers_of("codecarbon")

    (short, client_wh_of_short, modelled_wh_of_short), (long, client_wh_of_long, modelled_wh_of_long) = answers.rows
    assert (short, long) == ("30", "3,000")
    # 800 + 30 and 800 + 3,000 tokens at 0.206 and 0.687 Wh for 1,000 of IT energy, PUE 1.15, 300 calls:
    assert modelled_wh_of_short == f"{(800 * 0.206 + 30 * 0.687) / 1000 * 1.15 * 300:.0f}"
    assert modelled_wh_of_long == f"{(800 * 0.206 + 3000 * 0.687) / 1000 * 1.15 * 300:.0f}"
    # The client takes less than a hundredth of either, and not in the proportion of the answers.
    assert 100 * float(client_wh_of_short) < float(modelled_wh_of_short)
    assert 100 * float(client_wh_of_long) < float(modelled_wh_of_long)
    on_the_page = [(row[0].strip(), row[-1].strip()) for row in shown("CodeCarbon")]
    assert on_the_page == [(short, modelled_wh_of_short), (long, modelled_wh_of_long)]
