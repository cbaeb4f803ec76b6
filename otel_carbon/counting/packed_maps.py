"""The maps of counting as arrays of numbers, which do not change any more: 20 to 30 bytes an entry."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Generic, TypeVar

from otel_carbon.counting.candidate import Call, Nested, Seen
from otel_carbon.counting.packed_calls import Interned

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.counting.candidate import Filed, Groups, Verdict

V = TypeVar("V")
ROW_BITS = 32
"""The archive knows a call by the number of its generation, then its row in so many bits."""
ROW_MASK = (1 << ROW_BITS) - 1


class PackedMap(Generic[V]):
    """Keys, and in further arrays what belongs to them; all their calls have a row in the same generation.

    `older` has for each entry the next one in its chain.
    """

    __slots__ = ("_call_of", "_first", "keys", "older")

    def __init__(self, entries: dict[int, V], generation: int, call_of: Callable[[int], Call]) -> None:
        self.keys = array("q", entries)
        self.older = array("Q")
        self._first = generation << ROW_BITS
        self._call_of = call_of

    def value(self, at: int) -> V:
        """What belongs to the key there."""
        raise NotImplementedError

    def _call(self, row: int) -> Call:
        return self._call_of(self._first + row)


class PackedSpans(PackedMap[Seen]):
    """Spans that passed; of their calls one more than the row, as 0 is none."""

    __slots__ = ("_marked_verdicts", "_parents", "_rows", "_verdicts")

    def __init__(self, entries: dict[int, Seen], generation: int, call_of: Callable[[int], Call]) -> None:
        super().__init__(entries, generation, call_of)
        spans = entries.values()
        verdicts: Interned[Verdict | None] = Interned()
        self._parents = array("q", [span.parent_key for span in spans])
        self._marked_verdicts = array("H", [verdicts[span.verdict] * 2 + span.relays for span in spans])
        self._rows = array("I", [(span.call.archived_as & ROW_MASK) + 1 if span.call else 0 for span in spans])
        self._verdicts = list(verdicts)

    def value(self, at: int) -> Seen:
        """The span there."""
        row = self._rows[at]
        verdict, relays = divmod(self._marked_verdicts[at], 2)
        call = self._call(row - 1) if row else None
        return Seen(self._verdicts[verdict], self._parents[at], call, bool(relays))


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
    """Calls by their shape: twice the row of a single one, or one more than twice the place of their groups.

    They come back as groups, in which a call is what the archive calls it.
    """

    __slots__ = ("_groups", "_marked", "_scopes")

    def __init__(self, entries: dict[int, Filed], generation: int, call_of: Callable[[int], Call]) -> None:
        super().__init__(entries, generation, call_of)
        self._groups = array("Q")
        """For each shape the number of its groups; for each group its scopes, its length and its calls."""
        scopes: Interned[frozenset[str]] = Interned()
        self._marked = array(
            "I",
            [
                (filed.archived_as & ROW_MASK) * 2 if isinstance(filed, Call) else self._place_of(filed, scopes) * 2 + 1
                for filed in entries.values()
            ],
        )
        self._scopes = list(scopes)

    def _place_of(self, groups: Groups, scopes: Interned[frozenset[str]]) -> int:
        packed = self._groups
        place = len(packed)
        packed.append(len(groups))
        for seen_in, calls in groups.items():
            packed.extend((scopes[seen_in], len(calls)))
            packed.extend(call if isinstance(call, int) else call.archived_as for call in calls)
        return place

    def value(self, at: int) -> Groups:
        """The groups of calls there."""
        place, grouped = divmod(self._marked[at], 2)
        if not grouped:
            return {self._call(place).scopes: [self._first + place]}
        groups: Groups = {}
        packed = self._groups
        start = place + 1
        for _ in range(packed[place]):
            end = start + 2 + packed[start + 1]
            groups[self._scopes[packed[start]]] = list(packed[start + 2 : end])
            start = end
        return groups
