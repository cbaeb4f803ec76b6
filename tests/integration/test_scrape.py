"""A scrape of many series beside exports, and what a real Prometheus makes of exemplars and of hostile labels."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.config.load import parse_config
from otel_carbon.metrics import exposition
from otel_carbon.metrics.pacing import Pacing
from tests.integration.collector_under_test import PROTOBUF, RECEIVER
from tests.unit.metrics.bookings import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.prometheus_server import PrometheusServer

CONFIG = f"""
receivers:
  {RECEIVER}
processors:
  carbon:
exporters:
  prometheus: {{endpoint: "localhost:0"}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [prometheus]}}
"""


@contextmanager
def collecting() -> Iterator[tuple[str, str]]:
    """A collector with the real carbon processor: where it takes traces, and its page."""
    config = parse_config(CONFIG, "test.yaml", {}).config
    with Collector(config, build_carbon=carbon_builder(None)) as collector:
        endpoints = collector.endpoints
        yield (
            f"http://{endpoints['receivers.otlp.http']}/v1/traces",
            f"http://{endpoints['exporters.prometheus']}/metrics",
        )


def export(url: str, body: bytes) -> None:
    assert httpx.post(url, content=body, headers=PROTOBUF, timeout=30).status_code == 200


def total(page: str, name: str) -> float:
    families = text_string_to_metric_families(page)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


class Standstill:
    """A pacing that stands still in the middle of a page until a test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self._rests = 0

    def rest(self) -> None:
        self._rests += 1
        if self._rests == 3:
            self.reached.set()
            assert self.go_on.wait(60)


@pytest.mark.parametrize("where", ["while the counters are copied", "while the page is written"])
def test_exports_go_on_while_a_page_is_being_made_and_are_on_the_next(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = {"otel_carbon.tenant": "t{number}"}
    standstill, unhindered = Standstill(), Pacing()
    # A page has one for its text, then one for the counters.
    pacings = iter((standstill, unhindered) if where == "while the page is written" else (unhindered, standstill))
    with collecting() as (traces_url, page_url), ThreadPoolExecutor(1) as threads:
        export(traces_url, calls(range(1, 101), more=labelled))
        with monkeypatch.context() as patched:
            patched.setattr(exposition, "Pacing", lambda: next(pacings))
            scrape = threads.submit(httpx.get, page_url, timeout=60)
            assert standstill.reached.wait(30)
        for number in range(101, 121):
            export(traces_url, calls([number], more=labelled))
        assert not scrape.done()
        standstill.go_on.set()
        page = scrape.result(30).text
        assert 100 <= total(page, "otel_carbon_operations_total") <= 120
        assert total(httpx.get(page_url).text, "otel_carbon_operations_total") == 120


def test_an_exemplar_in_a_real_prometheus_names_the_span_of_a_counted_call(prometheus_server: PrometheusServer) -> None:
    with collecting() as (traces_url, page_url):
        export(traces_url, calls([0xA1, 0xA2], more={"otel_carbon.tenant": "t{number}"}))
        export(traces_url, calls([0xA3], more={"gen_ai.request.model": "no-such-image-1"}))
        prometheus_server.scrape({"carbon": page_url.removeprefix("http://").removesuffix("/metrics")})
        prometheus_server.wait_for_fresh_scrape()
        energy = prometheus_server.exemplars('otel_carbon_energy_joules_total{otel_carbon_tenant="t162"}')
        assert {tuple(each.labels.items()) for each in energy} == {
            (("span_id", f"{0xA2:016x}"), ("trace_id", f"{0xA2:032x}"))
        }
        assert {each.value for each in energy} == {
            prometheus_server.value('otel_carbon_energy_joules_total{otel_carbon_tenant="t162"}')  # its only call
        }
        unknown = prometheus_server.exemplars('otel_carbon_operations_total{otel_carbon_reason="model_not_registered"}')
        assert {each.labels["trace_id"] for each in unknown} == {f"{0xA3:032x}"}


def test_a_page_in_the_text_format_has_no_exemplars_and_openmetrics_has_them_only_where_asked_for() -> None:
    with collecting() as (traces_url, page_url):
        export(traces_url, calls([1]))
        plain = httpx.get(page_url, headers={"accept": "text/plain;version=0.0.4"})
        rich = httpx.get(page_url, headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert plain.headers["content-type"].startswith("text/plain")
    assert "trace_id" not in plain.text
    assert rich.headers["content-type"].startswith("application/openmetrics-text")
    assert f'# {{span_id="{1:016x}",trace_id="{1:032x}"}}' in rich.text
    assert rich.text.endswith("# EOF\n")


HOSTILE = (
    'a"b} 1 # x="{',
    "a\n# EOF\nup 1\n",
    'a\\nb\\"c\r\td.',
    "<b>&amp;</b>x",
    "a\x00b\x1b[31m\x7f?",
)
NO_UTF8 = b"caf\xe9 \xff\xfe\x80 ok."


def test_label_values_that_look_like_syntax_come_out_of_a_real_prometheus_as_they_came_in(
    prometheus_server: PrometheusServer,
) -> None:
    with collecting() as (traces_url, page_url):
        for number, text in enumerate(HOSTILE, start=1):
            export(
                traces_url,
                calls([number], service=text, more={"otel_carbon.tenant": text.replace("{", "{{").replace("}", "}}")}),
            )
        placeholder = "x" * len(NO_UTF8)
        broken = calls([9], service=placeholder, more={"otel_carbon.tenant": placeholder})
        export(traces_url, broken.replace(placeholder.encode(), NO_UTF8))
        prometheus_server.scrape({"carbon": page_url.removeprefix("http://").removesuffix("/metrics")})
        prometheus_server.wait_for_fresh_scrape()
        found = prometheus_server.query("otel_carbon_operations_total")
        by_tenant = {each.labels["otel_carbon_tenant"]: each for each in found}
        assert by_tenant.keys() == {*HOSTILE, "none"}  # what is no UTF-8 is no text, and names nobody
        assert all(each.labels.get("service_name") == tenant for tenant, each in by_tenant.items() if tenant != "none")
        assert {each.value for each in found} == {1}
        assert prometheus_server.value("count(up)") == 1
        assert "service_name" not in by_tenant["none"].labels
