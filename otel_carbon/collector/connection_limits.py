"""How many connections a server has open, in all and from one address; what is beyond is closed at once."""

from __future__ import annotations

import socket
import weakref
from collections import Counter
from threading import Lock

from otel_carbon.collector.refusal_reasons import CountRefusal, Reason, count_nothing

DEFAULT_CONNECTIONS = 4096
DEFAULT_CLIENT_CONNECTIONS = 1024


class ConnectionLimits:
    """Counts open connections.

    Args:
        most: of all clients together.
        most_per_client: from one address.
        count_refusal: told of each connection that is closed at once.
    """

    def __init__(
        self,
        most: int = DEFAULT_CONNECTIONS,
        most_per_client: int = DEFAULT_CLIENT_CONNECTIONS,
        count_refusal: CountRefusal = count_nothing,
    ) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._count_refusal = count_refusal
        self._open: Counter[str] = Counter()
        self._total = 0
        self._lock = Lock()

    def admit(self, client: str) -> bool:
        """Count a connection from an address, or say that it is one too many."""
        with self._lock:
            reason = self._reason_against(client)
            if reason is None:
                self._open[client] += 1
                self._total += 1
        if reason is not None:
            self._count_refusal(reason)
        return reason is None

    def release(self, client: str) -> None:
        """Count the end of a connection that was admitted."""
        with self._lock:
            self._total -= 1
            self._open[client] -= 1
            if self._open[client] <= 0:
                del self._open[client]

    def _reason_against(self, client: str) -> Reason | None:
        if self._total >= self._most:
            return Reason.CONNECTIONS
        return Reason.CLIENT_CONNECTIONS if self._open[client] >= self._most_per_client else None


class LimitedListener(socket.socket):
    """A listening socket whose `accept` holds the limits.

    The socket is the place for it: a server learns of a TLS connection only after the handshake, and a client
    that never ends its handshake must count as well.
    """

    limits: ConnectionLimits

    def accept(self) -> tuple[socket.socket, object]:
        """Accept a connection within the limits.

        Raises:
            BlockingIOError: there is none, or it was closed for being one too many.
        """
        connection, address = super().accept()
        client = str(address[0])
        if not self.limits.admit(client):
            connection.close()
            raise BlockingIOError
        family, kind, protocol = connection.family, connection.type, connection.proto
        counted = _CountedSocket(family, kind, protocol, fileno=connection.detach())
        counted.release = weakref.finalize(counted, self.limits.release, client)
        return counted, address


class _CountedSocket(socket.socket):
    """A connection that is counted out when it is closed, or forgotten."""

    release: weakref.finalize[..., _CountedSocket]

    def close(self) -> None:
        self.release()
        super().close()


def limited(listener: socket.socket, limits: ConnectionLimits) -> LimitedListener:
    """Put limits on a listening socket, which is taken over."""
    family, kind, protocol = listener.family, listener.type, listener.proto
    taken_over = LimitedListener(family, kind, protocol, fileno=listener.detach())
    taken_over.limits = limits
    return taken_over
