"""A collector whose queue is on the disk, as a process: restarts, full disks, backends that are away, holds."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from otel_carbon import attributes as ours
from tests.integration.collector_under_test import PROTOBUF, ScriptedBackend, counter, scripted_backend
from tests.integration.durable_collector import DurableCollector, body_of, durable_exporter
from tests.support.waiting import wait_until
from tests.unit.otlp.messages import attributes_of, foreign_span, inference_span, request_of, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

GUESSES = "opentelemetry.instrumentation.langchain"
"""A scope that is trusted less than the next one."""
COUNTS = "opentelemetry.instrumentation.openai_v2"
RESPONSE = {"gen_ai.response.id": "resp-1"}
MEBIBYTE = 1024 * 1024
TIMEOUT_S = 60.0


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with scripted_backend() as made:
        yield made


def send(collector: DurableCollector, body: bytes) -> httpx.Response:
    return httpx.post(collector.url, content=body, headers=PROTOBUF, timeout=30)


def twin(number: int, scope: str) -> bytes:
    return request_of(inference_span(number, more=RESPONSE), scope=scope).SerializeToString()


def received(backend: ScriptedBackend) -> list[Span]:
    with backend.lock:
        return spans_of(b"".join(body for _, _, body in backend.requests))


def wait_for_spans(backend: ScriptedBackend, count: int) -> list[Span]:
    return wait_until(
        lambda: spans if len(spans := received(backend)) >= count else None, timeout_s=TIMEOUT_S, what=f"{count} spans"
    )


def told(spans: list[Span]) -> list[tuple[int, object]]:
    return [(int.from_bytes(span.span_id), attributes_of(span).get(ours.STATUS)) for span in spans]


def numbers_in(backend: ScriptedBackend) -> set[int]:
    return {number for number, _ in told(received(backend))}


def operations(collector: DurableCollector) -> float:
    return counter(collector.page(), "otel_carbon_operations_total")


def test_after_a_kill_spans_are_told_what_they_were_told_and_a_late_twin_is_a_duplicate(
    tmp_path: Path, backend: ScriptedBackend
) -> None:
    with DurableCollector(tmp_path, {"otlp_http": durable_exporter(backend.endpoint)}) as collector:
        assert send(collector, twin(1, COUNTS)).status_code == 200
        assert send(collector, twin(2, GUESSES)).status_code == 200
        before = told(wait_for_spans(backend, 2))
        energy_j = counter(collector.page(), "otel_carbon_energy_joules_total")
        collector.kill()
        backend.requests.clear()
        collector.start()
        for body in (twin(1, COUNTS), twin(2, GUESSES), twin(3, GUESSES)):
            assert send(collector, body).status_code == 200
        # What was sent just before the kill may come once more, and is told the same.
        wait_until(lambda: numbers_in(backend) == {1, 2, 3}, timeout_s=TIMEOUT_S, what="all three spans")
        assert set(told(received(backend))) == {*before, (3, ours.STATUS_DUPLICATE)}
        assert before == [(1, ours.STATUS_ESTIMATED), (2, ours.STATUS_DUPLICATE)]
        assert operations(collector) == 1
        assert counter(collector.page(), "otel_carbon_energy_joules_total") == energy_j


def test_what_cannot_be_sent_before_the_stop_is_sent_after_the_next_start(tmp_path: Path) -> None:
    with (
        scripted_backend(accepting=False) as backend,
        DurableCollector(tmp_path, {"otlp_http": durable_exporter(backend.endpoint)}) as collector,
    ):
        assert send(collector, body_of(1)).status_code == 200
        assert collector.stop() == 0, collector.said()
        assert "1 requests stay on the disk" in collector.said()
        backend.requests.clear()
        backend.accepting.set()
        collector.start()
        assert told(wait_for_spans(backend, 1)) == [(2, ours.STATUS_ESTIMATED)]
        assert operations(collector) == 1


def test_a_disk_that_takes_nothing_makes_clients_wait_and_books_nothing_twice(
    tmp_path: Path, backend: ScriptedBackend
) -> None:
    with DurableCollector(tmp_path, {"otlp_http": durable_exporter(backend.endpoint)}) as collector:
        assert collector.process is not None
        pid = collector.process.popen.pid
        assert send(collector, body_of(1)).status_code == 200
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, most))  # every write beyond the first page fails
        refused = send(collector, body_of(2))
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert send(collector, body_of(3)).status_code == 503
        assert not collector.is_healthy()  # others may take what it refuses
        assert counter(collector.page(), "otel_carbon_collector_storage_write_failures_total") >= 1
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        for number in (2, 3):
            wait_until(
                lambda number=number: send(collector, body_of(number)).status_code == 200,  # type: ignore[misc] # bound
                timeout_s=TIMEOUT_S,
                what="a collector that takes requests again",
            )
        assert collector.is_healthy()
        wait_until(lambda: numbers_in(backend) == {2, 3, 4}, timeout_s=TIMEOUT_S, what="all three spans")
        assert operations(collector) == 3
        collector.kill()
        collector.start()
        assert operations(collector) == 3
        assert (collector.folder / "collector-1.err").read_text().count("cannot write") == 1


def test_while_the_backend_is_away_the_disk_fills_to_its_bound_and_memory_does_not(tmp_path: Path) -> None:
    with (
        scripted_backend(accepting=False) as backend,
        DurableCollector(
            tmp_path, {"otlp_http": durable_exporter(backend.endpoint)}, storage={"max_size_bytes": 32 * MEBIBYTE}
        ) as collector,
    ):
        assert collector.process is not None
        statm = Path(f"/proc/{collector.process.popen.pid}/statm")
        sent, resident_bytes = 0, []
        padding = {"padding": "x" * 250_000}
        while send(collector, request_of(foreign_span(sent + 1, padding)).SerializeToString()).status_code == 200:
            sent += 1
            resident_bytes.append(int(statm.read_text().split()[1]) * resource.getpagesize())
        assert sent == int(32 * MEBIBYTE * 0.75 * 0.9) // 250_400  # so much of it is for the requests of one exporter
        early, late = max(resident_bytes[10:30]), max(resident_bytes[-20:])
        assert late - early < 6 * MEBIBYTE, (early, late)  # 16 MiB were queued meanwhile
        with backend.lock:
            backend.requests.clear()  # what was refused, over and over, comes again
            backend.accepting.set()
        wait_until(
            lambda: counter(collector.page(), "otelcol_exporter_sent_spans_total") == sent,
            timeout_s=TIMEOUT_S,
            what="all that was taken",
        )
        assert numbers_in(backend) == set(range(1, sent + 1))
        assert send(collector, body_of(9)).status_code == 200


def test_what_was_held_is_held_again_and_decided_together(tmp_path: Path, backend: ScriptedBackend) -> None:
    exporters = {"otlp_http": durable_exporter(backend.endpoint)}
    with DurableCollector(tmp_path, exporters, carbon={"hold": "1m"}) as collector:
        assert send(collector, twin(1, GUESSES)).status_code == 200
        collector.kill()
        collector.start()
        assert send(collector, twin(2, COUNTS)).status_code == 200
        assert received(backend) == []
        assert collector.stop() == 0, collector.said()  # what is held is decided at the end
    assert told(wait_for_spans(backend, 2)) == [(1, ours.STATUS_DUPLICATE), (2, ours.STATUS_ESTIMATED)]


def test_what_was_held_is_decided_where_nothing_is_held_any_more(tmp_path: Path, backend: ScriptedBackend) -> None:
    exporters = {"otlp_http": durable_exporter(backend.endpoint)}
    with DurableCollector(tmp_path, exporters, carbon={"hold": "1m"}) as collector:
        assert send(collector, twin(1, GUESSES)).status_code == 200
        collector.kill()
        collector.carbon.clear()
        collector.start()
        assert told(wait_for_spans(backend, 1)) == [(1, ours.STATUS_ESTIMATED)]
        assert operations(collector) == 1


def test_a_database_that_was_damaged_while_it_was_down_costs_no_start_and_no_readable_request(tmp_path: Path) -> None:
    with (
        scripted_backend(accepting=False) as backend,
        DurableCollector(tmp_path, {"otlp_http": durable_exporter(backend.endpoint)}) as collector,
    ):
        for number in range(1, 21):
            assert send(collector, body_of(number)).status_code == 200
        collector.kill()
        log_path = collector.queue_folder / "queue.sqlite3-wal"
        with (collector.queue_folder / "queue.sqlite3").open("r+b") as file:
            file.write(bytes(4096))  # its header
        with log_path.open("r+b") as log:
            log.seek(32 + 24 + 100)
            log.write(bytes(2000))  # the first page in its log, of which there are later states
        with backend.lock:
            backend.requests.clear()
            backend.accepting.set()
        collector.start()
        wait_until(lambda: numbers_in(backend) == set(range(2, 22)), timeout_s=TIMEOUT_S, what="all twenty spans")
        assert operations(collector) == 20
        page = collector.page()
        assert counter(page, "otel_carbon_collector_storage_replaced_total") == 1
        assert counter(page, "otel_carbon_collector_storage_lost_requests_total") == 0
        (kept,) = collector.queue_folder.glob("damaged-*/queue.sqlite3")
        assert (
            f"it is now {kept}, and a new one has what could be read: 20 requests, and 0 are lost" in collector.said()
        )
        collector.kill()
        collector.start()
        assert operations(collector) == 20


def test_counters_go_on_where_nothing_is_exported(tmp_path: Path) -> None:
    with DurableCollector(tmp_path, {}) as collector:
        assert send(collector, body_of(1, spans=3)).status_code == 200
        collector.kill()
        collector.start()
        assert operations(collector) == 3
        assert send(collector, body_of(1, spans=4)).status_code == 200  # spans 5 and 6 again, 7 and 8 are new
        assert operations(collector) == 3 + 4 - 2
