"""One thread that writes what was accepted, in groups, and answers when it is on the disk."""

from __future__ import annotations

import logging
import sqlite3
import time
from threading import Condition, Thread
from typing import TYPE_CHECKING

from otel_carbon.collector.storage import transactions
from otel_carbon.collector.storage.disk import Disk, count_nothing
from otel_carbon.collector.storage.pending_changes import PendingChanges
from otel_carbon.collector.storage.recovery.set_aside import is_damage
from otel_carbon.collector.storage.state_log import StateLog
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from otel_carbon.collector.storage.write_watch import WriteWatch
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from otel_carbon.collector.signals import Signal
    from otel_carbon.collector.storage.database import Database
    from otel_carbon.collector.storage.records import Backlog, DurableState, StoredBody
    from otel_carbon.collector.storage.stored_queue import StoredQueue

MAX_UNCOMMITTED_BYTES = 64 * 1024 * 1024
"""What may wait in memory to be written; an empty storage takes one request of any size."""
BODIES_PART = 0.75
"""The part of the disk that bodies may take; the rest is for the log, for indexes and for what processing adds."""
LOG_PART = 0.2
SETTLE_DELAY_S = 0.1
"""How long the deletion of what was sent waits for company: until then a crash sends it again."""
RETRY_S = 1.0
FLUSH_TIMEOUT_S = 5.0
"""Scrapers commonly wait for 10 s."""
WRITE_TIMEOUT_S = 5.0
"""Clients commonly wait for 10 s."""
_logger = logging.getLogger(__name__)


def _steady_clock() -> Callable[[], float]:
    began_s = time.time() - time.monotonic()
    return lambda: began_s + time.monotonic()


