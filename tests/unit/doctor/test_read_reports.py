"""Reports and journals as processes leave them behind."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from otel_carbon.doctor.observer import journal as journals
from otel_carbon.doctor.observer.journal import Journal
from otel_carbon.doctor.read_reports import read_reports
from otel_carbon.doctor.written import written
from tests.unit.doctor.cases import CALL, REPORT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEY = (
    *(CALL.scope, CALL.provider, CALL.model, CALL.status, CALL.reason, CALL.match, CALL.operator),
    *(CALL.region, CALL.region_evidence, CALL.told_region, CALL.enriched, CALL.exported),
)
UNFINISHED = replace(REPORT, pid=os.getpid(), ended="", calls=(), spans=0)


def leave(folder: Path, journal: int) -> None:
    (folder / f"{UNFINISHED.pid}.json").write_bytes(written(replace(UNFINISHED, journal=journal)))


def test_what_was_noted_after_the_report_is_added(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.add("not_recorded", "before the report")
    leave(tmp_path, journal.turn())
    for _ in range(3):
        journal.add("calls", KEY)
    journal.add("overlaps", ("a", "b", "same_response_id"))
    journal.add("not_recorded", "c")
    journal.turn()
    journal.add("calls", KEY)  # while the next report is written
    (found,) = read_reports(tmp_path)
    assert sorted(call.count for call in found.calls) == [4]
    assert [(row.winner, row.loser, row.count) for row in found.overlaps] == [("a", "b", 1)]
    assert (found.spans, found.not_recorded, found.running) == (5, {"c": 1}, True)


def test_half_a_line_and_other_things_are_passed_over(tmp_path: Path) -> None:
    leave(tmp_path, 0)
    whole = b'["calls", [7]]\n[1]\n{}\n["what", "x"]\n["calls", "x"]\n\xff\n["calls", ["sc'
    (tmp_path / f"{UNFINISHED.pid}.0.journal").write_bytes(whole)
    (found,) = read_reports(tmp_path)
    assert (found.calls, found.overlaps, found.spans) == ((), (), 0)


def test_a_journal_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "MAX_BYTES", 100)
    journal = Journal(str(tmp_path))
    for _ in range(50):
        journal.add("not_recorded", "a scope")
    (file,) = tmp_path.iterdir()
    assert (journal.is_full, file.stat().st_size) == (True, 4 * len('["not_recorded", "a scope"]\n'))
    journal.forget_before(journal.turn())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_concerns_nobody(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "gone"))
    journal.add("calls", KEY)
    journal.forget_before(journal.turn())
