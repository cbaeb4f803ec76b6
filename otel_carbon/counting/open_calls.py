"""The calls of one shape that wait for their twins, in the order of time: few of them overlap with a span."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from otel_carbon.counting.candidate import Call, Candidate

MAX_COMPARED = 64
"""With how many calls a span is compared at most: those that end next to it."""


class OpenCalls:
    """Calls of one shape in the order of their ends; an archived call is there as what the archive calls it.

    `scopes` has for each call those that it has been seen in, as far as this shape shows.
    """

    __slots__ = ("calls", "ends_ns", "longest_ns", "scopes")

    def __init__(
        self, calls: list[Call | int], ends_ns: array[float], scopes: list[frozenset[str]], longest_ns: float
    ) -> None:
        self.calls = calls
        self.ends_ns = ends_ns
        """Rounded: the order stays, and nothing that overlaps gets out of reach."""
        self.scopes = scopes
        self.longest_ns = longest_ns
        """No call took longer."""

    @classmethod
    def of(cls, call: Call) -> OpenCalls:
        """With one call."""
        return cls([call], array("d", [call.end_ns]), [call.scopes], call.end_ns - call.start_ns)

    def near(self, candidate: Candidate) -> list[Call | int]:
        """Calls of other scopes that may overlap with a span."""
        ends_ns, calls, scopes, scope = self.ends_ns, self.calls, self.scopes, candidate.scope
        first = bisect_left(ends_ns, float(candidate.start_ns))
        end = bisect_right(ends_ns, float(candidate.end_ns + self.longest_ns), first)
        others = [at for at in range(first, end) if scope not in scopes[at]]
        if len(others) > MAX_COMPARED:
            middle = bisect_right(others, bisect_right(ends_ns, float(candidate.end_ns)))
            least = max(0, min(middle - MAX_COMPARED // 2, len(others) - MAX_COMPARED))
            others = others[least : least + MAX_COMPARED]
        return [calls[at] for at in others]

    def add(self, call: Call) -> None:
        """Add a call that is not there."""
        end_ns = float(call.end_ns)
        at = bisect_right(self.ends_ns, end_ns)
        self.ends_ns.insert(at, end_ns)
        self.calls.insert(at, call)
        self.scopes.insert(at, call.scopes)
        self.longest_ns = max(self.longest_ns, call.end_ns - call.start_ns)

    def put(self, call: Call) -> None:
        """Add a call, or tell that it is young again and seen in further scopes."""
        end_ns = float(call.end_ns)
        first = bisect_left(self.ends_ns, end_ns)
        of_end = self.calls[first : bisect_right(self.ends_ns, end_ns, first)]
        known = call if call in of_end else call.archived_as
        if known not in of_end:
            self.add(call)
            return
        at = first + of_end.index(known)
        self.calls[at] = call
        self.scopes[at] = call.scopes

    def drop(self, count: int) -> None:
        """Drop those that ended first."""
        del self.calls[:count], self.ends_ns[:count], self.scopes[:count]


Filed = Call | OpenCalls
"""The calls of one shape: mostly a single one."""
