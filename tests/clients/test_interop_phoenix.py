"""Arize Phoenix behind our collector: what we wrote is read back by its own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon import Registry
from tests.support.exported_calls import EMISSIONS, STATUS
from tests.support.interop_collector import running_between
from tests.support.phoenix_server import Phoenix, running_phoenix
from tests.support.sdk_calls import EMISSIONS_GCO2E, export_calls, http_exporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.interop_collector import Exporter

CALLS = 5


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    with running_phoenix(tmp_path_factory.mktemp("phoenix")) as running:
        yield running


@pytest.mark.parametrize("exporter", ["otlp_http", "otlp_grpc"])
def test_phoenix_shows_our_attributes_as_we_wrote_them(exporter: Exporter, phoenix: Phoenix, tmp_path: Path) -> None:
    project = f"calls-by-{exporter}"
    backend = phoenix.grpc_endpoint if exporter == "otlp_grpc" else phoenix.http_endpoint
    with running_between(tmp_path, exporter, backend) as collector:
        export_calls(http_exporter(collector.http_endpoint), CALLS, project=project)

        spans = phoenix.wait_for_spans(project, CALLS)

    assert len(spans) == CALLS
    for attributes in (span["attributes"] for span in spans):
        assert attributes[STATUS] == "estimated"
        assert attributes[EMISSIONS] == EMISSIONS_GCO2E
        assert attributes["otel_carbon.emissions_gco2e_low"] < EMISSIONS_GCO2E
        assert attributes["otel_carbon.registry_version"] == Registry.bundled().version
        assert attributes["gen_ai.usage.input_tokens"] == 800
