"""Settings of whatever listens, made from the configuration, with TLS and authenticators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.collector.config.authenticators import BasicAuthConfig, BearerTokenAuthConfig
from otel_carbon.collector.cross_origin import CrossOriginSettings
from otel_carbon.collector.endpoints import parse_endpoint
from otel_carbon.collector.http_connection import ConnectionSettings
from otel_carbon.collector.receivers.content_encodings import EVERY_COMPRESSION, ContentEncodings
from otel_carbon.collector.receivers.grpc_settings import GrpcSettings, KeepaliveSettings
from otel_carbon.collector.receivers.otlp_http import HttpSettings
from otel_carbon.collector.tls import ServerTls

if TYPE_CHECKING:
    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.client_auth import Authorization
    from otel_carbon.collector.config.cross_origin import CorsConfig
    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.collector.config.receivers import (
        GrpcProtocolConfig,
        HttpProtocolConfig,
        KeepaliveConfig,
    )
    from otel_carbon.collector.config.security import AuthorizedExporter, SecuredListener

_MEBIBYTE = 1024 * 1024


class Security:
    """The authenticators that run, and the TLS of each listener.

    Args:
        config: a configuration that was checked.

    Raises:
        ConfigError: a file of theirs cannot be read any more.
    """

    def __init__(self, config: CollectorConfig) -> None:
        self._authenticators = {
            name: extension.authenticator(f"extensions.{name}")
            for name, extension in config.extensions.items()
            if isinstance(extension, BearerTokenAuthConfig | BasicAuthConfig)
            and extension.decides
            and name in config.service.extensions
        }
        self._extensions = config.extensions

    def authenticator(self, listener: SecuredListener) -> Authenticator | None:
        """Who decides for a listener; None where all may come."""
        return self._authenticators[listener.auth.authenticator] if listener.auth else None

    def authorization(self, exporter: AuthorizedExporter) -> Authorization | None:
        """What an exporter sends to be let in; None where nothing is set.

        Raises:
            ConfigError: the extension has nothing to send.
        """
        if exporter.auth is None:
            return None
        name = exporter.auth.authenticator
        extension = self._extensions[name]
        if not isinstance(extension, BearerTokenAuthConfig | BasicAuthConfig):
            raise TypeError(f"{name} was checked to be an authenticator")
        return extension.authorization(f"extensions.{name}")

    def tls(self, key: str, listener: SecuredListener) -> ServerTls | None:
        """The TLS of a listener whose section is at a key path; None where it is plain.

        Raises:
            ConfigError: a file cannot be read any more.
        """
        return ServerTls(listener.tls.settings(f"{key}.tls")) if listener.tls else None


def grpc_receiver_settings(receiver: str, config: GrpcProtocolConfig, security: Security) -> GrpcSettings:
    """What the gRPC side of a receiver is given."""
    key = f"receivers.{receiver}.protocols.grpc"
    return GrpcSettings(
        endpoint=parse_endpoint(config.endpoint),
        key=f"{key}.endpoint",
        limit_bytes=config.max_recv_msg_size_mib * _MEBIBYTE,
        message_deadline_s=config.read_timeout_s,
        most_streams=config.max_concurrent_streams,
        most_connections=config.max_connections,
        keepalive=_keepalive(config.keepalive),
        tls=security.tls(key, config),
        authenticator=security.authenticator(config),
    )


def http_receiver_settings(receiver: str, config: HttpProtocolConfig, security: Security) -> HttpSettings:
    """What the HTTP side of a receiver is given."""
    key = f"receivers.{receiver}.protocols.http"
    return HttpSettings(
        endpoint=parse_endpoint(config.endpoint),
        key=f"{key}.endpoint",
        limit_bytes=config.max_request_body_size,
        body_deadline_s=config.read_timeout_s,
        content_encodings=_content_encodings(config.compression_algorithms),
        connections=ConnectionSettings(
            header_deadline_s=config.read_header_timeout_s,
            write_deadline_s=config.write_timeout_s,
            idle_deadline_s=config.idle_timeout_s,
            keep_alive=config.keep_alives_enabled,
            most_connections=config.max_connections,
            most_client_connections=config.max_connections_per_client,
        ),
        tls=security.tls(key, config),
        authenticator=security.authenticator(config),
        cross_origin=_cross_origin(config.cors),
    )


def _content_encodings(names: tuple[str, ...]) -> ContentEncodings:
    """All, unless some are named; bodies without an encoding have none to be named."""
    return ContentEncodings(name for name in EVERY_COMPRESSION if not names or name in names)


def _cross_origin(config: CorsConfig | None) -> CrossOriginSettings | None:
    if config is None or not config.allowed_origins:
        return None
    return CrossOriginSettings(
        allowed_origins=config.allowed_origins,
        allowed_headers=config.allowed_headers,
        exposed_headers=config.exposed_headers,
        max_age_s=config.max_age_s,
    )


def _keepalive(config: KeepaliveConfig) -> KeepaliveSettings:
    server, policy = config.server_parameters, config.enforcement_policy
    return KeepaliveSettings(
        idle_s=server.max_connection_idle_s,
        age_s=server.max_connection_age_s,
        age_grace_s=server.max_connection_age_grace_s,
        ping_after_s=server.time_s,
        ping_timeout_s=server.timeout_s,
        shortest_ping_s=policy.min_time_s,
        pings_without_calls=policy.permit_without_stream,
    )
