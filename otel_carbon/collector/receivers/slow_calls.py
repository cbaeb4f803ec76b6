"""gRPC calls that wait for their message: which of them are to be given up, so that no client takes every thread."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLOW_AFTER_S = 1.0
"""A message that takes longer is slow; most have come whole before the call is looked at."""
MOST_CLIENT_SLOW_CALLS = 4
MOST_SLOW_CALLS = 8


@dataclass(eq=False, slots=True)
class WaitingCall:
    """A call whose message has not come.

    Attributes:
        client: the address that it comes from.
        begun_s: since when it waits, on the monotonic clock, in seconds.
        give_up: ends it.
    """

    client: str
    begun_s: float
    give_up: Callable[[], object]


class SlowCalls:
    """Knows the calls that wait, and bounds those that do so for long.

    Args:
        deadline_s: longest time for a message, in seconds.
    """

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._waiting: dict[WaitingCall, None] = {}
        self._lock = Lock()

    def begin(self, client: str, now_s: float, give_up: Callable[[], object]) -> WaitingCall | None:
        """Note that a call begins to wait; None if its client has too many slow ones already."""
        with self._lock:
            slow = sum(1 for call in self._slow(now_s) if call.client == client)
            if slow >= MOST_CLIENT_SLOW_CALLS:
                return None
            call = WaitingCall(client, now_s, give_up)
            self._waiting[call] = None
            return call

    def end(self, call: WaitingCall) -> bool:
        """Note that the message has come, or never will; False if the call was given up meanwhile."""
        with self._lock:
            was_waiting = call in self._waiting
            self._waiting.pop(call, None)
            return was_waiting

    def overdue(self, now_s: float) -> tuple[WaitingCall, ...]:
        """Take out the calls to be given up.

        Those are the ones over the deadline, the newest slow ones of a client that has too many,
        and, of all clients, the oldest slow ones beyond the bound of all.
        """
        with self._lock:
            given_up = tuple(self._beyond_bounds(now_s))
            for call in given_up:
                del self._waiting[call]
            return given_up

    def _slow(self, now_s: float) -> Iterator[WaitingCall]:
        """Oldest first, as a dictionary keeps its order."""
        for call in self._waiting:
            if now_s - call.begun_s < SLOW_AFTER_S:
                return
            yield call

    def _beyond_bounds(self, now_s: float) -> Iterator[WaitingCall]:
        of_client: defaultdict[str, int] = defaultdict(int)
        within: list[WaitingCall] = []
        for call in self._slow(now_s):
            of_client[call.client] += 1
            if now_s - call.begun_s > self._deadline_s or of_client[call.client] > MOST_CLIENT_SLOW_CALLS:
                yield call
            else:
                within.append(call)
        yield from within[: max(0, len(within) - MOST_SLOW_CALLS)]
