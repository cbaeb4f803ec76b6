"""What counting remembers beyond the newest calls: packed, in generations, of which the oldest is forgotten first."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from otel_carbon.counting.candidate import Call, Nested
from otel_carbon.counting.packed_calls import PackedCalls
from otel_carbon.counting.packed_maps import (
    ROW_BITS,
    ROW_MASK,
    PackedCallsBelow,
    PackedMap,
    PackedResponses,
    PackedShapes,
    PackedSpans,
)
from otel_carbon.counting.rotating_map import RotatingMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel_carbon.counting.candidate import Seen
    from otel_carbon.counting.open_calls import Filed

V = TypeVar("V")
MAX_NUMBER = 2**32 - 1
"""Of an entry: what fits into four bytes."""
_CHAINS_PER_CALL = 4
_FEW_CHAINS = 1 << 17
_LISTED_PER_CALL = 4
"""Of calls of one shape that wait together, each generation has the whole list: 20 bytes for each of them."""


class Entries(NamedTuple):
    """The maps of counting, for the same time."""

    spans: dict[int, Seen]
    below: dict[int, Call | Nested]
    responses: dict[int, Call]
    shapes: dict[int, Filed]

    def calls(self) -> Iterator[Call]:
        """All calls in them, many more than once."""
        several = (filed.calls for filed in self.shapes.values() if not isinstance(filed, Call))
        return chain(
            [span.call for span in self.spans.values() if span.call],
            [below.call if isinstance(below, Nested) else below for below in self.below.values()],
            self.responses.values(),
            [filed for filed in self.shapes.values() if isinstance(filed, Call)],
            (call for calls in several for call in calls if not isinstance(call, int)),
        )


class Shelf(Generic[V]):
    """One of the maps, over all generations, as chains: one for the keys that end in the same bits, newest entry first.

    Entries are numbered as they come, from 1.
    Where a chain comes to an entry that has been forgotten it ends, as all after it are older still.
    """

    __slots__ = (
        "_earlier",
        "_earlier_end",
        "_firsts",
        "_generations",
        "_most_chains",
        "_newest",
        "_next",
        "capacity",
        "entries",
    )

    def __init__(self, max_calls: int, *, entries_per_call: int = 1) -> None:
        self.capacity = max_calls * entries_per_call
        self.entries = 0
        self._generations: list[PackedMap[V]] = []
        self._firsts: list[int] = []
        """The number of the first entry of each generation."""
        self._next = 1
        self._newest = array("I", [0])
        """The newest entry of each chain, 0 where there is none: few chains, or as many as all calls need."""
        self._earlier: array[int] | None = None
        """The few chains from before there were many, for as long as any entry of theirs is remembered."""
        self._earlier_end = 0
        self._most_chains = 1 << (_CHAINS_PER_CALL * max_calls - 1).bit_length()

    def holds(self, key: int) -> bool:
        """Whether a key is among the entries."""
        entry = self._newest[key % len(self._newest)]
        if entry and self._find_in_chain(key, entry) is not None:
            return True
        return self._earlier is not None and self._find_earlier(key, self._earlier) is not None

    def finder(self, young: Callable[[int], V | None]) -> Callable[[int], V | None]:
        """What looks for a key among the young entries, then here; good until generations come or go."""
        if not self._generations:
            return young
        newest, mask, find_in_chain = self._newest, len(self._newest) - 1, self._find_in_chain
        earlier, find_earlier = self._earlier, self._find_earlier

        def find(key: int) -> V | None:
            found = young(key)
            if found is None and (entry := newest[key & mask]):
                found = find_in_chain(key, entry)
            return find_earlier(key, earlier) if found is None and earlier is not None else found

        return find

    def _find_earlier(self, key: int, earlier: array[int]) -> V | None:
        return self._find_in_chain(key, earlier[key % len(earlier)])

    def _find_in_chain(self, key: int, entry: int) -> V | None:
        firsts = self._firsts
        while entry >= firsts[0]:
            at = bisect_right(firsts, entry) - 1
            generation, place = self._generations[at], entry - firsts[at]
            if generation.keys[place] == key:
                return generation.value(place)
            entry = generation.older[place]
        return None

    def add(self, generation: PackedMap[V]) -> None:
        """Add the newest generation."""
        entries = self.entries + len(generation.keys)
        wanted = min(_FEW_CHAINS, self._most_chains) if entries <= _FEW_CHAINS // 2 else self._most_chains
        if self._next + len(generation.keys) > MAX_NUMBER:
            self._chain_anew(max(wanted, len(self._newest)))
        elif len(self._newest) < wanted:  # what is chained already stays: to chain it anew would take long
            self._earlier, self._earlier_end = self._newest if self._generations else None, self._next
            self._newest = array("I", [0]) * wanted
        self._chain(generation)
        self._generations.append(generation)
        self.entries += len(generation.keys)

    def drop_oldest(self) -> int:
        """Forget the oldest generation; returns how many entries it had."""
        del self._firsts[0]
        dropped = len(self._generations.pop(0).keys)
        self.entries -= dropped
        if not self._generations:
            self._newest = array("I", [0])
            self._next = 1
        if not self._generations or self._firsts[0] >= self._earlier_end:
            self._earlier = None
        return dropped

    def _chain(self, generation: PackedMap[V]) -> None:
        """Put entries before those of their chains."""
        self._firsts.append(self._next)
        newest, mask = self._newest, len(self._newest) - 1
        generation.older = array("I")
        older = generation.older.append
        for entry, key in enumerate(generation.keys, self._next):
            end = key & mask
            older(newest[end])
            newest[end] = entry
        self._next += len(generation.keys)

    def _chain_anew(self, chains: int) -> None:
        """Chain all entries again, as their numbers become too long."""
        self._newest = array("I", [0]) * chains
        self._earlier = None
        self._firsts = []
        self._next = 1
        for generation in self._generations:
            self._chain(generation)


class _Generation(NamedTuple):
    """Calls that were archived together, and those of them that are found elsewhere now: anew or young again."""

    period: int
    calls: PackedCalls
    moved: dict[int, Call | int]
    listed: int
    """How many calls stand in lists of their shape."""


class Archive:
    """Calls and what leads to them, for a quarter of the memory that they take as objects.

    Nothing in it changes.
    A call that a further span joins becomes young again (`revive`), and is archived anew with what leads to it by then;
    its old row says where it is now.
    """

    def __init__(self, max_calls: int, young_calls: int) -> None:
        self.spans: Shelf[Seen] = Shelf(max_calls, entries_per_call=2)
        self.below: Shelf[Call | Nested] = Shelf(max_calls, entries_per_call=2)
        self.responses: Shelf[Call] = Shelf(max_calls)
        self.shapes: Shelf[Filed] = Shelf(max_calls)
        self._shelves: tuple[Shelf[Any], ...] = (self.spans, self.below, self.responses, self.shapes)
        self._generations: dict[int, _Generation] = {}
        self._number = 0
        self._rows = 0
        self.listed = 0
        """How many calls stand in lists of their shape, in each generation anew."""
        self._max_rows = 2 * max_calls
        self._max_listed = _LISTED_PER_CALL * max_calls
        self.revived: RotatingMap[Call] = RotatingMap(young_calls)
        self.evicted = 0
        """Entries dropped for lack of room."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._generations

    @property
    def listed_per_call(self) -> float:
        """How many calls stand in the lists of the newest generation, for each call that it has."""
        newest = self._generations.get(self._number)
        return newest.listed / max(1, len(newest.calls)) if newest is not None else 0.0

    def settle(self, entries: Entries, period: int) -> None:
        """Archive entries that came after all others, as the newest generation, and all calls that are young again."""
        if not any(entries):
            return
        self._number += 1
        number = self._number
        calls = self._numbered(chain(self.revived.values(), entries.calls()), number)
        self.revived.clear()
        self.spans.add(PackedSpans(entries.spans, number, self.call))
        self.below.add(PackedCallsBelow(entries.below, number, self.call))
        self.responses.add(PackedResponses(entries.responses, number, self.call))
        shapes = PackedShapes(entries.shapes, number, self.call)
        self.shapes.add(shapes)
        self._generations[number] = _Generation(period, PackedCalls(calls), {}, shapes.listed)
        self._rows += len(calls)
        self.listed += shapes.listed
        while len(self._generations) > 1 and self._is_over():
            self.evicted += self._drop_oldest()

    def _is_over(self) -> bool:
        too_many = self._rows > self._max_rows or self.listed > self._max_listed
        return too_many or any(shelf.entries > shelf.capacity for shelf in self._shelves)

    def _numbered(self, found: Iterable[Call], generation: int) -> list[Call]:
        """The calls by row, each once, each with the number that it is known by from now on."""
        first = generation << ROW_BITS
        calls: list[Call] = []
        for call in found:
            was = call.archived_as
            if was < first:
                number = call.archived_as = first + len(calls)
                calls.append(call)
                if was:
                    self._move(was, number)
        return calls

    def forget_before(self, period: int) -> None:
        """Forget what was archived for earlier periods."""
        while self._generations and next(iter(self._generations.values())).period < period:
            self._drop_oldest()

    def call(self, number: int) -> Call:
        """The call with a number: the young one if it is young again, else a new object, not to be kept.

        Raises:
            KeyError: it has been forgotten.
        """
        while True:
            generation = self._generations[number >> ROW_BITS]
            moved = generation.moved.get(number)
            if moved is None:
                return generation.calls.read(number & ROW_MASK, number)
            if not isinstance(moved, int):
                return moved
            number = moved

    def known(self, calls: list[Call | int]) -> list[Call]:
        """Calls, of which some may be given by their numbers, without those that have been forgotten."""
        if not self._number:  # none was ever archived
            return cast("list[Call]", calls)
        return [
            self.call(call) if isinstance(call, int) else call
            for call in calls
            if not isinstance(call, int) or call >> ROW_BITS in self._generations
        ]

    def revive(self, call: Call) -> None:
        """Make a call young again, to be changed and kept; it stays what it is if it is young."""
        if call.archived_as:
            self._move(call.archived_as, call)
            self.revived[call.archived_as] = call

    def _move(self, number: int, to: Call | int) -> None:
        generation = self._generations.get(number >> ROW_BITS)
        if generation is not None:
            generation.moved[number] = to

    def _drop_oldest(self) -> int:
        """Forget the oldest generation; returns how many entries it had."""
        oldest = self._generations.pop(next(iter(self._generations)))
        self._rows -= len(oldest.calls)
        self.listed -= oldest.listed
        return sum(shelf.drop_oldest() for shelf in self._shelves)
