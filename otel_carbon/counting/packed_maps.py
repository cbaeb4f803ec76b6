"""The maps of counting as arrays of numbers, which do not change any more: 16 to 26 bytes an entry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_carbon.counting.candidate import Call, Nested, Seen
from otel_carbon.counting.open_calls import OpenCalls
from otel_carbon.counting.packed_calls import Interned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.counting.candidate import Verdict
    from otel_carbon.counting.open_calls import Filed

V = TypeVar("V")
ROW_BITS = 32
"""The archive knows a call by the number of its generation, then its row in so many bits."""
ROW_MASK = (1 << ROW_BITS) - 1


class PackedMap(ABC, Generic[V]):
    """Keys, and in further arrays what belongs to them; all their calls have a row in the same generation.

    `older` has for each entry the next one in its chain.
    """

    __slots__ = ("_call_of", "_first", "keys", "older")

    def __init__(self, entries: dict[int, V], generation: int, call_of: Callable[[int], Call]) -> None:
        self.keys = array("q", list(entries))
        self.older = array("I")
        self._first = generation << ROW_BITS
        self._call_of = call_of

    @abstractmethod
    def value(self, at: int) -> V:
        """What belongs to the key there."""

    def _call(self, row: int) -> Call:
        return self._call_of(self._first + row)


class PackedSpans(PackedMap[Seen]):
    """Spans that passed; of their calls one more than the row, as 0 is none."""

    __slots__ = ("_marked_verdicts", "_parents", "_rows", "_verdicts")

    def __init__(self, entries: dict[int, Seen], generation: int, call_of: Callable[[int], Call]) -> None:
        super().__init__(entries, generation, call_of)
        spans = list(entries.values())
        numbers, self._verdicts = _numbered([verdict for verdict, _, _, _ in spans])
        self._parents = array("q", [parent for _, parent, _, _ in spans])
        self._rows = array("I", [(call.archived_as & ROW_MASK) + 1 if call else 0 for _, _, call, _ in spans])
        self._marked_verdicts = array("H", [number * 2 for number in numbers])
        for at, (_, _, _, relays) in enumerate(spans):
            if relays:
                self._marked_verdicts[at] += 1

    def value(self, at: int) -> Seen:
        """The span there."""
        row = self._rows[at]
        verdict, relays = divmod(self._marked_verdicts[at], 2)
        call = self._call(row - 1) if row else None
        return Seen(self._verdicts[verdict], self._parents[at], call, bool(relays))


def _numbered(verdicts: Sequence[Verdict | None]) -> tuple[list[int], list[Verdict | None]]:
    """A number for each verdict, and the verdicts that the numbers stand for; most are one and the same object."""
    identities = list(map(id, verdicts))
    numbers: Interned[Verdict | None] = Interned()
    number_of = {identity: numbers[verdict] for identity, verdict in dict(zip(identities, verdicts)).items()}  # noqa: B905 - one of each
    return list(map(number_of.__getitem__, identities)), list(numbers)


class PackedCallsBelow(PackedMap[Call | Nested]):
    """Calls by the spans above them: twice the row, and one more where something is between."""

    __slots__ = ("_marked_rows",)

    def __init__(self, entries: dict[int, Call | Nested], generation: int, call_of: Callable[[int], Call]) -> None:
        super().__init__(entries, generation, call_of)
        self._marked_rows = array(
            "I",
            [
                (below.call.archived_as & ROW_MASK) * 2 + 1
                if isinstance(below, Nested)
                else (below.archived_as & ROW_MASK) * 2
                for below in entries.values()
            ],
        )

    def value(self, at: int) -> Call | Nested:
        """The call there."""
        row, nested = divmod(self._marked_rows[at], 2)
        return Nested(self._call(row)) if nested else self._call(row)


class PackedResponses(PackedMap[Call]):
    """Calls by their responses."""

    __slots__ = ("_rows",)

    def __init__(self, entries: dict[int, Call], generation: int, call_of: Callable[[int], Call]) -> None:
        super().__init__(entries, generation, call_of)
        self._rows = array("I", [call.archived_as & ROW_MASK for call in entries.values()])

    def value(self, at: int) -> Call:
        """The call there."""
        return self._call(self._rows[at])


class PackedShapes(PackedMap["Filed"]):
    """Calls by their shape: twice the row of a single one, or one more than twice the place of several.

    They come back as `OpenCalls`, in which a call is what the archive calls it.
    """

    __slots__ = ("_calls", "_ends_ns", "_marked", "_scopes", "_scopes_of")

    def __init__(self, entries: dict[int, Filed], generation: int, call_of: Callable[[int], Call]) -> None:
        super().__init__(entries, generation, call_of)
        self._calls = array("Q")
        """For each shape how many calls it has; then its calls."""
        self._ends_ns = array("d")
        """How long the longest took; then their ends."""
        self._scopes_of = array("I")
        scopes: Interned[frozenset[str]] = Interned()
        self._marked = array(
            "I",
            [
                (filed.archived_as & ROW_MASK) * 2 if isinstance(filed, Call) else self._place_of(filed, scopes) * 2 + 1
                for filed in entries.values()
            ],
        )
        self._scopes = list(scopes)

    @property
    def listed(self) -> int:
        """How many calls stand in lists, with one more for each list."""
        return len(self._calls)

    def _place_of(self, filed: OpenCalls, scopes: Interned[frozenset[str]]) -> int:
        place = len(self._calls)
        self._calls.append(len(filed.calls))
        self._calls.extend(call if isinstance(call, int) else call.archived_as for call in filed.calls)
        self._ends_ns.append(filed.longest_ns)
        self._ends_ns.extend(filed.ends_ns)
        self._scopes_of.append(0)
        self._scopes_of.extend(scopes[seen_in] for seen_in in filed.scopes)
        return place

    def value(self, at: int) -> OpenCalls:
        """The calls there."""
        place, several = divmod(self._marked[at], 2)
        if not several:
            filed = OpenCalls.of(self._call(place))
            filed.calls = [self._first + place]
            return filed
        of_shape = slice(place + 1, place + 1 + self._calls[place])
        scopes = [self._scopes[number] for number in self._scopes_of[of_shape]]
        return OpenCalls(list(self._calls[of_shape]), self._ends_ns[of_shape], scopes, self._ends_ns[place])
