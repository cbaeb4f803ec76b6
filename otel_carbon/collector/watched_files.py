"""What was read from files, read anew when they change; what is broken then leaves the old value in force."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Value = TypeVar("Value")
Stamp = tuple[tuple[int, int, int] | None, ...]
_logger = logging.getLogger(__name__)


class WatchedFiles(Generic[Value]):
    """A value that files hold.

    There is no thread: whoever asks for the value looks at the files, at most once in an interval.

    Args:
        paths: the files.
        load: reads them.
        key: key path of the setting, for the log.
        interval_s: how long a look at the files holds, in seconds; None never looks again.
        clock: monotonic seconds.

    Raises:
        ConfigError: they cannot be read at the start.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        load: Callable[[], Value],
        *,
        key: str,
        interval_s: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = tuple(paths)
        self._load = load
        self._key = key
        self._interval_s = interval_s
        self._clock = clock
        self._stamp = _stamp(self._paths)
        self._value = load()
        self._looked_s = clock()
        self._lock = Lock()

    @property
    def value(self) -> Value:
        """What the files hold, or held when they could last be read."""
        if self._interval_s is not None and self._clock() - self._looked_s >= self._interval_s:
            self._look_again()
        return self._value

    def _look_again(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another thread looks right now
        try:
            self._looked_s = self._clock()
            stamp = _stamp(self._paths)
            if stamp != self._stamp:
                # Kept also when loading fails: the same broken file is read, and told of, once.
                self._stamp = stamp
                self._reload()
        finally:
            self._lock.release()

    def _reload(self) -> None:
        try:
            self._value = self._load()
        except ConfigError as error:
            _logger.warning("%s: what was read before stays in force: %s", self._key, error)
        else:
            _logger.info("%s: read anew", self._key)


def _stamp(paths: Iterable[Path]) -> Stamp:
    return tuple(_stamp_of(path) for path in paths)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
