from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import cramjam
import httpx
import pytest
from prometheus_client.core import CounterMetricFamily

from otel_carbon import metric_names
from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.exporters.backend import BackendSettings
from otel_carbon.collector.exporters.remote_write import RemoteWriteExporter, RemoteWriteSettings
from otel_carbon.collector.exporters.remote_write_schema import new_write_request
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.sender import RetrySettings
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import (
    PROTOBUF,
    RECEIVER,
    ScriptedBackend,
    config_text,
    counter,
    scripted_backend,
)
from tests.support.corpus import captures
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.prometheus_server import PrometheusServer

CONFIG = f"""
receivers:
  {RECEIVER}
processors:
  carbon:
exporters:
  prometheus: {{endpoint: "localhost:0"}}
  prometheusremotewrite:
    endpoint: URL/api/v1/write
    interval: 500ms
    external_labels: {{job: pushed, instance: "", cluster: blue}}
    self_metrics: true
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [prometheus, prometheusremotewrite]}}
"""
OURS = '{__name__=~"otel_carbon_.*", job="%s"}'
Page = dict[frozenset[tuple[str, str]], float]


def page_of(server: PrometheusServer, job: str) -> Page:
    """All our series of a job, without what only one of two ways adds."""
    return {
        frozenset((name, text) for name, text in each.labels.items() if name not in {"job", "instance", "cluster"}): (
            each.value
        )
        for each in server.query(OURS % job)
    }


def running(server: PrometheusServer) -> Collector:
    config = parse_config(CONFIG.replace("URL", server.url), "test.yaml", {}).config
    return Collector(config, build_carbon=carbon_builder(None))


def test_a_real_prometheus_gets_the_same_by_push_as_by_scrape(prometheus_server: PrometheusServer) -> None:
    with running(prometheus_server) as collector:
        prometheus_server.scrape({"scraped": str(collector.endpoints["exporters.prometheus"])})
        url = f"http://{collector.endpoints['receivers.otlp.http']}/v1/traces"
        for body in (each for recorded in captures()[::10] for each in recorded.traces):
            assert httpx.post(url, content=body, headers=PROTOBUF).status_code == 200
        prometheus_server.wait_for_fresh_scrape()
        scraped = page_of(prometheus_server, "scraped")
        wait_until(lambda: page_of(prometheus_server, "pushed") == scraped, timeout_s=15, what="equal pages")
        names = {dict(series)["__name__"] for series in scraped}
        assert {metric.prometheus_name for metric in metric_names.ALL} - names == {
            # No recording of the corpus names a sampling threshold.
            name
            for name in (metric.prometheus_name for metric in metric_names.ALL)
            if "_sampling_unseen_" in name
        }
        assert {each.labels["cluster"] for each in prometheus_server.query(OURS % "pushed")} == {"blue"}
        sent = 'otelcol_exporter_sent_metric_points_total{job="pushed", exporter="prometheusremotewrite"}'
        wait_until(lambda: (prometheus_server.value(sent) or 0) > len(scraped), timeout_s=10, what="own metrics")
        assert "instance" not in prometheus_server.query(OURS % "pushed")[0].labels
    # The last push marked every series as ended: the newest value of a counter is gone at once, not after 5 minutes.
    assert page_of(prometheus_server, "pushed") == {}
    ended = prometheus_server.value(f"sum(last_over_time({metric_names.SPANS.prometheus_name}{{job='pushed'}}[5m]))")
    assert ended == sum(
        value for series, value in scraped.items() if ("__name__", metric_names.SPANS.prometheus_name) in series
    )


def decoded(body: bytes) -> Any:
    request = bytes(cramjam.snappy.decompress_raw(body))
    return type(new_write_request()).FromString(request)  # type: ignore[attr-defined] # protobuf makes the class


class Source:
    """Families that a test sets."""

    def __init__(self) -> None:
        self.calls = {"a": 1.0}

    def __call__(self) -> list[CounterMetricFamily]:
        family = CounterMetricFamily("calls", "help", labels=["service"])
        for service, count in self.calls.items():
            family.add_metric([service], count)
        return [family]


def exporter_to(
    backend: ScriptedBackend, source: Source, *, interval_s: float = 3600, enabled: bool = True, **clock: Any
) -> tuple[RemoteWriteExporter, SelfMetrics]:
    metrics = SelfMetrics()
    settings = RemoteWriteSettings(interval_s, {}, RetrySettings(enabled, 0.01, 0.01))
    return RemoteWriteExporter(
        BackendSettings("push", backend.endpoint + "/write", {"x-api-key": "k"}, gzip=False, timeout_s=5),
        settings,
        source,
        metrics,
        **clock,
    ), metrics


def samples_of(backend: ScriptedBackend, number: int) -> dict[str, float]:
    """Values by service of one request."""
    return {
        next(label.value for label in one.labels if label.name == "service"): one.samples[0].value
        for one in decoded(backend.requests[number][2]).timeseries
    }


def stop(exporter: RemoteWriteExporter) -> None:
    exporter.stop(time.monotonic() + 10)


def wait_for_requests(backend: ScriptedBackend, count: int) -> None:
    wait_until(lambda: len(backend.requests) >= count, timeout_s=10, what=f"{count} requests")


