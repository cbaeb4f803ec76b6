"""The configurations inside the chart, the unit and the operator's resources are started: ours, and the front's."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.collector_under_test import counter
from tests.support.collector_process import running_collector
from tests.support.deploy_files import DEPLOY, documents, render_chart, yaml_text
from tests.support.deployed_collectors import running_deployed_collector
from tests.support.otelcol import running_otelcol
from tests.support.otlp_sink import running_otlp_sink
from tests.support.sdk_calls import EMISSIONS_GCO2E, export_calls, grpc_exporter, http_exporter
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

CALLS = 3
TIMEOUT_S = 60.0
TWO = {"collector": {"replicas": 2}, "front": {"enabled": True}}
COLLECTOR, FRONT = "carbon-otel-carbon-collector", "carbon-otel-carbon-front"


def chart_configuration(values: dict[str, object]) -> str:
    text: str = render_chart(values).one("ConfigMap", COLLECTOR)["data"]["collector.yaml"]
    return text


def front_configuration() -> str:
    text: str = render_chart(TWO).one("ConfigMap", FRONT)["data"]["front.yaml"]
    return text


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_collector_of_the_chart_sends_calls_with_footprints_to_the_backend(
    protocol: str, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    values = {
        "backend": {"endpoint": otlp_sink.http_endpoint},
        "collector": {
            "carbon": {"attributes": "full"},
            "config": {"service": {"telemetry": {"logs": {"level": "debug"}}}},
        },
    }
    with running_deployed_collector(chart_configuration(values), tmp_path) as at:
        exporter = grpc_exporter(f"http://{at[4317]}") if protocol == "grpc" else http_exporter(f"http://{at[4318]}")
        export_calls(exporter, CALLS)
        wait_until(lambda: len(otlp_sink.spans()) == CALLS, timeout_s=TIMEOUT_S, what="spans at the backend")
    assert {span.attributes["otel_carbon.emissions_gco2e"] for span in otlp_sink.spans()} == {EMISSIONS_GCO2E}
    assert (tmp_path / "state/queue").is_dir()


def test_without_a_backend_the_chart_counts_and_the_spans_end_there(tmp_path: Path) -> None:
    with running_deployed_collector(chart_configuration({}), tmp_path) as at:
        export_calls(http_exporter(f"http://{at[4318]}"), CALLS)
        page = httpx.get(f"http://{at[9464]}/metrics").text
    assert counter(page, "otel_carbon_operations_total") == CALLS


def test_the_counters_of_a_pod_go_on_after_a_restart(tmp_path: Path) -> None:
    for counted in (CALLS, 2 * CALLS):
        with running_deployed_collector(chart_configuration({}), tmp_path) as at:
            export_calls(http_exporter(f"http://{at[4318]}"), CALLS)
            assert counter(httpx.get(f"http://{at[9464]}/metrics").text, "otel_carbon_operations_total") == counted


def test_the_collector_of_the_unit_sends_calls_with_footprints_to_the_backend(
    otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    config = (DEPLOY / "systemd/collector.yaml").read_text(encoding="utf-8")
    backend = {"${env:BACKEND_URL:-http://localhost:4328}": otlp_sink.http_endpoint}
    with running_deployed_collector(config, tmp_path, backend) as at:
        export_calls(http_exporter(f"http://{at[4318]}"), CALLS)
        wait_until(lambda: len(otlp_sink.spans()) == CALLS, timeout_s=TIMEOUT_S, what="spans at the backend")
    assert {span.attributes["otel_carbon.emissions_gco2e"] for span in otlp_sink.spans()} == {EMISSIONS_GCO2E}


def test_the_front_of_the_chart_sends_each_service_to_one_of_the_pods(tmp_path: Path) -> None:
    services = [f"service-{number}" for number in range(40)]  # ports differ, and with few all may go to one of the two
    with ExitStack() as stack:
        sinks = [stack.enter_context(running_otlp_sink()) for _ in range(2)]
        config = front_configuration().replace("0.0.0.0:4317", "${env:OTLP_GRPC}")
        config = config.replace("0.0.0.0:4318", "${env:OTLP_HTTP}")
        for number, sink in enumerate(sinks):
            folder = tmp_path / str(number)
            folder.mkdir()
            ours = stack.enter_context(running_collector(folder, sink.http_endpoint))
            name = f"{COLLECTOR}-{number}.{COLLECTOR}.observability.svc:4317"
            assert name in config
            config = config.replace(name, ours.grpc_endpoint.removeprefix("http://"))
        path = tmp_path / "front.yaml"
        path.write_text(config, encoding="utf-8")
        front = stack.enter_context(running_otelcol(tmp_path, path))
        for service in services:
            export_calls(http_exporter(front.http_endpoint), CALLS, project=service)
        sent = len(services) * CALLS
        wait_until(lambda: sum(len(sink.spans()) for sink in sinks) == sent, timeout_s=TIMEOUT_S, what=f"{sent} spans")
        one, two = ({span.resource["service.name"] for span in sink.spans()} for sink in sinks)
    assert one
    assert two
    assert not one & two
    assert one | two == set(services)


def test_the_front_of_the_operator_has_the_configuration_of_the_charts() -> None:
    (resource,) = documents((DEPLOY / "operator/front.yaml").read_text(encoding="utf-8"))
    assert documents(yaml_text(resource["spec"]["config"])) == documents(front_configuration())
