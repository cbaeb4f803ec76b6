"""How many files and connections the process may have open."""

from __future__ import annotations

import sys

if sys.platform != "win32":
    import resource


def raise_open_file_limit() -> None:
    """Raise the soft limit to the hard one: 1,024 is common, and would be met before the bounds on connections."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        # macOS says that the hard limit is endless, and takes less; the old limit stays.
        return
