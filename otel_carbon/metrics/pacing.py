"""Long work in small slices, with pauses in which other threads get the interpreter."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Rest = Callable[[], None]
    """Called between small steps; may sleep."""

SLICE_S = 0.0003
"""A thread that waits for the interpreter waits for a slice at most; the interpreter itself would let it wait 5 ms."""
HURRY_AFTER_S = 2.0
"""From then on there are no pauses: whoever waits for the page gives up some time."""
_NEVER = threading.Event()
"""What is waited for; `time.sleep` fails where another library gives the process a clock of its own, as in tests."""


def never_rest() -> None:
    """Go on at once."""


class Pacing:
    """Pauses as long as it has worked: half of the time belongs to others.

    Args:
        clock_s: the time, in seconds.
        sleep: waits some seconds, and lets other threads run meanwhile.
    """

    __slots__ = ("_clock_s", "_hurry_from_s", "_sleep", "_slice_until_s")

    def __init__(
        self, clock_s: Callable[[], float] = time.perf_counter, sleep: Callable[[float], object] = _NEVER.wait
    ) -> None:
        self._clock_s = clock_s
        self._sleep = sleep
        now_s = clock_s()
        self._slice_until_s = now_s + SLICE_S
        self._hurry_from_s = now_s + HURRY_AFTER_S

    def rest(self) -> None:
        """Pause if the slice is over."""
        now_s = self._clock_s()
        if self._slice_until_s <= now_s < self._hurry_from_s:
            self._sleep(SLICE_S)
            self._slice_until_s = self._clock_s() + SLICE_S
