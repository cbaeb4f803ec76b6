"""Say in the user's words what pydantic found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_carbon.collector.config.keys import known_keys
from otel_carbon.collector.config.text import suggestion

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

KEY_ITSELF = "[key]"
"""What pydantic appends to the path of a key that is wrong, and not its value."""
_QUOTED = re.compile(r"'([^']*)'")


def problem_message(model: type[BaseModel], detail: ErrorDetails, *, is_secret: bool) -> str:
    """What is wrong with a value, and what is allowed; values are shown only where they cannot be secrets."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key; {suggestion(str(detail['loc'][-1]), known_keys(model, detail['loc'][:-1]))}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "tuple_type" | "list_type":
            return "must be a list, such as [one, two]"
        case "dict_type":
            return "must be a mapping, such as {name: value}"
        case "missing":
            return "is required"
        case "literal_error" | "enum":
            return _choice_message(context["expected"], None if is_secret else detail["input"])
        case "value_error":
            return str(context["error"])
        case "model_type":
            return f"must be a mapping with the keys {', '.join(known_keys(model, detail['loc']))}"
        case _:
            return detail["msg"].replace("Input should", "must", 1)


def _choice_message(expected: str, given: object) -> str:
    if not isinstance(given, str | int | float):
        return f"must be {expected}"
    return f"must be {expected}, not {given!r}; {suggestion(str(given), _QUOTED.findall(expected))}"
