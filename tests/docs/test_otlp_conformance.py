"""The table of what OTLP demands points at tests that exist, and shows every demand."""

from __future__ import annotations

import re

from tests.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs/otlp-conformance.md"
ROW = re.compile(r"^\| *(MUST|SHOULD NOT|SHOULD|MAY|) *\| (.+?) \| (.+?) \| *(.*?) *\|$", re.MULTILINE)


def rows() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return [row for row in found if row[1] != "demand"]


def test_every_test_that_the_table_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    sources = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    defined = {name for source in sources for name in re.findall(r"^def (test_\w+)\(", source, re.MULTILINE)}
    assert len(named) > 40
    assert named - defined == set()


def test_every_demand_has_a_test_or_a_reason_why_it_is_not_met() -> None:
    assert len(rows()) > 40
    unshown = [demand for _, demand, here, tests in rows() if not tests and "*no*: " not in here]
    assert unshown == []


def test_no_demand_that_must_be_met_is_left_out() -> None:
    assert [demand for level, demand, here, _ in rows() if level == "MUST" and "*no*" in here] == []
