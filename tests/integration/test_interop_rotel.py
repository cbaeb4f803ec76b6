"""`rotel`, a collector that is not ours, in front of ours and behind it, and the Python SDK in front of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.collector_under_test import PROTOBUF, log_request, metric_request
from tests.support.exported_calls import emissions_on
from tests.support.interop_collector import running_between
from tests.support.sdk_calls import EMISSIONS_GCO2E, export_calls, grpc_exporter, http_exporter
from tests.support.third_party_receiver import running_rotel
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.interop_collector import Exporter
    from tests.support.otlp_sink import OtlpSink
    from tests.support.third_party_receiver import ThirdPartyReceiver
    from tests.support.written_collector import WrittenCollector

CALLS = 7
TIMEOUT_S = 15.0
EXPORTERS = {"grpc": grpc_exporter, "http": http_exporter}
Protocol = Literal["grpc", "http"]


def endpoint_of(collector: WrittenCollector, protocol: Protocol) -> str:
    return collector.grpc_endpoint if protocol == "grpc" else collector.http_endpoint


def booked_calls(collector: WrittenCollector) -> float:
    samples = [each for family in text_string_to_metric_families(collector.metrics()) for each in family.samples]
    return sum(each.value for each in samples if each.name == "otel_carbon_operations_total")


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_calls_of_the_python_sdk_arrive_enriched_and_are_counted_once(
    protocol: Protocol, gzip: bool, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    with running_between(tmp_path, "otlp_http", otlp_sink.http_endpoint) as collector:
        export_calls(EXPORTERS[protocol](endpoint_of(collector, protocol), gzip=gzip), CALLS)

        assert emissions_on(otlp_sink.wait_for_spans(CALLS)) == [EMISSIONS_GCO2E] * CALLS
        assert booked_calls(collector) == CALLS


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_rotel_in_front_hands_us_its_gzipped_batches(protocol: Protocol, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    with running_between(tmp_path, "otlp_http", otlp_sink.http_endpoint) as collector:
        backend = endpoint_of(collector, protocol)
        settings = ["--otlp-exporter-protocol", protocol, "--otlp-exporter-endpoint", backend]
        with running_rotel(tmp_path, [*settings, "--otlp-exporter-compression", "gzip"]) as rotel:
            export_calls(http_exporter(rotel.http_endpoint), CALLS)

            assert emissions_on(otlp_sink.wait_for_spans(CALLS)) == [EMISSIONS_GCO2E] * CALLS
            assert booked_calls(collector) == CALLS


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("exporter", ["otlp_grpc", "otlp_http"])
def test_rotel_behind_us_understands_what_we_send(
    exporter: Exporter,
    compression: Literal["none", "gzip"],
    third_party_receiver: ThirdPartyReceiver,
    tmp_path: Path,
) -> None:
    rotel = third_party_receiver
    backend = rotel.grpc_endpoint if exporter == "otlp_grpc" else rotel.http_endpoint
    with running_between(tmp_path, exporter, backend, compression=compression) as collector:
        export_calls(grpc_exporter(collector.grpc_endpoint), CALLS)

        assert emissions_on(rotel.sink.wait_for_spans(CALLS)) == [EMISSIONS_GCO2E] * CALLS


def test_metrics_and_logs_pass_through_us_and_rotel_untouched(
    third_party_receiver: ThirdPartyReceiver, tmp_path: Path
) -> None:
    rotel = third_party_receiver
    with running_between(tmp_path, "otlp_http", rotel.http_endpoint) as collector:
        for path, body in (("metrics", metric_request()), ("logs", log_request())):
            httpx.post(f"{collector.http_endpoint}/v1/{path}", content=body, headers=PROTOBUF).raise_for_status()

        (metrics,) = wait_until(rotel.sink.metric_requests, timeout_s=TIMEOUT_S, what="metrics")
        (logs,) = wait_until(rotel.sink.log_requests, timeout_s=TIMEOUT_S, what="logs")
    assert metrics.SerializeToString() == metric_request()
    assert logs.SerializeToString() == log_request()


def test_ours_behind_rotel_behind_ours_counts_each_call_once(otlp_sink: OtlpSink, tmp_path: Path) -> None:
    last_folder, first_folder = tmp_path / "last", tmp_path / "first"
    last_folder.mkdir()
    first_folder.mkdir()
    with (
        running_between(last_folder, "otlp_grpc", otlp_sink.grpc_endpoint) as last,
        running_rotel(tmp_path, ["--otlp-exporter-endpoint", last.http_endpoint]) as rotel,
        running_between(first_folder, "otlp_http", rotel.http_endpoint) as first,
    ):
        export_calls(http_exporter(first.http_endpoint), CALLS)

        assert emissions_on(otlp_sink.wait_for_spans(CALLS)) == [EMISSIONS_GCO2E] * CALLS
        assert (booked_calls(first), booked_calls(last)) == (CALLS, 0)
