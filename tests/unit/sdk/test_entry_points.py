from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace.export import ConsoleSpanExporter

from otel_carbon.errors import MissingExtra
from otel_carbon.sdk import entry_points as entry_points_module
from otel_carbon.sdk.entry_points import CarbonInstrumentor, CarbonSpanExporterPlugin, delegate_from_config
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import CORE_KEYS, Recorder, call_attributes, finished_spans, ours


@pytest.mark.parametrize(
    ("group", "target"),
    [("opentelemetry_instrumentor", CarbonInstrumentor), ("opentelemetry_traces_exporter", CarbonSpanExporterPlugin)],
)
def test_the_loaders_of_opentelemetry_find_us_by_name(group: str, target: type) -> None:
    [found] = entry_points(group=group, name="otel_carbon")
    assert found.load() is target


def test_no_distro_and_no_configurator_is_ours() -> None:
    for group in ("opentelemetry_distro", "opentelemetry_configurator"):
        assert [entry for entry in entry_points(group=group) if "otel_carbon" in entry.value] == []


def test_the_instrumentor_needs_no_library() -> None:
    assert tuple(CarbonInstrumentor().instrumentation_dependencies()) == ()


@pytest.mark.parametrize(
    ("config", "kind"),
    [({"otlp_http": None}, HttpExporter), ({"otlp_grpc": {}}, GrpcExporter), ({"console": {}}, ConsoleSpanExporter)],
)
def test_a_delegate_is_made_by_its_name(config: dict[str, Any], kind: type) -> None:
    delegate = delegate_from_config(config)
    assert type(delegate) is kind
    delegate.shutdown()


@pytest.mark.parametrize("config", [{}, {"zipkin": {}}, {"otlp_http": {}, "console": {}}])
def test_a_delegate_that_is_none_is_refused_by_name(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be one of otlp_http, otlp_grpc, console"):
        delegate_from_config(config)


@pytest.mark.parametrize("name", ["otlp_http", "otlp_grpc"])
def test_an_option_that_would_be_lost_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot pass on tls; it knows endpoint, headers"):
        delegate_from_config({name: {"endpoint": "http://127.0.0.1:1", "tls": {"ca_file": "ca.pem"}}})
    with pytest.raises(ValueError, match=r"compression must be one of none, .*got 'lzma'"):
        delegate_from_config({name: {"compression": "lzma"}})


@pytest.mark.parametrize(
    "headers",
    [
        {"headers": [{"name": "x-key", "value": "one"}, {"name": "x-team", "value": "two"}]},
        {"headers": {"x-key": "one", "x-team": "two"}},
        {"headers_list": "x-key=one, x-team=two"},
        {"headers_list": "x-key=other,x-team=two", "headers": [{"name": "x-key", "value": "one"}]},
    ],
)
def test_options_reach_the_exporter_of_the_sdk(headers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    original = HttpExporter.__init__

    def keep(self: HttpExporter, **options: Any) -> None:
        given.update(options)
        original(self, **options)

    monkeypatch.setattr(HttpExporter, "__init__", keep)
    options = {"endpoint": "http://127.0.0.1:1/v1/traces", "timeout": 2500, "compression": "gzip", **headers}
    delegate_from_config({"otlp_http": options}).shutdown()
    assert given.pop("compression").value == "gzip"
    assert given == {
        "endpoint": "http://127.0.0.1:1/v1/traces",
        "timeout": 2.5,  # declared in milliseconds
        "headers": {"x-key": "one", "x-team": "two"},
    }


@pytest.mark.parametrize(("package", "name"), [("http", "otlp_http"), ("grpc", "otlp_grpc")])
def test_an_exporter_that_is_not_installed_is_named(package: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"opentelemetry.exporter.otlp.proto.{package}.trace_exporter", None)
    with pytest.raises(MissingExtra, match=f"the {name} exporter needs: pip install"):
        delegate_from_config({name: {}})


@pytest.mark.parametrize(("disabled", "enriched"), [("true", False), ("1", False), ("", True), ("no", True)])
def test_the_plugin_passes_spans_as_they_are_when_switched_off(
    disabled: str, monkeypatch: pytest.MonkeyPatch, *, enriched: bool
) -> None:
    monkeypatch.setenv("OTEL_CARBON_DISABLED", disabled)
    delegate = Recorder()
    monkeypatch.setattr(entry_points_module, "delegate_from_config", lambda _config: delegate)
    spans = finished_spans(call_attributes())
    CarbonSpanExporterPlugin().export(spans)
    assert (delegate.batches[0][0] is not spans[0]) is enriched
    assert set(ours(delegate.batches[0][0])) == (CORE_KEYS if enriched else set())


def test_without_the_instrumentation_package_the_processor_still_works() -> None:
    code = """
import json, sys
sys.modules["opentelemetry.instrumentation"] = None
from otel_carbon import CarbonSpanProcessor, instrument
CarbonSpanProcessor()
print(json.dumps(instrument()))
"""
    assert programs.python(code) is False
