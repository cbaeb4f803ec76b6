"""What bodies in work take together, in all and of one client: a bound on each alone would not bound their sum."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_carbon.collector.receivers.http_refusals import overloaded
from otel_carbon.collector.refusal_reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BODIES = 4
MOST_CLIENT_BODIES = 2
_RETRY_AFTER_S = 1.0


class Uploads:
    """Counts the bytes of bodies that are being received or wait to be processed.

    Args:
        limit_bytes: largest body, in bytes; 4 such bodies may be in work, and 2 of one client.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._most_bytes = MOST_BODIES * limit_bytes
        self._most_client_bytes = MOST_CLIENT_BODIES * limit_bytes
        self._total_bytes = 0
        self._client_bytes: Counter[str] = Counter()

    @contextmanager
    def of(self, client: str) -> Iterator[Upload]:
        """Count one body until the end of the block."""
        upload = Upload(self, client)
        try:
            yield upload
        finally:
            self._add(client, -upload.size_bytes)

    def _add(self, client: str, size_bytes: int) -> None:
        self._total_bytes += size_bytes
        self._client_bytes[client] += size_bytes
        if self._client_bytes[client] <= 0:
            del self._client_bytes[client]

    def _refuse_beyond(self, client: str) -> None:
        if self._total_bytes > self._most_bytes:
            raise overloaded("too many bodies are being received", _RETRY_AFTER_S, Reason.UPLOADS)
        if self._client_bytes[client] > self._most_client_bytes:
            message = "too many bodies are being received from this address"
            raise overloaded(message, _RETRY_AFTER_S, Reason.CLIENT_UPLOADS)


class Upload:
    """One body in work."""

    __slots__ = ("_client", "_uploads", "size_bytes")

    def __init__(self, uploads: Uploads, client: str) -> None:
        self._uploads = uploads
        self._client = client
        self.size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Count what has come.

        Raises:
            Refusal: there is more in work than allowed, in all or from this client.
        """
        self.size_bytes += size_bytes
        self._uploads._add(self._client, size_bytes)
        self._uploads._refuse_beyond(self._client)
