"""Build the parts of a collector from its configuration; nothing is opened yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from otel_carbon.collector.batching import TOGETHER_BYTES, BatchSettings
from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.config.document import MetricsExporterConfig, component_type
from otel_carbon.collector.config.exporters import (
    DebugExporterConfig,
    PrometheusExporterConfig,
)
from otel_carbon.collector.config.extensions import HealthCheckConfig
from otel_carbon.collector.config.remote_write import PrometheusRemoteWriteExporterConfig
from otel_carbon.collector.config.security import AuthorizedExporter
from otel_carbon.collector.deferred import Deferred
from otel_carbon.collector.endpoints import parse_endpoint
from otel_carbon.collector.exporters.build import build_export, build_remote_write
from otel_carbon.collector.exporters.observed import ObservedExport
from otel_carbon.collector.exporters.prometheus import PrometheusExporter
from otel_carbon.collector.health_check import HealthCheck
from otel_carbon.collector.hold_assembly import build_holds
from otel_carbon.collector.listener_assembly import Security, grpc_receiver_settings, http_receiver_settings
from otel_carbon.collector.page.application import BuiltInPage
from otel_carbon.collector.page.assembly import build_watches
from otel_carbon.collector.pipeline import Intake, Pipeline
from otel_carbon.collector.queue_assembly import Durable, build_limiters, build_queue, build_storage, retry_settings
from otel_carbon.collector.receivers.otlp_http import HttpReceiver
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.sender import RetrySettings, Sender
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.storage.written_counters import written_families, written_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from otel_carbon.collector.byte_queue import SendingQueue
    from otel_carbon.collector.config.carbon import CarbonConfig
    from otel_carbon.collector.config.document import (
        CollectorConfig,
        ExporterConfig,
        OtlpExporterConfig,
        PipelineConfig,
    )
    from otel_carbon.collector.config.exporters import FileExporterConfig
    from otel_carbon.collector.config.receivers import OtlpReceiverConfig
    from otel_carbon.collector.endpoints import Endpoint
    from otel_carbon.collector.exporters.build import ReadFamilies
    from otel_carbon.collector.exporters.prometheus import Render
    from otel_carbon.collector.exporters.remote_write import RemoteWriteExporter
    from otel_carbon.collector.fact_metrics import CarbonFacts
    from otel_carbon.collector.hold import Hold, HoldingProcessor
    from otel_carbon.collector.memory_limiter import MemoryLimiter
    from otel_carbon.collector.page.watch import TotalsWatch
    from otel_carbon.collector.pipeline import Prepare, Processor
    from otel_carbon.collector.self_metrics import CarbonNumbers
    from otel_carbon.collector.storage.file_storage import FileStorage
    from otel_carbon.collector.storage.records import DurableState
    from otel_carbon.metrics.totals import Totals

_DEBUG_QUEUE_BYTES = 64 * 1024 * 1024
_TRANSPORTS = ("grpc", "http")


@dataclass(frozen=True, slots=True)
class CarbonStage:
    """What a carbon processor gives the collector.

    Attributes:
        process: enriches one traces request.
        render: writes its counters for a scraper.
        families: the same counters, for who pushes them; None pushes none.
        read_metrics: books what one metrics request says of services that are counted from their metrics.
        numbers: what it counts about that reading, by the names in `self_metrics`.
        dropped_entries: how much counting has forgotten for lack of room.
        facts: what it computes with.
        holding: enriches several traces requests together; None when it cannot.
        keep_state: begins to tell what changes in its counting, to be called once; None when it cannot.
        totals: what it counts, for the built-in page; None shows none.
        prepare: checks one traces request, and returns how many spans it has and what enriches it, which says nothing
            against it any more; None when only `process` tells. Raises `MalformedBody`.
        prepare_counting: the same for requests that go nowhere, whose spans only count.
        is_busy: whether enriching has to wait for some time; None when it never has.
    """

    process: Processor
    render: Render
    families: ReadFamilies | None = None
    read_metrics: Callable[[bytes], None] | None = None
    numbers: Callable[[], CarbonNumbers] | None = None
    dropped_entries: Callable[[], int] | None = None
    facts: CarbonFacts | None = None
    holding: HoldingProcessor[Any] | None = None
    keep_state: Callable[[], DurableState] | None = None
    totals: Totals | None = None
    prepare: Prepare | None = None
    prepare_counting: Prepare | None = None
    is_busy: Callable[[], bool] | None = None

    def processor(self, signal: Signal) -> Processor:
        """What it does to the requests of one signal; metrics are read, and pass as they came."""
        return self.process if signal is Signal.TRACES else self._pass_metrics

    def _pass_metrics(self, body: bytes, /) -> bytes:
        if self.read_metrics is not None:
            self.read_metrics(body)
        return body


class BuildCarbon(Protocol):
    """Makes the carbon processor; given by the caller, because the arithmetic is none of the transport's business."""

    def __call__(self, config: CarbonConfig, /) -> CarbonStage:
        """Build it from its section of the configuration."""


