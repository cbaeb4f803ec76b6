"""What is shown of counters is on the disk: no crash takes it back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.storage.file_storage import FileStorage
from otel_carbon.collector.storage.written_counters import written_families, written_pages
from tests.support.waiting import wait_until
from tests.unit.collector.storage.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEBIBYTE = 1024 * 1024
TIMEOUT_S = 20.0
TEXT = "text/plain"


class Counting:
    """A state, what is shown of it, and the disk."""

    def __init__(self, folder: Path) -> None:
        self.state = State()
        self.storage = FileStorage("file_storage", folder, 16 * MEBIBYTE)
        self.storage.open([self.state])
        self.storage.start()
        self.page = written_pages(self.storage, lambda accept: (b"%d" % self.state.count, accept))
        self.families = written_families(self.storage, lambda: iter([self.state.count]))

    def break_disk(self) -> None:
        self.storage.database._writer.execute("PRAGMA query_only = ON")
        assert not self.storage.is_written()

    def mend_disk(self) -> None:
        self.storage.database._writer.execute("PRAGMA query_only = OFF")
        wait_until(lambda: not self.storage.is_failing, timeout_s=TIMEOUT_S, what="disk that writes")

    def rows(self) -> dict[str, str]:
        return self.storage.database.rows()


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Counting]:
    made = Counting(tmp_path)
    yield made
    made.storage.close(time.monotonic() + TIMEOUT_S)


def test_what_is_shown_is_on_the_disk_by_then(counting: Counting) -> None:
    counting.state.note(b"one")
    assert counting.page(TEXT) == (b"1", TEXT)
    assert counting.rows() == {"count": "1"}
    counting.state.note(b"two")
    assert list(counting.families()) == [2]
    assert counting.rows() == {"count": "2"}


def test_what_the_disk_does_not_take_is_shown_once_it_does(counting: Counting) -> None:
    counting.state.note(b"one")
    assert (counting.page(TEXT), list(counting.families())) == ((b"1", TEXT), [1])
    counting.break_disk()
    counting.state.note(b"two")
    assert (counting.page(TEXT), list(counting.families())) == ((b"1", TEXT), [1])
    counting.mend_disk()
    assert (counting.page(TEXT), list(counting.families())) == ((b"2", TEXT), [2])


def test_after_a_stop_what_was_written_last_is_shown(counting: Counting) -> None:
    counting.state.note(b"one")
    counting.storage.close(time.monotonic() + TIMEOUT_S)
    assert (counting.page(TEXT), list(counting.families())) == ((b"1", TEXT), [1])
