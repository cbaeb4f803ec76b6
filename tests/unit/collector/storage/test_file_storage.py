"""The storage: what is answered is on the disk with its counting, and a disk that fails costs nobody anything."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Signal
from otel_carbon.collector.storage.database import BALLAST_BYTES, BALLAST_NAME, DATABASE_NAME, LOCK_NAME, Database
from otel_carbon.collector.storage.file_storage import FileStorage
from otel_carbon.collector.storage.records import Backlog, StoredBody
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from otel_carbon.errors import ConfigError
from tests.support.waiting import wait_until
from tests.unit.collector.storage.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEBIBYTE = 1024 * 1024
TIMEOUT_S = 20.0


@contextmanager
def opened(
    folder: Path, state: State | None = None, *, size_bytes: int = 64 * MEBIBYTE, wall_s: float = 1000.0
) -> Iterator[FileStorage]:
    storage = FileStorage("file_storage", folder, size_bytes, lambda: wall_s)
    storage.open([state] if state else [])
    storage.start()
    try:
        yield storage
    finally:
        storage.close(time.monotonic() + TIMEOUT_S)


def a_body(content: bytes, *exporters: str, is_held: bool = False) -> StoredBody:
    return StoredBody(Signal.TRACES, 3, content, exporters or ("backend",), is_held)


def store(storage: FileStorage, *bodies: StoredBody, decided: tuple[int, ...] = ()) -> list[int]:
    """Store bodies, and wait for it; returns their numbers."""
    given: list[int] = []
    storage.submit(Work(bodies, decided, on_stored=given.extend)).result(TIMEOUT_S)
    return given


def backlogs(folder: Path) -> dict[str, Backlog]:
    database = Database(folder, 64 * MEBIBYTE)
    try:
        return database.backlogs()
    finally:
        database.close()


def test_what_is_stored_is_owed_after_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path) as storage:
        store(storage, a_body(b"one"), a_body(b"second", "backend", "other"))
    one, second = 3 + BATCH_OVERHEAD_BYTES, 6 + BATCH_OVERHEAD_BYTES
    assert backlogs(tmp_path) == {"backend": Backlog(2, 6, one + second), "other": Backlog(1, 3, second)}


def test_a_body_is_kept_until_nobody_owes_it(tmp_path: Path) -> None:
    with opened(tmp_path) as storage:
        (number,) = store(storage, a_body(b"both", "backend", "other"))
        storage.settle("backend", [number])
        store(storage)
        assert storage.held_bytes == 4 + BATCH_OVERHEAD_BYTES
        storage.settle("other", [number])
        wait_until(lambda: storage.held_bytes == 0, timeout_s=TIMEOUT_S, what="space set free")
    assert backlogs(tmp_path) == {}


def test_counting_is_in_the_same_transaction_as_the_body_it_led_to(tmp_path: Path) -> None:
    state = State()
    with opened(tmp_path, state) as storage:
        state.note(b"first")
        store(storage, a_body(b"x"))
        state.note(b"second")
        store(storage, a_body(b"y"))
    after = State()
    with opened(tmp_path, after, wall_s=1010.0):
        assert (after.count, after.restored) == (2, [(10.0, b"first"), (10.0, b"second")])


def test_entries_of_the_log_go_when_they_are_too_old_and_totals_stay(tmp_path: Path) -> None:
    state = State(log_ttl_s=60.0)
    with opened(tmp_path, state) as storage:
        state.note(b"old")
        store(storage)
    later = State(log_ttl_s=60.0)
    with opened(tmp_path, later, wall_s=1061.0) as storage:
        assert (later.count, later.restored) == (1, [])
        later.note(b"new")
        store(storage)
    database = Database(tmp_path, 64 * MEBIBYTE)
    assert [entry for _, entry in database.log_after(0.0)] == [b"new"]
    database.close()


def test_a_held_body_is_owed_by_nobody_and_gives_way_to_what_was_decided(tmp_path: Path) -> None:
    with opened(tmp_path) as storage:
        (number,) = store(storage, a_body(b"raw", is_held=True))
        assert [each for _, each in storage.database.held()] == [a_body(b"raw", is_held=True)]
        store(storage, a_body(b"decided"), decided=(number,))
        assert storage.database.held() == []
    assert backlogs(tmp_path) == {"backend": Backlog(1, 3, 7 + BATCH_OVERHEAD_BYTES)}


def test_the_bound_counts_what_is_on_the_disk_and_what_was_promised(tmp_path: Path) -> None:
    with opened(tmp_path, size_bytes=16 * MEBIBYTE) as storage:  # three quarters of it for bodies: 12 MiB
        store(storage, a_body(bytes(8 * MEBIBYTE)))
        assert storage.reserve(3 * MEBIBYTE)
        assert not storage.reserve(2 * MEBIBYTE)
        storage.release(3 * MEBIBYTE)
        assert storage.reserve(2 * MEBIBYTE)
    with opened(tmp_path, size_bytes=16 * MEBIBYTE) as storage:
        assert not storage.reserve(5 * MEBIBYTE)
        assert storage.reserve(3 * MEBIBYTE)


def test_space_of_what_was_sent_is_used_again(tmp_path: Path) -> None:
    with opened(tmp_path, size_bytes=16 * MEBIBYTE) as storage:
        for _ in range(20):  # 80 MiB through 16
            (number,) = store(storage, a_body(os.urandom(4 * MEBIBYTE)))
            storage.settle("backend", [number])
    assert (tmp_path / DATABASE_NAME).stat().st_size <= 16 * MEBIBYTE


def test_a_full_disk_refuses_loses_nothing_and_is_left_behind_once_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = State()
    with opened(tmp_path, state, size_bytes=16 * MEBIBYTE) as storage:
        (number,) = store(storage, a_body(bytes(14 * MEBIBYTE)))
        state.note(b"of the refused one")
        with pytest.raises(StorageUnavailable):
            store(storage, a_body(bytes(4 * MEBIBYTE)))
        assert not storage.reserve(1)
        storage.settle("backend", [number])
        wait_until(lambda: storage.reserve(1), timeout_s=TIMEOUT_S, what="storage that takes again")
        store(storage, a_body(b"again"))
        assert storage.failures >= 1
    assert [record.getMessage() for record in caplog.records if "cannot write" in record.getMessage()] == [
        "file_storage: cannot write: database or disk is full; requests are refused until it can"
    ]
    after = State()
    with opened(tmp_path, after):
        assert (after.count, [entry for _, entry in after.restored]) == (1, [b"of the refused one"])
    assert backlogs(tmp_path) == {"backend": Backlog(1, 3, 5 + BATCH_OVERHEAD_BYTES)}


def test_space_kept_for_a_full_disk_is_given_up_then_and_taken_again_later(tmp_path: Path) -> None:
    ballast = tmp_path / BALLAST_NAME
    with opened(tmp_path, size_bytes=16 * MEBIBYTE) as storage:
        assert ballast.stat().st_size == BALLAST_BYTES
        (number,) = store(storage, a_body(bytes(14 * MEBIBYTE)))
        ballast.unlink()
        ballast.mkdir()  # no ballast can be had here, as if others had filled the disk
        with pytest.raises(StorageUnavailable):
            store(storage, a_body(bytes(4 * MEBIBYTE)))
        storage.settle("backend", [number])
        with pytest.raises(StorageUnavailable):  # there is room in the file, but not on the disk
            store(storage, a_body(b"x"))
        ballast.rmdir()
        wait_until(lambda: storage.reserve(1), timeout_s=TIMEOUT_S, what="storage that takes again")
        assert ballast.stat().st_size == BALLAST_BYTES


def test_a_file_that_filled_the_disk_gives_back_space_of_what_was_sent(tmp_path: Path) -> None:
    file = tmp_path / DATABASE_NAME
    with opened(tmp_path, size_bytes=32 * MEBIBYTE) as storage:
        sent = [number for _ in range(24) for number in store(storage, a_body(os.urandom(MEBIBYTE)))]
        store(storage, a_body(b"kept"))
        with pytest.raises(StorageUnavailable):
            store(storage, a_body(bytes(14 * MEBIBYTE)))
        storage.database.fold()
        assert file.stat().st_size > 24 * MEBIBYTE
        storage.settle("backend", sent)
        wait_until(lambda: storage.reserve(1), timeout_s=TIMEOUT_S, what="storage that takes again")
        # The ballast, and twice the half MiB that has to fit: 9 of 24 MiB.
        assert file.stat().st_size < 16 * MEBIBYTE
    assert backlogs(tmp_path) == {"backend": Backlog(1, 3, 4 + BATCH_OVERHEAD_BYTES)}


def test_a_full_disk_from_which_nothing_was_sent_is_not_written_to_again_and_again(tmp_path: Path) -> None:
    ballast = tmp_path / BALLAST_NAME
    with opened(tmp_path, size_bytes=16 * MEBIBYTE) as storage:
        store(storage, a_body(bytes(16 * MEBIBYTE - 128 * 1024)))  # less is left than is tried
        written_ns = ballast.stat().st_mtime_ns
        with pytest.raises(StorageUnavailable):
            store(storage, a_body(bytes(4 * MEBIBYTE)))
        wait_until(lambda: storage.failures >= 3, timeout_s=TIMEOUT_S, what="storage that tries again")
        assert ballast.stat().st_mtime_ns == written_ns


def test_a_log_that_is_too_old_makes_room_on_a_full_disk_although_nothing_is_sent(tmp_path: Path) -> None:
    now_s, state = [1000.0], State()
    storage = FileStorage("file_storage", tmp_path, 16 * MEBIBYTE, lambda: now_s[0])
    storage.open([state])
    storage.start()
    state.note(bytes(2 * MEBIBYTE))
    store(storage, a_body(bytes(14 * MEBIBYTE - 128 * 1024)))  # less is left than is tried
    with pytest.raises(StorageUnavailable):
        store(storage, a_body(bytes(MEBIBYTE)))
    assert storage.is_failing
    now_s[0] += state.log_ttl_s + 1
    wait_until(lambda: not storage.is_failing, timeout_s=TIMEOUT_S, what="storage that writes again")
    storage.close(time.monotonic() + TIMEOUT_S)


def test_what_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as storage:
        pass
    with pytest.raises(StorageUnavailable):
        storage.submit(Work([a_body(b"late")])).result(TIMEOUT_S)


def test_a_second_collector_is_kept_out(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(ConfigError, match="another collector uses this file storage"):
        FileStorage("file_storage", tmp_path, 64 * MEBIBYTE).open([])


def test_what_is_no_database_is_set_aside_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(b"something else altogether" * 100)
    with opened(tmp_path) as storage:
        store(storage, a_body(b"x"))
    (kept,) = tmp_path.glob(f"damaged-*/{DATABASE_NAME}")
    assert kept.read_bytes() == b"something else altogether" * 100
    assert f"{tmp_path / DATABASE_NAME} was damaged (file is not a database); it is now {kept}" in caplog.text


def test_what_another_version_has_written_is_said_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as other:
        other.execute("PRAGMA user_version = 77")
    with pytest.raises(ConfigError, match="was written by another version of otel-carbon; move it away"):
        FileStorage("file_storage", tmp_path, 64 * MEBIBYTE).open([])


def test_a_lock_that_is_no_lock_is_not_taken_for_another_collector(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_bytes(b"something else altogether" * 100)
    with pytest.raises(ConfigError, match=f"{LOCK_NAME}: cannot be used as file storage: file is not a database"):
        FileStorage("file_storage", tmp_path, 64 * MEBIBYTE).open([])


def test_only_its_owner_can_read_what_is_stored(tmp_path: Path) -> None:
    with opened(tmp_path / "queue"):
        assert stat.S_IMODE((tmp_path / "queue").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "queue" / DATABASE_NAME).stat().st_mode) == 0o600
