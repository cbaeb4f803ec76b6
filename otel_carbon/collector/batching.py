"""Which waiting requests travel together, and until when they wait for company."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.collector.signals import Signal

TOGETHER_BYTES = 1 << 20
"""Waiting requests are sent as one up to this size; backends commonly take 4 MiB."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How requests are put together; a request is never split.

    Attributes:
        max_size_bytes: up to this size waiting requests are sent as one, in bytes; 0 sends each alone.
        max_items: and up to so many items; 0 is no bound.
        min_size_bytes: fewer bytes wait for more.
        min_items: fewer items wait for more.
        flush_timeout_s: but no longer than this, in seconds.
    """

    max_size_bytes: int = 0
    max_items: int = 0
    min_size_bytes: int = 0
    min_items: int = 0
    flush_timeout_s: float = 0.0


class Together:
    """The requests that are being put together: told of each, it says whether that one may join."""

    __slots__ = ("_items", "_settings", "_signal", "_size_bytes")

    def __init__(self, settings: BatchSettings) -> None:
        self._settings = settings
        self._signal: Signal | None = None
        self._items = self._size_bytes = 0

    def takes(self, signal: Signal, items: int, size_bytes: int) -> bool:
        """Whether it joins; the first always does."""
        settings = self._settings
        items, size_bytes = self._items + items, self._size_bytes + size_bytes
        if self._signal is not None and (
            signal is not self._signal
            or size_bytes > settings.max_size_bytes
            or (settings.max_items and items > settings.max_items)
        ):
            return False
        self._signal, self._items, self._size_bytes = signal, items, size_bytes
        return True


class Waiting:
    """How much waits in a queue, and when it is due; whoever asks holds the lock of the queue."""

    __slots__ = ("_clock_s", "_settings", "_since_s", "items", "requests", "size_bytes")

    def __init__(self, settings: BatchSettings, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock_s = clock_s
        self._since_s = 0.0
        self.requests = self.items = self.size_bytes = 0

    def add(self, items: int, size_bytes: int, requests: int = 1) -> None:
        """More waits."""
        if not self.requests:
            self._since_s = self._clock_s()
        self.requests += requests
        self.items += items
        self.size_bytes += size_bytes

    def take(self, items: int, size_bytes: int, requests: int) -> None:
        """Some of it waits no more; what is left is taken to have come now."""
        self.requests -= requests
        self.items -= items
        self.size_bytes -= size_bytes
        self._since_s = self._clock_s()

    def due_in_s(self) -> float | None:
        """In how many seconds something is to be sent, 0 for now; `None` when nothing waits."""
        if not self.requests:
            return None
        settings = self._settings
        if not settings.flush_timeout_s or (
            self.size_bytes >= settings.min_size_bytes and self.items >= settings.min_items
        ):
            return 0.0
        if 0 < settings.max_size_bytes <= self.size_bytes:
            return 0.0
        return max(0.0, self._since_s + settings.flush_timeout_s - self._clock_s())
