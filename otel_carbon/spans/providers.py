"""Who ran the model: the provider's name as conventions spell it, or the one that the server's address gives away."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from otel_carbon.spans.dialect import COMPILED


class ProviderSpellings(NamedTuple):
    """Other spellings of providers' names, by name or by pattern, and patterns of the hosts that serve their APIs."""

    exact: dict[str, str]
    patterns: tuple[tuple[str, str], ...]
    hosts: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def known_spellings() -> ProviderSpellings:
    """Names and hosts to the conventions' names, read when first asked for."""
    exact: dict[str, str] = {}
    patterns: list[tuple[str, str]] = []
    hosts: list[tuple[str, str]] = []
    for record in json.loads(COMPILED.read_text(encoding="utf-8"))["providers"]:
        name = record["name"]
        hosts += ((pattern, name) for pattern in record["hosts"])
        for spelled in record["spellings"]:
            if "*" in spelled:
                patterns.append((spelled, name))
            else:
                exact[spelled] = name
    return ProviderSpellings(exact, tuple(patterns), tuple(hosts))


def provider_name(spelled: str) -> str:
    """A provider's name as the GenAI conventions spell it; an unknown one in lower case."""
    name = spelled.strip().lower().partition("/")[0]  # LiteLLM: `openai/gpt-4o`
    known = known_spellings()
    if name in known.exact:
        return known.exact[name]
    return next((provider for pattern, provider in known.patterns if fnmatchcase(name, pattern)), name)


@lru_cache(maxsize=1024)
def provider_at(host: str) -> str:
    """The provider whose API a host name serves, empty when the host says nothing."""
    return next((provider for pattern, provider in known_spellings().hosts if fnmatchcase(host, pattern)), "")


def host_of(address: str) -> str:
    """The host in an address or URL, in lower case."""
    _, separator, rest = address.strip().partition("://")
    host = (rest if separator else address.strip()).partition("/")[0].rpartition("@")[2]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return host.lower().rstrip(".")
