"""Ten mistakes, each in a small real application: the doctor names that one and no other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.support.doctored import APPS, INSTRUMENT, Examination, examine
from tests.support.llm_answers.script import CANARY
from tests.support.ports import free_ports
from tests.support.small_venvs import venv_without

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.llm_server import ScriptedLlmServer
    from tests.support.small_venvs import SmallVenv

CHAT = APPS / "chat.py"
OPENAI_SCOPE = "opentelemetry.instrumentation.genai.openai"
OPENAI_PACKAGE = "opentelemetry-instrumentation-genai-openai"
OPENAI_ENTRY = "[opentelemetry_instrumentor]\nopenai = opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor\n"


def healthy(server: ScriptedLlmServer) -> dict[str, str]:
    """Variables under which nothing is wrong."""
    return {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_CARBON_REGION": "openai=eastus",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic",  # which takes seconds to load
    }


def run(
    server: ScriptedLlmServer,
    folder: Path,
    *,
    command: Sequence[str | Path] = (*INSTRUMENT, CHAT, "gpt-4o"),
    **variables: str,
) -> Examination:
    return examine(command, folder, healthy(server) | variables)


def in_venv(small: SmallVenv) -> list[str | Path]:
    return [small.instrument, small.python, CHAT, "gpt-4o"]


def assert_only(found: Examination, code: str, *, evidence: Sequence[str], advice: str) -> None:
    assert (found.codes, found.exit_code) == ([code], 1), found.text + found.err
    told = "\n".join(found.finding(code)["evidence"])
    assert [piece for piece in evidence if piece not in told] == []
    assert found.finding(code)["advice"] == advice


def test_nothing_is_wrong_with_a_healthy_application(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, command=(*INSTRUMENT, CHAT, "gpt-4o", "3"))
    assert (found.codes, found.exit_code, found.out, found.err) == ([], 0, "", "")
    (call,) = [call for process in found.report["processes"] for call in process["calls"]]
    seen = (call["scope"], call["provider"], call["model"], call["match"], call["region"], call["region_evidence"])
    assert seen == (OPENAI_SCOPE, "openai", "gpt-4o", "exact", "eastus", "configured")
    assert (call["count"], call["enriched"]) == (3, True)


def test_no_content_and_no_key_is_in_a_report(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    shown = {
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
        "OTEL_EXPORTER_OTLP_HEADERS": "k=secret",
    }
    found = run(llm_server, tmp_path, **shown)
    exported = b"".join(call.body for call in llm_server.calls)
    assert b"canary-of-a-prompt" in exported
    assert CANARY.encode() in exported
    assert [word for word in ("canary", "secret") if word in found.text + found.err] == []


SECOND_INSTRUMENTATION = """\
from openai.resources.chat.completions import Completions
from opentelemetry import trace
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor


class OpenAIInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ["openai >= 1.69"]

    def _instrument(self, **kwargs):
        tracer, original = trace.get_tracer("openinference.instrumentation.openai", "0.1.66"), Completions.create

        def create(self, **kwargs):
            with tracer.start_as_current_span("ChatCompletion") as span:
                answer = original(self, **kwargs)
                span.set_attribute("openinference.span.kind", "LLM")
                span.set_attribute("llm.model_name", answer.model)
                span.set_attribute("llm.token_count.prompt", answer.usage.prompt_tokens)
                span.set_attribute("llm.token_count.completion", answer.usage.completion_tokens)
                return answer

        Completions.create = create

    def _uninstrument(self, **kwargs):
        pass
