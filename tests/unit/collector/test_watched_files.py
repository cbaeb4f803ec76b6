from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.watched_files import WatchedFiles
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def watched(path: Path, clock: Clock, interval_s: float | None) -> WatchedFiles[str]:
    def load() -> str:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not text:
            raise ConfigError(("k: is empty",))
        return text

    return WatchedFiles([path], load, key="k", interval_s=interval_s, clock=clock)


def test_a_change_is_seen_after_the_interval_and_not_before(tmp_path: Path) -> None:
    path, clock = tmp_path / "file", Clock()
    path.write_text("one", encoding="utf-8")
    files = watched(path, clock, 10.0)
    path.write_text("longer", encoding="utf-8")
    clock.now_s += 9.9
    assert files.value == "one"
    clock.now_s += 0.1
    assert files.value == "longer"


def test_without_an_interval_files_are_read_once(tmp_path: Path) -> None:
    path, clock = tmp_path / "file", Clock()
    path.write_text("one", encoding="utf-8")
    files = watched(path, clock, None)
    path.write_text("longer", encoding="utf-8")
    clock.now_s += 1e6
    assert files.value == "one"


def test_what_is_broken_leaves_the_old_value_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, clock = tmp_path / "file", Clock()
    path.write_text("one", encoding="utf-8")
    files = watched(path, clock, 1.0)
    path.write_text("", encoding="utf-8")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.now_s += 1.0
            assert files.value == "one"
        assert [each.getMessage() for each in caplog.records] == ["k: what was read before stays in force: k: is empty"]
        path.write_text("longer", encoding="utf-8")
        clock.now_s += 1.0
        assert files.value == "longer"
    assert caplog.records[-1].getMessage() == "k: read anew"


def test_what_cannot_be_read_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is empty"):
        watched(tmp_path / "missing", Clock(), 1.0)
