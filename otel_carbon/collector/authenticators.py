"""Who may send: bearer tokens, or users with passwords. Secrets are kept as digests and never come into a message."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from otel_carbon.collector.watched_files import WatchedFiles
from otel_carbon.errors import ConfigError, OtelCarbonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

FILE_INTERVAL_S = 1.0
"""How long a look at a file of secrets holds."""
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
_OTHER_HASHES = ("$apr1$", "$1$", "$5$", "$6$", "{SHA}")
_BCRYPT_PASSWORD_BYTES = 72
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}")
"""Costs up to 15, which is seconds; beyond that one guess would keep everybody out."""


class PasswordsBusy(OtelCarbonError):
    """Another password is being compared, which takes long on purpose; the client should try again soon."""


class Authenticator(Protocol):
    """Decides by the `authorization` header of a request."""

    @property
    def challenge(self) -> str:
        """What to answer in `www-authenticate`."""

    def remembers(self, authorization: str) -> bool:
        """Whether the request may pass, as far as can be told in microseconds."""

    def admits(self, authorization: str) -> bool:
        """Whether the request may pass; may take a part of a second.

        Raises:
            PasswordsBusy: it cannot be told now.
        """


class BearerTokens:
    """Admits whoever has one of the tokens.

    Args:
        tokens: gives the tokens that hold now.
        scheme: the word before the token.
    """

    def __init__(self, tokens: Callable[[], Iterable[bytes]], scheme: str = "Bearer") -> None:
        self._digests = tokens
        self._scheme = scheme

    @property
    def challenge(self) -> str:
        """What to answer in `www-authenticate`."""
        return self._scheme

    def remembers(self, authorization: str) -> bool:
        """Whether the token is one of ours; all of them are compared, each in constant time."""
        scheme, _, token = authorization.partition(" ")
        digest = _digest(token.strip().encode("latin-1", "replace"))
        found = False
        for each in self._digests():
            found |= hmac.compare_digest(digest, each)
        return found and scheme.lower() == self._scheme.lower()

    def admits(self, authorization: str) -> bool:
        """The same as `remembers`."""
        return self.remembers(authorization)


class BasicUsers:
    """Admits users by name and password.

    bcrypt is slow on purpose: a password that was right once is remembered, as a keyed digest, until the users change;
    and only one is compared at a time, so that guessing takes one core at most.

    Args:
        users: gives the users that hold now, each with its bcrypt hash or plain password.
    """

    challenge = 'Basic realm="otel-carbon", charset="UTF-8"'

    def __init__(self, users: Callable[[], Mapping[str, bytes]]) -> None:
        self._users = users
        self._key = secrets.token_bytes(32)
        self._remembered: dict[str, tuple[bytes, bytes]] = {}
        self._comparing = Lock()

    def remembers(self, authorization: str) -> bool:
        """Whether these credentials were right before, and their user has not changed."""
        user, password = _credentials(authorization)
        stored = self._users().get(user)
        remembered = self._remembered.get(user)
        if stored is None or remembered is None or remembered[0] != stored:
            return False
        return hmac.compare_digest(remembered[1], self._keyed(password))

    def admits(self, authorization: str) -> bool:
        """Compare the password.

        Raises:
            PasswordsBusy: another one is being compared.
        """
        if self.remembers(authorization):
            return True
        if not self._comparing.acquire(blocking=False):
            raise PasswordsBusy("too many passwords to compare; try again")
        try:
            return self._compare(*_credentials(authorization))
        finally:
            self._comparing.release()

    def _compare(self, user: str, password: bytes) -> bool:
        users = self._users()
        stored = users.get(user)
        # Where a user is unknown another's is compared, so that the time of the answer does not tell who is known.
        is_right = _matches(password, next(iter(users.values())) if stored is None else stored)
        if stored is None or not is_right:
            return False
        self._remembered[user] = (stored, self._keyed(password))
        return True

    def _keyed(self, password: bytes) -> bytes:
        return hmac.digest(self._key, password, "sha256")


def bearer_tokens(tokens: Iterable[str], *, scheme: str = "Bearer") -> BearerTokens:
    """Admit the holders of these tokens."""
    digests = tuple(_digest(token.encode()) for token in tokens)
    return BearerTokens(lambda: digests, scheme)


def bearer_token_file(
    path: Path, *, key: str, scheme: str = "Bearer", interval_s: float = FILE_INTERVAL_S
) -> BearerTokens:
    """Admit the holders of the tokens in a file, one on each line; it is read anew when it changes.

    Args:
        path: the file.
        key: key path of the setting, for messages.
        scheme: the word before the token.
        interval_s: how long a look at the file holds, in seconds.

    Raises:
        ConfigError: the file cannot be read, or holds no token.
    """
    watched = WatchedFiles([path], lambda: _token_digests(path, key), key=key, interval_s=interval_s)
    return BearerTokens(lambda: watched.value, scheme)


def basic_users(htpasswd: str, *, key: str) -> BasicUsers:
    """Admit the users of a text in the format of htpasswd.

    Raises:
        ConfigError: a line of it cannot be used; the message holds its number and nothing of it.
    """
    users = read_htpasswd(htpasswd, key=key)
    return BasicUsers(lambda: users)


def basic_user_file(path: Path, inline: str, *, key: str, interval_s: float = FILE_INTERVAL_S) -> BasicUsers:
    """Admit the users of a file, read anew when it changes, and of a text; those of the text win.

    Args:
        path: the file.
        inline: the text, in the same format; may be empty.
        key: key path of the setting, for messages.
        interval_s: how long a look at the file holds, in seconds.

    Raises:
        ConfigError: the file cannot be read, or a line cannot be used.
    """
    own = read_htpasswd(inline, key=key) if inline else {}

    def load() -> Mapping[str, bytes]:
        return {**read_htpasswd(_read(path, key), key=key), **own}

    watched = WatchedFiles([path], load, key=key, interval_s=interval_s)
    return BasicUsers(lambda: watched.value)


def read_htpasswd(text: str, *, key: str) -> dict[str, bytes]:
    """Read `user:bcrypt hash` or `user:password` lines; empty ones and comments are skipped.

    Raises:
        ConfigError: a line cannot be used; the message holds its number and nothing of it.
    """
    users: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user, colon, password = line.strip().partition(":")
        if not colon or not user or not password:
            raise ConfigError((f"{key}: line {number} is not user:password",))
        if password.startswith(_OTHER_HASHES):
            raise ConfigError((f"{key}: line {number} has another hash than bcrypt; make it with htpasswd -B",))
        if password.startswith(_BCRYPT_PREFIXES) and not _BCRYPT.fullmatch(password):
            raise ConfigError((f"{key}: line {number} has a bcrypt hash that is damaged, or of a cost over 15",))
        users[user] = password.encode()
    if not users:
        raise ConfigError((f"{key}: names no user",))
    return users


def _token_digests(path: Path, key: str) -> tuple[bytes, ...]:
    tokens = [line.strip() for line in _read(path, key).splitlines()]
    digests = tuple(_digest(token.encode()) for token in tokens if token)
    if not digests:
        raise ConfigError((f"{key}: holds no token: {path}",))
    return digests


def _read(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError((f"{key}: cannot be read: {path}: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((f"{key}: is not UTF-8 text: {path}",)) from error


def _credentials(authorization: str) -> tuple[str, bytes]:
    """User and password; what is no such header is nobody, whom no one can be: names are not empty."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        decoded = b""
    user, _, password = decoded.partition(b":")
    return user.decode("utf-8", "replace"), password


def _matches(password: bytes, stored: bytes) -> bool:
    if not stored.decode().startswith(_BCRYPT_PREFIXES):
        return hmac.compare_digest(_digest(password), _digest(stored))
    try:
        import bcrypt  # few collectors have passwords

        # bcrypt has never looked at more than 72 bytes, and the library now refuses more.
        return bcrypt.checkpw(password[:_BCRYPT_PASSWORD_BYTES], stored)
    except ValueError:
        return False


def _digest(secret: bytes) -> bytes:
    """Of one length for all, so that comparing tells nothing of a secret's length either."""
    return hashlib.sha256(secret).digest()
