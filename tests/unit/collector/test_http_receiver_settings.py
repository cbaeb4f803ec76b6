from __future__ import annotations

import pytest

from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.config.receivers import OtlpReceiverConfig
from otel_carbon.collector.listener_assembly import Security, http_receiver_settings
from otel_carbon.errors import ConfigError

CONFIG = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0", HTTP}}}
exporters:
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""
ALL = ("gzip", "zstd", "zlib", "snappy", "deflate", "lz4", "x-snappy-framed")


def taken(http: str) -> tuple[str, ...]:
    """The compressions that a receiver with some settings takes."""
    config = parse_config(CONFIG.replace("HTTP", http), "c.yaml", {}).config
    receiver = config.receivers["otlp"]
    assert isinstance(receiver, OtlpReceiverConfig)
    assert receiver.protocols.http is not None
    return http_receiver_settings("otlp", receiver.protocols.http, Security(config)).content_encodings.names


def problem(http: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(CONFIG.replace("HTTP", http), "c.yaml", {})
    (only,) = caught.value.problems
    return only


@pytest.mark.parametrize(
    ("http", "names"),
    [
        ("cors: null", ALL),
        ("compression_algorithms: null", ALL),
        ("compression_algorithms: []", ALL),
        ('compression_algorithms: [""]', ()),
        ('compression_algorithms: ["", gzip]', ("gzip",)),
        ("compression_algorithms: [zstd, gzip]", ("gzip", "zstd")),
    ],
)
def test_all_compressions_are_taken_unless_some_are_named(http: str, names: tuple[str, ...]) -> None:
    assert taken(http) == names


def test_an_unknown_compression_is_named() -> None:
    said = problem("compression_algorithms: [gzip, brotli]")
    assert said.startswith("c.yaml:2: receivers.otlp.protocols.http.compression_algorithms")
    assert "brotli" in said or "zstd" in said


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("https://app.example.com/", "is no origin; write scheme, host and port alone"),
        ("https://app.example.com/path", "is no origin"),
        ("app.example.com", "is no origin"),
        ("https://user@app.example.com", "is no origin"),
        ("https://*.*.example.com", "may have one * at most"),
    ],
)
def test_an_origin_that_no_browser_would_send_is_a_mistake(origin: str, words: str) -> None:
    assert words in problem(f'cors: {{allowed_origins: ["{origin}"]}}')


@pytest.mark.parametrize(
    "origin", ["*", "null", "http://*", "https://*.example.com", "*.example.com", "http://[::1]:8080", "app://local"]
)
def test_an_origin_that_a_browser_sends_is_taken(origin: str) -> None:
    assert taken(f'cors: {{allowed_origins: ["{origin}"]}}') == ALL


def test_a_header_that_cannot_be_one_is_a_mistake() -> None:
    said = problem('cors: {allowed_origins: ["*"], allowed_headers: ["x team"]}')
    assert "is no name of a header" in said
