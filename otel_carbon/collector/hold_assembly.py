"""Build the hold windows that a configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.collector.config.document import component_type
from otel_carbon.collector.hold import Hold, HoldSettings
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_carbon.collector.assembly import CarbonStage
    from otel_carbon.collector.byte_queue import SendingQueue
    from otel_carbon.collector.config.document import CollectorConfig, PipelineConfig
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.storage.file_storage import FileStorage


def build_holds(
    config: CollectorConfig,
    stages: Mapping[str, CarbonStage],
    queues: Mapping[str, SendingQueue],
    metrics: SelfMetrics,
    storage: FileStorage | None = None,
) -> dict[str, Hold]:
    """One for each processor that holds requests, by its component id.

    Args:
        config: a configuration that was checked.
        stages: the processors that run.
        queues: the queues of exporters that send.
        metrics: is to show how much is held.
        storage: where what is held is, if anywhere but in memory.

    Raises:
        ConfigError: requests are to be held for a processor that cannot decide several together.
    """
    holds: dict[str, Hold] = {}
    for name, stage in stages.items():
        carbon = config.carbons[name]
        if not carbon.hold_s:
            continue
        if stage.holding is None:
            raise ConfigError((f"processors.{name}.hold: this processor decides each request by itself; take it out",))
        early = early_bytes(carbon.hold_size_bytes, _queues_behind(name, config.service.pipelines, queues))
        settings = HoldSettings(carbon.hold_s, carbon.hold_size_bytes, early)
        holds[name] = Hold(name, stage.holding, settings, metrics, storage=storage)
        metrics.watch_hold(holds[name])
    return holds


def _queues_behind(
    processor: str, pipelines: Mapping[str, PipelineConfig], queues: Mapping[str, SendingQueue]
) -> Iterator[SendingQueue]:
    for name, pipeline in pipelines.items():
        if component_type(name) == Signal.TRACES.value and processor in pipeline.processors:
            yield from (queues[exporter] for exporter in pipeline.exporters if exporter in queues)


def early_bytes(capacity_bytes: int, queues: Iterable[SendingQueue]) -> int:
    """Half of what a hold or the smallest queue behind it takes: the other half is for what comes meanwhile."""
    return min([capacity_bytes, *(queue.capacity_bytes for queue in queues)]) // 2
