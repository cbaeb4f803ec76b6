"""Calls as columns of numbers: they take a sixth of what they take as objects."""

from __future__ import annotations

from array import array
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from otel_carbon.counting.candidate import NO_SCOPES, NO_TOKENS, Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")
_UNKNOWN = -1
"""A count that is not known."""
_LEAF, _COUNTED = 1, 2
_NUMBERS = (("response_key", "q"), ("silent_key", "q"), ("start_ns", "Q"), ("end_ns", "Q"), ("seen_at_s", "d"))
"""Fields that are kept as they are, each with the kind of array that it fits into."""
_NO_CALL = Call(NO_SCOPES, 0, "", NO_TOKENS, 0, 0, 0.0)


class Interned(dict[T, int]):
    """Numbers from 0 for values that are the same again and again; a new value gets the next one."""

    __slots__ = ()

    def __missing__(self, value: T) -> int:
        number = self[value] = len(self)
        return number


class PackedCalls:
    """Calls by row, which do not change any more; every reading makes a new object.

    A call that does not fit, as one that started before 1970, stays the object that it is.
    """

    __slots__ = ("_counts", "_marks", "_model_of", "_models", "_numbers", "_scopes", "_scopes_of", "_unfit")

    def __init__(self, calls: Sequence[Call]) -> None:
        self._unfit: dict[int, Call] = {}
        try:
            self._pack(calls)
        except OverflowError:
            self._unfit = {row: call for row, call in enumerate(calls) if not _fits(call)}
            self._pack([_NO_CALL if row in self._unfit else call for row, call in enumerate(calls)])

    def _pack(self, calls: Sequence[Call]) -> None:
        """Fill the columns, one after another: short loops are fast."""
        models: Interned[str] = Interned()
        scopes: Interned[frozenset[str]] = Interned()
        self._numbers = _number_columns(calls)
        self._counts = [*_count_columns(calls, "tokens"), *_count_columns(calls, "twin_tokens")]
        self._model_of = array("I", [models[call.model] for call in calls])
        self._scopes_of = array("I", [scopes[call.scopes] for call in calls])
        self._marks = bytes([_LEAF * call.leaf | _COUNTED * call.counted for call in calls])
        self._models = list(models)
        self._scopes = list(scopes)

    def __len__(self) -> int:
        return len(self._marks)

    def read(self, row: int, number: int) -> Call:
        """The call of a row, which the archive calls by a number."""
        if row in self._unfit:
            return self._unfit[row]
        response_key, silent_key, start_ns, end_ns, seen_at_s = [column[row] for column in self._numbers]
        tokens = [None if column[row] == _UNKNOWN else column[row] for column in self._counts]
        return Call(
            self._scopes[self._scopes_of[row]],
            response_key,
            self._models[self._model_of[row]],
            (tokens[0], tokens[1]),
            start_ns,
            end_ns,
            seen_at_s,
            (tokens[2], tokens[3]),
            leaf=bool(self._marks[row] & _LEAF),
            silent_key=silent_key,
            counted=bool(self._marks[row] & _COUNTED),
            archived_as=number,
        )


def _number_columns(calls: Sequence[Call]) -> list[array[Any]]:
    """The fields of `_NUMBERS`.

    Raises:
        OverflowError: one does not fit.
    """
    return [array(kind, list(map(attrgetter(name), calls))) for name, kind in _NUMBERS]


def _count_columns(calls: Iterable[Call], name: str) -> list[array[int]]:
    """Input and output tokens of a field.

    Raises:
        OverflowError: one does not fit.
    """
    pairs = list(map(attrgetter(name), calls))
    return [array("i", [_UNKNOWN if pair[at] is None else pair[at] for pair in pairs]) for at in (0, 1)]


def _fits(call: Call) -> bool:
    try:
        _number_columns([call])
        _count_columns([call], "tokens")
        _count_columns([call], "twin_tokens")
    except OverflowError:
        return False
    return True
