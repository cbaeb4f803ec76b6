from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.chaos.bystander import TRACES_METHOD, TRACES_PATH
from tests.chaos.fuzz import CRASHERS, attack, drawn, summary
from tests.chaos.gunner import Gunner
from tests.chaos.shots import Shot, load, shot, store
from tests.chaos.victim import attacked_collector, config
from tests.support.waiting import wait_until
from tests.unit.otlp.messages import REQUESTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.backend import Backend
    from tests.chaos.victim import Victim

PAYLOADS = 3000
COUNTERS = ("otelcol_receiver_accepted_spans_total", "otelcol_exporter_sent_spans_total",
             "otelcol_exporter_send_failed_spans_total")  # fmt: skip
STORED = sorted(CRASHERS.glob("*.bin"))


def test_damaged_payloads_by_every_way_in_are_answered_as_otlp_says_and_hurt_no_good_client(
    victim: Victim, backend: Backend
) -> None:
    outcome = attack(victim, backend, drawn(1, PAYLOADS), seed=1)
    told = summary(outcome)
    assert (told["wrong"], told["complaints"], told["payloads"]) == ([], [], PAYLOADS)
    assert outcome.good_requests > 0


def test_damaged_payloads_that_are_held_hurt_no_good_client(tmp_path: Path, backend: Backend) -> None:
    with attacked_collector(
        tmp_path, config({"otlp_http": {"endpoint": backend.endpoint}}, carbon={"hold": "300ms"})
    ) as victim:
        told = summary(attack(victim, backend, drawn(2, 1000), seed=2))
    assert (told["wrong"], told["complaints"], told["payloads"]) == ([], [], 1000)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_what_once_broke_the_collector_is_answered_as_otlp_says(victim: Victim, path: Path) -> None:
    with Gunner(victim) as gunner:
        assert list(gunner.fire([load(path)])) == []
    assert victim.faults() == []


def test_crashers_are_kept_and_read_back_as_they_were_sent(tmp_path: Path) -> None:
    failed = Shot("http", "logs", b"\x00\xff{}", "application/json", "gzip", "PUT", "/v1/logs")
    store(tmp_path, "one", failed, "HTTP 500")
    assert load(tmp_path / "one.bin") == failed


def test_the_same_seed_and_number_give_the_same_shot() -> None:
    assert [shot(7, number) for number in range(50)] == [shot(7, number) for number in range(50)]
    assert {each.channel for each in drawn(7, 500)} == {"http", "grpc", "raw http", "raw grpc"}


def test_any_valid_request_is_taken_by_both_receivers_and_sent_on(victim: Victim) -> None:
    before = {name: victim.counter(name) for name in COUNTERS}
    sent_spans = 0
    client = httpx.Client(trust_env=False, timeout=30)
    channel = grpc.insecure_channel(str(victim.grpc))
    headers = {"content-type": "application/x-protobuf"}

    @given(body=REQUESTS)
    @settings(max_examples=60, deadline=None, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
    def send(body: bytes) -> None:
        nonlocal sent_spans
        request = ExportTraceServiceRequest.FromString(body)
        spans = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
        answer = client.post(f"http://{victim.http}{TRACES_PATH}", content=body, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert channel.unary_unary(TRACES_METHOD)(body, timeout=30) == b""
        sent_spans += 2 * spans

    with client, channel:
        send()
    accepted, sent, failed = COUNTERS
    assert victim.counter(accepted) - before[accepted] == sent_spans > 0
    wait_until(lambda: victim.counter(sent) - before[sent] == sent_spans, timeout_s=30, what=f"{sent_spans} sent spans")
    assert victim.counter(failed) == before[failed]
