from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_carbon.errors import AuthoringError
from otel_carbon.registry.authoring.releases import FILE, fact_digest, freeze

if TYPE_CHECKING:
    from tests.unit.registry.authoring.fact_directory import FactDirectory


@pytest.fixture
def released(facts: FactDirectory) -> FactDirectory:
    facts.write(FILE, freeze(facts.compiled(), b"{}").decode())
    return facts


def _line_of(facts: FactDirectory, fact_id: str) -> int:
    lines = (facts.root / FILE).read_text(encoding="utf-8").splitlines()
    return 1 + next(number for number, text in enumerate(lines) if fact_id in text)


def test_an_unchanged_release_has_no_problems(released: FactDirectory) -> None:
    assert released.problems() == ()


def test_an_edited_figure_is_detected(released: FactDirectory) -> None:
    released.change("facts.yaml", "{low: 20, mid: 40, high: 50}", "{low: 20, mid: 41, high: 50}")
    advice = "restore it and append a new dated fact that supersedes it"
    assert released.problems() == tuple(
        f"releases.json:{_line_of(released, fact_id)}: {fact_id}: released in 2026.11.0, since changed; {advice}"
        for fact_id in ("grid/SWE/location@2025", "grid/north/location@2025")
    )


def test_a_removed_fact_is_detected(released: FactDirectory) -> None:
    released.change("facts.yaml", "site/hall@2025", "site/hall@2026")
    line = _line_of(released, "site/hall@2025")
    assert released.problems() == (
        (
            f"releases.json:{line}: site/hall@2025: released in 2026.11.0, now missing; "
            "restore it and append a new dated fact that supersedes it"
        ),
    )


def test_a_new_dated_fact_that_supersedes_is_allowed(released: FactDirectory) -> None:
    released.append(
        "  site/hall@2026:\n    pue: {low: 1.0, mid: 1.05, high: 1.1}\n    site: hall\n"
        "    supersedes: site/hall@2025\n    wue_l_per_it_kwh: {low: 0.1, mid: 0.2, high: 0.4}\n"
    )
    assert released.problems() == ()


def test_the_next_version_freezes_only_what_is_new(released: FactDirectory) -> None:
    released.append("  range/new@2026:\n    divisor_low: 2\n    factor_high: 2\n")
    released.change("sources.yaml", "2026.11.0", "2026.12.0")
    versions = json.loads(freeze(released.compiled(), (released.root / FILE).read_bytes()))
    assert list(versions) == ["2026.11.0", "2026.12.0"]
    assert list(versions["2026.12.0"]) == ["range/new@2026"]


def test_a_version_is_frozen_once(released: FactDirectory) -> None:
    with pytest.raises(AuthoringError) as refused:
        freeze(released.compiled(), (released.root / FILE).read_bytes())
    assert refused.value.problems == (
        "releases.json:1: 2026.11.0: is released already; raise `version` in registry.yaml",
    )


def test_a_new_optional_field_leaves_old_digests_alone(facts: FactDirectory) -> None:
    record = facts.compiled().facts["zone/NOR@2025"]
    assert fact_digest(record) == fact_digest({**record, "later_field": None})
    assert fact_digest(record) != fact_digest({**record, "later_field": "filled"})


def test_a_damaged_releases_file_is_a_problem(facts: FactDirectory) -> None:
    facts.write(FILE, "{")
    (problem,) = facts.problems()
    assert problem.startswith("releases.json:1: json: ")
    assert problem.endswith("; restore the file")
