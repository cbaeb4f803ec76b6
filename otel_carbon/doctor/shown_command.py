"""A command as a report may show it: without the secrets in it, on one line, as a shell takes it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECRET = "REDACTED"
"""What stands for a secret; a shell reads it as a plain word."""
_SECRET_PARTS = frozenset(
    {
        *("apikey", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "headers", "key"),
        *("pass", "passphrase", "passwd", "password", "pwd", "secret", "signature", "token"),
    }
)
"""Parts of a name of which the value is kept back."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HEADER_OPTIONS = ("-H", "--header", "--headers")
_USER_OPTIONS = ("-u", "--user")
_NAMED = re.compile(r"""([A-Za-z_][\w.-]*)["']?\s*[=:]\s*["']?""")
_VALUE = re.compile(r"""(?:(?:Bearer|Basic)\s+)?[^\s"',;&)}\]]+""")
_OPTION = re.compile(r"^--?[A-Za-z][\w-]*$")
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_BY_ITSELF = re.compile(
    r"\b(?:sk|pk|rk)-[\w-]{8,}|\bgh[pousr]_\w{16,}|\bxox[a-z]-[\w-]{8,}|\bAKIA[0-9A-Z]{12,}|\bAIza[\w-]{20,}"
    r"|\bhf_\w{16,}|\beyJ[\w-]{8,}\.[\w.-]+|(?<=Bearer )[^\s'\"]+|(?<=Basic )[^\s'\"]+"
)
"""Keys that tell by their shape that they are some."""


def shown_words(command: Iterable[str]) -> tuple[str, ...]:
    """The words of a command, with a placeholder for each secret that can be told as one."""
    return tuple(_shown(command))


def shown_line(command: Iterable[str]) -> str:
    """The same as one line that a shell takes."""
    return " ".join(map(quoted, shown_words(command)))


def quoted(word: str) -> str:
    """A word as a shell takes it, without a line break or another sign that moves the cursor."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(each if each.isprintable() else _escape(each) for each in escaped) + "'"


def _escape(sign: str) -> str:
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return known.get(sign) or "".join(f"\\x{byte:02x}" for byte in sign.encode(errors="surrogateescape"))


def _shown(command: Iterable[str]) -> Iterator[str]:
    before = ""
    for word in command:
        if before in _HEADER_OPTIONS and ":" in word:
            yield f"{word.partition(':')[0]}: {SECRET}" if _is_secret(word.partition(":")[0]) else _without(word)
        elif before in _USER_OPTIONS and ":" in word:
            yield f"{word.partition(':')[0]}:{SECRET}"
        elif _OPTION.match(before) and _is_secret(before) and not _OPTION.match(word):
            yield SECRET
        else:
            yield _without(word, is_code=before == "-c")
        before = word


def _without(word: str, *, is_code: bool = False) -> str:
    """A word without what is assigned in it to a secret's name, and without keys by their shape."""
    name, equals, _ = word.partition("=")
    if equals and not is_code and re.fullmatch(r"-{0,2}[\w.-]+", name) and _is_secret(name):
        return f"{name}={SECRET}"
    return _BY_ITSELF.sub(SECRET, _IN_ADDRESS.sub(SECRET, "".join(_without_assigned(word))))


def _without_assigned(word: str) -> Iterator[str]:
    kept_from = 0
    for named in _NAMED.finditer(word):
        value = _VALUE.match(word, named.end())
        if value and named.start() >= kept_from and _is_secret(named[1]):
            yield word[kept_from : named.end()] + SECRET
            kept_from = value.end()
    yield word[kept_from:]


def _is_secret(name: str) -> bool:
    return any(part.lower() in _SECRET_PARTS for part in _PARTS.findall(name))
