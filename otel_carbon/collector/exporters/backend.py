"""Where and how an exporter sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.collector.client_auth import Authorization
    from otel_carbon.collector.client_tls import ClientTls


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """One backend of one exporter.

    Attributes:
        exporter: component id, for the log.
        endpoint: a URL over HTTP, `host:port` for OTLP/gRPC; may hold a password, so it is never logged as it is.
        headers: sent with every request; may hold secrets, so they are never logged.
        gzip: whether OTLP bodies are compressed (level 1 over HTTP; gRPC's library chooses its own level).
        timeout_s: longest time for one attempt, in seconds.
        secure: whether OTLP/gRPC uses TLS; over HTTP the URL says so.
        behind_proxy: whether proxies named in the environment apply; they cannot reach this machine's loopback.
        tls: how TLS is spoken, where it is used; None is as usual.
        retries_unauthorized: whether a refusal of our credentials may pass later.
        authorization: the credentials to send with each request; None sends none beside those of the headers.
    """

    exporter: str
    endpoint: str
    headers: Mapping[str, str]
    gzip: bool
    timeout_s: float
    secure: bool = False
    behind_proxy: bool = True
    retries_unauthorized: bool = False
    tls: ClientTls | None = None
    authorization: Authorization | None = None
