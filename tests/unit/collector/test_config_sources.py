from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.config.exporters import OtlpHttpExporterConfig
from otel_carbon.collector.config.load import default_config, load_config
from otel_carbon.collector.config.source.tree import plain_from_text
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

BASE = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0"}}}
processors:
  carbon: {regions: {openai: eastus, anthropic: us-east-1}}
exporters:
  otlp_http: {endpoint: "http://backend:4318", timeout: 5s, headers: {a: one, b: two}}
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_http, debug]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


def over(folder: Path, text: str, environment: dict[str, str] | None = None) -> OtlpHttpExporterConfig:
    """The exporter of the base file after another file was put over it."""
    (folder / "top.yaml").write_text(text, encoding="utf-8")
    loaded = load_config([folder / "base.yaml", folder / "top.yaml"], environment or {})
    backend = loaded.config.exporters["otlp_http"]
    assert isinstance(backend, OtlpHttpExporterConfig)
    return backend


def refused(folder: Path, *settings: str, text: str = "", environment: dict[str, str] | None = None) -> str:
    (folder / "top.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config([folder / "base.yaml", folder / "top.yaml"], environment or {}, settings=settings)
    return str(caught.value).replace(f"{folder}/", "")


def headers(backend: OtlpHttpExporterConfig) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in backend.headers.items()}


def test_a_later_file_is_merged_key_by_key(folder: Path) -> None:
    backend = over(folder, "exporters: {otlp_http: {timeout: 9s, headers: {b: three, c: four}}}")
    assert (backend.endpoint, backend.timeout_s) == ("http://backend:4318", 9.0)
    assert headers(backend) == {"a": "one", "b": "three", "c": "four"}


def test_a_list_of_a_later_file_replaces_that_of_an_earlier_one(folder: Path) -> None:
    (folder / "top.yaml").write_text("service: {pipelines: {traces: {exporters: [debug]}}}", encoding="utf-8")
    loaded = load_config([folder / "base.yaml", folder / "top.yaml"], {})
    assert loaded.config.service.pipelines["traces"].exporters == ("debug",)
    assert loaded.config.service.pipelines["traces"].processors == ("carbon",)
    assert loaded.warnings == (
        f"{folder}/base.yaml:6: exporters.otlp_http: is declared but not named in any pipeline; it does not run",
    )


def test_a_mistake_is_shown_in_the_file_that_it_stands_in(folder: Path) -> None:
    text = "\nexporters:\n  otlp_http: {timeout: 5}\nprocessors: {carbon: {attributes: most}}\n"
    assert refused(folder, text=text).splitlines() == [
        "top.yaml:3: exporters.otlp_http.timeout: must be a duration with its unit, such as 5s, 200ms or 1m30s",
        ("top.yaml:4: processors.carbon.attributes: must be 'core' or 'full', not 'most'; allowed: core, full"),
    ]


def test_a_reference_that_a_later_file_replaces_need_not_be_set(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("5s", '"${env:UNSET}"'), encoding="utf-8")
    assert over(folder, "exporters: {otlp_http: {timeout: 9s}}").timeout_s == 9.0


def test_an_empty_file_changes_nothing(folder: Path) -> None:
    assert over(folder, "# nothing\n").timeout_s == 5.0


