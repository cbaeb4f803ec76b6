"""Keep secrets out of what is said about a backend, and keep it to one short line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
MESSAGE_LIMIT_CHARACTERS = 300
"""Of what a backend says, in logs and errors."""
_SHORTEST_SECRET_CHARACTERS = 4


class Redaction:
    """Replaces secrets in a text: a backend may quote in its answer what it was sent.

    Args:
        url: the endpoint, whose user, password and query may be secret.
        header_values: headers sent, any of which may be secret.
    """

    def __init__(self, url: str, header_values: Iterable[str]) -> None:
        # Of `Bearer TOKEN` the token alone counts too.
        found = {*_secrets_of_url(url), *(part for value in header_values for part in (value, value.partition(" ")[2]))}
        # The longest first, or a part would be replaced inside the whole; shorter words are not worth hiding.
        self._secrets = sorted((each for each in found if len(each) >= _SHORTEST_SECRET_CHARACTERS), key=len)[::-1]

    def clean(self, text: str) -> str:
        """The text without them, its first 300 characters, and without control characters."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        text = text[:MESSAGE_LIMIT_CHARACTERS]
        return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text).strip()


def shown_url(url: str) -> str:
    """A URL without user, password and query; whatever has no `@` and no `?` stays as it is."""
    start, slashes, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{start}{slashes}{authority.rpartition('@')[2]}{slash}{path}".partition("?")[0]


def _secrets_of_url(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    for text in (parts.password, parts.query):
        if text:
            yield from (text, unquote(text))
