from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.config.exporters import OtlpGrpcExporterConfig, OtlpHttpExporterConfig
from otel_carbon.collector.config.load import LoadedConfig, default_config, load_config, parse_config
from otel_carbon.collector.config.values import seconds_from_duration
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GOOD = """\
receivers:
  otlp: {protocols: {grpc: , http: {endpoint: "localhost:0"}}}
processors:
  carbon: {regions: {openai: "${env:REGION}"}}
exporters:
  otlp_http: {endpoint: "${env:BACKEND:-http://backend:4318}", headers: {authorization: "Bearer ${env:TOKEN}"}}
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_http]}
    logs: {receivers: [otlp], exporters: [otlp_http, debug]}
"""
ENVIRONMENT = {"REGION": "eastus", "TOKEN": "secret-token"}


def load(text: str, environment: Mapping[str, str] = ENVIRONMENT) -> LoadedConfig:
    return parse_config(dedent(text), "collector.yaml", environment)


def problems(text: str, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, environment)
    return "\n".join(caught.value.problems)


def with_exporter(settings: str) -> str:
    return f"""\
receivers: {{otlp: {{protocols: {{http: }}}}}}
exporters:
  {settings}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{settings.partition(":")[0]}]}}}}}}
"""


def test_every_mistake_is_reported_at_once_from_top_to_bottom() -> None:
    text = """\
        receivers:
          otlp:
            protocols: {grpc: {endpoint: localhost}, htp: {}}
        processors:
          carbon: {attributes: ful, zzz: 0s, registry: no/such/file}
        exporters:
          otlp_htp: {endpoint: http://x:1}
          otlp_grpc: {endpoint: backend:4317, timeout: 5, sending_queue: {queue_size: 5}}
          otlp_grpc/plain: {endpoint: backend:4317}
          prometheus: {endpoint: localhost:13133}
          debug: {verbosity: "${env:VERBOSITY}"}
        extensions:
          health_check:
        service:
          extensions: [healthcheck]
          pipelines:
            traces:
              receivers: [otlp]
              procesors: []
              exporters: [otlp_http]
            traces/two: {receivers: [otlp], exporters: [prometheus, prometheus, otlp_http]}
            logs/two: {receivers: [otlp], processors: [carbon], exporters: [prometheus]}
            metric: {receivers: [otlp], exporters: [debug]}
            logs: {receivers: [], exporters: [debug]}
        telemetry: 1
        """
    assert problems(text).splitlines() == [
        (
            "collector.yaml:3: receivers.otlp.protocols.grpc.endpoint: "
            "must be host:port such as localhost:4317, not 'localhost'"
        ),
        "collector.yaml:3: receivers.otlp.protocols.htp: unknown key; did you mean 'http'?",
        "collector.yaml:5: processors.carbon.attributes: must be 'core' or 'full', not 'ful'; did you mean 'full'?",
        (
            "collector.yaml:5: processors.carbon.zzz: unknown key; "
            "allowed: accounting_point, already_enriched, attributes, grid_table, hold, hold_size_bytes, models, "
            "regions, registry, strict, tenant_attribute, usage_source"
        ),
        "collector.yaml:7: exporters.otlp_htp: unknown exporter; did you mean 'otlp_http'?",
        "collector.yaml:8: exporters.otlp_grpc.timeout: must be a duration with its unit, such as 5s, 200ms or 1m30s",
        "collector.yaml:8: exporters.otlp_grpc.sending_queue.queue_size: unknown key; did you mean 'queue_size_bytes'?",
        (
            "collector.yaml:9: exporters.otlp_grpc/plain: "
            "endpoint must say http://backend:4317 (plain) or https://backend:4317 (TLS)"
        ),
        "collector.yaml:11: exporters.debug.verbosity: VERBOSITY is not set; set it or write ${env:VERBOSITY:-default}",
        (
            "collector.yaml:13: extensions.health_check.endpoint: "
            "localhost:13133 is taken by exporters.prometheus.endpoint; choose another port"
        ),
        (
            "collector.yaml:15: service.extensions[0]: 'healthcheck' is not declared in extensions; "
            "did you mean 'health_check'?"
        ),
        "collector.yaml:19: service.pipelines.traces.procesors: unknown key; did you mean 'processors'?",
        (
            "collector.yaml:21: service.pipelines.traces/two.exporters[2]: "
            "'otlp_http' is not declared in exporters; did you mean 'otlp_htp'?"
        ),
        "collector.yaml:21: service.pipelines.traces/two.exporters: 'prometheus' stands here 2 times; name it once",
        (
            "collector.yaml:21: service.pipelines.traces/two.exporters[0]: "
            "prometheus serves the carbon processor's counters; add carbon to the processors here"
        ),
        (
            "collector.yaml:21: service.pipelines.traces/two.exporters[1]: "
            "prometheus serves the carbon processor's counters; add carbon to the processors here"
        ),
        (
            "collector.yaml:22: service.pipelines.logs/two.processors[0]: "
            "carbon reads traces, and metrics of services whose usage_source they are; take it out of here"
        ),
        (
            "collector.yaml:22: service.pipelines.logs/two.exporters[0]: "
            "prometheus serves the carbon processor's counters only; list it in a traces pipeline"
        ),
        "collector.yaml:23: service.pipelines.metric: unknown kind of pipeline; did you mean 'metrics'?",
        "collector.yaml:24: service.pipelines.logs.receivers: must not be empty",
        "collector.yaml:25: telemetry: unknown section; allowed: exporters, extensions, processors, receivers, service",
    ]


