"""The shape of collector.yaml: one model for each component, with the meaning, unit and default of every key."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from otel_carbon.collector.endpoints import Endpoint, parse_endpoint
from otel_carbon.otlp.limits import DEFAULT_LIMIT_BYTES

_MEBIBYTE = 1024 * 1024
MAX_HOLD_S = 60.0
_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+)ms)?"
)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds_from_duration(text: object) -> float:
    """Read `5s`, `200ms`, `1m30s` or `0` as seconds.

    Raises:
        ValueError: it is no such duration.
    """
    if str(text) == "0":
        return 0.0
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError("must be a duration with its unit, such as 5s, 200ms or 1m30s")
    return sum(float(amount) * _SECONDS[unit] for unit, amount in match.groupdict().items() if amount)


def _valid_endpoint(text: str) -> str:
    parse_endpoint(text)
    return text


def _valid_url(text: str) -> str:
    problem = f"must be a URL such as http://backend:4318, not {text!r}"
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(problem) from error
    if parts.scheme not in {"http", "https"} or not has_host:
        raise ValueError(problem)
    return text


def _empty_as_defaults(section: object) -> object:
    """`grpc:` with nothing behind it means: with all defaults."""
    if isinstance(section, dict):
        return {key: {} if value is None else value for key, value in section.items()}
    return section


def _not_too_long(seconds: float) -> float:
    if seconds > MAX_HOLD_S:
        raise ValueError(f"must be at most {MAX_HOLD_S:g}s: what is held back is in memory only")
    return seconds


Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, BeforeValidator(seconds_from_duration)]
HoldSeconds = Annotated[Seconds, AfterValidator(_not_too_long)]
ListenEndpoint = Annotated[str, AfterValidator(_valid_endpoint)]
BackendUrl = Annotated[str, AfterValidator(_valid_url)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GrpcProtocolConfig(_Model):
    """OTLP/gRPC."""

    endpoint: ListenEndpoint = Field(
        default="localhost:4317", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    max_recv_msg_size_mib: int = Field(
        default=64, ge=1, le=2047, description="Largest message, before and after decompression, in MiB."
    )


class HttpProtocolConfig(_Model):
    """OTLP/HTTP, protobuf and JSON."""

    endpoint: ListenEndpoint = Field(
        default="localhost:4318", description="Where to listen, `host:port`; port 0 takes a free one."
    )
    max_request_body_size: int = Field(
        default=DEFAULT_LIMIT_BYTES, ge=1, description="Largest body, before and after decompression, in bytes."
    )


class ProtocolsConfig(_Model):
    """Which protocols a receiver speaks; one that is left out is off."""

    grpc: GrpcProtocolConfig | None = Field(default=None, description="OTLP/gRPC; off unless the key is there.")
    http: HttpProtocolConfig | None = Field(default=None, description="OTLP/HTTP; off unless the key is there.")

    _defaults = model_validator(mode="before")(_empty_as_defaults)

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if self.grpc is None and self.http is None:
            raise ValueError("must name at least one protocol: grpc, http")
        return self


class OtlpReceiverConfig(_Model):
    """Receives traces, metrics and logs from OpenTelemetry SDKs and collectors."""

    protocols: ProtocolsConfig = Field(description="Protocols to speak: `grpc`, `http` or both.")


class AttributeSet(StrEnum):
    """How many attributes a span is given."""

    CORE = "core"
    FULL = "full"


class AlreadyEnriched(StrEnum):
    """What to do about spans that carry an estimate already."""

    TRUST = "trust"
    COUNT = "count"


class AccountingPointConfig(_Model):
    """Where calls count that a client and a server in between both report, by the names of services."""

    count: tuple[Name, ...] = Field(
        default=(), description='Services whose server-side GenAI spans count as calls, `"*"` for all.'
    )
    pass_through: tuple[Name, ...] = Field(
        default=(),
        description="Gateways: services whose inference spans never count, as their clients report the calls.",
    )

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if "*" in self.pass_through:
            raise ValueError("pass_through: '*' would let no call count; name the gateways")
        for service in set(self.count) & set(self.pass_through):
            raise ValueError(f"{service!r} is named both to count calls and to pass them through; keep one")
        return self


class UsageSource(StrEnum):
    """What the calls of a service are counted from."""

    SPANS = "spans"
    METRICS = "metrics"


class UsageSourceConfig(_Model):
    """What calls are counted from, service by service; never from both."""

    services: dict[Name, UsageSource] = Field(
        default_factory=dict,
        description="`service.name: metrics` counts a service from its token metrics and not from its spans; "
        '`"*"` is every service that is not named.',
    )
    max_series: int = Field(
        default=10_000,
        ge=1,
        description="How many cumulative series are remembered; a forgotten one counts from its second point on.",
    )

    @property
    def reads_metrics(self) -> bool:
        """Whether any service is counted from its metrics."""
        return UsageSource.METRICS in self.services.values()


class CarbonConfig(_Model):
    """Adds energy, emissions and water to inference spans, and counts them."""

    attributes: AttributeSet = Field(
        default=AttributeSet.CORE,
        description="`core`: status, energy, emissions, water and their evidence; `full`: everything known.",
    )
    already_enriched: AlreadyEnriched = Field(
        default=AlreadyEnriched.TRUST,
        description="Spans that carry `otel_carbon.status`: `trust` leaves them to the counters of their emitter, "
        "`count` books them here as well.",
    )
    tenant_attribute: str = Field(
        default="otel_carbon.tenant",
        min_length=1,
        description="Attribute of a span, or else of its resource, that names the tenant.",
    )
    regions: dict[str, str] = Field(
        default_factory=dict,
        description="Region where each provider runs, `provider: region`; it wins over what spans say.",
    )
    models: dict[Name, Name] = Field(
        default_factory=dict,
        description="Model behind the name of a deployment or alias, `name: model` or `provider/name: model`.",
    )
    strict: bool = Field(
        default=False,
        description="Whether models that are not registered themselves stay without an estimate, instead of that of "
        "their family, their size class or any model.",
    )
    accounting_point: AccountingPointConfig = Field(
        default_factory=AccountingPointConfig,
        description="Where calls count; by default where they are made.",
    )
    usage_source: UsageSourceConfig = Field(
        default_factory=UsageSourceConfig,
        description="What calls are counted from; by default spans.",
    )
    hold_s: HoldSeconds = Field(
        default=0.0,
        validation_alias="hold",
        description="How long requests wait, so that spans of one call are decided together; at most 1m, 0s is off.",
    )
    hold_size_bytes: int = Field(
        default=64 * _MEBIBYTE,
        ge=1,
        description="Bound of what is held, in bytes of memory; at half of it, or of the smallest queue behind it, "
        "all that is held is decided early.",
    )
    registry: str | None = Field(
        default=None, description="Path of a compiled registry overlay, added to the bundled facts."
    )
    grid_table: str | None = Field(
        default=None,
        description="Path of a table of `otel-carbon grid refresh`; its grid intensities by the hour stand in for "
        "yearly averages where it has them. It is read once, when the collector starts.",
    )


class RetryConfig(_Model):
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
        description="When to drop the batch, a duration; 0 is never.",
    )


class QueueConfig(_Model):
    """What waits for a backend, in memory."""

    queue_size_bytes: int = Field(
        default=64 * _MEBIBYTE,
        ge=1,
        description="Bound of the queue in bytes; when it is reached, clients are asked to wait.",
    )


class _OtlpExporterConfig(_Model):
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="Headers sent with every request.")
    compression: Literal["gzip", "none"] | None = Field(
        default=None, description="`gzip` or `none`; when left out, `none` to this machine and `gzip` to others."
    )
    timeout_s: Seconds = Field(
        default=5.0, validation_alias="timeout", gt=0, description="Longest time for one attempt, a duration."
    )
    retry_on_failure: RetryConfig = Field(default_factory=RetryConfig, description="When to send again.")
    sending_queue: QueueConfig = Field(default_factory=QueueConfig, description="What waits in memory.")

    _defaults = model_validator(mode="before")(_empty_as_defaults)


class OtlpGrpcExporterConfig(_OtlpExporterConfig):
    """Sends to a backend by OTLP/gRPC."""

    endpoint: str = Field(
        description="`http://host:port` (plain) or `https://host:port` (TLS); without a scheme only for this machine."
    )

    @model_validator(mode="after")
    def _says_whether_tls(self) -> Self:
        target = self.target
        if "://" not in self.endpoint and not target.is_loopback:
            raise ValueError(f"endpoint must say http://{target} (plain) or https://{target} (TLS)")
        return self

    @property
    def target(self) -> Endpoint:
        """Host and port of the backend."""
        return parse_endpoint(re.sub(r"^https?://", "", self.endpoint).rstrip("/"))

    @property
    def secure(self) -> bool:
        """Whether TLS is used."""
        return self.endpoint.startswith("https://")


class OtlpHttpExporterConfig(_OtlpExporterConfig):
    """Sends to a backend by OTLP/HTTP with protobuf bodies."""

    endpoint: BackendUrl = Field(description="URL of the backend; `/v1/traces` and so on are appended.")

    @property
    def target(self) -> Endpoint:
        """Host and port of the backend."""
        parts = urlsplit(self.endpoint)
        return Endpoint(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


class PrometheusExporterConfig(_Model):
    """Serves `/metrics`: the carbon processor's counters and the collector's own."""

    endpoint: ListenEndpoint = Field(
        default="localhost:9464", description="Where to listen, `host:port`; port 0 takes a free one."
    )


class DebugExporterConfig(_Model):
    """Logs what passes: counts, and of spans the name and the `otel_carbon.*` attributes, never content."""

    verbosity: Literal["basic", "detailed"] = Field(
        default="basic", description="`basic`: a line for each batch; `detailed`: a line for each span as well."
    )


class HealthCheckConfig(_Model):
    """Answers probes: 200 while telemetry is taken, 503 before and after."""

    endpoint: ListenEndpoint = Field(
        default="localhost:13133", description="Where to listen, `host:port`; port 0 takes a free one."
    )


class PipelineConfig(_Model):
    """What flows from where, through what, to where; component ids."""

    receivers: tuple[str, ...] = Field(min_length=1, description="Ids of receivers.")
    processors: tuple[str, ...] = Field(default=(), description="Ids of processors, in order.")
    exporters: tuple[str, ...] = Field(min_length=1, description="Ids of exporters; each gets everything.")


class ServiceConfig(_Model):
    """What of the declared components runs, and how it is connected."""

    extensions: tuple[str, ...] = Field(default=(), description="Ids of extensions.")
    pipelines: dict[str, PipelineConfig] = Field(
        min_length=1, description="`traces`, `metrics` or `logs`, with `/name` appended for a second one of a kind."
    )


ReceiverConfig = OtlpReceiverConfig
ProcessorConfig = CarbonConfig
OtlpExporterConfig = OtlpGrpcExporterConfig | OtlpHttpExporterConfig
ExporterConfig = OtlpExporterConfig | PrometheusExporterConfig | DebugExporterConfig
ExtensionConfig = HealthCheckConfig


class CollectorConfig(_Model):
    """A whole collector.yaml; component ids are `type` or `type/name`."""

    receivers: dict[str, ReceiverConfig]
    processors: dict[str, ProcessorConfig] = Field(default_factory=dict)
    exporters: dict[str, ExporterConfig]
    extensions: dict[str, ExtensionConfig] = Field(default_factory=dict)
    service: ServiceConfig


# Section -> component type -> model. The upstream collector has renamed two exporters; both names are read.
COMPONENT_TYPES: dict[str, dict[str, type[_Model]]] = {
    "receivers": {"otlp": OtlpReceiverConfig},
    "processors": {"carbon": CarbonConfig},
    "exporters": {
        "otlp_grpc": OtlpGrpcExporterConfig,
        "otlp_http": OtlpHttpExporterConfig,
        "prometheus": PrometheusExporterConfig,
        "debug": DebugExporterConfig,
        "otlp": OtlpGrpcExporterConfig,
        "otlphttp": OtlpHttpExporterConfig,
    },
    "extensions": {"health_check": HealthCheckConfig},
}
