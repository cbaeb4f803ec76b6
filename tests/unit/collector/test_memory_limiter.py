"""When memory is short, from what it is read, and what a client is told then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.memory_limiter import MemoryLimiterConfig
from otel_carbon.collector.memory_limiter import MemoryLimiter, MemoryLimits
from otel_carbon.collector.pipeline import Intake, Pipeline
from otel_carbon.collector.process_memory import available_bytes, resident_bytes
from otel_carbon.collector.refusals import TryLater
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import counter

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024
LIMITS = MemoryLimits(hard_bytes=100, soft_bytes=80, check_interval_s=0.5)


@dataclass
class Process:
    """A process whose memory is as the test says; collecting gives back so much."""

    used_bytes: int
    garbage_bytes: int = 0
    collected: list[int] = field(default_factory=list)

    def limiter(self) -> MemoryLimiter:
        return MemoryLimiter("memory_limiter", LIMITS, lambda: self.used_bytes, self.collect)

    def collect(self) -> None:
        self.collected.append(self.used_bytes)
        self.used_bytes -= self.garbage_bytes
        self.garbage_bytes = 0


@pytest.mark.parametrize(("used_bytes", "is_short"), [(80, False), (81, True), (100, True), (101, True)])
def test_requests_are_refused_above_the_soft_limit(used_bytes: int, is_short: bool) -> None:
    limiter = Process(used_bytes).limiter()
    limiter.look()
    assert limiter.is_short is is_short


def test_garbage_is_collected_above_the_hard_limit_and_while_it_stays_short() -> None:
    process = Process(81)
    limiter = process.limiter()
    limiter.look()
    assert process.collected == []
    process.used_bytes, process.garbage_bytes = 101, 50
    limiter.look()
    assert (process.collected, limiter.is_short) == ([101], False)
    process.used_bytes = 90
    limiter.look()
    limiter.look()
    assert process.collected == [101, 90]


def test_a_refused_request_is_not_read_and_is_counted() -> None:
    limiter, metrics = Process(90).limiter(), SelfMetrics()
    limiter.look()
    metrics.watch_limiter(limiter)
    pipeline = Pipeline("traces", Signal.TRACES, (), (ByteQueue("backend", 1000),), limiter=limiter)
    intake = Intake("otlp", Signal.TRACES, (pipeline,), metrics)
    with pytest.raises(TryLater, match="short of memory") as refused:
        intake.admit("grpc")
    assert refused.value.retry_after_s == 1.0
    page = metrics.render().decode()
    assert counter(page, "otelcol_processor_memory_limiter_refused_requests_total", processor="memory_limiter") == 1
    assert counter(page, "otelcol_receiver_requests_total", outcome="refused") == 1
    assert counter(page, "otelcol_processor_memory_limiter_limit_bytes") == 80


def test_where_memory_cannot_be_read_nothing_is_refused() -> None:
    limiter = MemoryLimiter("memory_limiter", LIMITS, lambda: None)
    limiter.look()
    assert not limiter.is_short


def test_this_process_has_memory() -> None:
    used_bytes, most_bytes = resident_bytes(), available_bytes()
    assert used_bytes is not None
    assert most_bytes is not None
    assert 10 * MEBIBYTE < used_bytes < most_bytes


def test_the_smallest_limit_of_the_control_groups_is_what_there_is(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/pods/one\n", encoding="utf-8")
    (tmp_path / "pods/one").mkdir(parents=True)
    (tmp_path / "pods/one/memory.max").write_text("max\n", encoding="ascii")
    (tmp_path / "pods/memory.max").write_text("1000\n", encoding="ascii")
    assert available_bytes(tmp_path, own) == 1000


def test_the_older_control_groups_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/memory.limit_in_bytes").write_text("2000\n", encoding="ascii")
    assert available_bytes(tmp_path, tmp_path / "missing") == 2000


@pytest.mark.parametrize(
    ("settings", "hard_bytes", "soft_bytes"),
    [
        ({"limit_mib": 100}, 100 * MEBIBYTE, 80 * MEBIBYTE),
        ({"limit_mib": 100, "spike_limit_mib": 30}, 100 * MEBIBYTE, 70 * MEBIBYTE),
        ({"limit_percentage": 50}, 500, 400),
        ({"limit_percentage": 50, "spike_limit_percentage": 10}, 500, 400),
    ],
)
def test_limits_are_those_of_the_configuration(settings: dict[str, int], hard_bytes: int, soft_bytes: int) -> None:
    config = MemoryLimiterConfig.model_validate(settings)
    assert (config.hard_bytes(1000), config.soft_bytes(1000)) == (hard_bytes, soft_bytes)


CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
processors: {carbon: , memory_limiter: LIMITER}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], processors: [PROCESSORS], exporters: [debug]}}}
"""


@pytest.mark.parametrize(
    ("limiter", "processors", "problem"),
    [
        ("{limit_mib: 100}", "carbon, memory_limiter", "processors[1]: memory_limiter must stand first"),
        ("{check_interval: 1s}", "memory_limiter", "set limit_mib or limit_percentage"),
        ("{limit_mib: 100, spike_limit_mib: 100}", "memory_limiter", "spike_limit_mib must be below limit_mib"),
    ],
)
def test_what_would_limit_nothing_is_a_mistake(limiter: str, processors: str, problem: str) -> None:
    text = CONFIG.replace("LIMITER", limiter).replace("PROCESSORS", processors)
    with pytest.raises(ConfigError, match=problem.replace("[", r"\[").replace("]", r"\]")):
        parse_config(text, "collector.yaml", {})
