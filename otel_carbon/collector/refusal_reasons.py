"""Why receivers refuse requests and connections: the values of `reason` on `..._receiver_refusals`."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Reason(Enum):
    """A reason to refuse; few and fixed, because each is a series."""

    BAD_DATA = "bad_data"
    BODY_TIMEOUT = "body_timeout"
    CLIENT_CONNECTIONS = "client_connections"
    CLIENT_SLOW_REQUESTS = "client_slow_requests"
    CLIENT_UPLOADS = "client_uploads"
    CONNECTIONS = "connections"
    CROSS_ORIGIN = "cross_origin"
    ENCODING = "encoding"
    HEADER_TIMEOUT = "header_timeout"
    HEADERS_TOO_LARGE = "headers_too_large"
    INTERNAL = "internal"
    MEMORY = "memory"
    METHOD = "method"
    NO_SUCH_SIGNAL = "no_such_signal"
    QUEUE_FULL = "queue_full"
    STORAGE = "storage"
    TOO_LARGE = "too_large"
    UNAUTHENTICATED = "unauthenticated"
    UPLOADS = "uploads"


CountRefusal = Callable[[Reason], None]


def count_nothing(_reason: Reason) -> None:
    """For servers whose refusals nobody watches."""
