"""The tables of the durable queue, and every statement on them; SQLite sees to atomicity and to torn writes."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Batch, Signal
from otel_carbon.collector.storage.records import Backlog, StoredBody
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
DATABASE_NAME = "queue.sqlite3"
LOCK_NAME = "lock.sqlite3"
BALLAST_NAME = "ballast"
BALLAST_BYTES = 8 * 1024 * 1024
"""Space that is given up when the disk is full: deleting takes a little first, before it gives more."""
_PAGE_BYTES = 4096
_SHRINK_PAGES = 512
_WAL_LIMIT_BYTES = 16 * 1024 * 1024
_SCHEMA = """
CREATE TABLE bodies(
  id INTEGER PRIMARY KEY, signal TEXT NOT NULL, items INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
  held_for TEXT, body BLOB NOT NULL);
CREATE TABLE owed(exporter TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(exporter, id)) WITHOUT ROWID;
CREATE INDEX owed_by_id ON owed(id);
CREATE INDEX held ON bodies(id) WHERE held_for IS NOT NULL;
CREATE TABLE log(id INTEGER PRIMARY KEY, at_s REAL NOT NULL, entry BLOB NOT NULL);
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class LogEntry(NamedTuple):
    """An entry of the state log: when it was written, in seconds of Unix time, and how long it is."""

    number: int
    at_s: float
    size_bytes: int