"""
"""What the second instrumentation of this client does, in its scope and words, without being it."""


def test_double_instrumentation(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv")
    small.add_module("openinference/instrumentation/openai/__init__.py", SECOND_INSTRUMENTATION)
    small.add_metadata(
        "openinference-instrumentation-openai",
        "0.1.66",
        requires=['openai>=1.69; extra == "instruments"'],
        entry_points="[opentelemetry_instrumentor]\nopenai = openinference.instrumentation.openai:OpenAIInstrumentor\n",
    )
    found = run(llm_server, tmp_path, command=in_venv(small))
    assert_only(
        found,
        "double_instrumentation",
        evidence=[f"openinference.instrumentation.openai beside {OPENAI_SCOPE}: 1 span", "child span of this span"],
        advice="pip uninstall openinference-instrumentation-openai",
    )


def test_an_unsupported_version_of_the_client(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv", OPENAI_PACKAGE)
    wanted = 'openai<3,>=1.26.0; extra == "instruments"'
    small.add_metadata(OPENAI_PACKAGE, "1.0b0", requires=[wanted], entry_points=OPENAI_ENTRY)
    found = run(llm_server, tmp_path, command=in_venv(small))
    assert_only(
        found,
        "instrumentation_unsupported_version",
        evidence=[f"{OPENAI_PACKAGE} 1.0b0 takes openai<3,>=1.26.0", "installed is openai 3."],
        advice="pip install 'openai<3,>=1.26.0'",
    )


def test_a_missing_distro(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv", "opentelemetry-distro")
    found = run(llm_server, tmp_path, command=in_venv(small))
    assert_only(
        found,
        "distro_missing",
        evidence=["no entry point opentelemetry_configurator"],
        advice="pip install opentelemetry-distro",
    )


def test_an_exporter_whose_endpoint_is_down(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    found = run(llm_server, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=nobody)
    assert_only(
        found,
        "exporter_unreachable",
        evidence=[f"{nobody}/v1/traces over http/protobuf: [Errno 111] Connection refused"],
        advice="OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:PORT # where a collector listens; "
        f"it is {nobody}/v1/traces now",
    )


def test_a_provider_that_comes_too_late(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, command=[sys.executable, APPS / "late_provider.py"])
    assert_only(
        found,
        "provider_too_late",
        evidence=[f"{OPENAI_SCOPE}: 1 lost"],
        advice="trace.set_tracer_provider(provider) # before the first call",
    )


def test_sampling(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    sampling = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"}
    found = run(llm_server, tmp_path, **sampling)
    assert_only(
        found,
        "sampling_loss",
        evidence=["TraceIdRatioBased{0.0}", f"{OPENAI_SCOPE}: 1 dropped"],
        advice="OTEL_TRACES_SAMPLER=otel_carbon OTEL_TRACES_SAMPLER_ARG=parentbased_traceidratio:0.0",
    )


def test_the_sampler_of_ours_is_no_loss(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    ours = {"OTEL_TRACES_SAMPLER": "otel_carbon", "OTEL_TRACES_SAMPLER_ARG": "parentbased_traceidratio:0.0"}
    found = run(llm_server, tmp_path, **ours)
    assert (found.codes, found.exit_code) == ([], 0), found.text
    (call,) = [call for process in found.report["processes"] for call in process["calls"]]
    assert (call["status"], call["exported"]) == ("estimated", False)


def test_an_unknown_model(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, command=(*INSTRUMENT, CHAT, "gtp-4o"))
    assert_only(
        found,
        "model_unknown",
        evidence=["gtp-4o at openai: 1 call, match generic", "nearest names: gpt-4o"],
        advice="OTEL_CARBON_MODELS=gtp-4o=gpt-4o",
    )


def test_a_wrong_region(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, OTEL_CARBON_REGION="openai=eastus-9")
    assert_only(
        found,
        "region_unknown",
        evidence=["OTEL_CARBON_REGION: openai=eastus-9", "nearest names: eastus"],
        advice="OTEL_CARBON_REGION=openai=eastus",
    )


def test_a_skewed_clock(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    llm_server.clock_ahead_s = -7200.0
    found = run(llm_server, tmp_path)
    assert_only(
        found,
        "clock_skewed",
        evidence=[f" s ahead of the Date of {llm_server.url}/v1/traces"],
        advice="timedatectl set-ntp true # or your platform's way to set the clock",
    )


def test_a_clock_that_is_off_in_the_application_alone(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    shifted = "import runpy, sys, time; real = time.time; time.time = lambda: real() - 86400; "
    code = f"{shifted}sys.argv = ['chat.py', 'gpt-4o']; runpy.run_path({str(CHAT)!r}, run_name='__main__')"
    found = run(llm_server, tmp_path, command=[*INSTRUMENT, "-c", code])
    assert found.codes == ["clock_skewed"]
    assert "86400 s behind the file system" in found.finding("clock_skewed")["evidence"]


def test_a_capture_that_is_switched_off(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    small = venv_without(tmp_path / "venv", OPENAI_PACKAGE)
    found = run(llm_server, tmp_path, command=in_venv(small), OTEL_CARBON_CAPTURE="false")
    assert_only(
        found,
        "capture_disabled",
        evidence=["openai 3.", "OTEL_CARBON_CAPTURE=false"],
        advice="unset OTEL_CARBON_CAPTURE",
    )
