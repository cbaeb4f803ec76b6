from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon import switches
from otel_carbon.doctor.clients import client_table
from otel_carbon.doctor.facts import WrongRegion, WrongSetting
from otel_carbon.doctor.gather import VARIABLES, conflict_texts, gather_environment, without_credentials
from otel_carbon.sdk import environment as own

if TYPE_CHECKING:
    from pathlib import Path


def test_this_environment_is_told_with_its_instrumentations() -> None:
    environment = gather_environment({})
    assert {"otel-carbon", "opentelemetry-sdk", "openai", "opentelemetry-distro"} <= set(environment.packages)
    (openai,) = [each for each in environment.instrumentations if each.name == "openai"]
    assert (openai.instruments, openai.required, openai.found) == (("openai",), "", "")
    assert (openai.attribute, openai.unmet, openai.import_error) == ("OpenAIInstrumentor", (), "")
    assert openai.module == "opentelemetry.instrumentation.genai.openai"
    assert {"otlp_proto_grpc", "otlp_proto_http", "console"} <= set(environment.trace_exporters)
    assert environment.configurators == ("configurator",)
    assert environment.variables == {}


def test_every_setting_of_ours_is_read() -> None:
    named = [name for module in (own, switches) for key, name in vars(module).items() if key.isupper()]
    assert {name for name in named if str(name).startswith("OTEL_")} - set(VARIABLES) == set()


def test_no_variable_that_may_hold_a_key_is_read() -> None:
    assert [name for name in VARIABLES if "HEADERS" in name or "KEY" in name or "CERTIFICATE" in name] == []
    environment = gather_environment({"OTEL_EXPORTER_OTLP_HEADERS": "k=s", "OPENAI_API_KEY": "s", "PATH": "/"})
    assert environment.variables == {}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("http://user:password@host:4318/v1?key=secret#x", "http://host:4318/v1"),
        ("https://host", "https://host"),
        ("user:password@host:4317", "host:4317"),
        ("localhost:4317?x=1", "localhost:4317"),
        ("http://[::1", ""),
    ],
)
def test_addresses_lose_their_credentials(address: str, kept: str) -> None:
    assert without_credentials(address) == kept


def test_settings_that_are_wrong_come_with_the_line_that_is_right(tmp_path: Path) -> None:
    environment = gather_environment(
        {
            "OTEL_CARBON_REGION": "openai=eastus,anthropic=us-east-11,bad",
            "OTEL_CARBON_MODELS": "mine=gtp-4o,yours=gpt-4o-mini",
            "OTEL_CARBON_ATTRIBUTES": "all",
            "OTEL_CARBON_STRICT": "perhaps",
            "OTEL_CARBON_ACCOUNTING_POINT": "-*",
            "OTEL_CARBON_REGISTRY": str(tmp_path / "none.json"),
            "OTEL_CARBON_GRID_TABLE": str(tmp_path / "none.csv"),
        }
    )
    (region,) = environment.wrong_regions
    assert isinstance(region, WrongRegion)
    assert (region.provider, region.region, region.nearest[0]) == ("anthropic", "us-east-11", "us-east-1")
    assert environment.regions == {"openai": "eastus", "anthropic": "us-east-11"}
    wrong = {each.variable: each for each in environment.wrong_settings}
    assert wrong["OTEL_CARBON_REGION"].problem == "'bad' is not provider=region"
    assert wrong["OTEL_CARBON_MODELS"].advice == "OTEL_CARBON_MODELS=mine=gpt-4o,yours=gpt-4o-mini"
    assert wrong["OTEL_CARBON_ATTRIBUTES"] == WrongSetting(
        "OTEL_CARBON_ATTRIBUTES", "'all' is neither core nor full", "OTEL_CARBON_ATTRIBUTES=core"
    )
    assert wrong["OTEL_CARBON_STRICT"].problem == "'perhaps' is neither true nor false"
    assert "would let no call count" in wrong["OTEL_CARBON_ACCOUNTING_POINT"].problem
    assert "none.json" in environment.registry.overlay_problem
    assert "none.csv" in environment.registry.grid_problem


@pytest.mark.parametrize(
    ("variable", "text", "problem", "line"),
    [
        (
            "REGION",
            "openai=eastus;anthropic=us-east-1",
            "pairs are parted by a comma",
            "openai=eastus,anthropic=us-east-1",
        ),
        ("MODELS", "a=gpt-4o; b=gpt-4o-mini", "pairs are parted by a comma", "a=gpt-4o,b=gpt-4o-mini"),
        ("REGION", "eastus", "'eastus' is not provider=region", "PROVIDER=eastus"),
        ("REGION", "openai=eastus,mistral_ai=", "'mistral_ai=' is not", "openai=eastus,mistral_ai=REGION"),
        ("MODELS", "mine=acme-lm-large", "unknown model 'acme-lm-large'", "mine=KNOWN_MODEL"),
        ("MODELS", "mine=gpt-4o-99", "unknown model 'gpt-4o-99'", "mine=KNOWN_MODEL"),
    ],
)
def test_what_is_written_wrongly_comes_with_the_corrected_line(
    variable: str, text: str, problem: str, line: str
) -> None:
    environment = gather_environment({f"OTEL_CARBON_{variable}": text})
    (wrong,) = environment.wrong_settings
    assert wrong.problem.startswith(problem)
    assert wrong.advice == f"OTEL_CARBON_{variable}={line}"
    assert environment.wrong_regions == ()


def test_nothing_is_logged_while_settings_are_read(caplog: pytest.LogCaptureFixture) -> None:
    gather_environment({"OTEL_CARBON_REGION": "x=y,bad", "OTEL_CARBON_STRICT": "perhaps", "OTEL_CARBON_REGISTRY": "x"})
    assert caplog.records == []


class Conflict:
    def __init__(self, **told: object) -> None:
        vars(self).update(told)


@pytest.mark.parametrize(
    ("conflict", "texts"),
    [
        (None, ("", "")),
        (Conflict(required="openai<3", found=None), ("", "")),
        (Conflict(required='openai<3; extra == "instruments"', found="openai 3.1"), ("openai<3", "openai 3.1")),
        (Conflict(required=None, required_any=["a>2", "b>2"], found_any=["a 1", "b 1"]), ("a>2, b>2", "a 1, b 1")),
    ],
)
def test_only_what_is_installed_conflicts(conflict: object, texts: tuple[str, str]) -> None:
    assert conflict_texts(conflict) == texts


def test_the_table_of_clients_says_where_it_was_looked_up() -> None:
    import tomllib

    from otel_carbon.doctor.clients import TABLE

    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    rows = [*table["client"], table["starters"]]
    assert {each["source"] for each in rows} <= table["sources"].keys()
    assert [source for source in table["sources"].values() if not (source["title"] and source["date"])] == []
    names = [each.distribution for each in client_table().clients]
    assert len(names) == len(set(names))


def test_a_scope_is_of_a_client_by_whole_parts() -> None:
    (openai,) = [client for client in client_table().clients if client.name == "openai"]
    assert openai.is_reported_by("opentelemetry.instrumentation.openai")
    assert openai.is_reported_by("opentelemetry.instrumentation.openai.v1")
    assert not openai.is_reported_by("opentelemetry.instrumentation.openai_agents")
