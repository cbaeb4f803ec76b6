from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import RunCli

NS_PER_S = 1_000_000_000
START_NS = 1_780_000_000 * NS_PER_S
CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def attribute(key: str, content: str | int) -> dict[str, Any]:
    return {"key": key, "value": {"intValue": str(content)} if isinstance(content, int) else {"stringValue": content}}


def otlp_json(**attributes: str | int) -> str:
    """A request of one span; the attributes' names are written with `__` for a dot."""
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "a span",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 2 * NS_PER_S),
        "attributes": [attribute(key.replace("__", "."), content) for key, content in attributes.items()],
    }
    scope_spans = [{"scope": {"name": "opentelemetry.instrumentation.openai_v2"}, "spans": [span]}]
    resource = {"attributes": [attribute("service.name", "shop"), attribute("cloud.region", "us-east-1")]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]})


CALL = otlp_json(
    gen_ai__operation__name="chat",
    gen_ai__provider__name="openai",
    gen_ai__request__model="gpt-4o",
    gen_ai__usage__input_tokens=800,
    gen_ai__usage__output_tokens=300,
)
WEB_REQUEST = otlp_json(http__request__method="GET")


def span_attributes(text: str) -> dict[str, Any]:
    span = json.loads(text)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    return {pair["key"]: next(iter(pair["value"].values())) for pair in span["attributes"]}


@pytest.fixture
def call_file(tmp_path: Path) -> Path:
    path = tmp_path / "call.json"
    path.write_text(CALL, encoding="utf-8")
    return path


def test_an_inference_span_gets_its_footprint(run_cli: RunCli, call_file: Path) -> None:
    code, out, err = run_cli("enrich", str(call_file))
    added = span_attributes(out)
    assert (code, err) == (0, "")
    assert added["otel_carbon.status"] == "estimated"
    it_wh = (800 * 0.206 + 300 * 0.687) / 1000  # from Wh per 1,000 tokens
    # PUE of OpenAI's places: the region that the caller runs in says nothing about them
    assert added["otel_carbon.energy_kwh"] == pytest.approx(it_wh * 1.16 / 1000, rel=1e-12)
    assert "otel_carbon.method" not in added


@pytest.mark.parametrize("by_option", [True, False])
def test_full_adds_the_method_too(
    run_cli: RunCli, call_file: Path, monkeypatch: pytest.MonkeyPatch, *, by_option: bool
) -> None:
    if not by_option:
        monkeypatch.setenv("OTEL_CARBON_ATTRIBUTES", "full")
    out = run_cli("enrich", str(call_file), *(["--full"] if by_option else [])).out
    assert span_attributes(out)["otel_carbon.method"] == "parametric"


def test_a_summary_alone_prints_only_the_summary(run_cli: RunCli, call_file: Path) -> None:
    code, out, err = run_cli("enrich", str(call_file), "--summary")
    summary = json.loads(out)
    assert (code, err) == (0, "")
    assert (summary["spans"], summary["estimated"], summary["inference_calls"], summary["with_usage"]) == (1, 1, 1, 1)
    assert (summary["tokens"]["input"], summary["tokens"]["output"]) == (800, 300)
    assert [(row["model"], row["calls"]) for row in summary["models"]] == [("gpt-4o", 1)]


def test_with_a_summary_the_traces_go_to_the_file(run_cli: RunCli, call_file: Path, tmp_path: Path) -> None:
    printed = run_cli("enrich", str(call_file)).out
    code, out, _ = run_cli("enrich", str(call_file), "--summary", "-o", str(tmp_path / "out.json"))
    assert (code, json.loads(out)["spans"]) == (0, 1)
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == printed


def test_a_dash_reads_standard_input(run_cli: RunCli, call_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run_cli("enrich", str(call_file))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CALL.encode())))
    assert run_cli("enrich", "-") == expected


def test_without_a_genai_span_the_output_is_the_input_and_the_exit_code_3(run_cli: RunCli, tmp_path: Path) -> None:
    source, target = tmp_path / "web.json", tmp_path / "out.json"
    source.write_text(WEB_REQUEST, encoding="utf-8")
    code, out, err = run_cli("enrich", str(source), "-o", str(target))
    assert (code, out, err) == (3, "", f"{source}: no GenAI span in 1 spans; nothing was added\n")
    assert json.loads(target.read_text(encoding="utf-8")) == json.loads(WEB_REQUEST)


def test_what_is_no_trace_file_is_bad_input_and_says_what_was_tried(run_cli: RunCli, tmp_path: Path) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("not traces at all", encoding="utf-8")
    code, out, err = run_cli("enrich", str(source), "-o", str(tmp_path / "out"))
    assert (code, out) == (2, "")
    assert f"Error: {source}: neither an OTLP protobuf request, nor OTLP JSON, nor JSON lines" in err
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_bad_input_and_named(run_cli: RunCli, tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    assert run_cli("enrich", str(missing)) == (2, "", f"Error: {missing}: No such file or directory\n")


def test_the_input_is_never_overwritten(run_cli: RunCli, call_file: Path) -> None:
    code, _, err = run_cli("enrich", str(call_file), "-o", str(call_file))
    assert code == 2
    assert "is the input itself" in err
    assert call_file.read_text(encoding="utf-8") == CALL


def test_summary_and_traces_cannot_both_go_to_standard_output(run_cli: RunCli, call_file: Path) -> None:
    code, out, err = run_cli("enrich", str(call_file), "--summary", "-o", "-")
    assert (code, out) == (2, "")
    assert "give the traces a file with -o FILE" in err


def test_protobuf_comes_out_as_protobuf_with_everything_that_was_in(run_cli: RunCli, tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    source, target = CORPUS / "genai-openai.traces.binpb", tmp_path / "out.binpb"
    assert run_cli("enrich", str(source), "-o", str(target)).code == 0
    before = ExportTraceServiceRequest.FromString(source.read_bytes())
    after = ExportTraceServiceRequest.FromString(target.read_bytes())
    for resource_spans in after.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                ours = [pair for pair in span.attributes if pair.key.startswith("otel_carbon.")]
                for pair in ours:
                    span.attributes.remove(pair)
    assert len(target.read_bytes()) > len(source.read_bytes())
    assert after == before


def test_a_terminal_is_spared_protobuf() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "otel_carbon.cli", "enrich", str(CORPUS / "genai-openai.traces.binpb")]
    try:
        done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 2
    assert done.stderr.endswith("the traces are protobuf, which a terminal cannot show; name a file with -o FILE\n")
