"""Build what stands between pipelines and exporters: the queues, and the disk behind them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.batching import TOGETHER_BYTES, BatchSettings
from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.config.extensions import FileStorageConfig
from otel_carbon.collector.config.memory_limiter import MemoryLimiterConfig
from otel_carbon.collector.memory_limiter import MemoryLimiter, MemoryLimits
from otel_carbon.collector.process_memory import available_bytes
from otel_carbon.collector.sender import RetrySettings
from otel_carbon.collector.signals import Batch
from otel_carbon.collector.storage.records import Backlog, StoredBody
from otel_carbon.collector.storage.work import StorageUnavailable, Work
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_carbon.collector.byte_queue import SendingQueue
    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.collector.config.exporters import BatchConfig, QueueConfig, RetryConfig
    from otel_carbon.collector.hold import Hold
    from otel_carbon.collector.pipeline import Processor
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.storage.file_storage import FileStorage
    from otel_carbon.collector.storage.records import DurableState

QUEUE_PART = 0.9
"""What one exporter fills of the disk by default: the rest lets others go on while its backend is away."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Durable:
    """What outlives the process.

    Attributes:
        storage: the disk.
        states: the state of processors.
        queues: all queues that hold something, by exporter.
        holds: all holds, by processor.
        process: what decides a request that was held, where nothing is held now.
    """

    storage: FileStorage
    states: Sequence[DurableState]
    queues: Mapping[str, SendingQueue]
    holds: Mapping[str, Hold]
    process: Processor | None

    def start(self) -> None:
        """Take up what an earlier process left, and begin to write.

        Raises:
            ConfigError: the storage cannot be used.
        """
        from otel_carbon.collector.storage.stored_queue import StoredQueue

        backlogs = self.storage.open(self.states)
        for name, queue in self.queues.items():
            if isinstance(queue, StoredQueue):
                queue.resume(backlogs.get(name, Backlog()))
        stored = {name for name, queue in self.queues.items() if queue.is_durable}
        for name in sorted(backlogs.keys() - stored):
            _logger.warning(
                "%s: %d requests stay on the disk for exporter %s, which no pipeline names any more or which has no "
                "`storage` now; bring it back to send them",
                self.storage.storage_id,
                backlogs[name].requests,
                name,
            )
        held_before = self.storage.take_held()
        self.storage.start()
        for number, held in held_before:
            self._resume(number, held)

    def _resume(self, number: int, held: StoredBody) -> None:
        """Hold again what was held, or decide it by itself where nothing is held any more."""
        queues = tuple(self.queues[name] for name in held.exporters if name in self.queues)
        owing = tuple(queue.exporter for queue in queues if queue.is_durable)
        if not owing:
            _logger.warning("%s: nobody owes a held request any more; it stays on the disk", self.storage.storage_id)
            return
        hold = next(iter(self.holds.values()), None)
        if hold is not None:
            hold.restore(number, held, queues)
            return
        decided = Batch(held.signal, self._processed(held.body), held.items)

        def queue(numbers: Sequence[int]) -> None:
            for each in queues:
                each.put(replace(decided, stored_id=numbers[0]), 0)

        body = StoredBody(held.signal, held.items, decided.body, owing)
        try:
            self.storage.submit(Work([body], [number], on_stored=queue, is_patient=True)).result()
        except StorageUnavailable as error:  # what is owed is sent all the same, and makes room
            _logger.warning("%s: a held request waits for the next start: %s", self.storage.storage_id, error)

    def _processed(self, body: bytes) -> bytes:
        try:
            return body if self.process is None else self.process(body)
        except Exception:
            _logger.exception("%s: a held request goes on unprocessed", self.storage.storage_id)
            return body


def build_storage(config: CollectorConfig, metrics: SelfMetrics) -> FileStorage | None:
    """The storage that a configuration runs, if any."""
    for name, extension in config.extensions.items():
        if isinstance(extension, FileStorageConfig) and name in config.service.extensions:
            from otel_carbon.collector.storage.file_storage import FileStorage  # its database takes 1 MiB

            storage = FileStorage(
                name,
                Path(extension.directory),
                extension.max_size_bytes,
                write_timeout_s=extension.write_timeout_s,
                count_lost=metrics.send_failed,
            )
            metrics.watch_storage(storage)
            return storage
    return None


def build_queue(exporter: str, config: QueueConfig, storage: FileStorage | None) -> SendingQueue:
    """The queue of an exporter, in memory or on the disk."""
    batch = batch_settings(config.batch)
    queue: SendingQueue
    if config.storage is None or storage is None:
        queue = ByteQueue(exporter, config.queue_size_bytes, batch)
    else:
        from otel_carbon.collector.storage.stored_queue import StoredQueue

        is_bounded = "queue_size_bytes" in config.model_fields_set
        capacity_bytes = config.queue_size_bytes if is_bounded else int(storage.capacity_bytes * QUEUE_PART)
        queue = StoredQueue(exporter, capacity_bytes, storage, batch)
    queue.isolates = config.on_full == "isolate"
    return queue


def batch_settings(config: BatchConfig) -> BatchSettings:
    """How requests are put together."""
    if config.sizer == "bytes":
        most_bytes = config.max_size or max(config.min_size, TOGETHER_BYTES)
        return BatchSettings(most_bytes, min_size_bytes=config.min_size, flush_timeout_s=config.flush_timeout_s)
    return BatchSettings(
        TOGETHER_BYTES,
        max_items=config.max_size,
        min_items=config.min_size,
        flush_timeout_s=config.flush_timeout_s,
    )


def retry_settings(retry: RetryConfig, queue: QueueConfig) -> RetrySettings:
    """When an exporter tries again; what is on the disk is not given up unless that was asked for."""
    is_chosen = "max_elapsed_time_s" in retry.model_fields_set
    return RetrySettings(
        enabled=retry.enabled,
        initial_interval_s=retry.initial_interval_s,
        max_interval_s=retry.max_interval_s,
        max_elapsed_time_s=0.0 if queue.storage and not is_chosen else retry.max_elapsed_time_s,
        multiplier=retry.multiplier,
    )


def build_limiters(
    config: CollectorConfig, processors: Iterable[str], metrics: SelfMetrics
) -> dict[str, MemoryLimiter]:
    """The memory limiters among processors that are used, by component id.

    Raises:
        ConfigError: a limit is a percentage, and nobody knows of what.
    """
    limiters: dict[str, MemoryLimiter] = {}
    for name in processors:
        limiter = config.processors[name]
        if not isinstance(limiter, MemoryLimiterConfig):
            continue
        available = available_bytes()
        if available is None and not limiter.limit_mib:
            raise ConfigError((f"processors.{name}: the memory of this machine is not known here; set limit_mib",))
        hard_bytes, soft_bytes = limiter.hard_bytes(available or 0), limiter.soft_bytes(available or 0)
        limiters[name] = MemoryLimiter(name, MemoryLimits(hard_bytes, soft_bytes, limiter.check_interval_s))
        metrics.watch_limiter(limiters[name])
    return limiters
