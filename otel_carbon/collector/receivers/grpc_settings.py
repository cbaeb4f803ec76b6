"""What an OTLP/gRPC receiver listens on and tolerates, and how grpcio is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_carbon.collector.connection_limits import DEFAULT_CONNECTIONS
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES

if TYPE_CHECKING:
    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.endpoints import Endpoint
    from otel_carbon.collector.tls import ServerTls

_IDENTITY_DEFLATE_AND_GZIP = 0b111
_FOREVER_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class KeepaliveSettings:
    """How long connections live, and how dead ones are found; times in seconds, 0 is for ever.

    Attributes:
        idle_s: when a connection without calls is closed.
        age_s: when any connection is closed.
        age_grace_s: how long its calls may then take.
        ping_after_s: when a silent client is pinged.
        ping_timeout_s: when it is given up without an answer.
        shortest_ping_s: shortest time between pings of a client.
        pings_without_calls: whether a client may ping while no call is running.
    """

    idle_s: float = 300.0
    age_s: float = 0.0
    age_grace_s: float = 0.0
    ping_after_s: float = 7200.0
    ping_timeout_s: float = 20.0
    shortest_ping_s: float = 300.0
    pings_without_calls: bool = False

    def options(self) -> list[tuple[str, int]]:
        """As channel arguments of gRPC."""
        return [
            ("grpc.max_connection_idle_ms", _milliseconds(self.idle_s)),
            ("grpc.max_connection_age_ms", _milliseconds(self.age_s)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(self.age_grace_s)),
            ("grpc.keepalive_time_ms", _milliseconds(self.ping_after_s)),
            ("grpc.keepalive_timeout_ms", _milliseconds(self.ping_timeout_s)),
            ("grpc.http2.min_ping_interval_without_data_ms", round(self.shortest_ping_s * 1000)),
            ("grpc.keepalive_permit_without_calls", int(self.pings_without_calls)),
        ]


@dataclass(frozen=True, slots=True)
class GrpcSettings:
    """What an OTLP/gRPC receiver listens on and tolerates.

    Attributes:
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        limit_bytes: largest message, before and after decompression, in bytes.
        message_deadline_s: longest time for a message to arrive, in seconds.
        handshake_deadline_s: longest time for a connection to say what it speaks, in seconds.
        most_streams: calls at a time on one connection.
        most_connections: of all clients together.
        keepalive: how long connections live.
        tls: certificates; None is plain.
        authenticator: who may send; None lets all.
    """

    endpoint: Endpoint
    key: str
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    message_deadline_s: float = 30.0
    handshake_deadline_s: float = 10.0
    most_streams: int = 100
    most_connections: int = DEFAULT_CONNECTIONS
    keepalive: KeepaliveSettings = field(default_factory=KeepaliveSettings)
    tls: ServerTls | None = None
    authenticator: Authenticator | None = None

    def options(self) -> list[tuple[str, int]]:
        """As channel arguments of gRPC."""
        return [
            ("grpc.max_receive_message_length", self.limit_bytes),
            ("grpc.max_concurrent_streams", self.most_streams),
            ("grpc.max_allowed_incoming_connections", self.most_connections),
            ("grpc.server_handshake_timeout_ms", _milliseconds(self.handshake_deadline_s)),
            *self.keepalive.options(),
            # A second collector on the same port must fail to start, not share the traffic by chance.
            ("grpc.so_reuseport", 0),
            # grpcio inflates a whole message before it looks at the limit: 300 kB of gzip become 300 MB.
            # So messages arrive as they were sent, and what bounds the bodies of the HTTP receiver expands them.
            ("grpc.per_message_decompression", 0),
            ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_DEFLATE_AND_GZIP),
        ]


def _milliseconds(duration_s: float) -> int:
    return round(duration_s * 1000) if duration_s else _FOREVER_MS
