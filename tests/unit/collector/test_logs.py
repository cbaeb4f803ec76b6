from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.secret_values import secrets_of
from otel_carbon.collector.logs import ConsoleLines, JsonLines, SecretHider, components_of, log_to_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.collector.config.document import CollectorConfig

TEXT = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0"}}}
exporters:
  otlp: {endpoint: "http://localhost:1", headers: {authorization: "Bearer canary-token", short: abc}}
  otlp_http/a.b: {endpoint: "http://user:pass%20word@localhost:1"}
  prometheus: {endpoint: "localhost:0"}
processors: {carbon: }
service:
  telemetry: {logs: LOGS}
  pipelines: {traces: {receivers: [otlp], processors: [carbon], exporters: [otlp, otlp_http/a.b, prometheus]}}
"""


def config(logs: str = "{}") -> CollectorConfig:
    return parse_config(TEXT.replace("LOGS", logs), "collector.yaml", {}).config


def record(message: str, *arguments: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("otel_carbon.collector.sender", logging.WARNING, "", 0, message, arguments, exc_info)


def json_line(message: str, *arguments: object, exc_info: Any = None) -> dict[str, str]:
    formatter = JsonLines(SecretHider(secrets_of(config())), components_of(config()))
    line = formatter.format(record(message, *arguments, exc_info=exc_info))
    assert "\n" not in line
    fields: dict[str, str] = json.loads(line)
    return fields


@contextmanager
def bare_logging() -> Iterator[None]:
    """Logging as a program has it that did not set it up, and as it was afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("otel_carbon")
    before = root.handlers[:], root.level, ours.level
    root.handlers[:] = []  # pytest's own, which it adds when a test begins
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        ours.setLevel(before[2])


def test_a_message_for_programs_is_one_object_with_the_component_that_it_is_about() -> None:
    fields = json_line("%s: cannot send: %s", "otlp", "line one\nline two")
    at = datetime.fromisoformat(fields.pop("timestamp"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert fields == {
        "severity": "warn",
        "logger": "otel_carbon.collector.sender",
        "message": "otlp: cannot send: line one\nline two",
        "otelcol.component.kind": "exporter",
        "otelcol.component.id": "otlp",
    }


@pytest.mark.parametrize(
    ("about", "kind", "component"),
    [
        ("otlp", "exporter", "otlp"),
        ("otlp_http/a.b", "exporter", "otlp_http/a.b"),
        ("carbon", "processor", "carbon"),
        ("receivers.otlp.protocols.http.endpoint", "receiver", "otlp"),
        ("exporters.otlp_http/a.b.endpoint", "exporter", "otlp_http/a.b"),
        ("exporters.prometheus", "exporter", "prometheus"),
    ],
)
def test_components_are_known_by_id_and_by_key_path(about: str, kind: str, component: str) -> None:
    fields = json_line("%s listens", about)
    assert (fields["otelcol.component.kind"], fields["otelcol.component.id"]) == (kind, component)


@pytest.mark.parametrize(
    ("message", "arguments"), [("stopping", ()), ("%s", ("no.such",)), ("lost %d in %s", (5, "otlp"))]
)
def test_a_message_about_no_component_names_none(message: str, arguments: tuple[object, ...]) -> None:
    assert "otelcol.component.id" not in json_line(message, *arguments)


def test_an_exception_stands_in_the_object() -> None:
    try:
        int("canary-token")
    except ValueError:
        fields = json_line("%s: failed", "otlp", exc_info=sys.exc_info())
    assert fields["exception"].startswith("Traceback (most recent call last):\n")
    assert fields["exception"].endswith("ValueError: invalid literal for int() with base 10: '***'")


def test_secrets_of_the_configuration_are_hidden_in_both_encodings() -> None:
    hide = SecretHider(secrets_of(config()))
    message = "sent 'Bearer canary-token', then canary-token, pass%20word and pass word; abc is too short"
    shown = "sent '***', then ***, *** and ***; abc is too short"
    assert ConsoleLines(hide).format(record("%s", message)).endswith(f" WARNING {shown}")
    assert json_line("%s", message)["message"] == shown


def test_without_secrets_nothing_is_hidden() -> None:
    assert SecretHider(())("any text") == "any text"


def test_the_level_is_that_of_our_messages_and_libraries_tell_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    with bare_logging():
        log_to_stderr(config("{level: DEBUG}"))
        logging.getLogger("otel_carbon.collector.sender").debug("ours at debug")
        logging.getLogger("httpcore.http11").debug("headers of a request")
        logging.getLogger("httpx").info("a request")
        logging.getLogger("httpx").warning("a warning")
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" DEBUG ")[2] or line.partition(" WARNING ")[2] for line in lines] == [
        "ours at debug",
        "a warning",
    ]


def test_less_severe_messages_than_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with bare_logging():
        log_to_stderr(config("{level: error, encoding: json}"))
        logger = logging.getLogger("otel_carbon.collector.sender")
        logger.warning("a warning")
        logger.error("an error")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "an error"


def test_logging_that_is_set_up_already_is_left_alone() -> None:
    handler = logging.NullHandler()
    with bare_logging():
        logging.getLogger().addHandler(handler)
        log_to_stderr(config())
        assert logging.getLogger().handlers == [handler]
