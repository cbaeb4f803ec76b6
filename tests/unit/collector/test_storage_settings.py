from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.batching import TOGETHER_BYTES, BatchSettings
from otel_carbon.collector.config.exporters import BatchConfig, QueueConfig, RetryConfig
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.queue_assembly import batch_settings, retry_settings
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {otlp_http: {endpoint: "http://backend:4318", sending_queue: {storage: STORAGE}}}
extensions: {file_storage: {directory: /var/lib/otel-carbon}, file_storage/more: {directory: /var/lib/more}}
service: {extensions: [RUNNING], pipelines: {traces: {receivers: [otlp], exporters: [otlp_http]}}}
"""
ONE = CONFIG.replace(", file_storage/more: {directory: /var/lib/more}", "")


def problems(text: str, storage: str, running: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text.replace("STORAGE", storage).replace("RUNNING", running), "collector.yaml", {})
    return caught.value.problems


def test_a_queue_on_the_disk_needs_a_storage_that_runs() -> None:
    place = "collector.yaml:3: exporters.otlp_http.sending_queue.storage"
    (idle,) = problems(ONE, "file_storage", "")
    assert idle == f"{place}: 'file_storage' does not run; name it in service.extensions"
    (unknown,) = problems(ONE, "file_store", "file_storage")
    assert unknown == f"{place}: 'file_store' is no file_storage extension; did you mean 'file_storage'?"


def test_there_is_one_storage_as_there_is_one_counting_domain() -> None:
    (found,) = problems(CONFIG, "file_storage", "file_storage, file_storage/more")
    told = "one file_storage keeps everything that belongs together; keep one"
    assert found == f"collector.yaml:4: extensions.file_storage/more: {told}"


def test_a_storage_in_what_is_no_folder_is_told_before_the_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for directory in (file, file / "below" / "it"):
        (found,) = problems(ONE.replace("/var/lib/otel-carbon", str(directory)), "file_storage", "file_storage")
        assert found == f"collector.yaml:4: extensions.file_storage.directory: {str(file)!r} is no folder"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"min_size": 0}, BatchSettings(TOGETHER_BYTES, flush_timeout_s=0.2)),
        ({}, BatchSettings(TOGETHER_BYTES, min_items=8192, flush_timeout_s=0.2)),
        ({"max_size": 9000}, BatchSettings(TOGETHER_BYTES, max_items=9000, min_items=8192, flush_timeout_s=0.2)),
        (
            {"sizer": "bytes", "min_size": 2_000_000, "flush_timeout": "1s"},
            BatchSettings(2_000_000, min_size_bytes=2_000_000, flush_timeout_s=1.0),
        ),
        (
            {"sizer": "bytes", "min_size": 1000, "max_size": 5000},
            BatchSettings(5000, min_size_bytes=1000, flush_timeout_s=0.2),
        ),
    ],
)
def test_batches_are_bounded_as_the_configuration_says(written: dict[str, object], meant: BatchSettings) -> None:
    assert batch_settings(BatchConfig.model_validate(written)) == meant


def test_a_batch_cannot_be_smaller_than_what_it_waits_for() -> None:
    with pytest.raises(ValueError, match="max_size 10 must not be below min_size 8192"):
        BatchConfig(max_size=10)


def test_what_is_on_the_disk_is_given_up_only_if_that_was_asked_for() -> None:
    durable, in_memory = QueueConfig(storage="file_storage"), QueueConfig()
    asked_for = RetryConfig.model_validate({"max_elapsed_time": "1m"})
    assert retry_settings(RetryConfig(), durable).max_elapsed_time_s == 0  # never
    assert retry_settings(RetryConfig(), in_memory).max_elapsed_time_s == 300.0
    assert retry_settings(asked_for, durable).max_elapsed_time_s == 60.0


def test_delays_grow_as_the_configuration_says() -> None:
    assert retry_settings(RetryConfig(multiplier=2.0), QueueConfig()).multiplier == 2.0
