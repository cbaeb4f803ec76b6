"""The secrets that a configuration holds, so that they can be kept out of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from otel_carbon.collector.config.modelling import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_CHARACTERS = 6
"""Shorter values are no secrets that could be kept, and are parts of many words."""


def secrets_of(config: BaseModel) -> frozenset[str]:
    """Values that are secret, of every section.

    Of `Bearer abcdef` the token alone is secret as well; of a URL, what stands before its host.
    """
    found = (part for value in _secret_texts(config) for part in (value, value.rpartition(" ")[2]))
    return frozenset(part for part in found if len(part) >= SHORTEST_CHARACTERS)


def _secret_texts(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield from (value.get_secret_value(), *value.get_secret_value().splitlines())
    elif isinstance(value, BaseModel):
        for each in vars(value).values():
            yield from _secret_texts(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _secret_texts(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _secret_texts(each)
    elif isinstance(value, str) and "@" in value:
        yield from _credentials(value)


def _credentials(text: str) -> Iterator[str]:
    try:
        password = urlsplit(text).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))
