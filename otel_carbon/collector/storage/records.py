"""What is stored, and the state that a processor lets us store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.collector.signals import Signal


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A request to be stored.

    Attributes:
        signal: what kind of telemetry it is.
        items: how many spans, metric points or log records it holds.
        body: the serialized request.
        exporters: who owes it to a backend; when it is held, who will once it is decided.
        is_held: whether it waits to be decided and is as it came.
    """

    signal: Signal
    items: int
    body: bytes
    exporters: tuple[str, ...]
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an exporter owes at the start: how many requests, items and bytes."""

    requests: int = 0
    items: int = 0
    size_bytes: int = 0


class StateChanges(Protocol):
    """What has changed in the state of a processor."""

    @property
    def log(self) -> bytes:
        """An entry for the log, which is read again for a time; empty for none."""

    @property
    def rows(self) -> Mapping[str, str]:
        """Rows that have changed, as they are now, by key."""


class DurableState(Protocol):
    """State of a processor that goes into the same transactions as the requests it was part of."""

    @property
    def log_ttl_s(self) -> float:
        """How long an entry of the log is of use, in seconds."""

    def take_changes(self) -> StateChanges:
        """What has changed since the last call; of every request that was processed by now, all is in it."""

    def restore(self, log: Iterable[tuple[float, bytes]], rows: Mapping[str, str]) -> None:
        """Take up the state of an earlier process, before anything is processed.

        Args:
            log: the age of each entry in seconds, and the entry, oldest first.
            rows: every row by key.

        Raises:
            ValueError, TypeError, LookupError: the rows are not what this processor writes.
        """
