"""A durable collector is killed again and again under load: nothing acknowledged is lost, no verdict changes."""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from tests.integration.collector_under_test import counter
from tests.integration.durable_collector import Client, DurableCollector, durable_exporter
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

KILLS = int(os.environ.get("OTEL_CARBON_TEST_KILLS", "5"))
"""How often it is killed."""
SEED = int(os.environ.get("OTEL_CARBON_TEST_KILLS_SEED", "6"))
CLIENTS = 3
SPANS = 4
FIRST_OF_CLIENT = 1_000_000
LONGEST_LIFE_S = 0.8


def test_what_was_acknowledged_arrives_and_counts_once_however_often_it_is_killed(
    tmp_path: Path, otlp_sink: OtlpSink
) -> None:
    lives = random.Random(SEED)
    with DurableCollector(tmp_path, {"otlp_http": durable_exporter(otlp_sink.http_endpoint)}) as collector:
        acknowledged = sent_through_kills(collector, lives)
        told = wait_until(
            lambda: found if acknowledged <= (found := statuses(otlp_sink)).keys() else None,
            timeout_s=60,
            what="all that was taken",
        )
        page = collector.page()
        assert collector.stop() == 0, collector.said()
    logs = [file.read_text(encoding="utf-8") for file in tmp_path.glob("collector-*.err")]
    assert [line for log in logs for line in log.splitlines() if " ERROR " in line] == []
    assert len(acknowledged) > KILLS * SPANS
    assert told.keys() == acknowledged  # each client went on until its last request was acknowledged, too
    assert set().union(*told.values()) == {ours.STATUS_ESTIMATED}
    assert counter(page, "otel_carbon_operations_total") == len(acknowledged)
    assert counter(page, "otel_carbon_spans_total", otel_carbon_verdict=ours.VERDICT_COUNTED) == len(acknowledged)


def sent_through_kills(collector: DurableCollector, lives: random.Random) -> set[int]:
    """Kill a collector that clients send to again and again; returns the numbers of the spans that it acknowledged."""
    clients = [Client(collector.url, (number + 1) * FIRST_OF_CLIENT, SPANS) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(KILLS):
            time.sleep(lives.uniform(0.02, LONGEST_LIFE_S))  # how long it lives is what the test is about
            collector.kill()
            collector.start()
    finally:
        for client in clients:
            client.finish()
    return {number * SPANS + 1 + each for client in clients for number in client.acknowledged for each in range(SPANS)}


def statuses(sink: OtlpSink) -> dict[int, set[str]]:
    """What each span was told to be, over all its deliveries."""
    told: defaultdict[int, set[str]] = defaultdict(set)
    for received in sink.spans():
        told[int.from_bytes(received.span.span_id)].add(str(received.attributes[ours.STATUS]))
    return told
