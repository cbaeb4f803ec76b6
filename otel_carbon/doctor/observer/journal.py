"""What was noted since the last report, a line each: a process may be killed at any time, and nothing is lost then."""

from __future__ import annotations

import os
from contextlib import suppress

MAX_BYTES = 256 * 1024
"""When a journal has so much in it a report takes its place; what comes before that happens is left out."""


class Journal:
    """The files `PID.NUMBER.journal` of a folder, one after the other: each report begins a new one.

    A line is written by calls of the system, which outlive the process. The file is opened for each: an application
    that closes all files to become a daemon would give its number to one of its own.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._number = 0
        self._bytes = 0

    def add(self, tally: str, key: str | tuple[object, ...]) -> None:
        """Write down that one more was counted."""
        if self.is_full:
            return
        import json  # not before the first span

        line = json.dumps([tally, key]).encode() + b"\n"
        try:
            file = os.open(self._path(self._number), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                self._bytes += os.write(file, line)
            finally:
                os.close(file)
        except OSError:  # the folder is gone, or the disk is full
            self._bytes = MAX_BYTES

    @property
    def is_full(self) -> bool:
        """Whether a report is due."""
        return self._bytes >= MAX_BYTES

    def turn(self) -> int:
        """Begin the next one, and return its number."""
        self._number, self._bytes = self._number + 1, 0
        return self._number

    def forget_before(self, number: int) -> None:
        """Remove the one that a report has taken the place of."""
        with suppress(OSError):
            os.unlink(self._path(number - 1))  # noqa: PTH108 - loads no pathlib into applications

    def begin_in_child(self) -> None:
        """Leave the parent's files to the parent."""
        self._number = self._bytes = 0

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, f"{os.getpid()}.{number}.journal")  # noqa: PTH118 - as above
