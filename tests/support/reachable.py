"""What an object holds, directly or through others: for tests of what must not be held."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTSIDE = ("module", "function", "builtin_function_or_method")


def texts_in(root: object) -> Iterator[bytes]:
    """All texts and bytes that can be reached from an object, not through types, functions and modules."""
    seen: set[int] = set()
    waiting: list[object] = [root]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type) or type(each).__name__ in _OUTSIDE:
            continue
        seen.add(id(each))
        if isinstance(each, str):
            yield each.encode("utf-8", "surrogatepass")
        elif isinstance(each, bytes | bytearray):
            yield bytes(each)
        waiting += gc.get_referents(each)
