from __future__ import annotations

import os
import resource
import stat
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.exporters.framing import Delimited, Lines
from otel_carbon.collector.exporters.rotating_file import RotatingFile, RotationSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_carbon.collector.exporters.rotating_file import Framing

NOON = datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Folder:
    """A folder, and files in it that are closed at the end of a test."""

    def __init__(self, path: Path, closed: ExitStack) -> None:
        self.path = path
        self._closed = closed

    def file(
        self,
        name: str = "data",
        *,
        limit_bytes: int = 1000,
        append: bool = True,
        framing: Framing | None = None,
        max_backups: int = 100,
        max_age: timedelta | None = None,
        clock: Clock | None = None,
    ) -> RotatingFile:
        rotation = RotationSettings(limit_bytes, max_backups, max_age)
        file = RotatingFile(self.path / name, framing or Lines(), rotation, append=append, now=clock or Clock())
        self._closed.callback(file.close)
        return file


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with ExitStack() as closed:
        yield Folder(tmp_path, closed)


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_that_would_grow_too_large_is_renamed_by_the_moment(tmp_path: Path, folder: Folder) -> None:
    file = folder.file("data.json", limit_bytes=8)
    for record in (b"abc", b"def", b"ghi"):
        file.write(record)
    assert names_in(tmp_path) == ["data-2026-01-31T12-00-00.123.json", "data.json"]
    assert (tmp_path / "data-2026-01-31T12-00-00.123.json").read_bytes() == b"abc\ndef\n"  # 4 + 4 = 8 bytes
    assert (tmp_path / "data.json").read_bytes() == b"ghi\n"


def test_two_rotations_within_a_millisecond_have_names_of_their_own(tmp_path: Path, folder: Folder) -> None:
    file = folder.file(limit_bytes=1)
    for record in (b"a", b"b", b"c"):
        file.write(record)
    assert names_in(tmp_path) == ["data", "data-2026-01-31T12-00-00.123", "data-2026-01-31T12-00-00.124"]


def test_only_so_many_old_files_are_kept_the_newest_and_nothing_of_others_is_touched(
    tmp_path: Path, folder: Folder
) -> None:
    (tmp_path / "data-of-somebody.json").write_text("mine")
    file = folder.file("data.json", limit_bytes=1, max_backups=2)
    for number in range(5):
        file.write(str(number).encode())
    kept = ["data-2026-01-31T12-00-00.125.json", "data-2026-01-31T12-00-00.126.json"]
    assert [name for name in names_in(tmp_path) if name.startswith("data-2")] == kept
    assert [(tmp_path / name).read_bytes() for name in kept] == [b"2\n", b"3\n"]
    assert (tmp_path / "data-of-somebody.json").read_text() == "mine"


def test_old_files_are_removed_after_their_days(tmp_path: Path, folder: Folder) -> None:
    clock = Clock()
    file = folder.file(limit_bytes=1, max_backups=9, max_age=timedelta(days=2), clock=clock)
    for days in range(4):
        clock.now = NOON + timedelta(days=days)
        file.write(b"x")
    # Renamed on days 1, 2 and 3; on day 3, day 1 is just two days old.
    assert len(names_in(tmp_path)) == 4
    clock.now = NOON + timedelta(days=3, seconds=1)
    file.write(b"x")
    assert "data-2026-02-01T12-00-00.123" not in names_in(tmp_path)
    assert len(names_in(tmp_path)) == 4


def test_a_file_is_for_its_owner_alone(tmp_path: Path, folder: Folder) -> None:
    folder.file().write(b"x")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o600


def test_a_file_is_continued_behind_its_last_whole_line(tmp_path: Path, folder: Folder) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"one\ntwo\nto")
    assert folder.file().write(b"three") == len(b"to")
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_the_last_line_end_is_found_far_before_the_end(tmp_path: Path, folder: Folder) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"one\n" + b"t" * 200_000)
    assert folder.file(limit_bytes=10**6).write(b"two") == 200_000
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("torn", [b"\0", b"\0\0\0\x05", b"\0\0\0\x05four", b"\xff\xff\xff\xff"])
def test_a_delimited_file_is_continued_behind_its_last_whole_record(
    tmp_path: Path, folder: Folder, torn: bytes
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"\0\0\0\x03one\0\0\0\0" + torn)
    file = folder.file(framing=Delimited())
    assert file.write(b"two") == len(torn)
    assert path.read_bytes() == b"\0\0\0\x03one\0\0\0\0\0\0\0\x03two"


def test_a_file_that_is_not_to_be_continued_is_renamed_once_and_never_emptied(tmp_path: Path, folder: Folder) -> None:
    (tmp_path / "data").write_bytes(b"before\n")
    file = folder.file(append=False)
    file.write(b"one")
    file.close()
    file.write(b"two")
    assert (tmp_path / "data-2026-01-31T12-00-00.123").read_bytes() == b"before\n"
    assert (tmp_path / "data").read_bytes() == b"one\ntwo\n"


def test_a_file_that_somebody_moves_away_is_begun_anew(tmp_path: Path, folder: Folder) -> None:
    file = folder.file()
    file.write(b"one")
    (tmp_path / "data").rename(tmp_path / "moved")
    file.write(b"two")
    assert (tmp_path / "data").read_bytes() == b"two\n"
    assert (tmp_path / "moved").read_bytes() == b"one\n"


def test_a_record_for_which_there_is_no_room_leaves_no_half_of_itself(tmp_path: Path, folder: Folder) -> None:
    file = folder.file(limit_bytes=10**6)
    file.write(b"one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # Python ignores SIGXFSZ, so that a write fails
    try:
        with pytest.raises(OSError, match="too large"):
            file.write(b"x" * 200)
        assert (tmp_path / "data").read_bytes() == b"one\n"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    file.write(b"two")
    assert (tmp_path / "data").read_bytes() == b"one\ntwo\n"


def test_a_pipe_is_refused_without_waiting_for_its_reader(tmp_path: Path, folder: Folder) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        folder.file("pipe").write(b"x")
