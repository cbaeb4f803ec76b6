"""A mapping that forgets: bounded in entries, and in age by whole generations."""

from __future__ import annotations

from typing import Generic, TypeVar

V = TypeVar("V")


class RotatingMap(Generic[V]):
    """Keys to values in two generations; rotating drops the older one.

    An entry lives for at least one rotation after it was last read or written.
    At most `capacity` entries are held; `evicted` counts those dropped for lack of room, not for age.
    """

    __slots__ = ("_capacity", "_old", "_young", "evicted")

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity // 2)
        self._young: dict[int, V] = {}
        self._old: dict[int, V] = {}
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._young) + sum(1 for key in self._old if key not in self._young)

    def get(self, key: int) -> V | None:
        """The value of a key, which is thereby kept alive; `None` when unknown or forgotten."""
        found = self._young.get(key)
        if found is None and self._old:
            found = self._old.get(key)
            if found is not None:
                self[key] = found
        return found

    def __setitem__(self, key: int, value: V) -> None:
        if len(self._young) >= self._capacity and key not in self._young:
            self.evicted += len(self._old)
            self.rotate()
        self._young[key] = value

    def rotate(self) -> None:
        """Forget the older generation and start a new one."""
        self._old, self._young = self._young, {}
