"""A state that counts what it is told, as counting does, in the form that a storage takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass
class Changes:
    log: bytes
    rows: dict[str, str]


@dataclass
class State:
    """Counts what is noted; `log_ttl_s` as counting has it."""

    log_ttl_s: float = 600.0
    count: int = 0
    pending: list[bytes] = field(default_factory=list)
    restored: list[tuple[float, bytes]] = field(default_factory=list)

    def note(self, what: bytes) -> None:
        self.count += 1
        self.pending.append(what)

    def take_changes(self) -> Changes:
        taken, self.pending = self.pending, []
        return Changes(b",".join(taken), {"count": str(self.count)} if taken else {})

    def restore(self, log: Iterable[tuple[float, bytes]], rows: Mapping[str, str]) -> None:
        self.restored = list(log)
        self.count = int(rows.get("count", 0))
