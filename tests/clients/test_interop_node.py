"""The Node SDK with each of its exporters, in front of our collector."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.clients import client_environment, client_program
from tests.support.exported_calls import emissions_on
from tests.support.interop_collector import running_between
from tests.support.processes import start
from tests.support.sdk_calls import EMISSIONS_GCO2E

if TYPE_CHECKING:
    from tests.support.otlp_sink import OtlpSink

CLIENT = "node-sdk"
APP = Path(__file__).parent / "apps" / "node_sdk.mjs"
CALLS = 7
TIMEOUT_S = 30.0


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("kind", ["grpc", "proto", "json"])
def test_calls_of_the_node_sdk_arrive_enriched(
    kind: str, compression: str, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(client_program(CLIENT, "").parent)  # modules are looked up beside the file
    app = shutil.copy(APP, tmp_path)
    with running_between(tmp_path, "otlp_http", otlp_sink.http_endpoint) as collector:
        endpoint = collector.grpc_endpoint if kind == "grpc" else collector.http_endpoint
        node = start(
            ["node", app, kind, compression, endpoint, str(CALLS)],
            folder=tmp_path,
            name="node",
            environment=client_environment(CLIENT),
        )
        try:
            assert node.finish(TIMEOUT_S) == 0, node.tail()
            spans = otlp_sink.wait_for_spans(CALLS)
        finally:
            node.stop()

    assert node.stderr() == ""  # the SDK tells there of exports that were refused
    assert emissions_on(spans) == [EMISSIONS_GCO2E] * CALLS
    assert {each.resource["telemetry.sdk.language"] for each in spans} == {"nodejs"}
