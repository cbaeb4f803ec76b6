"""A file of whole records: appended to, renamed when it is full, its old ones bounded in number and age."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO
    from pathlib import Path

FILE_MODE = 0o600
"""Of whom telemetry is, nobody else on the machine need know."""
_MOMENT_PATTERN = r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}"
_MOMENT_FORMAT = "%Y-%m-%dT%H-%M-%S.%f"


class Framing(Protocol):
    """How records stand in a file."""

    def framed(self, record: bytes) -> bytes:
        """A record as it is written."""

    def whole_bytes(self, file: FileIO) -> int:
        """How many bytes of a file are whole records; what follows was torn by a crash."""


@dataclass(frozen=True, slots=True)
class RotationSettings:
    """When a file is renamed, and how long it is kept.

    Attributes:
        limit_bytes: size that no file exceeds, in bytes, unless one record alone does.
        max_backups: how many old files are kept.
        max_age: how long old files are kept, by the moment in their names; None is for ever.
        local_time: whether names of old files have the time of this machine's zone instead of UTC.
    """

    limit_bytes: int
    max_backups: int
    max_age: timedelta | None = None
    local_time: bool = False


class RotatingFile:
    """Appends records to one file; nobody else may write to it.

    A record is written as a whole or not at all, as far as a process can see to it; what a crash has torn is cut
    off when the file is opened again.

    Args:
        path: the current file; old ones stand beside it as `name-2026-01-31T10-20-30.123.ext`.
        framing: how records stand in it.
        rotation: when it is renamed.
        append: whether a file that is there already is continued, instead of renamed.
        now: the clock, in UTC.
    """

    def __init__(
        self,
        path: Path,
        framing: Framing,
        rotation: RotationSettings,
        *,
        append: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._framing = framing
        self._rotation = rotation
        self._append = append
        self._now = now
        self._file: FileIO | None = None
        self._size_bytes = 0

    def write(self, record: bytes) -> int:
        """Append one record, after a rotation if the file would grow too large.

        Returns:
            How many bytes were torn off the end of the file when it was opened; 0 is none.

        Raises:
            OSError: it could not be written; the file ends with the record before it.
        """
        framed = self._framing.framed(record)
        torn_bytes = 0
        if self._file is None or not self._is_in_place(self._file):
            torn_bytes = self._open()
        if self._size_bytes and self._size_bytes + len(framed) > self._rotation.limit_bytes:
            self._rotate()
        self._write_whole(framed)
        return torn_bytes

    def sync(self) -> None:
        """Wait until the disk has everything that was written; raises `OSError`."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; the next record opens it again. Raises `OSError`."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def _is_in_place(self, file: FileIO) -> bool:
        """Whether nobody has moved or removed the file; what is written to such a one would not be found."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def _open(self) -> int:
        self.close()
        self._file = open_private(self._path)
        whole_bytes = self._framing.whole_bytes(self._file)
        torn_bytes = os.fstat(self._file.fileno()).st_size - whole_bytes
        if torn_bytes:
            os.ftruncate(self._file.fileno(), whole_bytes)
        self._size_bytes = whole_bytes
        if whole_bytes and not self._append:
            self._append = True  # once for each start
            self._rotate()
        return torn_bytes

    def _rotate(self) -> None:
        self.close()
        self._path.rename(self._new_backup_path())
        self._remove_old()
        self._file = open_private(self._path)
        self._size_bytes = 0

    def _write_whole(self, framed: bytes) -> None:
        file = self._file
        if file is None:
            raise ValueError("the file is not open")
        rest = memoryview(framed)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except BaseException:
            # A full disk takes a part of a record; what is there of it would be read as damage.
            with suppress(OSError):
                os.ftruncate(file.fileno(), self._size_bytes)
            with suppress(OSError):
                self.close()  # it is looked at afresh before the next record
            raise
        self._size_bytes += len(framed)

    def _new_backup_path(self) -> Path:
        """Named after now, or just after the newest one: names keep their order though the clock may not."""
        newest = max((moment for moment, _ in self._backups()), default=None)
        moment = self._now()
        if newest is not None:
            moment = max(moment, newest + timedelta(milliseconds=1))
        shown = moment.astimezone() if self._rotation.local_time else moment.astimezone(UTC)
        return self._path.with_name(f"{self._path.stem}-{shown.strftime(_MOMENT_FORMAT)[:-3]}{self._path.suffix}")

    def _remove_old(self) -> None:
        backups = sorted(self._backups(), reverse=True)
        oldest_kept = self._now() - self._rotation.max_age if self._rotation.max_age else None
        for number, (moment, path) in enumerate(backups):
            if number >= self._rotation.max_backups or (oldest_kept is not None and moment < oldest_kept):
                path.unlink(missing_ok=True)

    def _backups(self) -> Iterator[tuple[datetime, Path]]:
        name = re.compile(f"{re.escape(self._path.stem)}-({_MOMENT_PATTERN}){re.escape(self._path.suffix)}")
        for path in self._path.parent.iterdir():
            if found := name.fullmatch(path.name):
                with suppress(ValueError):
                    moment = datetime.strptime(found[1], _MOMENT_FORMAT)  # noqa: DTZ007 -- the zone comes below
                    yield moment.astimezone() if self._rotation.local_time else moment.replace(tzinfo=UTC), path


def open_private(path: Path) -> FileIO:
    """Open a regular file to append to, unbuffered; one that is made here is for its owner alone.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    # Without blocking, or opening a pipe would wait for its reader.
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, FILE_MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return open(descriptor, "ab+", buffering=0)  # noqa: PTH123 -- closed by `RotatingFile.close`
