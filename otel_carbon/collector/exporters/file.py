"""Write what passes to a file, as OTLP JSON lines or as protobuf behind its length."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import cramjam

from otel_carbon.collector.exporters.framing import Delimited, Lines
from otel_carbon.collector.exporters.rotating_file import RotatingFile, RotationSettings
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_writer import json_from_logs, json_from_metrics, json_from_traces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.collector.config.exporters import FileExporterConfig
    from otel_carbon.collector.signals import Batch

_JSON_WRITERS: Mapping[Signal, Callable[[bytes], bytes]] = {
    Signal.TRACES: json_from_traces,
    Signal.METRICS: json_from_metrics,
    Signal.LOGS: json_from_logs,
}
_ZSTD_LEVEL = 3
_MEBIBYTE = 1024 * 1024
_logger = logging.getLogger(__name__)


class FileExport:
    """Writes each batch as one record; success means that the operating system has it.

    Args:
        exporter: component id, for the log.
        path: the file.
        rotation: when it is renamed.
        as_json: whether records are OTLP JSON instead of protobuf.
        zstd: whether each record is compressed.
        sync_interval_s: the disk is waited for with the first record after so many seconds; 0 is with every record.
        append: whether a file that is there already is continued, instead of renamed.
    """

    def __init__(
        self,
        exporter: str,
        path: Path,
        rotation: RotationSettings,
        *,
        as_json: bool,
        zstd: bool,
        sync_interval_s: float,
        append: bool,
    ) -> None:
        self._exporter = exporter
        self._path = path
        self._as_json = as_json
        self._zstd = zstd
        self._sync_interval_s = sync_interval_s
        self._synced_s = time.monotonic()
        self._writing = Lock()
        framing = Lines() if as_json and not zstd else Delimited()
        self._file = RotatingFile(path, framing, rotation, append=append)

    def send(self, batch: Batch) -> int:
        """Write one batch; see `Export.send`."""
        record = self._record(batch)
        try:
            with self._writing:
                torn_bytes = self._file.write(record)
                self._sync_when_due()
        except OSError as error:
            # A full disk may have room again.
            raise RetryableExportError(f"{self._path}: {error.strerror or error}") from error
        if torn_bytes:
            _logger.warning(
                "%s: cut %d bytes off the end of %s: a record that was torn when it was last written",
                self._exporter,
                torn_bytes,
                self._path,
            )
        return 0

    def close(self) -> None:
        """Wait for the disk, and close the file."""
        try:
            self._file.sync()
            self._file.close()
        except OSError as error:
            _logger.warning("%s: cannot close %s: %s", self._exporter, self._path, error.strerror or error)

    def _record(self, batch: Batch) -> bytes:
        try:
            record = _JSON_WRITERS[batch.signal](batch.body) if self._as_json else batch.body
        except MalformedBody as error:
            raise PermanentExportError(str(error)) from error
        return bytes(cramjam.zstd.compress(record, level=_ZSTD_LEVEL)) if self._zstd else record

    def _sync_when_due(self) -> None:
        now_s = time.monotonic()
        if now_s - self._synced_s >= self._sync_interval_s:
            self._file.sync()
            self._synced_s = now_s


def file_export(exporter: str, config: FileExporterConfig) -> FileExport:
    """Build it from its section of the configuration; nothing is opened yet."""
    rotation = RotationSettings(
        limit_bytes=config.rotation.max_megabytes * _MEBIBYTE,
        max_backups=config.rotation.max_backups,
        max_age=timedelta(days=config.rotation.max_days) if config.rotation.max_days else None,
        local_time=config.rotation.localtime,
    )
    return FileExport(
        exporter,
        Path(config.path),
        rotation,
        as_json=config.format == "json",
        zstd=config.compression == "zstd",
        sync_interval_s=config.flush_interval_s,
        append=config.append,
    )
