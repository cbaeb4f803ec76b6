"""The alerts about telemetry that waits, is refused or lost: each fires, keeps still, and resolves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.prometheus_rules.alert_runs import JOB, Fired, run_alert, series

if TYPE_CHECKING:
    from pathlib import Path

BACKLOG = "OtelCarbonCollectorBacklog"
EXPORTER = {"exporter": "otlp_http"}
LOST = [
    f"otelcol_exporter_{what}_failed_{signal}_total"
    for what in ("send", "enqueue")
    for signal in ("spans", "metric_points", "log_records")
]


def test_a_queue_that_stays_nearly_full_fires_until_it_drains(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, **EXPORTER, "severity": "ticket", "backlog": "queue"},
        "The queue of otlp_http of a:1 is 90% full",
        "When it is full, clients are refused and keep their telemetry for as long as they can.",
    )
    samples = {
        series("otelcol_exporter_queue_size", **EXPORTER): "100x10 900x2 100x10 900x30 100x10",
        series("otelcol_exporter_queue_capacity", **EXPORTER): "1000x100",
        series("otelcol_exporter_queue_size", exporter="roomy"): "800x100",
        series("otelcol_exporter_queue_capacity", exporter="roomy"): "1000x100",
        series("otelcol_exporter_queue_size", exporter="none"): "0x100",
        series("otelcol_exporter_queue_capacity", exporter="none"): "0x100",
    }
    # Minutes 11 and 12 are a burst; from minute 24 on it stays full for longer than 5 minutes.
    run_alert(tmp_path, BACKLOG, samples, {"14m": (), "26m": (), "35m": (fired,), "60m": ()})


def test_a_durable_queue_that_fills_the_disk_fires_too(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, "extension": "file_storage", "severity": "ticket", "backlog": "queue"},
        "The queue of file_storage of a:1 is 95% full",
        "When it is full, clients are refused and keep their telemetry for as long as they can.",
    )
    samples = {
        series("otel_carbon_collector_storage_size", extension="file_storage"): "100x10 950x30 700x10",
        series("otel_carbon_collector_storage_capacity", extension="file_storage"): "1000x100",
    }
    run_alert(tmp_path, BACKLOG, samples, {"10m": (), "20m": (fired,), "45m": ()})


def test_a_backend_that_takes_nothing_for_five_minutes_fires(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, **EXPORTER, "severity": "ticket", "backlog": "sending"},
        "Exporter otlp_http of a:1 cannot send",
        "What its backend does not take waits in the queue; carbon counters are not affected.",
    )
    samples = {series("otel_carbon_collector_exporter_failing", **EXPORTER): "0x10 1x2 0x10 1x20 0x10"}
    run_alert(tmp_path, BACKLOG, samples, {"14m": (), "26m": (), "35m": (fired,), "50m": ()})


def test_a_disk_that_takes_nothing_pages(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, "extension": "file_storage", "severity": "page", "backlog": "disk"},
        "The disk of file_storage of a:1 takes nothing",
        "Every request is refused until it does; clients keep their telemetry for as long as they can.",
    )
    samples = {series("otel_carbon_collector_storage_failing", extension="file_storage"): "0x10 1x10 0x10"}
    run_alert(tmp_path, BACKLOG, samples, {"10m": (), "15m": (fired,), "25m": ()})


def test_requests_that_are_refused_page_and_malformed_ones_do_not(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, "severity": "page", "backlog": "refused"},
        "a:1 refuses requests",
        "10 requests in 5 minutes: a queue is full, memory is short, or the disk takes nothing.",
    )

    def requests(outcome: str) -> str:
        return series("otelcol_receiver_requests_total", receiver="otlp", transport="grpc", outcome=outcome)

    samples = {
        requests("refused"): "0x10 0+2x20 40x30",
        requests("failure"): "0+9x60",
        requests("success"): "0+9x60",
    }
    run_alert(tmp_path, BACKLOG, samples, {"10m": (), "20m": (fired,), "40m": ()})


def test_telemetry_that_is_given_up_pages_whatever_its_signal(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, **EXPORTER, "severity": "page", "backlog": "lost"},
        "Exporter otlp_http of a:1 loses telemetry",
        "50 items or more in 5 minutes were rejected by its backend, given up, or had no room in its queue.",
    )
    for growing in LOST:
        samples = {series(each, **EXPORTER): "0x10 0+10x20 200x30" if each == growing else "0x60" for each in LOST}
        run_alert(tmp_path, BACKLOG, samples, {"10m": (), "20m": (fired,), "40m": ()})
