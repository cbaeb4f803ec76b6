"""Whatever page is damaged, what does not stand on it is sent: real files, one page after the other spoilt."""

from __future__ import annotations

import math
import random
import re
import shutil
import sqlite3
import struct
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Signal
from otel_carbon.collector.storage.database import DATABASE_NAME
from otel_carbon.collector.storage.file_storage import FileStorage
from otel_carbon.collector.storage.records import StoredBody
from otel_carbon.collector.storage.recovery.pages import PAGE_BYTES, read_written_ahead
from otel_carbon.collector.storage.recovery.set_aside import replace_damaged
from otel_carbon.collector.storage.stored_queue import StoredQueue
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from tests.support.waiting import wait_until
from tests.unit.collector.storage.states import State
from tests.unit.otlp.messages import foreign_span, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEBIBYTE = 1024 * 1024
TIMEOUT_S = 30.0
BODIES = 40
EXPORTERS = ("first", "second")
EACH_FRAME = 11
"""All of them take minutes."""
WAL_NAME = f"{DATABASE_NAME}-wal"
WAL_HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES
_MARKS = re.compile(rb"<(\d{4})>")


def mark(number: int) -> bytes:
    """A body says all over who it is, so that a page shows whose it is."""
    return b"<%04d>" % number


def body_of(number: int) -> bytes:
    """From 0.3 to 26 kB: inside of a page, and on up to seven of them."""
    repeated = mark(number).decode() * (50 + number * number % 17 * 250)
    return request_of(foreign_span(number, {"padding": repeated}), service=mark(number).decode()).SerializeToString()


def owing(number: int) -> tuple[str, ...]:
    return EXPORTERS if number % 3 else EXPORTERS[:1]


