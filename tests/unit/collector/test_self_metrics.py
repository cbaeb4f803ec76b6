from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon.cli.carbon_facts import carbon_facts, month_of
from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.exporters.observed import ObservedExport
from otel_carbon.collector.fact_metrics import CarbonFacts, fact_families
from otel_carbon.collector.pipeline import Intake, Pipeline
from otel_carbon.collector.self_metrics import _COUNTER_HELP, SelfMetrics
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import MalformedBody
from otel_carbon.grid.table import GridTable, GridVersion
from otel_carbon.registry.catalog import Registry
from otel_carbon.version import VERSION
from tests.unit.otlp.messages import foreign_span, inference_span, request_of
from tools import generate_collector_metrics_page as page_tool
from tools import generated_page

REPOSITORY = Path(__file__).resolve().parents[3]
BODY = request_of(inference_span(), foreign_span()).SerializeToString()


def value(metrics: SelfMetrics, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )


def intake(metrics: SelfMetrics, process: object) -> Intake:
    assert callable(process)
    pipeline = Pipeline("traces", Signal.TRACES, (("carbon", process),), (ByteQueue("backend", 10_000),))
    return Intake("otlp", Signal.TRACES, (pipeline,), metrics)


def test_what_goes_through_a_processor_is_counted_and_timed_once_for_a_request() -> None:
    metrics = SelfMetrics()
    for _ in range(3):
        intake(metrics, bytes).accept(BODY, "grpc")
    assert value(metrics, "otelcol_processor_incoming_items_total", processor="carbon", otel_signal="traces") == 3 * 2
    assert value(metrics, "otelcol_processor_outgoing_items_total", processor="carbon", otel_signal="traces") == 3 * 2
    seconds = "otelcol_processor_internal_duration_seconds"
    assert value(metrics, f"{seconds}_count", processor="carbon", otel_signal="traces") == 3
    assert value(metrics, f"{seconds}_bucket", processor="carbon", otel_signal="traces", le="+Inf") == 3
    assert 0 < value(metrics, f"{seconds}_sum", processor="carbon", otel_signal="traces") < 1


def test_a_request_that_a_processor_cannot_read_counts_as_failed() -> None:
    def refuse(_body: bytes) -> bytes:
        raise MalformedBody("no")

    metrics = SelfMetrics()
    with pytest.raises(MalformedBody):
        intake(metrics, refuse).accept(BODY, "http")
    assert value(metrics, "otelcol_receiver_failed_spans_total", receiver="otlp", transport="http") == 2
    assert value(metrics, "otelcol_receiver_requests_total", receiver="otlp", transport="http", outcome="failure") == 1


class Backend:
    """Answers as it is told, and looks at the metrics while it is asked."""

    def __init__(self, metrics: SelfMetrics, *answers: Exception | int) -> None:
        self._metrics = metrics
        self._answers = list(answers)
        self.seen_in_flight: list[float] = []

    def send(self, _batch: Batch) -> int:
        self.seen_in_flight.append(value(self._metrics, "otelcol_exporter_in_flight_requests", exporter="otlp"))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Nothing to give back."""


def test_requests_are_in_flight_while_they_are_and_every_attempt_has_its_size() -> None:
    metrics = SelfMetrics()
    backend = Backend(metrics, RetryableExportError("later"), 0, PermanentExportError("never"), 1)
    export = ObservedExport(backend, "otlp", metrics)
    failing = []
    for _ in range(4):
        with suppress(RetryableExportError, PermanentExportError):
            export.send(Batch(Signal.TRACES, b"x" * 2000, 60))
        failing.append(metrics.backends["otlp"].is_failing)
    assert backend.seen_in_flight == [1, 1, 1, 1]
    assert value(metrics, "otelcol_exporter_in_flight_requests", exporter="otlp") == 0
    assert failing == [True, False, False, False]
    assert value(metrics, "otel_carbon_collector_exporter_failing", exporter="otlp") == 0
    items, size = "otelcol_exporter_queue_batch_send_size", "otelcol_exporter_queue_batch_send_size_bytes"
    assert value(metrics, f"{items}_bucket", exporter="otlp", le="50") == 0
    assert value(metrics, f"{items}_bucket", exporter="otlp", le="100") == 4
    assert value(metrics, f"{items}_sum", exporter="otlp") == 4 * 60
    assert value(metrics, f"{size}_bucket", exporter="otlp", le="1024") == 0
    assert value(metrics, f"{size}_bucket", exporter="otlp", le="4096") == 4


def test_the_facts_and_their_age_show() -> None:
    facts = CarbonFacts("2026.11.1+ab", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 29, 12, tzinfo=UTC))
    now = datetime(2026, 12, 1, 11, tzinfo=UTC)
    samples = [sample for family in fact_families([facts], now) for sample in family.samples]
    assert [(sample.name, sample.labels, sample.value) for sample in samples] == [
        ("otel_carbon_build_info", {"version": VERSION, "registry_version": "2026.11.1+ab"}, 1),
        ("otel_carbon_registry_age_days", {}, 30),
        ("otel_carbon_grid_table_age_days", {}, 1),  # one day and 23 hours
    ]


def test_of_facts_without_a_date_no_age_is_made_up() -> None:
    assert [family.name for family in fact_families([CarbonFacts("mine")])] == ["otel_carbon_build_info"]


@pytest.mark.parametrize(
    ("version", "month"),
    [("2026.11.1+ab", (2026, 11)), ("2027.1.0", (2027, 1)), ("2026.13.0", None), ("mine", None), ("1.2.3", None)],
)
def test_the_month_of_a_registry_is_in_its_version(version: str, month: tuple[int, int] | None) -> None:
    found = month_of(version)
    assert (None if found is None else (found.year, found.month)) == month


def test_the_bundled_registry_has_an_age_and_a_grid_table_that_of_its_newest_version() -> None:
    older, newer = (GridVersion(str(day), datetime(2026, 11, day, tzinfo=UTC), "", ()) for day in (1, 2))
    facts = carbon_facts(Registry.bundled(), GridTable((older, newer)))
    assert facts.registry_version == Registry.bundled().version
    assert facts.registry_from is not None
    assert facts.grid_table_from == newer.retrieved_at
    assert carbon_facts(Registry.bundled(), GridTable()).grid_table_from is None


def test_the_reference_page_is_what_a_collector_with_one_of_everything_shows() -> None:
    text = (REPOSITORY / page_tool.PAGE).read_text(encoding="utf-8")
    assert text == page_tool.metrics_page()
    missing = [name for name in _COUNTER_HELP if f"`{name}_total`" not in text]
    assert missing == []


def test_check_tells_drift_by_its_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generated_page, "REPOSITORY", tmp_path)
    assert page_tool.main(["--check"]) == 1
    assert page_tool.main([]) == 0
    assert page_tool.main(["--check"]) == 0
