"""Settings of extensions: the meaning, unit and default of every key."""

from __future__ import annotations

from otel_carbon.collector.config.modelling import Field
from otel_carbon.collector.config.security import SecuredListener
from otel_carbon.collector.config.values import MEBIBYTE, ListenEndpoint, Name, Seconds, Section


class HealthCheckConfig(SecuredListener):
    """Answers probes: 200 while telemetry is taken, 503 before and after."""

    endpoint: ListenEndpoint = Field(
        default="localhost:13133", description="Where to listen, `host:port`; port 0 takes a free one."
    )


class FileStorageConfig(Section):
    """Keeps on the disk what was accepted, and with it what was counted: nothing acknowledged is lost by a crash."""

    directory: Name = Field(
        description="Where; made, for its owner only, if it is not there. One collector at a time uses it."
    )
    max_size_bytes: int = Field(
        default=1024 * MEBIBYTE,
        ge=16 * MEBIBYTE,
        description="Bound of the file in bytes, three quarters of it for requests; its write-ahead log and "
        "ballast for a full disk take up to 24 MiB beside it.",
    )
    write_timeout_s: Seconds = Field(
        default=5.0,
        validation_alias="write_timeout",
        ge=0.1,
        description="How long a client waits for the disk, a duration; then it is asked to come again, and so is "
        "everybody until the disk answers.",
    )