def test_settings_are_put_over_the_files_in_order(folder: Path) -> None:
    settings = (
        "exporters.otlp_http.timeout=1s",
        "exporters::otlp_http::timeout=2s",
        "exporters.otlp_http.headers.b=five: 5",
        "service.pipelines.traces.exporters=[otlp_http]",
        "exporters.otlp_http.sending_queue.queue_size_bytes=1000",
        "exporters.otlp_http.headers.c=${env:C}",
    )
    loaded = load_config(folder / "base.yaml", {"C": "see"}, settings=settings[:2] + settings[3:])
    backend = loaded.config.exporters["otlp_http"]
    assert isinstance(backend, OtlpHttpExporterConfig)
    assert (backend.timeout_s, backend.sending_queue.queue_size_bytes) == (2.0, 1000)
    assert headers(backend) == {"a": "one", "b": "two", "c": "see"}
    assert loaded.config.service.pipelines["traces"].exporters == ("otlp_http",)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "exporters.otlp_http.timeout",
            "--set: must be written key.path=value, or key::path=value where a key has a dot",
        ),
        ("exporters..timeout=1s", "--set: must be written key.path=value, or key::path=value where a key has a dot"),
        (
            "exporters.otlp_http.timeout=1",
            "--set: exporters.otlp_http.timeout: must be a duration with its unit, such as 5s, 200ms or 1m30s",
        ),
        ("exporters.debug.verbsity=basic", "--set: exporters.debug.verbsity: unknown key; did you mean 'verbosity'?"),
        (
            "exporters.debug=[",
            "--set: exporters.debug: is no YAML: expected the node content, but found '<stream end>'",
        ),
    ],
)
def test_a_wrong_setting_is_named(folder: Path, setting: str, message: str) -> None:
    assert refused(folder, setting, text="exporters: {}") == message


def test_settings_change_the_built_in_configuration() -> None:
    config = default_config(("exporters.prometheus.endpoint=localhost:0",), {})
    assert getattr(config.exporters["prometheus"], "endpoint", None) == "localhost:0"


def test_a_file_is_put_in_relative_to_the_file_that_names_it(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "token").write_text("abc\n", encoding="utf-8")
    text = 'exporters: {otlp_http: {headers: {a: "Bearer ${file:secrets/token}", b: "${file:secrets/token}"}}}'
    assert headers(over(folder, text)) == {"a": "Bearer abc", "b": "abc"}


def test_a_file_may_hold_a_whole_section_with_references_of_its_own(folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "token").write_text("abc", encoding="utf-8")
    (folder / "parts" / "queue.yaml").write_text("queue_size_bytes: ${env:SIZE}", encoding="utf-8")
    part = "timeout: ${WAIT:-3s}\nheaders: {a: '${file:token}'}\nsending_queue: ${file:queue.yaml}\n"
    (folder / "parts" / "backend.yaml").write_text("endpoint: http://x:1\n" + part, encoding="utf-8")
    text = "exporters:\n  otlp_http: ${file:parts/backend.yaml}\n"
    backend = over(folder, text, {"SIZE": "2000"})
    # A reference is put in after files are merged, so it replaces the section of the base file.
    assert (backend.endpoint, backend.timeout_s, backend.sending_queue.queue_size_bytes) == ("http://x:1", 3.0, 2000)
    assert headers(backend) == {"a": "abc"}


def test_a_mistake_in_a_file_that_is_put_in_is_shown_where_it_is_named(folder: Path) -> None:
    (folder / "part.yaml").write_text("endpoint: http://x:1\ntimeout: 3\n", encoding="utf-8")
    text = "exporters:\n  otlp_http: ${file:part.yaml}\n"
    assert refused(folder, text=text) == (
        "top.yaml:2: exporters.otlp_http.timeout: must be a duration with its unit, such as 5s, 200ms or 1m30s"
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("${file:none}", "the file 'none' cannot be read: No such file or directory"),
        ("${file:.}", "the file '.' cannot be read: Is a directory"),
        ("${file:binary}", "the file 'binary' is not UTF-8 text"),
        ("${file:large}", "the file 'large' is larger than 1024 KiB"),
        ("${file:loop.yaml}", "references stand for text with references, more than 8 deep"),
        ("${file:a\\0b}", "the file 'a\\x00b' cannot be read: it is no path"),
    ],
)
def test_a_file_that_cannot_be_put_in_is_named_with_its_line(folder: Path, written: str, message: str) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    (folder / "loop.yaml").write_text("a: ${file:loop.yaml}", encoding="utf-8")
    found = refused(folder, text=f'exporters:\n  debug: {{verbosity: "{written}"}}\n')
    assert found.startswith("top.yaml:2: exporters.debug.verbosity")
    assert found.endswith(f": {message}")
    assert len(found.splitlines()) == 1


