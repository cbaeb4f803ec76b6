"""What a message about a configuration shows of it; `canary` stands for every secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.config.load import load_config, parse_config
from otel_carbon.collector.config.source.findings import InvalidConfig
from otel_carbon.collector.config.source.masking import is_secret, unparsed_line, without_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.collector.config.source.findings import Finding

REST = """
receivers: {otlp: {protocols: {http: }}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""
ENVIRONMENT = {"TOKEN": "canary-1", "LIST": "[canary-1, canary-2]", "MAP": "a: canary-1"}


def findings(text: str) -> tuple[Finding, ...]:
    with pytest.raises(InvalidConfig) as caught:
        parse_config(text + REST, "collector.yaml", ENVIRONMENT)
    return caught.value.findings + caught.value.warnings


@pytest.mark.parametrize(
    "exporter",
    [
        "otlp_http: {endpoint: http://x:1, headers: {authorization: [canary]}, timeout: 5}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {a: 'canary with # and spaces', b: canary, b: canary}}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, hedders: {x-team: canary}, other: canary}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {*canary : 1}}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {a: !canary }}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {a: *canary}}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {a: &canary }}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: canary}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {[canary]: canary}}",
        "otlp_http: {endpoint: http://x:1, timeout: 5, headers: {a: ca\tnary canary]}",
        "otlp_http: {endpoint: http://x:1, timeout: 5} # headers: {authorization: canary}",
        "otlp_http: {endpoint: 'http://user:canary@x:1/?api-key=canary', timeout: 5}",
        "otlp_http: {endpoint: 'ftp://user:canary@x:1', timeout: 5s}",
        "otlp_http: {endpoint: 'user:canary@x:1', timeout: 5s}",
        "otlp_grpc: {endpoint: 'user:canary@x:1'}",
        "otlp_http: {endpoint: 'http://user:canary:1', timeout: 5s}",
        "otlp_http: {endpoint: 'htt p://user:canary @x:1', timeout: 5s}",
        "otlp_http: {endpoint: http://x:1, headers: {canary}}",
        "otlp_http: {endpoint: '${env:TOKEN}'}",
        "otlp_http: {endpoint: 'a${env:TOKEN}'}",
        "otlp_http: {endpoint: http://x:1, compression: '${env:TOKEN}'}",
        "otlp_http: {endpoint: http://x:1, compression: '${env:LIST}'}",
        "otlp_http: {endpoint: http://x:1, compression: '${env:MAP}'}",
        "otlp_http: {endpoint: http://x:1, headers: '${env:TOKEN}'}",
        "otlp_http: {endpoint: http://x:1, headers: {a: '${env:UNSET:canary}'}}",
        "otlp_http: {endpoint: http://x:1, headers: {a: '${canary:x}'}}",
        "otlp_http: {endpoint: http://x:1, timeout: '${env:TOKEN}'}",
        "bearertokenauth: {token: canary}",
        "kafka: {auth: {x: canary}}",
    ],
)
def test_a_secret_is_never_shown(exporter: str) -> None:
    found = findings(f"exporters:\n  {exporter}\n  debug:\n")
    assert found
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    "lines",
    [
        ("otlp_http:", "  headers:", "    authorization: canary", "    b: [canary", "    c: canary: canary"),
        ("otlp_http:", "  tokens:", "  - canary", "  - canary: ]"),
        ("otlp_http:", "  password: |", "     canary", "   canary: x", "  - ["),
        ("otlp_http:", '  token: "canary', "", "   canary"),
        ("otlp_http: {headers: {a: canary: canary}",),
    ],
)
def test_a_secret_is_not_shown_where_the_file_is_no_yaml(lines: tuple[str, ...]) -> None:
    found = findings("exporters:\n" + "\n".join(f"  {line}" for line in lines))
    assert "is no YAML" in found[0].message
    assert "canary" not in repr(found)


def test_the_line_is_shown_with_its_secret_hidden_and_its_key_marked() -> None:
    exporter = "otlp_http: {headers: {a: canary, b: 'canary'}, endpoint: 'http://x:1', tiemout: }"
    (found,) = findings(f"exporters:\n  {exporter}\n  debug:\n")[:1]
    assert (found.file, found.line, found.key) == ("collector.yaml", 2, "exporters.otlp_http.tiemout")
    assert found.written == "  otlp_http: {headers: {a: ***, b: ***}, endpoint: 'http://x:1', tiemout: }"
    assert found.written[found.column - 1 :][: found.width] == "tiemout"


