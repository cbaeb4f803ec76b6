"""Build exporters from their sections of the configuration."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.client_tls import ClientTls
from otel_carbon.collector.config.exporters import FileExporterConfig, OtlpGrpcExporterConfig, OtlpHttpExporterConfig
from otel_carbon.collector.exporters.backend import BackendSettings
from otel_carbon.collector.sender import RetrySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric

    from otel_carbon.collector.client_auth import Authorization
    from otel_carbon.collector.config.client_tls import TlsClientConfig
    from otel_carbon.collector.config.document import OtlpExporterConfig
    from otel_carbon.collector.config.exporters import DebugExporterConfig
    from otel_carbon.collector.config.remote_write import PrometheusRemoteWriteExporterConfig
    from otel_carbon.collector.exporters.remote_write import RemoteWriteExporter
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.sender import Export

    ReadFamilies = Callable[[], Iterable[Metric]]

DEFAULT_JOB = "otel-carbon"


def build_export(
    name: str,
    exporter: OtlpGrpcExporterConfig | OtlpHttpExporterConfig | FileExporterConfig | DebugExporterConfig,
    authorization: Authorization | None = None,
) -> Export:
    """Build what sends the batches of one exporter; nothing is sent yet, and no library of another one is loaded.

    Args:
        name: component id.
        exporter: its section, checked.
        authorization: the credentials that it sends, if any.

    Raises:
        ConfigError: its certificates cannot be used.
    """
    match exporter:
        case OtlpGrpcExporterConfig():
            from otel_carbon.collector.exporters.otlp_grpc import OtlpGrpcExport

            target = str(exporter.target)
            return OtlpGrpcExport(_backend(name, target, exporter, authorization, secure=exporter.secure))
        case OtlpHttpExporterConfig():
            from otel_carbon.collector.exporters.otlp_http import OtlpHttpExport

            return OtlpHttpExport(_backend(name, exporter.endpoint, exporter, authorization))
        case FileExporterConfig():
            from otel_carbon.collector.exporters.file import file_export

            return file_export(name, exporter)
        case _:
            from otel_carbon.collector.exporters.debug import DebugExport

            return DebugExport(name, verbosity=exporter.verbosity)


def build_remote_write(
    name: str,
    exporter: PrometheusRemoteWriteExporterConfig,
    families: ReadFamilies | None,
    metrics: SelfMetrics,
    authorization: Authorization | None = None,
) -> RemoteWriteExporter:
    """Build what pushes counters; nothing is pushed yet.

    Args:
        name: component id.
        exporter: its section, checked.
        families: reads the carbon counters; None where there are none.
        metrics: the collector's own, which are pushed as well if the section says so.
        authorization: the credentials that it sends, if any.

    Raises:
        ConfigError: its certificates cannot be used.
    """
    from otel_carbon.collector.exporters.remote_write import RemoteWriteExporter, RemoteWriteSettings

    sources = [read for read in (families, metrics.collect if exporter.self_metrics else None) if read is not None]
    retry = exporter.retry_on_failure
    settings = RemoteWriteSettings(
        exporter.interval_s,
        {"job": DEFAULT_JOB, "instance": socket.gethostname(), **exporter.external_labels},
        RetrySettings(retry.enabled, retry.initial_interval_s, retry.max_interval_s, max_elapsed_time_s=0),
    )
    backend = BackendSettings(
        exporter=name,
        endpoint=exporter.endpoint,
        headers={header: value.get_secret_value() for header, value in exporter.headers.items()},
        gzip=False,
        timeout_s=exporter.timeout_s,
        behind_proxy=not exporter.target.is_loopback,
        tls=client_tls(exporter.tls),
        authorization=authorization,
    )
    return RemoteWriteExporter(backend, settings, lambda: [family for read in sources for family in read()], metrics)


def client_tls(config: TlsClientConfig | None) -> ClientTls | None:
    """How TLS is spoken by a section of the configuration; None as usual."""
    if config is None:
        return None
    return ClientTls(
        ca_file=_path(config.ca_file),
        cert_file=_path(config.cert_file),
        key_file=_path(config.key_file),
        server_name=config.server_name_override,
        verify=not config.insecure_skip_verify,
        min_version=config.min_version,
        reload_interval_s=config.reload_interval_s,
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _backend(
    name: str,
    endpoint: str,
    exporter: OtlpExporterConfig,
    authorization: Authorization | None,
    *,
    secure: bool = False,
) -> BackendSettings:
    default = "none" if exporter.target.is_loopback else "gzip"
    return BackendSettings(
        exporter=name,
        endpoint=endpoint,
        headers={header: value.get_secret_value() for header, value in exporter.headers.items()},
        gzip=(exporter.compression or default) == "gzip",
        timeout_s=exporter.timeout_s,
        retries_unauthorized=exporter.retry_on_failure.unauthorized,
        secure=secure,
        behind_proxy=not exporter.target.is_loopback,
        tls=client_tls(exporter.tls),
        authorization=authorization,
    )