def test_a_whole_reference_keeps_the_type_that_its_text_has_in_yaml(folder: Path) -> None:
    text = """\
exporters: {otlp_http: {sending_queue: "${env:QUEUE}", retry_on_failure: {enabled: "${env:RETRY}"}}}
processors: {carbon: {strict: "${env:STRICT}", hold_size_bytes: "${env:HEX}", regions: "${env:REGIONS}"}}
service: {pipelines: {traces: {exporters: "${env:EXPORTERS}"}}}
"""
    environment = {
        "QUEUE": "{queue_size_bytes: 5}",
        "RETRY": "false",
        "STRICT": "true",
        "HEX": "0x1000",
        "REGIONS": "openai: eastus",
        "EXPORTERS": "[otlp_http]",
    }
    backend = over(folder, text, environment)
    assert (backend.sending_queue.queue_size_bytes, backend.retry_on_failure.enabled) == (5, False)
    loaded = load_config([folder / "base.yaml", folder / "top.yaml"], environment).config
    carbon = loaded.carbons["carbon"]
    assert (carbon.strict, carbon.hold_size_bytes, carbon.regions) == (True, 4096, {"openai": "eastus"})
    assert loaded.service.pipelines["traces"].exporters == ("otlp_http",)


@pytest.mark.parametrize(
    "secret", ["12345", "0123", "1e3", "true", "null", "", "[a, b]", "a: b", "#pass", "{", "$x ${y}"]
)
def test_a_setting_that_is_a_text_gets_the_text_as_it_is(folder: Path, secret: str) -> None:
    text = 'exporters: {otlp_http: {headers: {a: "${env:SECRET}"}}}'
    assert headers(over(folder, text, {"SECRET": secret}))["a"] == secret


def test_the_default_of_a_reference_may_hold_references(folder: Path) -> None:
    text = 'exporters: {otlp_http: {headers: {a: "${env:A:-${B:-$${c}}}", b: "${env:UNSET:-}", c: "$$$${d"}}}'
    assert headers(over(folder, text)) == {"a": "${c}", "b": "", "c": "$${d"}
    assert headers(over(folder, text, {"B": "bee"}))["a"] == "bee"


def test_aliases_and_merge_keys_of_yaml_are_read(folder: Path) -> None:
    text = """\
exporters:
  otlp_http: &common {timeout: 7s, endpoint: "http://a:1"}
  otlp_http/b: {<<: *common, endpoint: "http://b:1"}
service: {pipelines: {traces: {exporters: [otlp_http, otlp_http/b]}}}
"""
    assert over(folder, text).timeout_s == 7.0
    other = load_config([folder / "base.yaml", folder / "top.yaml"], {}).config.exporters["otlp_http/b"]
    assert isinstance(other, OtlpHttpExporterConfig)
    assert (other.timeout_s, other.endpoint) == (7.0, "http://b:1")


def test_aliases_of_aliases_are_bounded(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert "at most 20000 values and 50 levels are read" in refused(folder, text="\n".join(lines))
    assert "at most 20000 values and 50 levels are read" in refused(folder, text="a: &a [*a]")
    assert "at most 20000 values and 50 levels are read" in refused(folder, text="[" * 5000)


def test_files_that_name_each_other_are_bounded(folder: Path) -> None:
    (folder / "wide.yaml").write_text("[" + ", ".join(["'${file:wide.yaml}'"] * 10) + "]", encoding="utf-8")
    assert "more than 1000 references" in refused(folder, text="exporters: ${file:wide.yaml}")


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigError) as caught:
        load_config([tmp_path / "none.yaml", tmp_path / "large.yaml", tmp_path / "latin.yaml"], {})
    assert caught.value.problems == (
        f"{tmp_path}/none.yaml: cannot be read: No such file or directory",
        f"{tmp_path}/large.yaml: is larger than 1024 KiB",
        f"{tmp_path}/latin.yaml: is not UTF-8 text",
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("a", "a"), ("'1'", "1"), ("!x y", "!x y"), ("2025-01-01", "2025-01-01"), ("a: a: a", "a: a: a")],
)
def test_text_is_read_as_yaml_where_it_is_yaml(text: str, value: object) -> None:
    assert plain_from_text(text) == value
