from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from otel_carbon.collector.config.document import PipelineConfig
from otel_carbon.collector.pipeline_status import OK, STARTING, STOPPING, BackendState, status_document

START = datetime(2026, 11, 1, tzinfo=UTC)
READY = START + timedelta(seconds=1)
PIPELINES = {
    "traces": PipelineConfig(receivers=("otlp",), processors=("carbon",), exporters=("otlp_http", "prometheus")),
    "logs": PipelineConfig(receivers=("otlp",), exporters=("otlp_grpc",)),
}


def state(*, failing_after_s: int | None) -> BackendState:
    times = iter([START, START + timedelta(seconds=failing_after_s or 0)])
    backend = BackendState(lambda: next(times))
    if failing_after_s is not None:
        backend.note(is_failing=True)
    return backend


def entry(status: str, at: datetime) -> dict[str, object]:
    return {"healthy": status != STARTING, "status": status, "status_time": at.isoformat()}


def test_the_state_of_a_backend_shows_where_it_stands_and_above() -> None:
    backends = {"otlp_http": state(failing_after_s=60), "otlp_grpc": state(failing_after_s=None)}
    failed = entry("StatusRecoverableError", START + timedelta(seconds=60))
    fine = entry("StatusOK", READY)
    document = status_document(PIPELINES, backends, status=OK, started=START, since=READY, verbose=True)
    assert document == {
        "start_time": "2026-11-01T00:00:00+00:00",
        **failed,
        "components": {
            "pipeline:traces": {
                **failed,
                "components": {
                    "receiver:otlp": fine,
                    "processor:carbon": fine,
                    "exporter:otlp_http": failed,
                    "exporter:prometheus": fine,
                },
            },
            "pipeline:logs": {**fine, "components": {"receiver:otlp": fine, "exporter:otlp_grpc": fine}},
        },
    }


def test_the_whole_shows_the_failure_that_came_last() -> None:
    backends = {"otlp_http": state(failing_after_s=60), "otlp_grpc": state(failing_after_s=90)}
    document = status_document(PIPELINES, backends, status=OK, started=START, since=READY, verbose=False)
    assert document["status_time"] == (START + timedelta(seconds=90)).isoformat()
    assert "components" not in document


@pytest.mark.parametrize("status", [STARTING, STOPPING])
def test_before_and_after_nothing_is_healthy_whatever_backends_do(status: str) -> None:
    backends = {"otlp_http": state(failing_after_s=60)}
    document = status_document(PIPELINES, backends, status=status, started=START, since=READY, verbose=True)
    assert (document["healthy"], document["status"]) == (False, status)
    components = document["components"]["pipeline:traces"]["components"]
    assert {each["status"] for each in components.values()} == {status}


def test_a_backend_that_goes_on_failing_has_failed_since_the_first_time() -> None:
    times = iter([START, START + timedelta(seconds=1), START + timedelta(seconds=2)])
    backend = BackendState(lambda: next(times))
    for is_failing in (False, True, True, True):
        backend.note(is_failing=is_failing)
    assert backend.since == START + timedelta(seconds=1)
    backend.note(is_failing=False)
    assert backend.since == START + timedelta(seconds=2)
