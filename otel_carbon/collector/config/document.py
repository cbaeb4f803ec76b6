"""The shape of collector.yaml as a whole: which components there are, and how pipelines connect them."""

from __future__ import annotations

from otel_carbon.collector.config.authenticators import BasicAuthConfig, BearerTokenAuthConfig
from otel_carbon.collector.config.carbon import CarbonConfig
from otel_carbon.collector.config.exporters import (
    DebugExporterConfig,
    FileExporterConfig,
    OtlpGrpcExporterConfig,
    OtlpHttpExporterConfig,
    PrometheusExporterConfig,
)
from otel_carbon.collector.config.extensions import FileStorageConfig, HealthCheckConfig
from otel_carbon.collector.config.memory_limiter import MemoryLimiterConfig
from otel_carbon.collector.config.modelling import Field
from otel_carbon.collector.config.receivers import OtlpReceiverConfig
from otel_carbon.collector.config.remote_write import PrometheusRemoteWriteExporterConfig
from otel_carbon.collector.config.telemetry import TelemetryConfig
from otel_carbon.collector.config.values import Seconds, Section


class PipelineConfig(Section):
    """What flows from where, through what, to where; component ids."""

    receivers: tuple[str, ...] = Field(min_length=1, description="Ids of receivers.")
    processors: tuple[str, ...] = Field(default=(), description="Ids of processors, in order.")
    exporters: tuple[str, ...] = Field(min_length=1, description="Ids of exporters; each gets everything.")


class ServiceConfig(Section):
    """What of the declared components runs, and how it is connected."""

    extensions: tuple[str, ...] = Field(default=(), description="Ids of extensions.")
    pipelines: dict[str, PipelineConfig] = Field(
        min_length=1,
        json_schema_extra={"propertyNames": {"pattern": r"^(traces|metrics|logs)(/[^/\s]+)?$"}},
        description="`traces`, `metrics` or `logs`, with `/name` appended for a second one of a kind.",
    )
    drain_timeout_s: Seconds = Field(
        default=10.0,
        validation_alias="drain_timeout",
        ge=0,
        description="How long a stop may take to send what waits, a duration; what is left then is lost, unless it is "
        "on the disk. Whoever kills a process that does not end must wait for some 15 s more.",
    )
    telemetry: TelemetryConfig = Field(
        default_factory=TelemetryConfig, description="What the collector says about itself."
    )


ReceiverConfig = OtlpReceiverConfig
ProcessorConfig = CarbonConfig | MemoryLimiterConfig
OtlpExporterConfig = OtlpGrpcExporterConfig | OtlpHttpExporterConfig
MetricsExporterConfig = PrometheusExporterConfig | PrometheusRemoteWriteExporterConfig
ExporterConfig = OtlpExporterConfig | MetricsExporterConfig | FileExporterConfig | DebugExporterConfig
ExtensionConfig = HealthCheckConfig | BearerTokenAuthConfig | BasicAuthConfig | FileStorageConfig


class CollectorConfig(Section):
    """A whole collector.yaml; component ids are `type` or `type/name`."""

    receivers: dict[str, ReceiverConfig]
    processors: dict[str, ProcessorConfig] = Field(default_factory=dict)
    exporters: dict[str, ExporterConfig]
    extensions: dict[str, ExtensionConfig] = Field(default_factory=dict)
    service: ServiceConfig

    @property
    def carbons(self) -> dict[str, CarbonConfig]:
        """The carbon processors by component id."""
        return {name: each for name, each in self.processors.items() if isinstance(each, CarbonConfig)}


def component_type(component_id: str) -> str:
    """`otlp_http` of `otlp_http/backup`."""
    return component_id.partition("/")[0]


# Section -> component type -> model. The upstream collector has renamed two exporters; both names are read.
COMPONENT_TYPES: dict[str, dict[str, type[Section]]] = {
    "receivers": {"otlp": OtlpReceiverConfig},
    "processors": {"carbon": CarbonConfig, "memory_limiter": MemoryLimiterConfig},
    "exporters": {
        "otlp_grpc": OtlpGrpcExporterConfig,
        "otlp_http": OtlpHttpExporterConfig,
        "prometheus": PrometheusExporterConfig,
        "prometheusremotewrite": PrometheusRemoteWriteExporterConfig,
        "file": FileExporterConfig,
        "debug": DebugExporterConfig,
        "otlp": OtlpGrpcExporterConfig,
        "otlphttp": OtlpHttpExporterConfig,
    },
    "extensions": {
        "health_check": HealthCheckConfig,
        "bearertokenauth": BearerTokenAuthConfig,
        "basicauth": BasicAuthConfig,
        "file_storage": FileStorageConfig,
    },
}

REQUIRED_SECTIONS = ("receivers", "exporters", "service")
