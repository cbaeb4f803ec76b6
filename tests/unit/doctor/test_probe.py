from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from otel_carbon.doctor import probe as probing
from otel_carbon.doctor.probe import endpoints_of, probe
from tests.support.llm_server import running_llm_server
from tests.unit.doctor.cases import ENDPOINT, ENVIRONMENT, EXPORTER, HTTP

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def listening() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_clock_of_an_endpoint_is_compared_with_ours() -> None:
    with running_llm_server() as server:
        assert abs(probe(server.url, HTTP).clock_ahead_s or 99.0) < 5
        server.clock_ahead_s = 3600.0
        told = probe(f"{server.url}/v1/traces", HTTP)
    assert told.problem == ""
    assert told.clock_ahead_s is not None
    assert -3605 < told.clock_ahead_s < -3595


def test_an_endpoint_that_is_down_is_told_with_the_reason() -> None:
    with listening() as port:
        pass
    for endpoint, protocol in ((f"http://127.0.0.1:{port}", HTTP), (f"127.0.0.1:{port}", "grpc")):
        assert probe(endpoint, protocol).problem == "[Errno 111] Connection refused"


def test_grpc_is_reachable_where_a_connection_is_taken() -> None:
    with listening() as port:
        assert probe(f"127.0.0.1:{port}", "grpc").problem == ""


def test_an_endpoint_that_says_nothing_does_not_hold_us_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "TIMEOUT_S", 0.05)
    with listening() as port:
        assert probe(f"http://127.0.0.1:{port}", HTTP).problem == "timed out"


@pytest.mark.parametrize(
    "endpoint", ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:x", "", "::", "http://a b"]
)
def test_no_endpoint_raises(endpoint: str) -> None:
    for protocol in (HTTP, "grpc"):
        assert probe(endpoint, protocol).problem != ""


def test_endpoints_are_those_seen_or_else_those_told() -> None:
    assert endpoints_of(ENVIRONMENT, (EXPORTER,), ran=True) == {ENDPOINT: HTTP}
    assert endpoints_of(ENVIRONMENT, (), ran=True) == {}
    assert endpoints_of(ENVIRONMENT, (), ran=False) == {"http://localhost:4318": HTTP}
    grpc = replace(ENVIRONMENT, variables={"OTEL_TRACES_EXPORTER": "otlp"})
    assert endpoints_of(grpc, (), ran=False) == {"http://localhost:4317": "grpc"}
    told = replace(ENVIRONMENT, variables={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:9"}, configurators=())
    assert endpoints_of(told, (), ran=False) == {"http://collector:9": "grpc"}
    none = replace(ENVIRONMENT, variables={"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"})
    assert endpoints_of(none, (), ran=False) == {}


def test_metrics_have_an_endpoint_of_their_own() -> None:
    variables = {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://metrics:9/v1/metrics"}
    environment = replace(ENVIRONMENT, variables=variables)
    assert endpoints_of(environment, (), ran=False) == {"http://metrics:9/v1/metrics": "grpc"}
    http = replace(ENVIRONMENT, variables=variables | {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": HTTP})
    assert endpoints_of(http, (), ran=False) == {"http://metrics:9/v1/metrics": HTTP}
