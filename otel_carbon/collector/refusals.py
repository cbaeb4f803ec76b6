"""What a client is told when the collector cannot take its request now."""

from __future__ import annotations

from otel_carbon.collector.refusal_reasons import Reason
from otel_carbon.errors import OtelCarbonError

RETRY_AFTER_S = 1.0


class TryLater(OtelCarbonError):
    """The same request may be taken after `retry_after_s` seconds; nothing was kept of it."""

    reason = Reason.QUEUE_FULL

    def __init__(self, message: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class MemoryShort(TryLater):
    """The process has too much memory."""

    reason = Reason.MEMORY