def test_the_environment_is_put_in() -> None:
    config = load(GOOD).config
    assert config.carbons["carbon"].regions == {"openai": "eastus"}
    backend = config.exporters["otlp_http"]
    assert isinstance(backend, OtlpHttpExporterConfig)
    assert backend.endpoint == "http://backend:4318"
    assert backend.headers["authorization"].get_secret_value() == "Bearer secret-token"
    replaced = load(GOOD, {**ENVIRONMENT, "BACKEND": "https://other"}).config.exporters["otlp_http"]
    assert isinstance(replaced, OtlpHttpExporterConfig)
    assert str(replaced.target) == "other:443"


def test_secrets_are_not_printed_with_the_configuration() -> None:
    assert "secret-token" not in repr(load(GOOD).config)


def test_two_dollar_signs_are_one_and_nothing_else_is_replaced() -> None:
    text = with_exporter("""otlp_http: {endpoint: 'http://x:1', headers: {key: '$${env:TOKEN} $5'}}""")
    backend = load(text).config.exporters["otlp_http"]
    assert isinstance(backend, OtlpHttpExporterConfig)
    assert backend.headers["key"].get_secret_value() == "${env:TOKEN} $5"


def test_a_number_may_come_from_the_environment() -> None:
    text = with_exporter(
        """otlp_http: {endpoint: 'http://x:1', timeout: "${env:T}", sending_queue: {queue_size_bytes: "${env:Q}"}}"""
    )
    backend = load(text, {"T": "250ms", "Q": "1000"}).config.exporters["otlp_http"]
    assert isinstance(backend, OtlpHttpExporterConfig)
    assert (backend.timeout_s, backend.sending_queue.queue_size_bytes) == (0.25, 1000)


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("${http://secret/x}", "${http:...}"),
        ("${env:1X}", "${env:...}"),
        ("${1X}", "${...}"),
        ("${yaml:a}", "${yaml:...}"),
    ],
)
def test_other_references_are_explained(reference: str, shown: str) -> None:
    text = with_exporter(f"otlp_http: {{endpoint: 'http://x:1', headers: {{key: '{reference}'}}}}")
    assert problems(text) == (
        f"collector.yaml:3: exporters.otlp_http.headers.key: {shown} is unknown; "
        "write ${env:NAME}, ${env:NAME:-default} or ${file:PATH}, or $$ for a dollar sign"
    )


def test_a_key_that_stands_twice_is_refused_without_showing_values() -> None:
    text = with_exporter("otlp_http: {endpoint: 'http://x:1', headers: {key: secret-a, key: secret-b}}")
    assert problems(text) == (
        "collector.yaml:3: exporters.otlp_http.headers.key: stands here twice, before in line 3; keep one"
    )


def test_text_that_is_no_yaml_names_the_line() -> None:
    assert problems("receivers: {otlp: ]\n").startswith("collector.yaml:1: is no YAML: ")


def test_an_unquoted_reference_inside_braces_is_explained() -> None:
    text = "exporters:\n  debug: {verbosity: ${env:VERBOSITY}}\n"
    assert problems(text).endswith('; write "${...}" in quotes inside { }')


def test_a_wrong_secret_is_not_echoed() -> None:
    text = with_exporter("otlp_http: {endpoint: 'http://x:1', headers: {key: [secret-a]}}")
    assert "secret-a" not in problems(text)


def test_missing_sections_are_named() -> None:
    assert problems("").splitlines() == [
        "collector.yaml: the section 'receivers' is missing",
        "collector.yaml: the section 'exporters' is missing",
        "collector.yaml: the section 'service' is missing",
    ]


def test_a_list_instead_of_a_mapping_is_refused() -> None:
    assert problems("[1, 2]").startswith("collector.yaml: must be a mapping with the keys receivers, ")
    assert problems("receivers: [otlp]\nexporters: {debug: }\nservice: 3").splitlines() == [
        "collector.yaml:1: receivers: must be a mapping of component ids",
        "collector.yaml:3: service: must be a mapping with the keys extensions, pipelines, drain_timeout, telemetry",
    ]


