from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

from otel_carbon.collector.exporters.backend import BackendSettings
from otel_carbon.collector.exporters.otlp_http import OtlpHttpExport
from otel_carbon.collector.signals import Batch, Signal
from tests.chaos.backend import running_backend
from tests.chaos.backends import endure
from tests.chaos.full_queue import outlast_the_queue
from tests.chaos.misbehaving import CASES
from tests.chaos.reporting import MEBIBYTE
from tests.chaos.wire import field

if TYPE_CHECKING:
    from pathlib import Path


def test_backends_that_misbehave_take_nothing_from_one_that_works_and_the_counters_tell(tmp_path: Path) -> None:
    told = endure(tmp_path, CASES, seconds=7.0, seed=1)
    assert told["complaints"] == []
    assert told["acknowledged"] > 0


def test_a_backend_away_for_longer_than_its_queue_lasts_costs_no_memory_and_no_acknowledged_span_elsewhere(
    tmp_path: Path,
) -> None:
    assert outlast_the_queue(tmp_path, seed=2)["complaints"] == []


def test_what_was_sent_is_let_go_without_the_garbage_collector() -> None:
    body = field(1, bytes(MEBIBYTE))
    with running_backend() as backend:
        export = OtlpHttpExport(BackendSettings("otlp_http", backend.endpoint, {}, gzip=False, timeout_s=30.0))
        export.send(Batch(Signal.LOGS, body, 1))
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for number in range(10):
                export.send(Batch(Signal.LOGS, body + field(1, b"%d" % number), 1))
            held_bytes, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
            export.close()
    assert held_bytes < 2 * MEBIBYTE  # of ten
