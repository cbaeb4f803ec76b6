"""`otel-carbon methodology`: its forms, where they go, and that it works with overlays and as of a day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.overlay import write_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

STARTS = {"md": "# How otel-carbon", "html": "<!doctype html>", "json": '{\n "format": 1,'}


@pytest.mark.parametrize("form", STARTS)
def test_each_form_goes_to_standard_output(run_cli: RunCli, form: str) -> None:
    code, out, err = run_cli("methodology", "--format", form)
    assert (code, err) == (0, "")
    assert out.startswith(STARTS[form])


def test_without_a_form_it_is_markdown(run_cli: RunCli) -> None:
    assert run_cli("methodology").out == run_cli("methodology", "--format", "md").out


@pytest.mark.parametrize(
    ("name", "form"), [("page.html", "html"), ("page.HTM", "html"), ("page.json", "json"), ("page.txt", "md")]
)
def test_the_ending_of_the_file_says_the_form(run_cli: RunCli, tmp_path: Path, name: str, form: str) -> None:
    assert run_cli("methodology", "-o", str(tmp_path / name)) == (0, "", "")
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(STARTS[form])


def test_facts_of_an_overlay_are_on_the_page_and_what_it_supersedes_is_not(run_cli: RunCli, tmp_path: Path) -> None:
    overlay = tmp_path / "acme.json"
    assert run_cli("registry", "compile", str(write_overlay(tmp_path / "acme")), "-o", str(overlay)).code == 0
    document = json.loads(run_cli("methodology", "--format", "json", "--registry", str(overlay)).out)
    grids = {row["fact"] for row in document["sections"]["places"]["tables"]["grids"]["rows"]}
    assert "grid/FRA/acme@2026-11" in grids
    assert "grid/FRA/location-lifecycle@2024" not in grids
    sources = {row["id"] for row in document["sections"]["sources"]["tables"]["sources"]["rows"]}
    assert "acme-lab-2026" in sources


def test_as_of_a_day_without_facts_it_exits_3(run_cli: RunCli) -> None:
    assert run_cli("methodology", "--as-of", "2020-01-01") == (
        3,
        "",
        "the registry has no facts known on 2020-01-01\n",
    )
