"""Settings of receivers: the meaning, unit and default of every key."""

from __future__ import annotations

from typing import Literal, Self

from otel_carbon.collector.config.cross_origin import CorsConfig  # noqa: TC001 -- pydantic reads it at run time
from otel_carbon.collector.config.modelling import Field, model_validator
from otel_carbon.collector.config.security import SecuredListener
from otel_carbon.collector.config.values import ListenEndpoint, Seconds, Section
from otel_carbon.collector.connection_limits import DEFAULT_CLIENT_CONNECTIONS, DEFAULT_CONNECTIONS
from otel_carbon.collector.receivers.content_encodings import Compression  # noqa: TC001 -- the same
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES


class KeepaliveServerConfig(Section):
    """How long connections live, and how dead ones are found."""

    max_connection_idle_s: Seconds = Field(
        default=300.0,
        validation_alias="max_connection_idle",
        description="When to close a connection without calls, a duration; 0 is never.",
    )
    max_connection_age_s: Seconds = Field(
        default=0.0,
        validation_alias="max_connection_age",
        description="When to close any connection, so that clients spread anew, a duration; 0 is never.",
    )
    max_connection_age_grace_s: Seconds = Field(
        default=0.0,
        validation_alias="max_connection_age_grace",
        description="How long its calls may then take, a duration; 0 is as long as they take.",
    )
    time_s: Seconds = Field(
        default=7200.0, validation_alias="time", gt=0, description="When to ping a silent client, a duration."
    )
    timeout_s: Seconds = Field(
        default=20.0, validation_alias="timeout", gt=0, description="When to give it up without an answer, a duration."
    )


class KeepaliveEnforcementConfig(Section):
    """Which pings of clients are too many; such a client is disconnected."""

    min_time_s: Seconds = Field(
        default=300.0, validation_alias="min_time", ge=0, description="Shortest time between pings, a duration."
    )
    permit_without_stream: bool = Field(default=False, description="Whether to take pings while no call is running.")


class KeepaliveConfig(Section):
    """Keep-alive of HTTP/2 connections."""

    server_parameters: KeepaliveServerConfig = Field(
        default_factory=KeepaliveServerConfig, description="How long connections live."
    )
    enforcement_policy: KeepaliveEnforcementConfig = Field(
        default_factory=KeepaliveEnforcementConfig, description="Which pings are too many."
    )


class GrpcProtocolConfig(SecuredListener):
    """OTLP/gRPC."""

    endpoint: ListenEndpoint = Field(
        default="localhost:4317", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    max_recv_msg_size_mib: int = Field(
        default=64, ge=1, le=2047, description="Largest message, before and after decompression, in MiB."
    )
    max_concurrent_streams: int = Field(
        default=100, ge=1, description="Calls at a time on one connection; a client waits with more by itself."
    )
    max_connections: int = Field(
        default=DEFAULT_CONNECTIONS, ge=1, description="Open connections; one more is closed at once."
    )
    read_timeout_s: Seconds = Field(
        default=30.0, validation_alias="read_timeout", gt=0, description="Longest time for a message, a duration."
    )
    keepalive: KeepaliveConfig = Field(default_factory=KeepaliveConfig, description="Keep-alive of connections.")


class HttpProtocolConfig(SecuredListener):
    """OTLP/HTTP, protobuf and JSON."""

    endpoint: ListenEndpoint = Field(
        default="localhost:4318", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    max_request_body_size: int = Field(
        default=DEFAULT_LIMIT_BYTES, ge=1, description="Largest body, before and after decompression, in bytes."
    )
    compression_algorithms: tuple[Literal["", Compression], ...] = Field(
        default=(),
        description="Content encodings that are taken; all, unless some are named. Bodies without one are always "
        'taken, also where `""`, which stands for them, is not in the list.',
    )
    cors: CorsConfig | None = Field(
        default=None, description="Which web pages may send (CORS); none unless the key is there."
    )
    read_header_timeout_s: Seconds = Field(
        default=10.0,
        validation_alias="read_header_timeout",
        gt=0,
        description="Longest time for a TLS handshake, and for the headers of a request, a duration.",
    )
    read_timeout_s: Seconds = Field(
        default=30.0, validation_alias="read_timeout", gt=0, description="Longest time for a body, a duration."
    )
    write_timeout_s: Seconds = Field(
        default=30.0,
        validation_alias="write_timeout",
        gt=0,
        description="Longest time for a client to take an answer, a duration.",
    )
    idle_timeout_s: Seconds = Field(
        default=60.0,
        validation_alias="idle_timeout",
        gt=0,
        description="How long a connection may wait for its next request, a duration.",
    )
    keep_alives_enabled: bool = Field(default=True, description="Whether a connection may have a next request.")
    max_connections: int = Field(
        default=DEFAULT_CONNECTIONS, ge=1, description="Open connections; one more is closed at once."
    )
    max_connections_per_client: int = Field(
        default=DEFAULT_CLIENT_CONNECTIONS, ge=1, description="Open connections from one address."
    )


class ProtocolsConfig(Section):
    """Which protocols a receiver speaks; one that is left out is off."""

    grpc: GrpcProtocolConfig | None = Field(default=None, description="OTLP/gRPC; off unless the key is there.")
    http: HttpProtocolConfig | None = Field(default=None, description="OTLP/HTTP; off unless the key is there.")

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if self.grpc is None and self.http is None:
            raise ValueError("must name at least one protocol: grpc, http")
        return self


class OtlpReceiverConfig(Section):
    """Receives traces, metrics and logs from OpenTelemetry SDKs and collectors."""

    protocols: ProtocolsConfig = Field(description="Protocols to speak: `grpc`, `http` or both.")
