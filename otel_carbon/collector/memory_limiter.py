"""Refuse requests while the process has too much memory, so that it is not killed for it."""

from __future__ import annotations

import ctypes
import gc
import logging
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from otel_carbon.collector.process_memory import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """From where on memory is short.

    Attributes:
        hard_bytes: from here on garbage is collected, too.
        soft_bytes: from here on requests are refused.
        check_interval_s: how often it is looked at, in seconds.
    """

    hard_bytes: int
    soft_bytes: int
    check_interval_s: float


class MemoryLimiter:
    """Looks at the resident memory of the process again and again, on a thread of its own.

    Args:
        processor_id: component id of the processor, for messages and counters.
        limits: from where on memory is short.
        read_bytes: tells the resident memory in bytes; None where that is not known, and nothing is refused.
        collect: gives memory back to the system as far as that is possible.
    """

    def __init__(
        self,
        processor_id: str,
        limits: MemoryLimits,
        read_bytes: Callable[[], int | None] = resident_bytes,
        collect: Callable[[], None] | None = None,
    ) -> None:
        self.processor_id = processor_id
        self.limits = limits
        self.is_short = False
        self.refused_requests = 0
        self.collections = 0
        self._read_bytes = read_bytes
        self._collect = collect or give_back_memory
        self._counting = Lock()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=f"memory limiter {processor_id}", daemon=True)

    @property
    def retry_after_s(self) -> float:
        """When it is worth asking again, in seconds."""
        return max(1.0, self.limits.check_interval_s)

    def refused(self) -> None:
        """Count a request that was refused."""
        with self._counting:
            self.refused_requests += 1

    def start(self) -> None:
        """Look now, and from now on."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self) -> None:
        """Compare the memory of the process with the limits."""
        used_bytes = self._read_bytes()
        trouble_bytes = self.limits.soft_bytes if self.is_short else self.limits.hard_bytes
        if used_bytes is not None and used_bytes > trouble_bytes:
            # What the allocator keeps for later would be held against every request to come.
            self._collect()
            self.collections += 1
            used_bytes = self._read_bytes()
        is_short = used_bytes is not None and used_bytes > self.limits.soft_bytes
        if is_short is not self.is_short:
            self.is_short = is_short
            tell = "refuses requests" if is_short else "takes requests again"
            level = logging.WARNING if is_short else logging.INFO
            used, soft = used_bytes or 0, self.limits.soft_bytes
            _logger.log(level, "%s: %d bytes in use, %d is the limit; %s", self.processor_id, used, soft, tell)

    def _run(self) -> None:
        while not self._stopped.wait(self.limits.check_interval_s):
            self.look()


def give_back_memory() -> None:
    """Collect garbage, and let the C library return what it holds free, where it can."""
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # not glibc
        return
    trim(0)
