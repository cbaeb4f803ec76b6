from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.config.load import load_config
from tools import generate_collector_reference, generated_page

if TYPE_CHECKING:
    import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


def test_the_reference_page_is_what_the_models_yield() -> None:
    page = REPOSITORY / generate_collector_reference.PAGE
    assert page.read_text(encoding="utf-8") == generate_collector_reference.reference_page()


def test_check_tells_drift_by_its_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generated_page, "REPOSITORY", tmp_path)
    assert generate_collector_reference.main(["--check"]) == 1
    assert generate_collector_reference.main([]) == 0
    assert generate_collector_reference.main(["--check"]) == 0


def test_every_setting_says_what_it_means() -> None:
    rows = [line for line in generate_collector_reference.reference_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert all(row.count("|") == 5 and row.endswith(". |") for row in rows)


def test_the_example_configuration_can_be_run() -> None:
    assert load_config(REPOSITORY / "deploy/collector.yaml", {"BACKEND_TOKEN": "t"}).warnings == ()


def test_the_configuration_of_the_container_can_be_run_and_says_that_its_ports_are_open(tmp_path: Path) -> None:
    text = (REPOSITORY / "deploy/compose-collector.yaml").read_text(encoding="utf-8")
    path = tmp_path / "collector.yaml"
    path.write_text(text.replace("/etc/otel-carbon/budgets.yaml", f"{REPOSITORY}/deploy/budgets.yaml"), "utf-8")
    protocols = f"{path}:6: receivers.otlp.protocols.grpc", f"{path}:7: receivers.otlp.protocols.http"
    warnings = load_config(path, {}).warnings
    assert [warning.partition(".endpoint: ")[0] for warning in warnings] == list(protocols)
    assert all("is not this machine alone" in warning for warning in warnings)
