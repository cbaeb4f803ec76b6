"""Hide what may be a secret before a line or a message is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_carbon.collector.config.text import KeyPath

MASK = "***"
_SECRET = re.compile(
    r"headers?$|token|passw|secret|authori[sz]ation|credential|api[-_]?key|cookie|private|_pem$|^inline$", re.IGNORECASE
)
_NO_SECRET = re.compile(r"(file|filename|path|url|endpoint|algorithm)$", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?<=://)(?P<authority>(?:\$\{[^}]*\}|[^/\s'\"?,;{}])+)")
_PLAIN_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|(\$\{[^}]*\}|[\w.-])+)(:(\d+|\$\{[^}]*\}))?")
_USER = re.compile(r"[^\s/@:'\"{},]*:[^\s/@'\"]+(?=@)")
_SECRET_IN_QUERY = re.compile(r"([?&][^=&\s]*(?:key|token|secret|sig|pass)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE)
_QUOTED = re.compile(r"'([^']*)'")
_WORD = re.compile(r"[\w-]+(?=\s*[\"']?\s*:)")
_PLAIN_KEY = re.compile(r"[\w./-]+")
WITHOUT_SECRETS = (("processors",), ("service",))
"""Sections whose keys may be names of models, services and regions, and that hold no secrets."""
_TOKEN = re.compile(
    r"""(?P<reference>\$\{(env:)?\w+\})
    | (?P<comment>(?:^|(?<=\s))\#.*)
    | (?P<quoted>"(?:[^"\\]|\\.)*"?|'[^']*'?)
    | (?P<word>[^\s{}\[\],"']+)
    | (?P<between>.)""",
    re.VERBOSE | re.DOTALL,
)
_BEFORE_A_KEY = frozenset("{,-?")
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


def may_hold_credentials(path: KeyPath, value: str) -> bool:
    """Whether a value may be a URL with a user, whole or broken."""
    return "@" in value and path[:1] not in WITHOUT_SECRETS


def without_credentials(text: str) -> str:
    """A text without the users, passwords and keys that stand in URLs."""
    text = _AUTHORITY.sub(_shown_authority, text)
    return _SECRET_IN_QUERY.sub(rf"\1{MASK}", _USER.sub(MASK, text))


def _shown_authority(found: re.Match[str]) -> str:
    authority = found["authority"]
    before_host = authority.rpartition("@")
    if before_host[1]:
        return f"{MASK}@{before_host[2]}"
    # Such as `user:password:4318`, where the @ was forgotten.
    return authority if _PLAIN_AUTHORITY.fullmatch(authority) else MASK


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


def shown_path(path: KeyPath) -> KeyPath:
    """A key path to show: where a colon was forgotten, a key may hold a secret."""
    return tuple(MASK if is_odd_key(path[: index + 1]) else part for index, part in enumerate(path))


def is_odd_key(path: KeyPath) -> bool:
    """Whether the last key of a path is none that a component could have, such as `authorization=abc`."""
    key = path[-1] if path else ""
    return isinstance(key, str) and path[:1] not in WITHOUT_SECRETS and not _PLAIN_KEY.fullmatch(key)


def unparsed_line(lines: Sequence[str], line: int, column: int) -> tuple[str, int]:
    """A line of a file that cannot be parsed, with everything hidden but its keys and brackets.

    Below a section that may hold secrets, which may be a text of many lines, its keys are hidden, too.

    Args:
        lines: the file.
        line: which one, from 1.
        column: a place on it, from 1.

    Returns:
        The line, and where that place is now; nothing where there is no such line.
    """
    if not 0 < line <= len(lines):
        return "", 0
    holds_secrets = any(_names_secret(above) for above in _sections_around(lines, line))
    shown, place, key_may_come = "", 0, not holds_secrets
    for token in _TOKEN.finditer(lines[line - 1]):
        if token.start() < column:
            place = len(shown) + 1
        text, kind = token[0], token.lastgroup
        is_key = kind == "word" and key_may_come and text.endswith(":") and bool(_PLAIN_KEY.fullmatch(text[:-1]))
        if kind == "comment":
            break
        if kind in {"quoted", "word"} and not is_key and len(text) > 1:
            text = MASK
        shown += text
        if not text.isspace():
            key_may_come = text in _BEFORE_A_KEY and not holds_secrets
    return shown, max(1, place)


def message_of_yaml(problem: str) -> str:
    """What ruamel found, without the names of anchors and tags: a password may begin with `*`, `&` or `!`."""
    return _QUOTED.sub(lambda found: found[0] if len(found[1]) <= 1 or found[1][0] == "<" else repr(MASK), problem)


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)


def _names_secret(line: str) -> bool:
    return any(_is_secret_name(word) for word in _WORD.findall(line))


def _sections_around(lines: Sequence[str], line: int) -> Iterator[str]:
    """The lines above that are indented less, each less than the one below it."""
    indent = _indent(lines[line - 1])
    for above in reversed(lines[: line - 1]):
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            yield above


def _indent(line: str) -> int:
    # The items of a list may stand right below its key.
    return len(line) - len(line.lstrip()) + line.lstrip().startswith("- ")