class Database:
    """One file with its write-ahead log; the connection that writes belongs to one thread at a time.

    Args:
        directory: where the file is; made, for its owner only, if it is not there.
        max_size_bytes: bound of the file, in bytes; its write-ahead log and ballast keep up to 24 MiB beside it.
        name: what the file is called.

    Raises:
        ConfigError: the directory cannot be used, or what is in it was written by another version.
        sqlite3.Error: the file cannot be used.
    """

    def __init__(self, directory: Path, max_size_bytes: int, name: str = DATABASE_NAME) -> None:
        self._path = directory / name
        self._ballast = directory / BALLAST_NAME
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigError((f"{directory}: cannot be used as file storage: {error.strerror}",)) from error
        self._writer = self.connect()
        try:
            self._prepare(max_size_bytes)
        except BaseException:
            self._writer.close()
            raise

    def _prepare(self, max_size_bytes: int) -> None:
        writer = self._writer
        version = writer.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise ConfigError((f"{self._path}: was written by another version of otel-carbon; move it away",))
        writer.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        writer.execute("PRAGMA auto_vacuum = INCREMENTAL")  # for `shrink`; it has to be said before there is a page
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA synchronous = FULL")
        writer.execute("PRAGMA secure_delete = OFF")
        writer.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        page_bytes = writer.execute("PRAGMA page_size").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {max(1, max_size_bytes // page_bytes)}")
        if version == 0:
            writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

    def connect(self) -> sqlite3.Connection:
        """A connection of its own, for any one thread at a time."""
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30.0)

    def close(self) -> None:
        """Fold the write-ahead log into the file, and let go of both; raises `sqlite3.Error`."""
        with closing(self._writer):
            self.fold()

    def abandon(self) -> None:
        """Let go of a file that is damaged."""
        with suppress(sqlite3.Error):
            self._writer.close()

    def fold(self) -> None:
        """Fold the write-ahead log into the file, so that it takes no space."""
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def shrink(self, max_bytes: int) -> None:
        """Give back to the file system what the file does not use, in steps that take little space themselves.

        Args:
            max_bytes: more than that need not be given back, in bytes.

        Raises:
            sqlite3.Error: there is no space even for a step.
        """
        for _ in range(0, max_bytes, _SHRINK_PAGES * _PAGE_BYTES):
            if not self._writer.execute("PRAGMA freelist_count").fetchone()[0]:
                return
            # `execute` takes one step of a statement without columns, and this one takes a step for each page.
            self._writer.executescript(f"PRAGMA incremental_vacuum({_SHRINK_PAGES})")
            self.fold()

    def drop_ballast(self) -> None:
        """Give up the space that was kept for a full disk."""
        self._ballast.unlink(missing_ok=True)

    def make_ballast(self) -> None:
        """Keep space for a full disk.

        Raises:
            OSError: there is none.
        """
        with self._ballast.open("ab") as file:
            missing_bytes = BALLAST_BYTES - file.tell()
            if missing_bytes > 0:
                file.write(bytes(missing_bytes))  # a file system may promise less than it is asked for

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is stored, or nothing.

        Raises:
            sqlite3.Error: nothing was stored.
        """
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def add_body(self, number: int, stored: StoredBody) -> int:
        """Add a body; returns what it counts for in a byte bound."""
        size_bytes = len(stored.body) + BATCH_OVERHEAD_BYTES
        held_for = json.dumps(stored.exporters) if stored.is_held else None
        self._writer.execute(
            "INSERT INTO bodies VALUES(?, ?, ?, ?, ?, ?)",
            (number, stored.signal.value, stored.items, size_bytes, held_for, stored.body),
        )
        if not stored.is_held:
            self._writer.executemany(
                "INSERT INTO owed VALUES(?, ?)", [(exporter, number) for exporter in stored.exporters]
            )
        return size_bytes

    def drop_held(self, numbers: Iterable[int]) -> int:
        """Delete held bodies that were decided; returns what they counted for, in bytes."""
        return sum(self._drop(number) for number in numbers)

    def settle(self, exporter: str, numbers: Iterable[int]) -> int:
        """Delete what an exporter owed, and bodies that nobody owes any more; returns the bytes set free."""
        freed_bytes = 0
        for number in numbers:
            self._writer.execute("DELETE FROM owed WHERE exporter = ? AND id = ?", (exporter, number))
            if self._writer.execute("SELECT 1 FROM owed WHERE id = ? LIMIT 1", (number,)).fetchone() is None:
                freed_bytes += self._drop(number)
        return freed_bytes

    def _drop(self, number: int) -> int:
        row = self._writer.execute("SELECT size_bytes FROM bodies WHERE id = ?", (number,)).fetchone()
        self._writer.execute("DELETE FROM bodies WHERE id = ?", (number,))
        return int(row[0]) if row else 0

    def add_log(self, number: int, at_s: float, entry: bytes) -> None:
        """Add an entry to the state log."""
        self._writer.execute("INSERT INTO log VALUES(?, ?, ?)", (number, at_s, entry))

    def drop_log_before(self, number: int) -> None:
        """Delete the oldest entries of the state log."""
        self._writer.execute("DELETE FROM log WHERE id < ?", (number,))

    def put_rows(self, rows: Mapping[str, str]) -> None:
        """Write rows of the state over what they were."""
        self._writer.executemany(
            "INSERT INTO state VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", rows.items()
        )

    def try_room(self, size_bytes: int) -> None:
        """Write so many bytes and delete them again.

        Raises:
            sqlite3.Error: there is no room for them.
        """
        self._writer.execute("INSERT INTO log VALUES(-1, 0, zeroblob(?))", (size_bytes,))
        self._writer.execute("DELETE FROM log WHERE id = -1")

    def live_bytes(self) -> int:
        """What all bodies count for, in bytes."""
        return int(self._writer.execute("SELECT coalesce(sum(size_bytes), 0) FROM bodies").fetchone()[0])

    def count_bodies(self) -> int:
        """How many bodies there are, owed or held."""
        return int(self._writer.execute("SELECT count(*) FROM bodies").fetchone()[0])

    def last_number(self) -> int:
        """The highest number of a body; 0 without any."""
        return int(self._writer.execute("SELECT coalesce(max(id), 0) FROM bodies").fetchone()[0])

    def backlogs(self) -> dict[str, Backlog]:
        """What each exporter owes."""
        rows = self._writer.execute(
            "SELECT exporter, count(*), sum(items), sum(size_bytes) FROM owed JOIN bodies USING(id) GROUP BY exporter"
        )
        return {exporter: Backlog(*sums) for exporter, *sums in rows}

    def held(self) -> list[tuple[int, StoredBody]]:
        """The bodies that wait to be decided, oldest first."""
        rows = self._writer.execute(
            "SELECT id, signal, items, body, held_for FROM bodies WHERE held_for IS NOT NULL ORDER BY id"
        )
        return [
            (number, StoredBody(Signal(signal), items, body, tuple(json.loads(held_for)), is_held=True))
            for number, signal, items, body, held_for in rows
        ]

    def log_entries(self) -> list[LogEntry]:
        """The entries of the log without what is in them, oldest first."""
        rows = self._writer.execute("SELECT id, at_s, length(entry) FROM log ORDER BY id")
        return [LogEntry(*row) for row in rows]

    def log_after(self, at_s: float) -> Iterator[tuple[float, bytes]]:
        """The entries of the log that were written after a time, oldest first."""
        yield from self._writer.execute("SELECT at_s, entry FROM log WHERE at_s > ? ORDER BY id", (at_s,))

    def backlog_after(self, exporter: str, number: int) -> Backlog:
        """What an exporter owes, of the numbers after one."""
        sums = self._writer.execute(
            "SELECT count(*), coalesce(sum(items), 0), coalesce(sum(size_bytes), 0) FROM owed JOIN bodies USING(id) "
            "WHERE exporter = ? AND id > ?",
            (exporter, number),
        ).fetchone()
        return Backlog(*sums)

    def rows(self) -> dict[str, str]:
        """The rows of the state."""
        return dict(self._writer.execute("SELECT key, value FROM state").fetchall())


def owed_between(
    reader: sqlite3.Connection, exporter: str, after: int, until: int
) -> Iterator[tuple[int, Signal, int, int]]:
    """Number, signal, items and bytes of what an exporter owes, of the numbers after one and until another."""
    rows = reader.execute(
        "SELECT id, signal, items, size_bytes FROM owed JOIN bodies USING(id) "
        "WHERE exporter = ? AND id > ? AND id <= ? ORDER BY id",
        (exporter, after, until),
    )
    with closing(rows):
        for each, signal, items, size_bytes in rows:
            yield each, Signal(signal), items, size_bytes


def read_batches(reader: sqlite3.Connection, exporter: str, first: int, last: int) -> list[Batch]:
    """What an exporter owes, from one number to another, both included."""
    rows = reader.execute(
        "SELECT id, signal, items, body FROM owed JOIN bodies USING(id) "
        "WHERE exporter = ? AND id BETWEEN ? AND ? ORDER BY id",
        (exporter, first, last),
    )
    return [Batch(Signal(signal), body, items, number) for number, signal, items, body in rows]


def lock_directory(directory: Path) -> sqlite3.Connection:
    """Keep other collectors out; the system gives the lock back however this process ends.

    Raises:
        ConfigError: the directory cannot be used, or another collector uses it.
    """
    path = directory / LOCK_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError((f"{directory}: cannot be used as file storage: {error.strerror}",)) from error
    lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if isinstance(error, sqlite3.OperationalError):
            raise ConfigError((f"{path.parent}: another collector uses this file storage",)) from error
        raise ConfigError((f"{path}: cannot be used as file storage: {error}",)) from error
    return lock