class Listener(Protocol):
    """A part that accepts connections."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens; the real port once it is started."""

    def start(self) -> None:
        """Listen; raises `ConfigError` when it cannot."""

    def begin_stop(self, grace_s: float) -> None:
        """Take nothing new; what has begun may end within `grace_s` seconds."""

    def finish_stop(self, grace_s: float) -> None:
        """Wait for the end of what `begin_stop` let run."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts of one collector; only components that a pipeline names are built.

    Attributes:
        receivers: by name, such as `receivers.otlp.grpc`.
        senders: one for each exporter that sends.
        holds: one for each processor that holds requests.
        pages: `/metrics` servers by name, such as `exporters.prometheus`.
        pushers: one for each exporter that pushes counters.
        health_checks: by name, such as `extensions.health_check`.
        metrics: what the collector counts about itself.
        deferred: what is to be done for requests that were answered.
        durable: what outlives the process; None when everything is in memory only.
        limiters: what refuses requests while memory is short.
    """

    receivers: Mapping[str, Listener]
    senders: tuple[Sender, ...]
    holds: tuple[Hold, ...]
    pages: Mapping[str, Listener]
    pushers: tuple[RemoteWriteExporter, ...]
    health_checks: Mapping[str, HealthCheck]
    metrics: SelfMetrics
    deferred: Deferred
    durable: Durable | None = None
    limiters: tuple[MemoryLimiter, ...] = ()


def assemble(
    config: CollectorConfig,
    build_carbon: BuildCarbon,
    json_decoders: Mapping[Signal, Callable[[bytes], bytes]],
) -> Assembly:
    """Build everything that the pipelines name.

    Args:
        config: a configuration that was checked.
        build_carbon: makes the carbon processor.
        json_decoders: OTLP JSON to protobuf bytes, for each signal.

    Raises:
        ConfigError: requests are to be held for a processor that cannot decide several together, or the
            certificates of an exporter cannot be used.
    """
    metrics = SelfMetrics()
    security = Security(config)
    used = {name for pipeline in config.service.pipelines.values() for name in pipeline.exporters}
    exporters = {name: exporter for name, exporter in config.exporters.items() if name in used}
    storage = build_storage(config, metrics)
    senders = dict(_senders(exporters, security, metrics, storage))
    wanted = {name for pipeline in config.service.pipelines.values() for name in pipeline.processors}
    limiters = build_limiters(config, sorted(wanted), metrics)
    stages = {name: build_carbon(carbon) for name, carbon in config.carbons.items() if name in wanted}
    for processor, stage in stages.items():
        if stage.dropped_entries is not None:
            metrics.watch_counting(processor, stage.dropped_entries)
        if stage.numbers is not None:
            metrics.watch_carbon(stage.numbers)
        if stage.facts is not None:
            metrics.watch_facts(stage.facts)
    queues = {name: sender.queue for name, sender in senders.items()}
    holds = build_holds(config, stages, queues, metrics, storage)
    busy = [stage.is_busy for stage in stages.values() if stage.is_busy is not None]
    deferred = Deferred(lambda: any(is_busy() for is_busy in busy))
    watches = build_watches(exporters, next((stage.totals for stage in stages.values()), None), deferred.work_off)
    states = [stage.keep_state() for stage in stages.values() if storage is not None and stage.keep_state is not None]
    if states:
        # Days and budgets are what totals have grown by, so they are saved before the totals that they were read from.
        states[:0] = [watch.keep_state() for watch in watches.values()]
    if storage is not None:
        stages = {name: _with_written_counters(stage, storage) for name, stage in stages.items()}
    else:
        stages = {name: _with_counters_up_to_date(stage, deferred) for name, stage in stages.items()}
    process = next((stage.process for stage in stages.values()), None)
    pipelines = {
        name: _pipeline(name, pipeline, stages, queues, holds, limiters)
        for name, pipeline in config.service.pipelines.items()
    }
    return Assembly(
        receivers=dict(_receivers(config, pipelines, json_decoders, security, metrics, storage, deferred)),
        senders=tuple(senders.values()),
        holds=tuple(holds.values()),
        pages=dict(_pages(exporters, stages, watches, security, metrics)),
        pushers=tuple(_pushers(exporters, stages, security, metrics)),
        health_checks=dict(_health_checks(config, security, metrics, storage)),
        metrics=metrics,
        durable=None if storage is None else Durable(storage, states, queues, holds, process),
        limiters=tuple(limiters.values()),
        deferred=deferred,
    )


