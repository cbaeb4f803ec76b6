"""Bodies without end and connections by the thousand."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.chaos.framing import HTTP_START
from tests.chaos.gunner import connect
from tests.chaos.reporting import mebibytes

if TYPE_CHECKING:
    import socket

    from tests.chaos.victim import Address

MOST_UPLOADED_BYTES = 128 << 20
"""Twice the limit: whoever could send so much was not stopped."""
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
_PIECE_BYTES = 1 << 16


def upload_endlessly(address: Address, uploads: int) -> list[str]:
    """Stream bodies that do not tell their length and never end; each must be refused soon after the limit."""
    complaints: list[str] = []

    def upload() -> None:
        sent_bytes, told = 0, b""
        with connect(address, 60.0) as connection, suppress(ConnectionError):
            connection.sendall(HTTP_START + CHUNKED)
            chunk = b"%x\r\n%b\r\n" % (_PIECE_BYTES, bytes(_PIECE_BYTES))
            while sent_bytes < MOST_UPLOADED_BYTES and not told:
                connection.sendall(chunk)
                sent_bytes += _PIECE_BYTES
                told = _at_once(connection)
        # What was on its way may make the system reset the connection before the answer is read.
        if told[9:12] not in (b"", b"413", b"503") or sent_bytes >= MOST_UPLOADED_BYTES:
            complaints.append(f"a body of {mebibytes(sent_bytes)} MiB was answered with {told[:40]!r}")

    threads = [threading.Thread(target=upload) for _ in range(uploads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return complaints


def flood(address: Address, connections: int) -> list[str]:
    """Open and drop connections as quickly as can be; the system takes them all, whatever the collector does."""
    made = 0
    for _ in range(connections):
        with suppress(OSError), connect(address, 5.0):
            made += 1
    return [] if made else ["no connection could be made"]


def _at_once(connection: socket.socket) -> bytes:
    """What has come in, without waiting for more."""
    connection.setblocking(False)
    try:
        return connection.recv(_PIECE_BYTES)
    except BlockingIOError:
        return b""
    finally:
        connection.settimeout(60.0)
