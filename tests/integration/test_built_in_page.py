"""The built-in page of a collector as users run it: against a real Prometheus, over a crash, behind credentials."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import bcrypt
import httpx
import pytest

from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.config.load import parse_config
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import PROTOBUF, scripted_backend
from tests.integration.durable_collector import DurableCollector, body_of, durable_exporter
from tests.support.certificates import Authority
from tests.support.collector_process import running_collector
from tests.support.waiting import wait_until
from tests.unit.otlp.messages import inference_span, request_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink
    from tests.support.prometheus_server import PrometheusServer

TIMEOUT_S = 30.0
EXACT = 1e-9
AMOUNTS = {
    "energy_kwh": ("energy", "joules", 3.6e6),
    "emissions_gco2e": ("emissions", "grams", 1),
    "water_l": ("water", "L", 1),
}
BOUNDS = {"low": "_low", "mid": "", "high": "_high"}


def figures(address: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{address}/api/totals", timeout=10).raise_for_status().json()
    return found


def figures_of(address: str, calls: int) -> dict[str, Any]:
    """The figures once they hold so many calls."""

    def asked() -> dict[str, Any] | None:
        found = figures(address)
        return found if found["month"]["calls"] == calls else None

    return wait_until(asked, timeout_s=TIMEOUT_S, what=f"page with {calls} calls")


def send(endpoint: str, body: bytes) -> None:
    httpx.post(f"{endpoint}/v1/traces", content=body, headers=PROTOBUF, timeout=30).raise_for_status()


def mixed_calls() -> Iterator[bytes]:
    """Calls of several services, models and sizes, some of them without an estimate."""
    models = ("gpt-4o", "gpt-4o-mini", "no-such-image-1")
    for number in range(1, 61):
        model = models[number % 3]
        said: dict[str, str | float] = {
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.usage.input_tokens": 100 * number + 1,
            "gen_ai.usage.output_tokens": 7 * number + 3,
        }
        span = inference_span(number, more=said)
        yield request_of(span, service=f"service-{number % 4}").SerializeToString()


def test_page_totals_equal_promql_totals(
    tmp_path: Path, otlp_sink: OtlpSink, prometheus_server: PrometheusServer
) -> None:
    with running_collector(tmp_path, otlp_sink.http_endpoint) as collector:
        prometheus_server.scrape({"collector": collector.metrics_target})
        for body in mixed_calls():
            send(collector.http_endpoint, body)
        found = figures_of(f"http://{collector.metrics_target}", 60)
        prometheus_server.wait_for_fresh_scrape()

        def promql(query: str) -> float:
            value = prometheus_server.value(query)
            assert value is not None, query
            return value

        for key, (name, unit, per_unit) in AMOUNTS.items():
            for bound, part in BOUNDS.items():
                series = f"otel_carbon_{name}{part}_{unit}_total"
                expected = promql(f"sum({series})") / per_unit
                assert expected > 0
                for span in ("today", "month"):
                    assert found[span][key][bound] == pytest.approx(expected, rel=EXACT)
                model = next(row for row in found["models"]["rows"] if row["model"] == "gpt-4o-mini")
                of_model = promql(f'sum({series}{{gen_ai_response_model="gpt-4o-mini"}})') / per_unit
                assert model[key][bound] == pytest.approx(of_model, rel=EXACT)
        assert found["month"]["tokens"] == promql("sum(otel_carbon_tokens_total)")
        assert found["month"]["calls"] == promql("sum(otel_carbon_operations_total)") == 60
        without = promql('sum(otel_carbon_operations_total{otel_carbon_reason="model_not_registered"})')
        assert [row["month"] for row in found["coverage"]["reasons"]] == [without] == [20]
        assert found["coverage"]["month"]["share"] == pytest.approx(40 / 60)


def test_days_and_budgets_outlive_a_killed_collector(tmp_path: Path) -> None:
    path = tmp_path / "budgets.yaml"
    path.write_text("budgets: [{name: all, owner: me, scope: {}, amount: 1e6, unit: tokens, window: year}]")
    with scripted_backend() as backend:
        exporters = {"otlp_http": durable_exporter(backend.endpoint)}
        collector = DurableCollector(tmp_path, exporters, prometheus={"page": {"budgets": str(path)}})
        with collector:
            address = f"http://127.0.0.1:{collector.metrics}"
            send(f"http://127.0.0.1:{collector.http}", body_of(0, spans=5))
            before = figures_of(address, 5)
            collector.kill()
            collector.start()
            after = figures_of(address, 5)
            assert after["today"] == before["today"]
            assert after["counting_since"] == before["counting_since"]
            (budget,) = after["budgets"]
            assert budget["used"] == 5 * (800 + 300)
            assert budget["counted_since"] == before["budgets"][0]["counted_since"]
            send(f"http://127.0.0.1:{collector.http}", body_of(1, spans=5))
            assert figures_of(address, 10)["budgets"][0]["used"] == 10 * (800 + 300)
            assert collector.stop() == 0


def configured(prometheus: str, extensions: str = "", services: str = "") -> Collector:
    text = f"""
receivers: {{otlp: {{protocols: {{http: {{endpoint: "localhost:0"}}}}}}}}
processors: {{carbon: {{}}}}
exporters: {{debug: {{}}, prometheus: {{endpoint: "localhost:0", {prometheus}}}}}
extensions: {{{extensions}}}
service:
  extensions: [{services}]
  pipelines: {{traces: {{receivers: [otlp], processors: [carbon], exporters: [debug, prometheus]}}}}
"""
    return Collector(parse_config(text, "test.yaml", {}).config, build_carbon=carbon_builder(None))


def address_of(collector: Collector) -> str:
    return str(collector.endpoints["exporters.prometheus"])


@pytest.mark.parametrize("path", ["/", "/api/totals", "/metrics"])
def test_the_page_is_behind_the_authenticator_and_the_tls_of_the_metrics(tmp_path: Path, path: str) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("server")
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    basic = f'basicauth: {{htpasswd: {{inline: "reader:{hashed}"}}}}'
    tls = f"tls: {{cert_file: {files.cert_file}, key_file: {files.key_file}}}"
    with configured(f"auth: {{authenticator: basicauth}}, {tls}", basic, "basicauth") as collector:
        url = f"https://{address_of(collector)}{path}"
        trusted = ssl.create_default_context(cafile=str(authority.ca_file))
        refused = httpx.get(url, verify=trusted)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert httpx.get(url, verify=trusted, auth=("reader", "secret")).status_code == 200


def test_a_page_that_is_switched_off_is_not_there() -> None:
    with configured("page: {enabled: false}") as collector:
        for path in ("/", "/api/totals"):
            assert httpx.get(f"http://{address_of(collector)}{path}").status_code == 404
        assert httpx.get(f"http://{address_of(collector)}/metrics").status_code == 200


def test_budgets_that_cannot_be_read_are_told_with_the_key_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "budgets.yaml"
    path.write_text("budgets:\n  - {name: all, owner: me, scope: {}, amount: -5, unit: kWh, window: day}\n")
    with pytest.raises(ConfigError) as caught:
        configured(f"page: {{budgets: {path}}}")
    (problem,) = caught.value.problems
    assert "exporters.prometheus.page.budgets" in problem
    assert f"{path}:2: budgets[0].amount: " in problem
    with pytest.raises(ConfigError, match="there is no file"):
        configured(f"page: {{budgets: {tmp_path / 'none.yaml'}}}")