def _with_counters_up_to_date(stage: CarbonStage, deferred: Deferred) -> CarbonStage:
    families = None if stage.families is None else deferred.up_to_date(stage.families)
    return replace(stage, render=deferred.up_to_date(stage.render), families=families)


def _with_written_counters(stage: CarbonStage, storage: FileStorage) -> CarbonStage:
    if stage.keep_state is None:
        return stage
    families = None if stage.families is None else written_families(storage, stage.families)
    return replace(stage, render=written_pages(storage, stage.render), families=families)


def _senders(
    exporters: Mapping[str, ExporterConfig], security: Security, metrics: SelfMetrics, storage: FileStorage | None
) -> Iterator[tuple[str, Sender]]:
    for name, exporter in exporters.items():
        if isinstance(exporter, MetricsExporterConfig):
            continue  # it reads counters, and no requests are queued for it
        authorization = security.authorization(exporter) if isinstance(exporter, AuthorizedExporter) else None
        export = ObservedExport(build_export(name, exporter, authorization), name, metrics)
        queue, retry, consumers = _sending(name, exporter, storage)
        metrics.watch_queue(queue)
        yield name, Sender(export, queue, retry, metrics, consumers=consumers)


def _sending(
    name: str, exporter: OtlpExporterConfig | FileExporterConfig | DebugExporterConfig, storage: FileStorage | None
) -> tuple[SendingQueue, RetrySettings, int]:
    """The queue before an exporter, when it tries again, and how many requests it has on their way."""
    if isinstance(exporter, DebugExporterConfig):
        batch = BatchSettings(max_size_bytes=TOGETHER_BYTES)
        return ByteQueue(name, _DEBUG_QUEUE_BYTES, batch), RetrySettings(enabled=False), 1
    queue = exporter.sending_queue
    return build_queue(name, queue, storage), retry_settings(exporter.retry_on_failure, queue), queue.num_consumers


def _pipeline(
    name: str,
    pipeline: PipelineConfig,
    stages: Mapping[str, CarbonStage],
    queues: Mapping[str, SendingQueue],
    holds: Mapping[str, Hold],
    limiters: Mapping[str, MemoryLimiter],
) -> Pipeline:
    signal = Signal(component_type(name))
    held_by = [holds[processor] for processor in pipeline.processors if processor in holds and signal is Signal.TRACES]
    processors = () if held_by else tuple(each for each in pipeline.processors if each in stages)
    # The prometheus exporter has no queue: the carbon processor's counters are read, not sent.
    fed = tuple(queues[exporter] for exporter in pipeline.exporters if exporter in queues)
    only = stages[processors[0]] if len(processors) == 1 and signal is Signal.TRACES else None
    return Pipeline(
        name=name,
        signal=signal,
        processors=tuple((processor, stages[processor].processor(signal)) for processor in processors),
        queues=fed,
        hold=held_by[0] if held_by else None,
        limiter=next((limiters[processor] for processor in pipeline.processors if processor in limiters), None),
        prepare=None if only is None else only.prepare if fed else only.prepare_counting,
    )


