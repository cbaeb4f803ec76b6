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
