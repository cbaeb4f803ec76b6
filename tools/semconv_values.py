"""Whether a value is one that an attribute of the convention may have."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.semconv_model import Attribute

_PYTHON_TYPES: dict[str, type] = {"string": str, "int": int, "double": float, "boolean": bool}


def value_problem(attribute: Attribute, value: object) -> str:
    """What is wrong with the value, as a sentence; empty if nothing is.

    A whole number is no double: it would leave the process as an integer attribute.
    """
    if not _has_type(attribute.type, value):
        return f"{attribute.key} must be of type {attribute.type}, not {value!r}"
    if attribute.members and value not in {member.value for member in attribute.members}:
        allowed = ", ".join(member.value for member in attribute.members)
        return f"{attribute.key} must be one of {allowed}, not {value!r}"
    if attribute.pattern and not re.fullmatch(attribute.pattern, str(value)):
        return f"{attribute.key} must look like {attribute.pattern}, not {value!r}"
    if isinstance(value, float) and not (math.isfinite(value) and value >= 0):
        return f"{attribute.key} must be a finite amount of at least 0, not {value!r}"
    return ""


def _has_type(name: str, value: object) -> bool:
    if name == "any":
        return True
    if name.endswith("[]"):
        items = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return items and all(_has_type(name.removesuffix("[]"), item) for item in value)  # type: ignore[attr-defined]  # `items` says it is a sequence
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _PYTHON_TYPES[name])
