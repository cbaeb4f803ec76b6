"""The pipeline that the demo sends its traffic through: a real collector between sample services and backend."""

from __future__ import annotations

import http.client
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from otel_carbon.collector.app import Collector
from otel_carbon.collector.assembly import CarbonStage
from otel_carbon.collector.config.carbon import AttributeSet
from otel_carbon.collector.config.load import parse_config
from otel_carbon.demo.arrivals import Backend
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.errors import ConfigError
from otel_carbon.metrics.exposition import Exposition
from otel_carbon.otlp.traces import TracesEnricher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.collector.config.carbon import CarbonConfig
    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.registry.catalog import Registry

CONFIG_NAME = "collector.yaml"
_SCRAPE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class RunningPipeline:
    """Where the parts of the pipeline listen, and its backend."""

    backend: Backend
    traces_url: str
    metrics_host: str
    metrics_port: int

    @property
    def metrics_url(self) -> str:
        """Where a Prometheus scrapes."""
        return f"http://{self.metrics_host}:{self.metrics_port}/metrics"

    def scrape(self) -> str:
        """The page of `/metrics`, fetched over the loopback as a Prometheus would."""
        connection = http.client.HTTPConnection(self.metrics_host, self.metrics_port, timeout=_SCRAPE_TIMEOUT_S)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@contextmanager
def running_pipeline(metrics_port: int, registry: Registry) -> Iterator[RunningPipeline]:
    """A collector and a backend on this machine; `/metrics` takes a free port if `metrics_port` is taken."""
    with Backend() as backend:
        collector = _started(backend.url, metrics_port, registry)
        try:
            receiver = collector.endpoints["receivers.otlp.http"]
            metrics = collector.endpoints["exporters.prometheus"]
            yield RunningPipeline(backend, f"http://127.0.0.1:{receiver.port}/v1/traces", metrics.host, metrics.port)
        finally:
            collector.stop(grace_s=1.0)


def collector_config(backend_url: str, metrics_port: int) -> CollectorConfig:
    """The collector's configuration, as its `collector.yaml` says it."""
    text = resources.files("otel_carbon.demo").joinpath("data", CONFIG_NAME).read_text(encoding="utf-8")
    places = {"BACKEND_URL": backend_url, "METRICS_PORT": str(metrics_port)}
    return parse_config(text, CONFIG_NAME, places).config


def _started(backend_url: str, metrics_port: int, registry: Registry) -> Collector:
    try:
        return _start(collector_config(backend_url, metrics_port), registry)
    except ConfigError:
        if metrics_port == 0:
            raise
        return _start(collector_config(backend_url, 0), registry)


def _start(config: CollectorConfig, registry: Registry) -> Collector:
    def build_carbon(config: CarbonConfig) -> CarbonStage:
        enricher = Enricher(registry, _settings(config))
        return CarbonStage(TracesEnricher(enricher), Exposition(enricher.totals).render, totals=enricher.totals)

    collector = Collector(config, build_carbon=build_carbon)
    collector.start()
    return collector


def _settings(carbon: CarbonConfig) -> EnrichSettings:
    return EnrichSettings(
        full=carbon.attributes is AttributeSet.FULL,
        configured_regions=carbon.regions,
        tenant_attribute=carbon.tenant_attribute,
        already_enriched=carbon.already_enriched.value,
    )
