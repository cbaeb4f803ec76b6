"""Which packages call models, and what reports their calls: what installed packages do not tell of themselves."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).parent / "data" / "clients.toml"


@dataclass(frozen=True, slots=True)
class Client:
    """A client of a model API; the fields are explained in the table."""

    name: str
    distribution: str
    module: str
    transport: tuple[str, ...]
    install: str
    scopes: tuple[str, ...]
    own_spans: str = ""

    def is_reported_by(self, scope: str) -> bool:
        """Whether an instrumentation scope reports the calls of this client."""
        return any(starts_with(scope, first) for first in self.scopes)


@dataclass(frozen=True, slots=True)
class ClientTable:
    """All that the table holds.

    `starters` are packages that instrument clients when an application starts them, without an entry point;
    `exporters` are packages by the name of the exporter.
    """

    clients: tuple[Client, ...]
    starters: tuple[str, ...]
    exporters: Mapping[str, str]


@lru_cache(maxsize=1)
def client_table() -> ClientTable:
    """The table, read when first asked for."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return ClientTable(
        tuple(
            Client(
                each["name"],
                each["distribution"],
                each["module"],
                tuple(each["transport"]),
                each["install"],
                tuple(each["scopes"]),
                each.get("own_spans", ""),
            )
            for each in table["client"]
        ),
        tuple(table["starters"]["distributions"]),
        dict(table["exporters"]),
    )


def starts_with(scope: str, first: str) -> bool:
    """Whether a scope starts with these whole parts."""
    return scope.startswith(first) and scope[len(first) : len(first) + 1] in ("", ".", "/", "-", ":", "@")
