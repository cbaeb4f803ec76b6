"""Settings of exporters: the meaning, unit and default of every key."""

from __future__ import annotations

import re
from typing import Literal, Self

from otel_carbon.collector.config.client_tls import TlsClientConfig, contradiction
from otel_carbon.collector.config.modelling import Field, field_validator, model_validator
from otel_carbon.collector.config.security import AuthorizedExporter, SecuredListener
from otel_carbon.collector.config.values import (
    MEBIBYTE,
    BackendUrl,
    Headers,
    ListenEndpoint,
    Seconds,
    Section,
)
from otel_carbon.collector.endpoints import Endpoint, endpoint_of_url, parse_endpoint


class RetryConfig(Section):
    """When a batch that the backend refused for now is sent again."""

    enabled: bool = Field(default=True, description="Whether to send again at all.")
    initial_interval_s: Seconds = Field(
        default=5.0, validation_alias="initial_interval", ge=0.001, description="First delay, a duration."
    )
    max_interval_s: Seconds = Field(
        default=30.0, validation_alias="max_interval", ge=0.001, description="Longest delay, a duration."
    )
    max_elapsed_time_s: Seconds = Field(
        default=300.0,
        validation_alias="max_elapsed_time",
        ge=0,
        description="When to drop the batch, a duration; 0 is never. With a durable queue it is never by default.",
    )
    unauthorized: bool = Field(
        default=False,
        description="Whether it is sent again also when a backend refuses our credentials (401, 403, UNAUTHENTICATED, "
        "PERMISSION_DENIED), which OTLP has dropped: a token that ran out then costs nothing but time.",
    )
    multiplier: float = Field(
        default=1.5, ge=1, le=100, description="Each delay is so many times as long as the one before."
    )


class BatchConfig(Section):
    """How requests that wait are put together; none is ever split."""

    flush_timeout_s: Seconds = Field(
        default=0.2,
        validation_alias="flush_timeout",
        ge=0.001,
        description="How long a request waits for others, a duration.",
    )
    sizer: Literal["bytes", "items"] = Field(
        default="items", description="What `min_size` and `max_size` count: `items` (spans and so on) or `bytes`."
    )
    min_size: int = Field(default=8192, ge=0, description="As much as this is sent without waiting for more.")
    max_size: int = Field(
        default=0,
        ge=0,
        description="More is not put together; 0 is no bound but the one in bytes, which is 1 MiB or, with "
        "`sizer: bytes`, `min_size` if that is more.",
    )

    @model_validator(mode="after")
    def _least_below_most(self) -> Self:
        if self.max_size and self.max_size < self.min_size:
            raise ValueError(f"max_size {self.max_size} must not be below min_size {self.min_size}")
        return self


class QueueConfig(Section):
    """What waits for a backend, in memory or, with `storage`, on the disk."""

    enabled: bool = Field(default=True, description="There is always a queue; `false` is refused, with what to write.")
    queue_size_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=1,
        description="Bound of the queue in bytes; when it is reached, clients are asked "
        "to wait. With `storage`, by default only the disk bounds it.",
    )
    storage: str | None = Field(
        default=None, description="Id of a `file_storage` extension: what was accepted outlives the process."
    )
    num_consumers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many requests are on their way at a time; above 1 the order may change.",
    )
    on_full: Literal["isolate", "refuse"] = Field(
        default="isolate",
        description="When the queue is full because its backend fails: `isolate` drops what comes for it, and counts "
        "that, as long as another exporter of the pipeline takes it; `refuse` asks clients to wait.",
    )
    batch: BatchConfig = Field(
        default_factory=BatchConfig, description="How requests are put together; `{min_size: 0}` lets none wait."
    )

    @field_validator("enabled")
    @classmethod
    def _is_enabled(cls, enabled: bool) -> bool:
        if not enabled:
            raise ValueError(
                "must be true: what one backend refuses and another has taken would be sent to both again, so requests "
                "are answered when all queues have them; to lose none write storage: file_storage, "
                "and to send each request by itself at once batch: {min_size: 0, max_size: 1}"
            )
        return enabled


class _OtlpExporterConfig(AuthorizedExporter):
    headers: Headers = Field(default_factory=dict, description="Headers sent with every request.")
    tls: TlsClientConfig | None = Field(default=None, description="How TLS is spoken; certificates of your own.")
    compression: Literal["gzip", "none"] | None = Field(
        default=None, description="`gzip` or `none`; when left out, `none` to this machine and `gzip` to others."
    )
    timeout_s: Seconds = Field(
        default=5.0, validation_alias="timeout", gt=0, description="Longest time for one attempt, a duration."
    )
    retry_on_failure: RetryConfig = Field(default_factory=RetryConfig, description="When to send again.")
    sending_queue: QueueConfig = Field(default_factory=QueueConfig, description="What waits in memory.")