def opened(folder: Path, state: State | None = None) -> tuple[FileStorage, dict[str, StoredQueue]]:
    storage = FileStorage("file_storage", folder, 64 * MEBIBYTE)
    queues = {exporter: StoredQueue(exporter, 32 * MEBIBYTE, storage) for exporter in EXPORTERS}
    backlogs = storage.open([state] if state else [])
    for exporter, backlog in backlogs.items():
        queues[exporter].resume(backlog)
    storage.start()
    return storage, queues


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A directory as a killed process leaves it, with everything in the log, and as a stopped one does."""
    folder = tmp_path_factory.mktemp("filled")
    killed, stopped, state = folder / "killed", folder / "stopped", State()
    storage, _ = opened(folder / "live", state)
    for number in range(1, BODIES + 1):
        state.note(mark(number) * 300)
        work = Work([StoredBody(Signal.TRACES, 1, body_of(number), owing(number))])
        storage.submit(work).result(TIMEOUT_S)
    state.note(b"what is written last may be lost with the log, as nobody can tell it from what a crash has torn")
    storage.submit(Work(())).result(TIMEOUT_S)
    shutil.copytree(folder / "live", killed)
    storage.close(time.monotonic() + TIMEOUT_S)
    shutil.copytree(folder / "live", stopped)
    assert not (stopped / WAL_NAME).exists()
    assert (killed / WAL_NAME).stat().st_size > BODIES * PAGE_BYTES
    return killed, stopped


@pytest.fixture
def killed(filled: tuple[Path, Path]) -> Path:
    return filled[0]


@pytest.fixture
def stopped(filled: tuple[Path, Path]) -> Path:
    return filled[1]


def sent_of(folder: Path) -> dict[str, dict[int, bytes]]:
    """Start, and send all that each exporter owes."""
    storage, queues = opened(folder)
    sent: dict[str, dict[int, bytes]] = {}
    for exporter, queue in queues.items():
        queue.close()
        taken = [batch for batches in iter(queue.take, []) for batch in batches]
        sent[exporter] = {batch.stored_id: batch.body for batch in taken}
        assert len(taken) == len(sent[exporter])
    storage.close(time.monotonic() + TIMEOUT_S)
    return sent


def assert_only_what_stood_there_is_lost(folder: Path, spoilt: bytes) -> int:
    """Returns how many were not sent as they were stored."""
    stood_there = {int(number) for number in _MARKS.findall(spoilt)}
    sent, missing = sent_of(folder), 0
    for number in range(1, BODIES + 1):
        for exporter in owing(number):
            if sent[exporter].get(number) != body_of(number):
                assert number in stood_there, (exporter, number)
                missing += 1
    return missing


def zeros(content: bytes) -> bytes:
    return bytes(len(content))


def noise(content: bytes) -> bytes:
    return random.Random(len(content)).randbytes(len(content))


def torn(content: bytes) -> bytes:
    """As a write that was done by half."""
    half = len(content) // 2
    return content[:half] + noise(content[half:])


def spoil(file: Path, at: int, size_bytes: int, change: Callable[[bytes], bytes]) -> bytes:
    """Change a part of a file; returns what stood there."""
    with file.open("r+b") as opened_file:
        opened_file.seek(at)
        before = opened_file.read(size_bytes)
        opened_file.seek(at)
        opened_file.write(change(before))
    return before


def copies(folder: Path, made_from: Path, places: range) -> Iterator[tuple[int, Path]]:
    for place in places:
        copy = folder / f"{place}"
        shutil.copytree(made_from, copy)
        yield place, copy
        shutil.rmtree(copy)


@pytest.mark.parametrize("change", [zeros, noise, torn])
def test_of_any_damaged_page_only_what_stands_on_it_is_lost(
    tmp_path: Path, stopped: Path, change: Callable[[bytes], bytes]
) -> None:
    pages = (stopped / DATABASE_NAME).stat().st_size // PAGE_BYTES
    missing = []
    for page, copy in copies(tmp_path, stopped, range(pages)):
        spoilt = spoil(copy / DATABASE_NAME, page * PAGE_BYTES, PAGE_BYTES, change)
        missing.append(assert_only_what_stood_there_is_lost(copy, spoilt))
    assert pages > 100
    assert sum(map(bool, missing)) > pages // 2  # most pages hold a body, and this is no test that cannot fail


@pytest.mark.parametrize("change", [zeros, noise, torn])
def test_of_any_damaged_frame_of_the_log_only_what_stands_in_it_is_lost(
    tmp_path: Path, killed: Path, change: Callable[[bytes], bytes]
) -> None:
    frames = ((killed / WAL_NAME).stat().st_size - WAL_HEADER_BYTES) // FRAME_BYTES
    last = frames_of_the_last_transaction(killed)
    for frame, copy in copies(tmp_path, killed, range(0, frames - last, EACH_FRAME)):
        at = WAL_HEADER_BYTES + frame * FRAME_BYTES
        spoilt = spoil(copy / WAL_NAME, at + FRAME_HEADER_BYTES, PAGE_BYTES, change)
        assert_only_what_stood_there_is_lost(copy, spoilt)
        (kept,) = copy.glob("damaged-*")  # although SQLite itself sees no damage in that
        assert (kept / WAL_NAME).exists()
    assert frames > 200


def frames_of_the_last_transaction(folder: Path) -> int:
    log = (folder / WAL_NAME).read_bytes()
    starts = range(WAL_HEADER_BYTES, len(log), FRAME_BYTES)
    commits = [number for number, at in enumerate(starts) if any(log[at + 4 : at + 8])]
    return commits[-1] - commits[-2]


@pytest.mark.parametrize("at", [0, 8, 16, 24])
def test_a_damaged_header_of_the_log_costs_nothing(tmp_path: Path, killed: Path, at: int) -> None:
    shutil.copytree(killed, tmp_path / "copy")
    spoil(tmp_path / "copy" / WAL_NAME, at, 4, noise)
    assert assert_only_what_stood_there_is_lost(tmp_path / "copy", b"") == 0


def test_a_damaged_header_of_a_frame_costs_no_more_than_its_page(tmp_path: Path, killed: Path) -> None:
    for frame, copy in copies(tmp_path, killed, range(0, 100, 5)):
        at = WAL_HEADER_BYTES + frame * FRAME_BYTES
        spoil(copy / WAL_NAME, at, FRAME_HEADER_BYTES, noise)
        log = (copy / WAL_NAME).read_bytes()
        beside = log[at : at + 2 * FRAME_BYTES]  # nothing vouches for the frame behind it any more
        assert_only_what_stood_there_is_lost(copy, beside)


def test_a_log_that_a_crash_has_torn_at_its_end_is_no_damage(tmp_path: Path, killed: Path) -> None:
    shutil.copytree(killed, tmp_path / "copy")
    with (tmp_path / "copy" / WAL_NAME).open("r+b") as log:
        log.truncate((killed / WAL_NAME).stat().st_size - PAGE_BYTES // 2)
    assert not read_written_ahead(tmp_path / "copy" / WAL_NAME).is_damaged
    assert assert_only_what_stood_there_is_lost(tmp_path / "copy", b"") == 0
    assert list((tmp_path / "copy").glob("damaged-*")) == []


def test_damage_that_shows_while_it_sends_is_left_behind_and_work_goes_on(
    tmp_path: Path, stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(stopped, tmp_path / "copy")
    number = next(each for each in range(10, BODIES) if len(body_of(each)) > 3 * PAGE_BYTES)
    # The second of its pages, which nobody reads before it is sent.
    at = (tmp_path / "copy" / DATABASE_NAME).read_bytes().index(mark(number) * 600) // PAGE_BYTES * PAGE_BYTES
    spoil(tmp_path / "copy" / DATABASE_NAME, at + PAGE_BYTES, PAGE_BYTES, zeros)
    lost: list[tuple[str, Signal, int]] = []
    storage = FileStorage("file_storage", tmp_path / "copy", 64 * MEBIBYTE, count_lost=lambda *each: lost.append(each))
    queue = StoredQueue("first", 32 * MEBIBYTE, storage)
    queue.resume(storage.open([])["first"])
    storage.start()
    sent: list[int] = []
    while len(sent) < BODIES - 1:
        batches = queue.take()
        sent += [batch.stored_id for batch in batches]
        queue.settle(batches)
    assert sent == [each for each in range(1, BODIES + 1) if each != number]
    assert queue.held_bytes == 0
    assert lost == [(exporter, Signal.TRACES, 1) for exporter in owing(number)]
    assert (storage.disk.replaced, storage.disk.lost_requests) == (1, 1)
    wait_until(lambda: not storage.is_failing, timeout_s=TIMEOUT_S, what="storage that takes requests")
    assert queue.reserve(1)
    new = body_of(BODIES + 1)
    given: list[int] = []
    storage.submit(Work([StoredBody(Signal.TRACES, 1, new, ("first",))], on_stored=given.extend)).result(TIMEOUT_S)
    assert given == [BODIES + 1]
    storage.close(time.monotonic() + TIMEOUT_S)
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    (kept,) = (tmp_path / "copy").glob(f"damaged-*/{DATABASE_NAME}")
    assert f"{tmp_path / 'copy' / DATABASE_NAME} was damaged" in told
    assert f"it is now {kept}, and a new one has what could be read: " in told
    assert told.endswith(" requests, and 1 are lost")


def test_damage_that_shows_when_something_is_written_is_left_behind(tmp_path: Path, stopped: Path) -> None:
    shutil.copytree(stopped, tmp_path / "copy")
    storage, queues = opened(tmp_path / "copy")
    # Its root, from under it: the next look at it finds no table of that kind.
    with closing(sqlite3.connect(tmp_path / "copy" / DATABASE_NAME)) as other:
        root = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'state'").fetchone()[0]
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    storage.database._writer.execute("PRAGMA shrink_memory")
    spoil(tmp_path / "copy" / DATABASE_NAME, (root - 1) * PAGE_BYTES, PAGE_BYTES, noise)
    state = State(count=7)
    storage._states = [state]
    state.note(b"x")

    def is_stored() -> bool:
        with suppress(StorageUnavailable):
            storage.submit(Work([StoredBody(Signal.TRACES, 1, body_of(1), ("first",))])).result(TIMEOUT_S)
            return True
        return False

    wait_until(is_stored, timeout_s=TIMEOUT_S, what="storage that takes requests")
    assert storage.disk.replaced == 1
    assert storage.database.rows() == {"count": "8"}
    queues["second"].close()
    assert sum(1 for _ in iter(queues["second"].take, [])) == sum(number % 3 > 0 for number in range(1, BODIES + 1))
    storage.close(time.monotonic() + TIMEOUT_S)


def test_counting_comes_back_from_the_pages_that_can_be_read(tmp_path: Path, stopped: Path) -> None:
    shutil.copytree(stopped, tmp_path / "copy")
    spoil(tmp_path / "copy" / DATABASE_NAME, 0, PAGE_BYTES, zeros)
    state = State(log_ttl_s=1e9)
    storage, queues = opened(tmp_path / "copy", state)
    storage.close(time.monotonic() + TIMEOUT_S)
    assert state.count == BODIES + 1
    assert [entry for _, entry in state.restored][:-1] == [mark(number) * 300 for number in range(1, BODIES + 1)]
    held_bytes = sum(len(body_of(number)) + BATCH_OVERHEAD_BYTES for number in range(1, BODIES + 1))
    assert queues["first"].held_bytes == held_bytes


def test_what_was_held_and_its_exporters_come_back(tmp_path: Path) -> None:
    storage, _ = opened(tmp_path)
    held = StoredBody(Signal.TRACES, 1, body_of(1), ("second",), is_held=True)
    storage.submit(Work([held])).result(TIMEOUT_S)
    storage.close(time.monotonic() + TIMEOUT_S)
    spoil(tmp_path / DATABASE_NAME, 0, PAGE_BYTES, noise)
    storage, _ = opened(tmp_path)
    assert storage.take_held() == [(1, held)]
    storage.close(time.monotonic() + TIMEOUT_S)


def test_rows_that_make_no_sense_are_left_behind_one_by_one(tmp_path: Path, stopped: Path) -> None:
    shutil.copytree(stopped, tmp_path / "copy")
    database = tmp_path / "copy" / DATABASE_NAME
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE bodies SET held_for = '12345' WHERE id = 7")
        (at_s,) = connection.execute("SELECT at_s FROM log ORDER BY id LIMIT 1").fetchone()
    content = database.read_bytes()
    no_number = content.replace(struct.pack(">d", at_s), struct.pack(">d", math.nan))
    assert no_number != content
    database.write_bytes(no_number)

    replaced = replace_damaged(tmp_path / "copy", 64 * MEBIBYTE, EXPORTERS)

    assert replaced.salvaged.recovered == BODIES - 1
    with closing(sqlite3.connect(database)) as connection:
        (entries,) = connection.execute("SELECT count(*) FROM log").fetchone()
    assert 0 < entries < BODIES + 1
