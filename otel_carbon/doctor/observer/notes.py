"""What an observer remembers of its process: counts by names, all of them bounded, and no content."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from weakref import ref

MAX_KEYS = 500
"""Different things of a kind that are kept apart; what comes later is counted together."""
MAX_PROVIDERS = 32
MAX_NAME_CHARACTERS = 256


class Tally:
    """How often each thing was seen, for the first `MAX_KEYS` different ones."""

    def __init__(self) -> None:
        self.counts: dict[Any, int] = {}
        self.not_kept = 0

    def add(self, key: str | tuple[object, ...]) -> bool:
        """Count one, and say whether it is kept apart; the parts of a key are those of a row of the report."""
        if key not in self.counts and len(self.counts) >= MAX_KEYS:
            self.not_kept += 1
            return False
        self.counts[key] = self.counts.get(key, 0) + 1
        return True


class Notes:
    """The memory of one process; a forked child starts with an empty one of its own."""

    def __init__(self, write_down: Callable[[str, str | tuple[object, ...]], None]) -> None:
        self.write_down = write_down
        """Called with the name of a tally and what was counted in it, under our lock."""
        self.providers: list[ref[object]] = []
        self.readers: list[ref[object]] = []
        self.global_provider: ref[object] | None = None
        self.inherited = False
        """Whether this is a forked child, whose environment its parent tells."""
        self.empty()

    def empty(self) -> None:
        """Forget all counts; which providers there are stays, since a child inherits them."""
        self.lock = threading.RLock()  # the garbage collector may end a span while another is noted
        self.started_at_s = time.time()
        self.spans = 0
        self.in_future = 0
        self.most_in_future_s = 0.0
        self.providers_refused = 0
        self.with_calls: set[int] = set()
        self.lost_before_provider = Tally()
        self.not_recorded = Tally()
        self.calls = Tally()
        self.overlaps = Tally()
        self.load_failures = Tally()

    def see_provider(self, provider: ref[object]) -> None:
        """Keep a provider, up to a bound."""
        with self.lock:
            self.providers = [each for each in self.providers if each() is not None][: MAX_PROVIDERS - 1]
            self.providers.append(provider)

    def see_reader(self, reader: ref[object]) -> None:
        """Keep a reader of metrics, up to a bound."""
        with self.lock:
            self.readers = [each for each in self.readers if each() is not None][: MAX_PROVIDERS - 1]
            self.readers.append(reader)

    def count(self, name: str, key: str | tuple[object, ...]) -> None:
        """Count one in the tally of that name, by a scope or by a row of the report."""
        kept = key[:MAX_NAME_CHARACTERS] if isinstance(key, str) else key
        with self.lock:
            if getattr(self, name).add(kept):
                self.write_down(name, kept)

    def see_end(self, end_ns: int) -> None:
        """Count a span that ended, and look whether it ends in the future."""
        ahead_s = end_ns / 1e9 - time.time()
        with self.lock:
            self.spans += 1
            if ahead_s > LEEWAY_S:
                self.in_future += 1
                self.most_in_future_s = max(self.most_in_future_s, ahead_s)

    @property
    def not_kept(self) -> int:
        """What was seen beyond the bounds."""
        tallies = (self.calls, self.overlaps, self.not_recorded, self.lost_before_provider, self.load_failures)
        return sum(tally.not_kept for tally in tallies)


LEEWAY_S = 5.0
"""How far in the future a span may end: clocks of two threads or machines differ a little."""
