"""A process that is killed while it replaces a damaged database: the next start begins again, or goes on."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from otel_carbon.collector.storage.database import DATABASE_NAME
from otel_carbon.collector.storage.recovery.pages import PAGE_BYTES
from otel_carbon.collector.storage.recovery.set_aside import FINISHED_NAME, UNFINISHED_NAME, replace_damaged
from tests.unit.collector.storage.recovery.test_damaged_pages import (
    BODIES,
    EXPORTERS,
    MEBIBYTE,
    body_of,
    filled,
    killed,
    owing,
    sent_of,
    spoil,
    zeros,
)

__all__ = ["filled", "killed"]  # fixtures


class Killed(BaseException):
    """As nothing that the program handles."""


def damaged(tmp_path: Path, made_from: Path) -> Path:
    """A copy of a directory, without the first page of its database."""
    folder = tmp_path / "copy"
    shutil.copytree(made_from, folder)
    spoil(folder / DATABASE_NAME, 0, PAGE_BYTES, zeros)
    return folder


@pytest.mark.parametrize("renames", range(6))
def test_after_a_kill_before_any_rename_everything_is_sent(
    tmp_path: Path, killed: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    folder = damaged(tmp_path, killed)
    spoil(folder / f"{DATABASE_NAME}-wal", 32 + 24, PAGE_BYTES, zeros)  # of this page there are later states
    rename, done = Path.rename, [0]

    def rename_or_die(path: Path, target: Path) -> Path:
        if done[0] == renames:
            raise Killed
        done[0] += 1
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename_or_die)
        with pytest.raises(Killed):
            replace_damaged(folder, 64 * MEBIBYTE, EXPORTERS)
    sent = sent_of(folder)
    for exporter, bodies in sent.items():
        assert bodies == {each: body_of(each) for each in range(1, BODIES + 1) if exporter in owing(each)}
    assert len(list(folder.glob(f"damaged-*/{DATABASE_NAME}"))) == len(list(folder.glob("damaged-*"))) == 1
    assert not (folder / FINISHED_NAME).exists()
    assert not (folder / UNFINISHED_NAME).exists()


def test_a_disk_that_fails_in_the_middle_costs_nothing_when_it_works_again(
    tmp_path: Path, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = damaged(tmp_path, killed)
    fsync, calls = os.fsync, [0]

    def fail_the_second_time(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError(errno.EIO, "input/output error")
        fsync(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail_the_second_time)
        with pytest.raises(OSError, match="input/output"):
            replace_damaged(folder, 64 * MEBIBYTE, EXPORTERS)
    assert not (folder / DATABASE_NAME).exists()

    replaced = replace_damaged(folder, 64 * MEBIBYTE, EXPORTERS)

    assert replaced.damaged.exists()
    for exporter, bodies in sent_of(folder).items():
        assert bodies == {each: body_of(each) for each in range(1, BODIES + 1) if exporter in owing(each)}


def test_where_names_in_folders_cannot_be_synchronised_it_is_replaced_all_the_same(
    tmp_path: Path, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = damaged(tmp_path, killed)

    def is_not_supported(_descriptor: int) -> None:
        raise OSError(errno.EINVAL, "invalid argument")

    monkeypatch.setattr(os, "fsync", is_not_supported)

    assert replace_damaged(folder, 64 * MEBIBYTE, EXPORTERS).salvaged.recovered == BODIES
