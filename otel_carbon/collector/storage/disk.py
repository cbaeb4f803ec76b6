"""The directory of a file storage: its lock, its database, who reads in it, and what is done when it is damaged."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from otel_carbon.collector.storage.database import DATABASE_NAME, Database, lock_directory
from otel_carbon.collector.storage.recovery.set_aside import (
    finish_replacing,
    has_damaged_log,
    is_damage,
    replace_damaged,
)
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_carbon.collector.signals import Signal

REPLACE_AGAIN_S = 60.0
"""After a damaged database could not be replaced, such as for lack of room."""
_NEVER_S = float("-inf")
_UNUSABLE = (ValueError, TypeError, LookupError)
"""As what a row shows that does not hold what it should."""
_logger = logging.getLogger(__name__)
Read = TypeVar("Read")


def count_nothing(_exporter: str, _signal: Signal, _items: int) -> None:
    """For where nobody watches what is lost."""


class Disk:
    """One database in a directory that is ours alone; a damaged one is set aside, and replaced by what is left of it.

    One thread writes and replaces; others read through `read`.

    Args:
        storage_id: component id of the extension, for messages.
        directory: where the database is.
        max_size_bytes: bound of the database, in bytes.
        on_damage: called by a reader that has found damage, to have `replace` called.
        count_lost: told of items that could not be read, by the exporter that owed them.
    """

    def __init__(
        self,
        storage_id: str,
        directory: Path,
        max_size_bytes: int,
        on_damage: Callable[[], None],
        count_lost: Callable[[str, Signal, int], None] = count_nothing,
    ) -> None:
        self.lost_requests = 0
        """How many requests could not be read of databases that were damaged."""
        self.replaced = 0
        """How many damaged databases were replaced."""
        self.exporters: Sequence[str] = ()
        """Whose queues are here."""
        self._storage_id = storage_id
        self._directory = directory
        self._max_size_bytes = max_size_bytes
        self._on_damage = on_damage
        self._count_lost = count_lost
        self._lock: sqlite3.Connection | None = None
        self._database: Database | None = None
        self._reading = Lock()
        """Held by who reads; the database is not exchanged meanwhile."""
        self._readers: dict[str, sqlite3.Connection] = {}
        self._damage: Exception | None = None
        self._tried_s = _NEVER_S

    @property
    def is_damaged(self) -> bool:
        """Whether damage was found, and `replace` is due."""
        return self._damage is not None

    @property
    def is_open(self) -> bool:
        """Whether there is a database."""
        return self._database is not None

    @property
    def database(self) -> Database:
        """The database; there is none before `open`."""
        if self._database is None:
            raise RuntimeError(f"{self._storage_id} is not open")
        return self._database

    def open(self, look: Callable[[Database], None]) -> None:
        """Open the database, and replace it first if it is damaged.

        Args:
            look: reads all that is needed at the start; called once more when that has found damage.

        Raises:
            ConfigError: it cannot be used.
        """
        self._lock = lock_directory(self._directory)
        try:
            self._finish_replacing()
            try:
                self._open(look)
            except (sqlite3.DatabaseError, *_UNUSABLE) as error:
                if not _shows_damage(error):
                    raise
                self.note_damage(error)
                self.replace()
                look(self.database)
        except ConfigError:
            self.close()
            raise
        except (sqlite3.Error, OSError, *_UNUSABLE) as error:
            with suppress(sqlite3.Error):
                self.close()
            path = self._directory / DATABASE_NAME
            raise ConfigError((f"{path}: cannot be used as file storage: {error}",)) from error

    def close(self) -> None:
        """Let go of everything; raises `sqlite3.Error`."""
        with self._reading:
            self._close_readers()
        database, self._database = self._database, None
        try:
            if database is not None:
                database.close()
        finally:
            if self._lock is not None:
                self._lock.close()

    def read(self, exporter: str, ask: Callable[[sqlite3.Connection], Read]) -> Read:
        """Ask something, on the thread of who asks; a question that damage is in the way of is to be asked again.

        Raises:
            sqlite3.Error: it cannot be read now.
        """
        try:
            with self._reading:
                if self._damage is not None:
                    raise sqlite3.OperationalError("the database is damaged, and about to be replaced")
                if exporter not in self._readers:
                    self._readers[exporter] = self.database.connect()
                return ask(self._readers[exporter])
        except (sqlite3.DatabaseError, *_UNUSABLE) as error:
            if _shows_damage(error):
                self.note_damage(error)
                self._on_damage()
                raise sqlite3.DatabaseError("what was read is not what was written") from error
            raise

    def stop_reading(self, exporter: str) -> None:
        """Let go of what `read` has opened for one who asks no more."""
        with self._reading:
            reader = self._readers.pop(exporter, None)
            if reader is not None:
                reader.close()

    def note_damage(self, error: Exception) -> None:
        """What was read or written has shown damage."""
        self._damage = self._damage or error

    def replace(self) -> None:
        """Set the damaged database aside; what can be read of it is in the new one, under the same numbers.

        Raises:
            OSError, sqlite3.Error, ConfigError: it cannot be replaced now; nothing is lost by that.
        """
        if time.monotonic() - self._tried_s < REPLACE_AGAIN_S:
            raise sqlite3.OperationalError("the database is damaged, and could not be replaced")
        with self._reading:
            self._close_readers()
            if self._database is not None:
                self._database.abandon()
                self._database = None
            self._tried_s = time.monotonic()
            replaced = replace_damaged(self._directory, self._max_size_bytes, self.exporters)
            self._tell(replaced.damaged, replaced.salvaged.recovered, len(replaced.salvaged.lost))
            for exporters, signal, items in replaced.salvaged.lost:
                if signal is not None:
                    for exporter in exporters:
                        self._count_lost(exporter, signal, items)
            self._database = Database(self._directory, self._max_size_bytes)
            self._damage, self._tried_s = None, _NEVER_S

    def _open(self, look: Callable[[Database], None]) -> None:
        if has_damaged_log(self._directory):
            error = sqlite3.DatabaseError("the write-ahead log is not what was written")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        self._database = Database(self._directory, self._max_size_bytes)
        look(self._database)

    def _finish_replacing(self) -> None:
        damaged = finish_replacing(self._directory)
        if damaged is not None:
            what = "%s: %s was damaged, and what could be read of it has been put in its place; it is now %s"
            _logger.error(what, self._storage_id, self._directory / DATABASE_NAME, damaged)

    def _tell(self, damaged: Path, recovered: int, lost: int) -> None:
        self.replaced += 1
        self.lost_requests += lost
        _logger.error(
            "%s: %s was damaged (%s); it is now %s, and a new one has what could be read: %d requests, and %d are lost",
            *(self._storage_id, self._directory / DATABASE_NAME, self._damage, damaged, recovered, lost),
        )

    def _close_readers(self) -> None:
        for reader in self._readers.values():
            with suppress(sqlite3.Error):
                reader.close()
        self._readers.clear()


def _shows_damage(error: Exception) -> bool:
    return is_damage(error) if isinstance(error, sqlite3.Error) else not isinstance(error, ConfigError)
