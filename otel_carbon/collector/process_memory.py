"""How much memory this process has, and how much it may have."""

from __future__ import annotations

import os
from mmap import PAGESIZE
from pathlib import Path, PurePosixPath

_STATM = Path("/proc/self/statm")
_RESIDENT_FIELD = 1
_CGROUP_ROOT = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
_UNIFIED = "0::"
_V1_LIMIT = Path("memory/memory.limit_in_bytes")


def resident_bytes() -> int | None:
    """Resident memory in bytes; None where there is no /proc."""
    try:
        pages = _STATM.read_text(encoding="ascii").split()[_RESIDENT_FIELD]
    except OSError:
        return None
    return int(pages) * PAGESIZE


def available_bytes(cgroup_root: Path = _CGROUP_ROOT, own_cgroup: Path = _OWN_CGROUP) -> int | None:
    """What this process may use: the smallest limit of its control groups, or else the memory of the machine.

    Args:
        cgroup_root: where control groups are mounted.
        own_cgroup: the file that says in which of them this process is.

    Returns:
        Bytes; None where neither is known.
    """
    limits = [_limit_in(cgroup_root / _V1_LIMIT)]
    group = PurePosixPath(_unified_group(own_cgroup).lstrip("/"))
    limits += [_limit_in(cgroup_root / part / "memory.max") for part in (group, *group.parents)]
    limits.append(_machine_bytes())
    return min((limit for limit in limits if limit is not None), default=None)


def _unified_group(own_cgroup: Path) -> str:
    try:
        lines = own_cgroup.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix(_UNIFIED) for line in lines if line.startswith(_UNIFIED)), "")


def _limit_in(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _machine_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
