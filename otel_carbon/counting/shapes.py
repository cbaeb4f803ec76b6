"""Calls by their shape, where twins look for each other."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_carbon.counting.candidate import NO_SCOPES, Call
from otel_carbon.counting.decide import may_be_twins, nearest_twin
from otel_carbon.counting.open_calls import OpenCalls
from otel_carbon.counting.rotating_map import RotatingMap

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.counting.archive import Archive
    from otel_carbon.counting.candidate import Candidate
    from otel_carbon.counting.open_calls import Filed

MAX_OPEN_TWINS = 1024
"""How many calls of one shape wait for their twins."""


class ShapeIndex:
    """The calls of each shape."""

    def __init__(self, capacity: int, archive: Archive) -> None:
        self.entries: RotatingMap[Filed] = RotatingMap(capacity)
        self.find: Callable[[int], Filed | None] = self.entries.get
        self.evicted = 0
        """Calls dropped as too many waited."""
        self._archive = archive

    def twin_among(self, filed: Filed, candidate: Candidate) -> Call | None:
        """The call that another instrumentation has reported, if there is one among those of its shape."""
        if isinstance(filed, Call):
            return filed if may_be_twins(candidate, filed) else None
        others = filed.near(candidate)
        return nearest_twin(candidate, self._archive.known(others)) if others else None

    def file(self, candidate: Candidate, call: Call, oldest_s: float) -> None:
        """File a young call with one more scope; calls that are older than `oldest_s` may be given up."""
        shape, is_new = candidate.shape_key, not call.scopes
        call.scopes = _with_scope(call.scopes, candidate.scope)
        filed = self.find(shape)
        if filed is None:
            self.entries[shape] = call
            return
        if isinstance(filed, Call) and filed is not call:
            filed = OpenCalls.of(filed)
        self.entries.refresh(shape, filed)
        if isinstance(filed, Call):
            return
        if is_new:
            filed.add(call)
            self._bound(filed, oldest_s)
        else:
            filed.put(call)

    def file_first(self, candidate: Candidate, call: Call) -> None:
        """File the first call of a shape."""
        call.scopes = _with_scope(NO_SCOPES, candidate.scope)
        self.entries[candidate.shape_key] = call

    def _bound(self, filed: OpenCalls, oldest_s: float) -> None:
        """Drop calls from the earliest on: all that are too old, and half of them when there are too many."""
        dropped, calls = 0, filed.calls
        while dropped < len(calls) and self._seen_at_s(calls[dropped]) < oldest_s:
            dropped += 1
        if len(calls) - dropped > MAX_OPEN_TWINS:
            surplus = len(calls) - dropped - MAX_OPEN_TWINS // 2
            self.evicted += surplus
            dropped += surplus
        if dropped:
            filed.drop(dropped)

    def _seen_at_s(self, known: Call | int) -> float:
        """When a call was found; long ago if it has been forgotten."""
        if isinstance(known, int):
            return next((call.seen_at_s for call in self._archive.known([known])), -math.inf)
        return known.seen_at_s


@lru_cache(maxsize=1024)
def _with_scope(scopes: frozenset[str], scope: str) -> frozenset[str]:
    """One shared set for each combination, as there are few and calls are many."""
    return scopes | {scope}
