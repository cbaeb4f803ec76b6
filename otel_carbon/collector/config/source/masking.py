"""Hide what may be a secret before a line or a message is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_carbon.collector.config.text import KeyPath

MASK = "***"
_SECRET = re.compile(
    r"headers?$|token|passw|secret|authori[sz]ation|credential|api[-_]?key|cookie|private|_pem$|^inline$", re.IGNORECASE
)
_NO_SECRET = re.compile(r"(file|filename|path|url|endpoint|algorithm)$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][\w-]*(?=\s*[\"']?\s*:)")
_USER_IN_URL = re.compile(r"(?<=//)[^/@\s'\"]+(?=@)|[^\s/@:'\"{},]+:[^\s/@'\"]+(?=@)")
_SECRET_IN_QUERY = re.compile(r"([?&][^=&\s]*(?:key|token|secret|sig|pass)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE)
_QUOTED = re.compile(r"'(?!<)[^']{2,}'")
_COMPONENT_ID = 1
"""Where in a key path the name of a component stands; it says nothing about the settings below it."""


def is_secret(path: KeyPath) -> bool:
    """Whether a value at a key path must not be shown."""
    below_component = len(path) > _COMPONENT_ID + 1
    return any(
        isinstance(part, str) and _is_secret_name(part)
        for index, part in enumerate(path)
        if not (index == _COMPONENT_ID and below_component)
    )


def without_credentials(text: str) -> str:
    """A text without the users, passwords and keys that stand in URLs."""
    return _SECRET_IN_QUERY.sub(rf"\1{MASK}", _USER_IN_URL.sub(MASK, text))


def masked(text: str, spans: Iterable[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """A text with characters hidden.

    Args:
        text: one line.
        spans: first column and the one after the last, from 0; they do not overlap.

    Returns:
        The text, and the spans that were hidden, in order.
    """
    hidden = sorted(set(spans))
    for first, after in reversed(hidden):
        text = text[:first] + MASK + text[after:]
    return text, hidden


def unparsed_line(lines: Sequence[str], line: int) -> str:
    """A line, from 1, of a file that cannot be parsed; what follows a name of a secret, or is below it, is hidden."""
    if not 0 < line <= len(lines):
        return ""
    written = lines[line - 1]
    if any(_names_secret(above) for above in _sections_around(lines, line)):
        return written[: len(written) - len(written.lstrip())] + MASK
    found = next((word for word in _WORD.finditer(written) if _is_secret_name(word[0])), None)
    return without_credentials(written[: found.end()] + f": {MASK}" if found else written)


def message_of_yaml(problem: str) -> str:
    """What ruamel found, without the names of anchors and tags: a password may begin with `*`, `&` or `!`."""
    return _QUOTED.sub(MASK, problem)


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)


def _names_secret(line: str) -> bool:
    return any(_is_secret_name(word[0]) for word in _WORD.finditer(line))


def _sections_around(lines: Sequence[str], line: int) -> Iterable[str]:
    """The lines above that are indented less, each less than the one below it."""
    indent = _indent(lines[line - 1])
    for above in reversed(lines[: line - 1]):
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            yield above


def _indent(line: str) -> int:
    # The items of a list may stand right below its key.
    return len(line) - len(line.lstrip()) + line.lstrip().startswith("- ")