def test_an_exporter_that_sends_to_our_own_receiver_is_a_loop() -> None:
    text = """\
        receivers: {otlp: {protocols: {grpc: }}}
        exporters: {otlp_grpc: {endpoint: "127.0.0.1:4317"}}
        service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}
        """
    assert problems(text) == (
        "collector.yaml:2: exporters.otlp_grpc.endpoint: 127.0.0.1:4317 is this collector's own receiver: a loop"
    )


def test_a_wildcard_address_clashes_with_every_host_on_the_port() -> None:
    text = """\
        receivers: {otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}, http: {endpoint: "localhost:4317"}}}}
        exporters: {debug: }
        service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
        """
    assert problems(text) == (
        "collector.yaml:1: receivers.otlp.protocols.http.endpoint: "
        "localhost:4317 is taken by receivers.otlp.protocols.grpc.endpoint; choose another port"
    )


def test_two_carbon_processors_would_count_apart_and_are_refused() -> None:
    text = """\
        receivers: {otlp: {protocols: {grpc: }}}
        processors: {carbon: , carbon/two: }
        exporters: {debug: }
        service: {pipelines: {traces: {receivers: [otlp], processors: [carbon, carbon/two], exporters: [debug]}}}
        """
    assert problems(text) == (
        "collector.yaml:2: processors.carbon/two: one carbon processor decides for the whole collector; keep one"
    )


def test_a_receiver_needs_a_protocol() -> None:
    text = """\
        receivers: {otlp: {protocols: {}}}
        exporters: {debug: }
        service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
        """
    assert problems(text) == ("collector.yaml:1: receivers.otlp.protocols: must name at least one protocol: grpc, http")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("backend:4318", "backend:4318"),
        ("ftp://b:1", "ftp://b:1"),
        ("http://", "http://"),
        ("http://b:99999", "http://b:99999"),
        ("http://b:x", "http://***"),  # it may be a user and a password
        ("http://[b", "http://***"),
    ],
)
def test_what_is_no_url_is_refused(url: str, shown: str) -> None:
    text = with_exporter(f"otlp_http: {{endpoint: '{url}'}}")
    assert problems(text) == (
        f"collector.yaml:3: exporters.otlp_http.endpoint: must be a URL such as http://backend:4318, not '{shown}'"
    )


def test_a_port_that_does_not_exist_is_refused() -> None:
    text = with_exporter("otlp_grpc: {endpoint: 'http://b:99999'}")
    assert problems(text) == ("collector.yaml:3: exporters.otlp_grpc: the port must be from 0 to 65535, not 99999")


def test_the_old_names_of_the_exporters_are_read() -> None:
    text = """\
        receivers: {otlp: {protocols: {grpc: }}}
        exporters: {otlp: {endpoint: "https://a:4317"}, otlphttp/b: {endpoint: "http://b:4318"}}
        service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp, otlphttp/b]}}}
        """
    exporters = load(text).config.exporters
    assert isinstance(exporters["otlp"], OtlpGrpcExporterConfig)
    assert exporters["otlp"].secure
    assert isinstance(exporters["otlphttp/b"], OtlpHttpExporterConfig)


def test_unused_components_are_warned_about() -> None:
    text = GOOD.replace("  debug:\n", "  debug:\n  debug/unused:\n").replace(
        "service:", "extensions:\n  health_check:\nservice:"
    )
    assert load(text).warnings == (
        "collector.yaml:8: exporters.debug/unused: is declared but not named in any pipeline; it does not run",
        "collector.yaml:10: extensions.health_check: is declared but not named in service.extensions; it does not run",
    )


def test_the_built_in_configuration_serves_the_standard_ports() -> None:
    config = default_config()
    protocols = config.receivers["otlp"].protocols
    assert protocols.grpc is not None
    assert protocols.http is not None
    assert (protocols.grpc.endpoint, protocols.http.endpoint) == ("localhost:4317", "localhost:4318")
    assert config.service.pipelines["traces"].exporters == ("prometheus",)


def test_a_file_that_is_not_there_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file or directory"):
        load_config(tmp_path / "nowhere.yaml")


def test_a_file_is_loaded_with_its_name_in_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "collector.yaml"
    path.write_text("bogus: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert all(problem.startswith(str(path)) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5.0), ("200ms", 0.2), ("1m30s", 90.0), ("1h", 3600.0), ("0.5s", 0.5), ("0", 0.0), (0, 0.0), ("0s", 0.0)],
)
def test_durations_are_read(text: object, seconds: float) -> None:
    assert seconds_from_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", 5, "5 s", "s", "-5s", "5s1m", None, [], True])
def test_what_has_no_unit_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration with its unit"):
        seconds_from_duration(text)
