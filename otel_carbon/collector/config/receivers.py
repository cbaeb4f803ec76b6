"""Settings of receivers: the meaning, unit and default of every key."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from otel_carbon.collector.config.values import ListenEndpoint, Section, empty_as_defaults
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES


class GrpcProtocolConfig(Section):
    """OTLP/gRPC."""

    endpoint: ListenEndpoint = Field(
        default="localhost:4317", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    max_recv_msg_size_mib: int = Field(
        default=64, ge=1, le=2047, description="Largest message, before and after decompression, in MiB."
    )


class HttpProtocolConfig(Section):
    """OTLP/HTTP, protobuf and JSON."""

    endpoint: ListenEndpoint = Field(
        default="localhost:4318", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    max_request_body_size: int = Field(
        default=DEFAULT_LIMIT_BYTES, ge=1, description="Largest body, before and after decompression, in bytes."
    )


class ProtocolsConfig(Section):
    """Which protocols a receiver speaks; one that is left out is off."""

    grpc: GrpcProtocolConfig | None = Field(default=None, description="OTLP/gRPC; off unless the key is there.")
    http: HttpProtocolConfig | None = Field(default=None, description="OTLP/HTTP; off unless the key is there.")

    _defaults = model_validator(mode="before")(empty_as_defaults)

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if self.grpc is None and self.http is None:
            raise ValueError("must name at least one protocol: grpc, http")
        return self


class OtlpReceiverConfig(Section):
    """Receives traces, metrics and logs from OpenTelemetry SDKs and collectors."""

    protocols: ProtocolsConfig = Field(description="Protocols to speak: `grpc`, `http` or both.")