def _receivers(
    config: CollectorConfig,
    pipelines: Mapping[str, Pipeline],
    json_decoders: Mapping[Signal, Callable[[bytes], bytes]],
    security: Security,
    metrics: SelfMetrics,
    storage: FileStorage | None,
    deferred: Deferred,
) -> Iterator[tuple[str, Listener]]:
    for name, receiver in config.receivers.items():
        fed = tuple(pipelines[key] for key, each in config.service.pipelines.items() if name in each.receivers)
        intakes = {
            signal: Intake(
                name,
                signal,
                tuple(pipeline for pipeline in fed if pipeline.signal is signal),
                metrics,
                storage,
                deferred,
            )
            for signal in Signal
            if any(pipeline.signal is signal for pipeline in fed)
        }
        if intakes:
            yield from _protocols(name, receiver, intakes, json_decoders, security, metrics)
        for transport in _TRANSPORTS:
            for signal in intakes:
                if getattr(receiver.protocols, transport) is not None:
                    metrics.watch_receiver(name, transport, signal)


def _protocols(
    name: str,
    receiver: OtlpReceiverConfig,
    intakes: Mapping[Signal, Intake],
    json_decoders: Mapping[Signal, Callable[[bytes], bytes]],
    security: Security,
    metrics: SelfMetrics,
) -> Iterator[tuple[str, Listener]]:
    grpc, http = receiver.protocols.grpc, receiver.protocols.http
    if grpc is not None:
        from otel_carbon.collector.receivers.otlp_grpc import GrpcReceiver  # takes 9 MiB

        grpc_settings = grpc_receiver_settings(name, grpc, security)
        yield f"receivers.{name}.grpc", GrpcReceiver(grpc_settings, intakes, metrics.refusal_counter(name, "grpc"))
    if http is not None:
        http_settings = http_receiver_settings(name, http, security)
        count_refusal = metrics.refusal_counter(name, "http")
        yield f"receivers.{name}.http", HttpReceiver(http_settings, intakes, json_decoders, count_refusal)


def _pages(
    exporters: Mapping[str, ExporterConfig],
    stages: Mapping[str, CarbonStage],
    watches: Mapping[str, TotalsWatch],
    security: Security,
    metrics: SelfMetrics,
) -> Iterator[tuple[str, Listener]]:
    render = next((stage.render for stage in stages.values()), None)
    for name, exporter in exporters.items():
        if isinstance(exporter, PrometheusExporterConfig):
            key = f"exporters.{name}"
            yield (
                key,
                PrometheusExporter(
                    parse_endpoint(exporter.endpoint),
                    key=f"{key}.endpoint",
                    render=render,
                    self_metrics=metrics,
                    tls=security.tls(key, exporter),
                    authenticator=security.authenticator(exporter),
                    page=BuiltInPage(watches[name], metrics) if name in watches else None,
                ),
            )


def _pushers(
    exporters: Mapping[str, ExporterConfig],
    stages: Mapping[str, CarbonStage],
    security: Security,
    metrics: SelfMetrics,
) -> Iterator[RemoteWriteExporter]:
    families = next((stage.families for stage in stages.values()), None)
    for name, exporter in exporters.items():
        if isinstance(exporter, PrometheusRemoteWriteExporterConfig):
            yield build_remote_write(name, exporter, families, metrics, security.authorization(exporter))


def _health_checks(
    config: CollectorConfig, security: Security, metrics: SelfMetrics, storage: FileStorage | None
) -> Iterator[tuple[str, HealthCheck]]:
    for name, extension in config.extensions.items():
        if isinstance(extension, HealthCheckConfig) and name in config.service.extensions:
            key = f"extensions.{name}"
            yield (
                key,
                HealthCheck(
                    parse_endpoint(extension.endpoint),
                    key=f"{key}.endpoint",
                    pipelines=config.service.pipelines,
                    backends=metrics.backends,
                    refuses_all=lambda: storage is not None and storage.is_failing,
                    tls=security.tls(key, extension),
                    authenticator=security.authenticator(extension),
                ),
            )
