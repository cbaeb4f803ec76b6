"""A thread that notices when a write takes too long, as one that waits for a disk can notice nothing."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = 0.1
"""How often it looks, as a part of the time that a write has."""


class WriteWatch:
    """Looks how long what is being written takes.

    Args:
        storage_id: component id of the extension, for the thread's name.
        timeout_s: how long a write may take, in seconds.
        tell: called with when the write began, each time that it is found to take longer.
    """

    def __init__(self, storage_id: str, timeout_s: float, tell: Callable[[float], None]) -> None:
        self.timeout_s = timeout_s
        self.began_s: float | None = None
        """`time.monotonic()` at the start of what is being written now."""
        self._tell = tell
        self._has_ended = Event()
        self._thread = Thread(target=self._run, name=f"file storage watch {storage_id}", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._has_ended.set()

    def _run(self) -> None:
        while not self._has_ended.wait(self.timeout_s * _PART):
            began_s = self.began_s
            if began_s is not None and time.monotonic() - began_s > self.timeout_s:
                self._tell(began_s)
