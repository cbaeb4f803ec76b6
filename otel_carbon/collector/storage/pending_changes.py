"""Changes of the state of processors that are in no transaction yet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.collector.storage.records import DurableState

_logger = logging.getLogger(__name__)


class PendingChanges:
    """What was collected since the last transaction; after one that failed it goes into the next.

    Args:
        storage_id: component id of the extension, for messages.
    """

    def __init__(self, storage_id: str) -> None:
        self.logs: list[bytes] = []
        self.rows: dict[str, str] = {}
        self._storage_id = storage_id

    def collect(self, states: Iterable[DurableState]) -> None:
        """Take what has changed; a fault of ours keeps nobody else's from the disk."""
        for state in states:
            try:
                changes = state.take_changes()
            except Exception:
                _logger.exception("%s: a fault while the state of counting was read", self._storage_id)
                continue
            if changes.log:
                self.logs.append(changes.log)
            self.rows.update(changes.rows)

    def clear(self) -> None:
        """All of it is on the disk."""
        self.logs, self.rows = [], {}