class FileStorage:
    """The durable queue of a collector: bodies and the state of counting, stored together or not at all.

    As with a queue room is first reserved and then filled.

    Args:
        storage_id: component id of the extension, for messages.
        directory: where the database is.
        max_size_bytes: bound of the database, in bytes.
        wall_s: the time, in seconds from 1970 on; by default that of the start and what has passed since, so that a
            clock that is set makes nothing older.
        write_timeout_s: how long those who wait for the disk are kept, in seconds.
        count_lost: told of items that damage of the disk has cost, by the exporter that owed them.
    """

    def __init__(
        self,
        storage_id: str,
        directory: Path,
        max_size_bytes: int,
        wall_s: Callable[[], float] | None = None,
        *,
        write_timeout_s: float = WRITE_TIMEOUT_S,
        count_lost: Callable[[str, Signal, int], None] = count_nothing,
    ) -> None:
        self.storage_id = storage_id
        self.capacity_bytes = int(max_size_bytes * BODIES_PART)
        self.left_requests = 0
        """After `close`, how many requests are left for the next start."""
        self.failures = 0
        """How many times nothing could be written."""
        self._directory = directory
        self._max_size_bytes = max_size_bytes
        self._wall_s = wall_s or _steady_clock()
        self._changed = Condition()
        self._works: list[Work] = []
        self._settled: dict[str, list[int]] = {}
        self._reserved_bytes = 0
        self._live_bytes = 0
        self._is_failing = False
        self._is_hanging = False
        self._writing: list[Work] = []
        self._is_closed = False
        self._states: list[DurableState] = []
        self._uncommitted = PendingChanges(storage_id)
        self._log_ttl_s = 0.0
        self._log = StateLog((), 0.0, 0)
        self._last_body = 0
        self._held: list[tuple[int, StoredBody]] = []
        self._queues: list[StoredQueue] = []
        self.disk = Disk(storage_id, directory, max_size_bytes, self._wake, count_lost)
        """Where it is; queues read from it."""
        self._thread = Thread(target=self._run, name=f"file storage {storage_id}", daemon=True)
        self._watch = WriteWatch(storage_id, write_timeout_s, self._note_hanging)

    @property
    def what(self) -> str:
        """What it is called in a message."""
        return f"the disk space of extension {self.storage_id}"

    @property
    def _probe_bytes(self) -> int:
        """How much must fit before requests are taken again, in bytes."""
        return min(MAX_UNCOMMITTED_BYTES, self._max_size_bytes // 64)

    @property
    def held_bytes(self) -> int:
        """Bytes of bodies on the disk, or promised."""
        return self._live_bytes + self._reserved_bytes

    @property
    def last_number(self) -> int:
        """The highest number that a body was given."""
        return self._last_body

    @property
    def is_failing(self) -> bool:
        """Whether the disk takes nothing now."""
        return self._is_failing or self._is_hanging

    @property
    def database(self) -> Database:
        """The database; there is none before `open`."""
        return self.disk.database

    def attach(self, queue: StoredQueue) -> None:
        """Have a queue here; before `open`."""
        self._queues.append(queue)
        self.disk.exporters = [*self.disk.exporters, queue.exporter]

    def open(self, states: Sequence[DurableState]) -> Mapping[str, Backlog]:
        """Open the database, bring back the states, and tell what each exporter owes.

        Raises:
            ConfigError: it cannot be used.
        """
        self._log_ttl_s = max((state.log_ttl_s for state in states), default=0.0)
        self.disk.open(self._look)
        try:
            now_s, rows = self._wall_s(), self.database.rows()
            for state in states:
                entries = self.database.log_after(now_s - state.log_ttl_s)
                state.restore(((now_s - at_s, entry) for at_s, entry in entries), rows)
            self._states = list(states)
            self._keep_ballast(self.database)
            return self.database.backlogs()
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            self.disk.close()
            raise ConfigError((f"{self._directory}: cannot be used as file storage: {error}",)) from error

    def take_held(self) -> list[tuple[int, StoredBody]]:
        """What an earlier process held and did not decide, once."""
        held, self._held = self._held, []
        return held

    def _look(self, database: Database) -> None:
        """Read all that is needed from now on, so that damage shows before anybody relies on it."""
        self._live_bytes = database.live_bytes()
        self._last_body = max(self._last_body, database.last_number())
        self._log = StateLog(database.log_entries(), self._log_ttl_s, int(self._max_size_bytes * LOG_PART))
        database.rows()
        database.backlogs()
        for _ in database.log_after(0.0):
            pass
        self._held = database.held()

    def _keep_ballast(self, database: Database) -> None:
        try:
            database.make_ballast()
        except OSError as error:
            self._is_failing = True
            _logger.error(  # noqa: TRY400 - what is on the disk is sent all the same
                "%s: cannot write: %s; requests are refused until it can", self.storage_id, error.strerror
            )

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()
        self._watch.start()

    def reserve(self, size_bytes: int) -> bool:
        """Promise room for a request; False if there is none, or the disk takes nothing. Follow it by `release`."""
        with self._changed:
            waiting_bytes, all_bytes = self._reserved_bytes, self._live_bytes + self._reserved_bytes
            fits = waiting_bytes == 0 or waiting_bytes + size_bytes <= MAX_UNCOMMITTED_BYTES
            fits = fits and (all_bytes == 0 or all_bytes + size_bytes <= self.capacity_bytes)
            if self.is_failing or self._is_closed or not fits:
                return False
            self._reserved_bytes += size_bytes
            return True

    def release(self, size_bytes: int) -> None:
        """Give back room that was promised: it is filled by now, or not needed."""
        with self._changed:
            self._reserved_bytes -= size_bytes

    def submit(self, work: Work) -> Future[None]:
        """Store something, with every change of the state that led to it; the answer is `work.stored`."""
        work.stored.set_running_or_notify_cancel()  # a client that goes away must not take back what is being stored
        with self._changed:
            is_closed = self._is_closed
            if not is_closed and (work.is_patient or not self._is_hanging):
                self._works.append(work)
                self._changed.notify_all()
                return work.stored
        work.refuse(StorageUnavailable(f"{self.what} is closed") if is_closed else self._unavailable())
        return work.stored

    def is_written(self) -> bool:
        """Wait for all changes of the state up to now to be on the disk; False if that cannot be, or takes too long."""
        if self.is_failing:
            return False  # at once: a scrape that waits for the next attempts of a full disk runs out of time
        try:
            self.submit(Work(())).result(FLUSH_TIMEOUT_S)
        except TimeoutError:
            return False
        except StorageUnavailable:
            return self._is_closed and not self.is_failing  # what is closed has written what was left
        return True

    def settle(self, exporter: str, numbers: Sequence[int]) -> None:
        """Let go of what an exporter has sent or given up; it is deleted a little later."""
        with self._changed:
            self._settled.setdefault(exporter, []).extend(numbers)
            self._changed.notify_all()

    def close(self, deadline_s: float) -> None:
        """Write what is left, and close the database.

        Args:
            deadline_s: `time.monotonic()` at which to give up, in seconds.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(max(1.0, deadline_s - time.monotonic()))
        self._watch.stop()
        if not self.disk.is_open or self._thread.is_alive():
            return
        try:
            self.left_requests = self.database.count_bodies()
            self.disk.close()
        except sqlite3.Error as error:
            _logger.warning("%s: not closed well, the next start sees to it: %s", self.storage_id, error)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            works, settled, is_last = self._next_group()
            # After the works were taken: so the changes of those works are all in it.
            self._uncommitted.collect(self._states)
            self._watch.began_s = time.monotonic()
            try:
                if self.disk.is_damaged:
                    self._replace_damaged()
                if self._is_failing:
                    self._make_way(settled)
                    settled = {}
                self._write(works, settled)
            except Exception as error:
                self._note_end_of_writing()
                if isinstance(error, sqlite3.Error) and is_damage(error):
                    self.disk.note_damage(error)
                self._fail(works, settled, error)
            else:
                self._note_end_of_writing()
                self._recover()
            if self._is_failing and not is_last:
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closed, timeout=RETRY_S)

    def _next_group(self) -> tuple[list[Work], dict[str, list[int]], bool]:
        """All that waits to be written; deletions alone wait a little for company."""
        with self._changed:
            if not self._is_failing:
                self._changed.wait_for(lambda: self._settled or self._is_due())
                if not self._is_due():
                    self._changed.wait_for(self._is_due, timeout=SETTLE_DELAY_S)
            works, self._works = self._works, []
            self._writing = works
            settled, self._settled = self._settled, {}
            return works, settled, self._is_closed and not works

    def _is_due(self) -> bool:
        return bool(self._works) or self._is_closed or self.disk.is_damaged

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _replace_damaged(self) -> None:
        """Go on with what can be read; nobody else writes or changes what is queued on the disk meanwhile.

        Raises:
            OSError, sqlite3.Error, ConfigError: that cannot be done now.
        """
        self.disk.replace()
        self._look(self.database)
        self.take_held()  # it is in memory
        for queue in self._queues:
            queue.recount(self.database)

    def _write(self, works: Sequence[Work], settled: Mapping[str, Sequence[int]]) -> None:
        """One transaction, then everybody is told.

        Raises:
            sqlite3.Error: nothing was written.
        """
        planned = self._log.plan(self._uncommitted.logs, self._wall_s())
        probe_bytes = self._probe_bytes if self._is_failing else 0
        group = transactions.Group(works, settled, self._uncommitted, planned, probe_bytes)
        written = transactions.write(self.database, group, self._last_body)
        self._last_body = written.last_body
        self._log.apply(planned)
        self._uncommitted.clear()
        with self._changed:
            self._live_bytes += written.grown_bytes
        for work, numbers in zip(works, written.numbers, strict=True):
            self._tell(work, numbers)

    def _make_way(self, settled: Mapping[str, Sequence[int]]) -> None:
        """Delete what is of no more use; done when the space that this takes is there again.

        Raises:
            sqlite3.Error, OSError: the disk still takes nothing.
        """
        planned = self._log.plan((), self._wall_s())
        freed_bytes = transactions.make_way(self.database, settled, planned)
        self._log.apply(planned)
        with self._changed:
            self._live_bytes -= freed_bytes
        transactions.give_back(self.database, self._probe_bytes)

    def _tell(self, work: Work, numbers: Sequence[int]) -> None:
        try:
            work.on_stored(numbers)
        except Exception:
            _logger.exception("%s: a fault after a request was stored; the next start sends it", self.storage_id)
        work.answer()

    def _fail(self, works: Sequence[Work], settled: Mapping[str, Sequence[int]], error: Exception) -> None:
        """Nothing was written: the clients keep what they have; changes and deletions go into the next transaction."""
        self.failures += 1
        if not self._is_failing:
            _logger.error("%s: cannot write: %s; requests are refused until it can", self.storage_id, error)
        with self._changed:
            self._is_failing, self._is_hanging = True, False
            for exporter, numbers in settled.items():
                self._settled.setdefault(exporter, []).extend(numbers)
        for work in works:
            work.refuse(self._unavailable())

    def _recover(self) -> None:
        if self.is_failing:
            self._is_failing = self._is_hanging = False
            _logger.info("%s: writes again", self.storage_id)

    def _note_end_of_writing(self) -> None:
        with self._changed:
            self._writing, self._watch.began_s = [], None

    def _note_hanging(self, began_s: float) -> None:
        """Tell those who wait to come again; of what is being written nobody knows yet whether it will be there."""
        with self._changed:
            if self.is_failing or self._watch.began_s != began_s:
                return  # that is known, or it has just answered
            self._is_hanging = True
            waiting = [work for work in self._works if not work.is_patient]
            self._works = [work for work in self._works if work.is_patient]
            writing = [work for work in self._writing if not work.is_patient]
        self.failures += 1
        what = "%s: the disk has not answered for %g s; requests are refused until it does"
        _logger.error(what, self.storage_id, self._watch.timeout_s)
        for work in waiting:
            work.refuse(self._unavailable())
        for work in writing:
            work.answer(self._unavailable())

    def _unavailable(self) -> StorageUnavailable:
        return StorageUnavailable(f"{self.what} cannot be written to now")