class OtlpGrpcExporterConfig(_OtlpExporterConfig):
    """Sends to a backend by OTLP/gRPC."""

    endpoint: str = Field(
        description=(
            "`http://host:port` (plain) or `https://host:port` (TLS); without a scheme `tls` says which, "
            "and for this machine it is plain."
        )
    )

    @model_validator(mode="after")
    def _says_whether_tls(self) -> Self:
        if "@" in self.endpoint:
            raise ValueError("endpoint holds no user and password over gRPC; put an authorization into headers")
        target = self.target
        if "://" not in self.endpoint and not target.is_loopback and self.tls is None:
            raise ValueError(f"endpoint must say http://{target} (plain) or https://{target} (TLS)")
        if problem := contradiction(self.endpoint, self.tls):
            raise ValueError(problem)
        if self.tls is not None and (self.tls.insecure_skip_verify or self.tls.min_version != "1.2"):
            # The Python library of gRPC has no way to say either.
            raise ValueError(
                "tls.insecure_skip_verify and tls.min_version cannot be had over gRPC; name the certificate in "
                "tls.ca_file and its name in tls.server_name_override, or use otlp_http"
            )
        return self

    @property
    def target(self) -> Endpoint:
        """Host and port of the backend."""
        return parse_endpoint(re.sub(r"^https?://", "", self.endpoint).rstrip("/"))

    @property
    def secure(self) -> bool:
        """Whether TLS is used."""
        if "://" in self.endpoint or self.tls is None:
            return self.endpoint.startswith("https://")
        return not self.tls.insecure


class OtlpHttpExporterConfig(_OtlpExporterConfig):
    """Sends to a backend by OTLP/HTTP with protobuf bodies."""

    endpoint: BackendUrl = Field(description="URL of the backend; `/v1/traces` and so on are appended.")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if problem := contradiction(self.endpoint, self.tls):
            raise ValueError(problem)
        return self

    @property
    def target(self) -> Endpoint:
        """Host and port of the backend."""
        return endpoint_of_url(self.endpoint)


class BuiltInPageConfig(Section):
    """A page for people at `/`: totals with their ranges, the last 30 days, models, coverage, budgets, health."""

    enabled: bool = Field(default=True, description="Whether there is one.")
    budgets: str | None = Field(
        default=None,
        min_length=1,
        description="Path of a budgets.yaml; the page shows where its budgets stand by what this collector counted.",
    )


class PrometheusExporterConfig(SecuredListener):
    """Serves `/metrics`: the carbon processor's counters and the collector's own; and a page for people at `/`."""

    endpoint: ListenEndpoint = Field(
        default="localhost:9464", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    page: BuiltInPageConfig = Field(
        default_factory=BuiltInPageConfig, description="The page at `/`, behind the same TLS and authentication."
    )


class FileRotationConfig(Section):
    """When the file is renamed, and how many old ones are kept."""

    max_megabytes: int = Field(default=100, ge=1, description="Size at which the file is renamed, in MiB.")
    max_days: int = Field(default=0, ge=0, description="Days that old files are kept; 0 is without an end.")
    max_backups: int = Field(default=100, ge=1, description="How many old files are kept.")
    localtime: bool = Field(default=False, description="Whether the names of old files have local time instead of UTC.")


class FileExporterConfig(Section):
    """Writes all that passes to a file, whatever its attributes hold; the file is readable by its owner alone."""

    path: str = Field(min_length=1, description="The file; its folder must be there.")
    format: Literal["json", "proto"] = Field(
        default="json", description="`json`: a line of OTLP JSON for each batch; `proto`: protobuf behind its length."
    )
    compression: Literal["none", "zstd"] = Field(
        default="none", description="`zstd` compresses each batch and writes it behind its length, JSON too."
    )
    append: bool = Field(
        default=True, description="Whether a file that is there at the start is continued, instead of renamed."
    )
    flush_interval_s: Seconds = Field(
        default=1.0,
        validation_alias="flush_interval",
        ge=0,
        description="How often to wait for the disk, a duration; 0 is after every batch.",
    )
    rotation: FileRotationConfig = Field(default_factory=FileRotationConfig, description="When the file is renamed.")
    retry_on_failure: RetryConfig = Field(default_factory=RetryConfig, description="When to write again.")
    sending_queue: QueueConfig = Field(default_factory=QueueConfig, description="What waits in memory.")


class DebugExporterConfig(Section):
    """Logs what passes: counts, and of spans the name and the `otel_carbon.*` attributes, never content."""

    verbosity: Literal["basic", "normal", "detailed"] = Field(
        default="basic",
        description="`basic`: a line for each batch; `normal`: a line for each span as well; "
        "`detailed`: with ids, kind, duration and scope.",
    )
