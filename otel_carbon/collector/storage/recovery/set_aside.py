"""Replace a damaged database by a new one with all that can be read of it; the damaged one is kept beside.

A process may be killed at any point of this. Until the new database is complete the damaged one stays where it is, and
the next start begins again; from then on the next start goes on where this one was.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.collector.storage.database import DATABASE_NAME, Database
from otel_carbon.collector.storage.recovery.pages import Pages, read_written_ahead
from otel_carbon.collector.storage.recovery.salvage import Salvaged, salvage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

UNFINISHED_NAME, FINISHED_NAME = "recovering.sqlite3", "recovered.sqlite3"
_BESIDE = ("-wal", "-shm", "-journal")
MOST_SET_ASIDE = 10
"""How many damaged databases are kept; one more is not replaced, as the disk itself must be at fault."""
_FOLDER = "damaged-"
_FOLDER_MOMENT = "%Y-%m-%dT%H-%M-%S.%fZ"
_DAMAGED_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF


class TooManySetAside(OSError):
    """Nothing more is replaced before somebody has looked."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A damaged database, where it is now, and what became of the requests in it."""

    damaged: Path
    salvaged: Salvaged


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that what a database holds is not what was written."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE in _DAMAGED_CODES or "decode to UTF-8" in str(error)


def finish_replacing(directory: Path) -> Path | None:
    """Finish what a process that was killed had begun; returns where the damaged database is, if there was one."""
    _remove(directory / UNFINISHED_NAME)
    if not (directory / FINISHED_NAME).exists():
        return None
    return _exchange(directory)


def has_damaged_log(directory: Path) -> bool:
    """Whether a write-ahead log was damaged, of which SQLite leaves out the rest and says nothing."""
    return read_written_ahead(directory / f"{DATABASE_NAME}-wal").is_damaged


def replace_damaged(directory: Path, max_size_bytes: int, exporters: Iterable[str]) -> Replaced:
    """Replace a database to which no connection is open.

    Args:
        directory: where it is.
        max_size_bytes: bound of the new one, in bytes.
        exporters: whose queues are on the disk.

    Raises:
        OSError, sqlite3.Error, ConfigError: there is no room, or the disk does not take it; the damaged one is where
            it was.
    """
    if (directory / FINISHED_NAME).exists():  # all that could be read is in it; the disk failed after that
        return Replaced(_exchange(directory), Salvaged())
    if len(list(directory.glob(f"{_FOLDER}*"))) >= MOST_SET_ASIDE:
        raise TooManySetAside(None, f"{MOST_SET_ASIDE} damaged databases are kept there already; move them away")
    _remove(directory / UNFINISHED_NAME)
    with closing(Database(directory, max_size_bytes, UNFINISHED_NAME)) as new, Pages(directory / DATABASE_NAME) as old:
        salvaged = salvage(old, new, exporters)
    (directory / UNFINISHED_NAME).rename(directory / FINISHED_NAME)
    _sync(directory)
    return Replaced(_exchange(directory), salvaged)


def _exchange(directory: Path) -> Path:
    """Move the damaged one away, with its log first: a new database must never stand beside the log of another."""
    folder = _unfinished_folder(directory)
    for name in (*(f"{DATABASE_NAME}{each}" for each in _BESIDE), DATABASE_NAME):
        with suppress(FileNotFoundError):
            (directory / name).rename(folder / name)
    _sync(folder)
    (directory / FINISHED_NAME).rename(directory / DATABASE_NAME)
    _sync(directory)
    return folder / DATABASE_NAME


def _unfinished_folder(directory: Path) -> Path:
    """The folder that a killed process had begun to fill, or else a new one."""
    newest = max(directory.glob(f"{_FOLDER}*"), default=None)
    if newest is not None and (newest / DATABASE_NAME).exists() != (directory / DATABASE_NAME).exists():
        return newest
    folder = directory / f"{_FOLDER}{datetime.now(UTC).strftime(_FOLDER_MOMENT)}"
    folder.mkdir(mode=0o700)
    return folder


def _remove(database: Path) -> None:
    for each in ("", *_BESIDE):
        database.with_name(f"{database.name}{each}").unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Have the names in a folder on the disk, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
