"""Stand-ins for what sections are written with, where a configuration is only used; see `modelling`.

A section is then a plain object: its class has the methods that are written there, and no fields that would check.
"""

from __future__ import annotations

from typing import TypeVar

Written = TypeVar("Written")

are_enough = False
"""Whether sections are plain objects in this process: set once, by `apart`, before any of them is imported."""


class BaseModel:
    """A section that holds what it was given."""

    __slots__ = ("__dict__", "model_fields_set")

    model_fields_set: set[str]
    """The settings that the file names."""


class SecretStr:
    """A text that is shown nowhere by accident."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get_secret_value(self) -> str:
        """The text itself."""
        return self._secret

    def __repr__(self) -> str:
        return f"SecretStr('{self}')"

    def __str__(self) -> str:
        return "**********"

    def __len__(self) -> int:
        return len(self._secret)


def nothing(*_arguments: object, **_options: object) -> None:
    """For what describes a setting or checks it."""


def as_it_is(*_fields: str, **_options: object) -> object:
    """For what makes a check of a method: it stays a method."""

    def undecorated(method: Written) -> Written:
        return method

    return undecorated


AfterValidator = AliasChoices = BeforeValidator = ConfigDict = Field = WithJsonSchema = nothing
field_validator = model_validator = as_it_is