def test_requests_have_the_headers_that_remote_write_demands() -> None:
    with scripted_backend() as backend:
        exporter, _ = exporter_to(backend, Source())
        exporter.start()
        wait_for_requests(backend, 1)
        stop(exporter)
    path, headers, _ = backend.requests[0]
    assert path == "/write"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["content-encoding"] == "snappy"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert headers["user-agent"].startswith("otel-carbon/")
    assert headers["x-api-key"] == "k"


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_a_push_that_may_pass_later_is_done_again_with_the_counters_as_they_are_by_then(status: int) -> None:
    source = Source()

    with scripted_backend((status, {"retry-after": "1"}, b"slow down")) as backend:
        exporter, metrics = exporter_to(backend, source)
        began_s = time.monotonic()
        exporter.start()
        wait_for_requests(backend, 1)
        source.calls = {"a": 5.0}
        wait_for_requests(backend, 2)
        assert time.monotonic() - began_s >= 1  # not our own delay, which is 0.015 s at most
        stop(exporter)
    assert (samples_of(backend, 0), samples_of(backend, 1)) == ({"a": 1.0}, {"a": 5.0})
    page = metrics.render().decode()
    assert counter(page, "otelcol_exporter_send_failed_metric_points_total", exporter="push") == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_push_that_will_not_pass_waits_for_the_next_interval(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with scripted_backend((status, {}, b"out of order sample\nsecond line")) as backend:
        exporter, _ = exporter_to(backend, Source(), interval_s=0.5)
        began_s = time.monotonic()
        exporter.start()
        wait_for_requests(backend, 2)
        assert time.monotonic() - began_s >= 0.5
        stop(exporter)
    assert caplog.messages == [f"push: cannot push: {backend.endpoint}/write answered {status}: out of order sample"]


def test_a_series_that_goes_away_is_ended_and_all_are_at_the_end() -> None:
    source = Source()
    source.calls = {"a": 1.0, "b": 2.0}
    with scripted_backend() as backend:
        exporter, _ = exporter_to(backend, source, interval_s=0.05)
        exporter.start()
        wait_for_requests(backend, 1)
        source.calls = {"b": 3.0}
        wait_for_requests(backend, 3)
        stop(exporter)
    numbers = range(len(backend.requests))
    is_gone = [{name: value != value for name, value in samples_of(backend, number).items()} for number in numbers]
    assert is_gone[0] == {"a": False, "b": False}
    assert is_gone.count({"a": True, "b": False}) == 1
    assert is_gone[-2:] == [{"b": False}, {"b": True}]


def test_samples_stay_in_order_when_the_clock_jumps_back() -> None:
    times_s = iter([1000.0, 500.0, 500.0, 2000.0])
    with scripted_backend() as backend:
        exporter, _ = exporter_to(backend, Source(), interval_s=0.05, wall_clock_s=lambda: next(times_s, 2000.0))
        exporter.start()
        wait_for_requests(backend, 4)
        stop(exporter)
    stamps = [decoded(body).timeseries[0].samples[0].timestamp for _, _, body in backend.requests]
    assert stamps[:4] == [1_000_000, 1_000_001, 1_000_002, 2_000_000]


def test_the_end_does_not_wait_for_a_backend_that_is_away() -> None:
    with scripted_backend(accepting=False) as backend:
        exporter, _ = exporter_to(backend, Source())
        exporter.start()
        wait_for_requests(backend, 1)
        began_s = time.monotonic()
        stop(exporter)
        assert time.monotonic() - began_s < 5


def test_without_retries_the_next_interval_is_the_next_push() -> None:
    with scripted_backend((503, {}, b"")) as backend:
        exporter, _ = exporter_to(backend, Source(), interval_s=0.5, enabled=False)
        began_s = time.monotonic()
        exporter.start()
        wait_for_requests(backend, 2)
        assert time.monotonic() - began_s >= 0.5
        stop(exporter)


def test_a_fault_of_ours_does_not_end_the_pushes(caplog: pytest.LogCaptureFixture) -> None:
    source, faults = Source(), iter([True, True])

    def read() -> list[CounterMetricFamily]:
        if next(faults, False):
            raise ZeroDivisionError
        return source()

    with scripted_backend() as backend:
        exporter, _ = exporter_to(backend, as_source(read), interval_s=0.05)
        exporter.start()
        wait_for_requests(backend, 1)
        stop(exporter)
    assert caplog.messages[0] == "push: cannot push because of an unexpected error"
    assert len([message for message in caplog.messages if "unexpected" in message]) == 1


def as_source(read: Callable[[], list[CounterMetricFamily]]) -> Any:
    return read


@pytest.mark.parametrize(
    ("exporter", "problem"),
    [
        ("{endpoint: 'http://p/w', external_labels: {'a-b': x}}", "'a-b' is no name of a label"),
        ("{endpoint: 'http://p/w', external_labels: {__name__: x}}", "'__name__' is no name of a label"),
        ("{endpoint: 'p:9090/api/v1/write'}", "must be a URL such as"),
        ("{endpoint: 'http://p/w', interval: 0s}", "must be greater than or equal to 0.1"),
        ("{endpoint: 'https://p/w', tls: {ca_file: /no/such.pem}}", "there is no file '/no/such.pem'"),
        ("{endpoint: 'http://p/w'}", "prometheusremotewrite pushes the carbon processor's counters; add carbon"),
    ],
)
def test_what_cannot_be_is_told_before_the_start(exporter: str, problem: str) -> None:
    text = config_text(f"prometheusremotewrite: {exporter}", names="prometheusremotewrite")
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "test.yaml", {})
    assert problem in "\n".join(caught.value.problems)
