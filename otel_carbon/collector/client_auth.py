"""Credentials that exporters send: the `authorization` header, as it is at the moment."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from otel_carbon.collector.authenticators import FILE_INTERVAL_S
from otel_carbon.collector.watched_files import WatchedFiles
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Authorization = Callable[[], str]

_SENDABLE = re.compile(r"[\x21-\x7e]+")


def bearer_token(token: str, *, key: str, scheme: str = "Bearer") -> Authorization:
    """Send a token.

    Args:
        token: the token.
        key: key path of the setting, for messages.
        scheme: the word before the token.

    Raises:
        ConfigError: no header can carry it; the message does not show it.
    """
    value = f"{scheme} {_sendable(token, key)}"
    return lambda: value


def bearer_token_of_file(path: Path, *, key: str, scheme: str = "Bearer") -> Authorization:
    """Send the first token of a file, which is read anew when it changes; the arguments are those of `bearer_token`.

    Raises:
        ConfigError: the file cannot be read, or begins with no token.
    """

    def load() -> str:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ConfigError((f"{key}: cannot be read: {path}: {error.strerror}",)) from error
        except UnicodeDecodeError as error:
            raise ConfigError((f"{key}: is not UTF-8 text: {path}",)) from error
        return f"{scheme} {_sendable(next((line.strip() for line in lines if line.strip()), ''), key)}"

    watched = WatchedFiles([path], load, key=key, interval_s=FILE_INTERVAL_S)
    return lambda: watched.value


def user_and_password(user: str, password: str) -> Authorization:
    """Send user and password (HTTP Basic)."""
    value = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
    return lambda: value


def _sendable(token: str, key: str) -> str:
    if not _SENDABLE.fullmatch(token):
        raise ConfigError((f"{key}: is no token that a header can carry",))
    return token
