"""Wait for a condition with a deadline, never for a fixed time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_POLL_S = 0.02


def wait_until(probe: Callable[[], T | None], *, timeout_s: float, what: str) -> T:
    """First truthy answer of `probe`.

    Args:
        probe: asked again and again; a falsy answer means "not yet".
        timeout_s: how long to go on asking, in seconds.
        what: what is waited for, for the error message.

    Raises:
        TimeoutError: when the answer stayed falsy; the message holds the last one.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {timeout_s} s; last answer: {answer!r}")
        time.sleep(_POLL_S)
