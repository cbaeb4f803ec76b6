"""Calls by their shape, where twins look for each other."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_carbon.counting.candidate import Call
from otel_carbon.counting.decide import may_be_twins, nearest_twin
from otel_carbon.counting.rotating_map import RotatingMap

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.counting.archive import Archive
    from otel_carbon.counting.candidate import Candidate, Filed, Groups

MAX_OPEN_TWINS = 1024
"""How many calls of one shape and one set of scopes wait for their twin."""


class ShapeIndex:
    """The calls of each shape, grouped by the scopes they have been seen in, so that a search skips whole groups."""

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
        others = [call for scopes, calls in filed.items() if candidate.scope not in scopes for call in calls]
        return nearest_twin(candidate, self._archive.known(others)) if others else None

    def file(self, candidate: Candidate, call: Call, oldest_s: float) -> None:
        """File a young call under its scopes with one more; calls that are older than `oldest_s` may be given up."""
        shape = candidate.shape_key
        filed = self.find(shape)
        if filed is None:
            call.scopes = _with_scope(call.scopes, candidate.scope)
            self.entries[shape] = call
            return
        if isinstance(filed, Call):
            filed = {filed.scopes: [filed]}
        self.entries.refresh(shape, filed)
        self._refile(filed, call, candidate.scope, oldest_s)

    def _refile(self, groups: Groups, call: Call, scope: str, oldest_s: float) -> None:
        """Move a call to the group of its scopes with one more."""
        left = groups.get(call.scopes)
        if left:
            if call in left:
                left.remove(call)
            elif call.archived_as in left:
                left.remove(call.archived_as)
            if not left:
                del groups[call.scopes]
        call.scopes = _with_scope(call.scopes, scope)
        waiting = groups.setdefault(call.scopes, [])
        waiting.append(call)
        if len(waiting) > MAX_OPEN_TWINS:
            dropped = len(waiting) - MAX_OPEN_TWINS // 2
            del waiting[:dropped]
            self.evicted += dropped
        elif self._seen_at_s(waiting[0]) < oldest_s:
            waiting[:] = [known for known in waiting if self._seen_at_s(known) >= oldest_s]

    def _seen_at_s(self, known: Call | int) -> float:
        """When a call was found; long ago if it has been forgotten."""
        if isinstance(known, int):
            return next((call.seen_at_s for call in self._archive.known([known])), -math.inf)
        return known.seen_at_s


@lru_cache(maxsize=1024)
def _with_scope(scopes: frozenset[str], scope: str) -> frozenset[str]:
    """One shared set for each combination, as there are few and calls are many."""
    return scopes | {scope}