def test_a_block_of_text_below_a_secret_key_is_hidden() -> None:
    (found,) = findings("exporters:\n  debug:\n    token: |\n      canary\n")[:1]
    assert (found.line, found.written) == (3, "    token: ***")


@pytest.mark.parametrize(
    ("line", "shown", "marked"),
    [
        ("debug: {verbosity: detailed]", "debug: {verbosity: ***]", "]"),
        ("- otlp: [canary, 'canary canary', \"canary\" }", "- otlp: [***, ***, *** }", "}"),
        ("debug: {a: ${env:X}, b: canary-1: 22}  # canary", "debug: {a: ${env:X}, b: *** ***}  ", "}"),
        ("debug: {{b: {a=canary: 1}]", "debug: {{b: {*** 1}]", "]"),
    ],
)
def test_of_a_line_that_is_no_yaml_keys_and_brackets_are_shown(line: str, shown: str, marked: str) -> None:
    text, column = unparsed_line(["exporters:", f"  {line}"], 2, len(line.partition("  #")[0]) + 2)
    assert text == f"  {shown}"
    assert text[column - 1] == marked


def test_the_place_of_a_syntax_error_is_marked() -> None:
    (found,) = findings("exporters:\n  debug: {verbosity: detailed]\n")
    assert (found.line, found.written) == (2, "  debug: {verbosity: ***]")
    assert found.written[found.column - 1] == "]"


@pytest.mark.parametrize("settings", ["{headers=canary}", "{headers: {authorization=canary}}", "{'canary canary': 1}"])
def test_a_key_that_may_hold_a_secret_is_hidden(settings: str) -> None:
    found = findings(f"exporters:\n  otlp_http: {settings}\n  debug:\n")
    assert any("***" in each.key and "***" in each.written for each in found)
    assert "canary" not in repr(found)


def test_a_secret_of_a_file_that_a_later_one_replaces_is_hidden_too(tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower.yaml", tmp_path / "upper.yaml"
    exporter = "otlp_http: {endpoint: http://x:1, headers: {a: canary}, timeout: 5}"
    lower.write_text(f"exporters:\n  {exporter}\n  debug:\n{REST}", encoding="utf-8")
    upper.write_text("exporters: {otlp_http: {headers: {a: other}}}", encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        load_config([lower, upper], {})
    assert caught.value.findings[0].line == 2
    assert "canary" not in repr(caught.value.findings)


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (("exporters", "otlp_http", "headers", "x-team"), True),
        (("exporters", "otlp_http", "tls", "key_pem"), True),
        (("exporters", "otlp_http", "tls", "key_file"), False),
        (("exporters", "otlp_http", "endpoint"), False),
        (("extensions", "bearertokenauth", "scheme"), False),
        (("extensions", "bearertokenauth", "token"), True),
        (("extensions", "bearertokenauth", "tokens", 0), True),
        (("extensions", "bearertokenauth", "filename"), False),
        (("extensions", "bearertokenauth"), True),
        (("extensions", "basicauth", "htpasswd", "inline"), True),
        (("extensions", "basicauth", "client_auth", "password"), True),
        (("processors", "carbon", "models", "prod"), False),
    ],
)
def test_what_is_secret_is_told_by_the_names_of_keys(path: tuple[str | int, ...], *, secret: bool) -> None:
    assert is_secret(path) == secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at http://u:p@host:1/v1?a=b&token=c&d=e now", "at http://***@host:1/v1?a=b&token=***&d=e now"),
        ("user@example.com is no URL", "user@example.com is no URL"),
        ("localhost:4317", "localhost:4317"),
        ("http://token@host", "http://***@host"),
        ("http://u:p:4318/v1", "http://***/v1"),
        ("http://[::1]:4318 http://${HOST}:${env:PORT}", "http://[::1]:4318 http://${HOST}:${env:PORT}"),
    ],
)
def test_credentials_in_urls_are_hidden(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
