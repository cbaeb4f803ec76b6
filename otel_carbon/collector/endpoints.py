"""`host:port` as it stands in a configuration, and the sockets behind it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from otel_carbon.errors import ConfigError

_BACKLOG = 1024
_HIGHEST_PORT = 65535
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- compared with, never bound by default
_LOOPBACK_NAMES = frozenset({"localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port; port 0 lets the operating system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can be meant."""
        return self.host in _LOOPBACK_NAMES or self.host.startswith("127.")

    def clashes_with(self, other: Endpoint) -> bool:
        """Whether both cannot listen at the same time."""
        if self.port != other.port or self.port == 0:
            return False
        same_host = self.host == other.host or (self.is_loopback and other.is_loopback)
        return same_host or bool({self.host, other.host} & _EVERY_ADDRESS)


def parse_endpoint(text: str) -> Endpoint:
    """Read `host:port` or `[ipv6]:port`.

    Raises:
        ValueError: it is neither, or the port is no number from 0 to 65535.
    """
    host, colon, port_text = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host or "/" in host or not (port_text.isascii() and port_text.isdecimal()):
        raise ValueError(f"must be host:port such as localhost:4317, not {text!r}")
    port = int(port_text)
    if port > _HIGHEST_PORT:
        raise ValueError(f"the port must be from 0 to {_HIGHEST_PORT}, not {port}")
    return Endpoint(host, port)


def endpoint_of_url(url: str) -> Endpoint:
    """Host and port of a URL; without a port that of its scheme."""
    parts = urlsplit(url)
    return Endpoint(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def resolve(endpoint: Endpoint, key: str) -> tuple[socket.AddressFamily, str]:
    """Choose the one address to listen on: IPv4 first, because a host without IPv6 has none for `localhost`.

    Args:
        endpoint: where to listen.
        key: key path of the setting, for the message.

    Raises:
        ConfigError: the host name does not resolve.
    """
    # A text is encoded as an international name, whose tables take 1 MiB; what is ASCII needs none of them.
    host = endpoint.host.encode() if endpoint.host.isascii() else endpoint.host
    try:
        found = socket.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        problem = f"{key}: cannot resolve the host of {endpoint}: {reason}; use an address of this machine"
        raise ConfigError((problem,)) from error
    family, *_, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(address[0])


def listening_socket(endpoint: Endpoint, key: str) -> socket.socket:
    """Open the socket that a server accepts connections on.

    Raises:
        ConfigError: the address is taken, not ours or not allowed; the message says what to do.
    """
    family, address = resolve(endpoint, key)
    try:
        return socket.create_server((address, endpoint.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise bind_problem(endpoint, key, os.strerror(error.errno or 0)) from error


def bind_problem(endpoint: Endpoint, key: str, reason: str) -> ConfigError:
    """Explain that an endpoint cannot be listened on."""
    advice = "stop the program that uses it, or choose another port"
    return ConfigError((f"{key}: cannot listen on {endpoint}: {reason.lower()}; {advice} (0 takes a free one)",))


def bound_endpoint(server_socket: socket.socket) -> Endpoint:
    """Tell where a socket really listens."""
    host, port = server_socket.getsockname()[:2]
    return Endpoint(str(host), int(port))
