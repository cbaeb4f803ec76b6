"""The doctor in environments of real clients and instrumentations, none of which a test has made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.clients import client_program
from tests.support.doctored import APPS, Examination, examine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.llm_server import ScriptedLlmServer

GOOGLE = """
from google import genai
with genai.Client(api_key="none") as client:
    client.models.generate_content(model="gemini-2.5-flash", contents="Name a town.")
"""


def run(
    environment: str, server: ScriptedLlmServer, folder: Path, *application: str | Path, **variables: str
) -> Examination:
    """Examine an application that an environment's own Python runs, as its user would start it."""
    programs = [client_program(environment, name) for name in ("opentelemetry-instrument", "python")]
    told = {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "GOOGLE_GEMINI_BASE_URL": server.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_CARBON_REGION": "openai=eastus",
    }
    doctor = (client_program(environment, "otel-carbon"), "doctor")
    return examine([*programs, *application], folder, told | variables, doctor=doctor)


def test_a_client_that_is_captured_and_nothing_else_is_healthy(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run("examples-openai", llm_server, tmp_path, APPS / "chat.py", "gpt-4o", "2")
    assert (found.codes, found.exit_code, found.err) == ([], 0, ""), found.text
    (call,) = [call for process in found.report["processes"] for call in process["calls"]]
    assert (call["scope"], call["model"], call["count"]) == ("otel_carbon.capture", "gpt-4o", 2)


def test_two_instrumentations_of_openai_are_told(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run("current", llm_server, tmp_path, APPS / "chat.py", "gpt-4o")
    assert "double_instrumentation" in found.codes, found.text
    told = "\n".join(found.finding("double_instrumentation")["evidence"])
    assert "opentelemetry.instrumentation.openai" in told
    assert "opentelemetry.instrumentation.genai.openai" in told


def test_an_instrumentation_that_leaves_the_installed_version_alone_is_told(
    llm_server: ScriptedLlmServer, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    app.write_text(GOOGLE, encoding="utf-8")
    off = "google_genai,openai,anthropic,langchain,litellm,ollama"
    found = run("current", llm_server, tmp_path, app, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=off)
    assert "instrumentation_unsupported_version" in found.codes, found.text
    told = "\n".join(found.finding("instrumentation_unsupported_version")["evidence"])
    assert "opentelemetry-instrumentation-google-genai" in told
    assert "installed is google-genai 3." in told
