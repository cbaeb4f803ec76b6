"""Reads what processes have written: reports, and of those that ended without a word their journals."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from otel_carbon.doctor.observations import CallRow, OverlapRow, ProcessReport
from otel_carbon.doctor.written import read_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_REPORTS = 500
MAX_REPORT_BYTES = 4 * 2**20
GRACE_S = 1.0
BETWEEN_LOOKS_S = 0.02
MAX_JOURNAL_LINES = 100_000
Row = TypeVar("Row", CallRow, OverlapRow)


def read_reports(folder: Path) -> Iterator[ProcessReport]:
    """What processes have written; what cannot be read is left out.

    Those that the command has left behind get a second to end, as the helpers of `multiprocessing` do.
    """
    until_s = time.monotonic() + GRACE_S
    while any(map(_is_running, _unfinished(folder))) and time.monotonic() < until_s:
        time.sleep(BETWEEN_LOOKS_S)
    for path in sorted(folder.glob("*.json"))[:MAX_REPORTS]:
        with suppress(OSError, ValueError):
            status = path.stat()
            if status.st_size <= MAX_REPORT_BYTES:
                report = replace(read_back(ProcessReport, path.read_bytes()), written_file_at_s=status.st_mtime)
                yield report if report.ended or report.problem else _brought_up_to_date(report, folder)


def _unfinished(folder: Path) -> Iterator[int]:
    for path in islice(folder.glob("*.json"), MAX_REPORTS):
        with suppress(OSError, ValueError):
            report = read_back(ProcessReport, path.read_bytes())
            if not report.ended:
                yield report.pid


def _brought_up_to_date(report: ProcessReport, folder: Path) -> ProcessReport:
    """The report of a process that ended without a word, or runs, with what it noted since."""
    noted: Counter[tuple[str, str]] = Counter()
    for path in folder.glob(f"{report.pid}.*.journal"):
        number = path.name.split(".")[1]
        if number.isdecimal() and int(number) >= report.journal:
            noted.update(islice(_lines(path), MAX_JOURNAL_LINES))
    calls = _rows(CallRow, "calls", noted)
    overlaps = _rows(OverlapRow, "overlaps", noted)
    return replace(
        report,
        spans=report.spans + sum(call.count for call in calls) + sum(overlap.count for overlap in overlaps),
        calls=(*report.calls, *calls),
        overlaps=(*report.overlaps, *overlaps),
        lost_before_provider=_by_scope(report.lost_before_provider, "lost_before_provider", noted),
        not_recorded=_by_scope(report.not_recorded, "not_recorded", noted),
        running=_is_running(report.pid),
    )


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Names of tallies, with the JSON of what was counted; the last line of a killed process may be half a one."""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, TypeError):
                tally, key = json.loads(line)
                yield str(tally), json.dumps(key)


def _rows(kind: type[Row], tally: str, noted: Mapping[tuple[str, str], int]) -> tuple[Row, ...]:
    found = []
    names = [each.name for each in fields(kind)]
    for (name, key), count in noted.items():
        if name == tally:
            with suppress(ValueError, TypeError):
                row = {**dict(zip(names, json.loads(key), strict=False)), "count": count}
                found.append(read_back(kind, json.dumps(row).encode()))
    return tuple(found)


def _by_scope(told: Mapping[str, int], tally: str, noted: Mapping[tuple[str, str], int]) -> Mapping[str, int]:
    counts = Counter(told)
    for (name, key), count in noted.items():
        if name == tally:
            counts[str(json.loads(key))] += count
    return dict(counts)


def _is_running(pid: int) -> bool:
    """Whether a process goes on; one that has ended and waits to be asked for its exit code does not."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user, or a number that no process can have
        return True
    with suppress(OSError, IndexError):  # where there is a /proc
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return True
