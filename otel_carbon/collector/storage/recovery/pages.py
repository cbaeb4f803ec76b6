"""The pages of a database file and of the write-ahead log beside it, whatever state they are in."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path
    from types import TracebackType

PAGE_BYTES = 4096
"""As `Database` has it; the header that says so may be what is damaged."""
_WAL_HEADER = struct.Struct(">8I")
_FRAME_HEADER = struct.Struct(">6I")
_FRAME_BYTES = _FRAME_HEADER.size + PAGE_BYTES
_LITTLE_ENDIAN_MAGIC, _BIG_ENDIAN_MAGIC = 0x377F0682, 0x377F0683
_MAP_ENTRY_BYTES = 5
_MAP_ENTRIES = PAGE_BYTES // _MAP_ENTRY_BYTES
_FREE = 2
"""What a pointer map says of a page that is in no use; it still has what was deleted."""


@dataclass(frozen=True, slots=True)
class WrittenAhead:
    """What a write-ahead log holds.

    Attributes:
        offsets: where in it the latest committed state of a page is, in bytes, by the number of the page.
        is_damaged: whether something that was committed, or came before it, is not as it was written.
    """

    offsets: dict[int, int] = field(default_factory=dict)
    is_damaged: bool = False


def read_written_ahead(path: Path) -> WrittenAhead:
    """Look through a log; SQLite itself leaves out all that follows damage, and does not say so.

    Each frame has a checksum that goes on from that of the frame before it, so that one damaged frame spoils no other.
    What follows the last commit was never acknowledged, and is torn where the system has crashed.
    """
    try:
        with path.open("rb") as file:
            return _read_log(file)
    except FileNotFoundError:
        return WrittenAhead()


@dataclass(frozen=True, slots=True)
class _Frame:
    page: int
    offset: int
    is_commit: bool
    is_good: bool


def _read_log(file: BufferedReader) -> WrittenAhead:
    header = file.read(_WAL_HEADER.size)
    if len(header) < _WAL_HEADER.size:
        return WrittenAhead()
    magic, _, _, _, *salts, first, second = _WAL_HEADER.unpack(header)
    byte_order = ">" if magic == _BIG_ENDIAN_MAGIC else "<"
    seed = _checksum((0, 0), header[:24], byte_order)
    is_header_good = magic in (_LITTLE_ENDIAN_MAGIC, _BIG_ENDIAN_MAGIC) and seed == (first, second)
    frames = _frames(file, None if not is_header_good else tuple(salts), seed, byte_order)
    commits = [number for number, frame in enumerate(frames) if frame.is_commit and frame.is_good]
    committed = frames[: commits[-1] + 1] if commits else []
    offsets = {frame.page: frame.offset for frame in committed if frame.is_good}
    return WrittenAhead(offsets, any(not frame.is_good for frame in committed) or not (is_header_good or not frames))


def _frames(
    file: BufferedReader, salts: tuple[int, ...] | None, seed: tuple[int, int], byte_order: str
) -> list[_Frame]:
    """The frames of the present round; those behind them are of an earlier one, and have other salts."""
    found: list[_Frame] = []
    last_of_round = 0
    while len(frame := file.read(_FRAME_BYTES)) == _FRAME_BYTES:
        page, pages, first_salt, second_salt, *stored = _FRAME_HEADER.unpack_from(frame)
        if salts is None:  # the header of the log is damaged: the first frame has them, too
            salts = (first_salt, second_salt)
        is_of_round = (first_salt, second_salt) == salts
        computed = _checksum(_checksum(seed, frame[:8], byte_order), frame[_FRAME_HEADER.size :], byte_order)
        is_good = is_of_round and computed == tuple(stored)
        offset = file.tell() - PAGE_BYTES
        found.append(_Frame(page, offset, pages > 0, is_good))
        last_of_round = len(found) if is_of_round else last_of_round
        seed = (stored[0], stored[1])
    return found[:last_of_round]


def _checksum(seed: tuple[int, int], content: bytes, byte_order: str) -> tuple[int, int]:
    first, second = seed
    words = struct.unpack(f"{byte_order}{len(content) // 4}I", content)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


class Pages:
    """The latest state of each page, from the log or the file.

    Args:
        path: the database file; its log is beside it.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        log_path = path.with_name(f"{path.name}-wal")
        self._offsets = read_written_ahead(log_path).offsets
        self._file = path.open("rb")
        self._log = log_path.open("rb") if self._offsets else None
        whole_pages = os.fstat(self._file.fileno()).st_size // PAGE_BYTES
        self.last = max([whole_pages, *self._offsets])
        """The number of the last page; the first is 1."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._log is not None:
            self._log.close()

    def read(self, number: int) -> bytes:
        """A page; nothing where there is none, or the disk does not give it."""
        if not 0 < number <= self.last:
            return b""
        offset = self._offsets.get(number)
        file = self._file if offset is None or self._log is None else self._log
        try:
            file.seek((number - 1) * PAGE_BYTES if offset is None else offset)
            page = file.read(PAGE_BYTES)
        except OSError:  # a sector that cannot be read
            return b""
        return page if len(page) == PAGE_BYTES else b""

    def in_use(self) -> list[int]:
        """The numbers of all pages that are not known to be free."""
        found: list[int] = []
        for map_number in range(2, self.last + 1, _MAP_ENTRIES + 1):
            kinds = self.read(map_number)[: _MAP_ENTRIES * _MAP_ENTRY_BYTES : _MAP_ENTRY_BYTES]
            mapped = range(map_number + 1, min(map_number + _MAP_ENTRIES, self.last) + 1)
            kinds = kinds.ljust(len(mapped), b"\0")  # of a map that cannot be read
            found += [number for number, kind in zip(mapped, kinds, strict=False) if kind != _FREE]
        return [1, *found]
