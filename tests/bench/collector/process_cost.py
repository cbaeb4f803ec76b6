"""CPU time and memory of a process and its children, as Linux tells them."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_UTIME_TO_CSTIME = slice(11, 15)
"""After the name in brackets: utime, stime, and the same of children that have ended."""


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and all of its descendants so far; its resolution is one tick, 10 ms as a rule."""
    return sum(_own_cpu_s(each) for each in _family(pid))


def rss_mib(pid: int) -> float:
    """Resident memory of a process and all of its descendants, in MiB."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) for each in _family(pid))
    return pages * _PAGE_BYTES / 2**20


def _own_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[_UTIME_TO_CSTIME])) / _TICKS_PER_S


def _family(pid: int) -> list[int]:
    family = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            family += _family(int(child))
    return family
