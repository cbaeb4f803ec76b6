"""The layers of the package, as `pyproject.toml` states them, and which packages each may need installed."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = "otel_carbon"

STANDARD_LIBRARY_ONLY = [
    "otel_carbon.activity",
    "otel_carbon.attributes",
    "otel_carbon.booking",
    "otel_carbon.change_effects",
    "otel_carbon.comparing",
    "otel_carbon.comparing_regions",
    "otel_carbon.core",
    "otel_carbon.counting",
    "otel_carbon.durable_counting",
    "otel_carbon.enrich_settings",
    "otel_carbon.enricher",
    "otel_carbon.errors",
    "otel_carbon.estimating",
    "otel_carbon.exporting",
    "otel_carbon.grid",
    "otel_carbon.methodology",
    "otel_carbon.methods",
    "otel_carbon.metric_names",
    "otel_carbon.metrics",
    "otel_carbon.presentation",
    "otel_carbon.registry",
    "otel_carbon.spans",
    "otel_carbon.switches",
    "otel_carbon.usage_metrics",
    "otel_carbon.version",
]
"""Modules, and packages with all they hold but their own entries here, that run with nothing installed."""

NEEDED_BY = {
    "otel_carbon.budgets": set(),
    "otel_carbon.budgets.prometheus": {"httpx"},
    "otel_carbon.budgets.rules": {"ruamel"},
    "otel_carbon.capture": {"opentelemetry"},
    "otel_carbon.capture.transport": {"httpx", "httpx2", "opentelemetry"},  # of the clients the types only
    "otel_carbon.cli": {"click"},
    "otel_carbon.cli.console": {"rich"},
    "otel_carbon.doctor": {"opentelemetry", "packaging"},
    "otel_carbon.grid.fetching": {"httpx", "tenacity"},
    "otel_carbon.methods.ecologits_results": {"ecologits"},
    "otel_carbon.metrics.exposition": {"prometheus_client"},
    "otel_carbon.otlp": {"google", "opentelemetry"},
    "otel_carbon.sdk": {"opentelemetry"},
    "otel_carbon.sdk.entry_points": {"grpc", "opentelemetry"},
    "otel_carbon.yaml_source": {"ruamel"},
}
"""What further parts import; of two entries that fit a module the longer one speaks for it."""

VIOLATIONS = {
    "core/units.py": "from otel_carbon.registry import catalog",
    "spans/role.py": "from otel_carbon.counting import window",
    "counting/decide.py": "from otel_carbon.spans import read",
    "metrics/labels.py": "from otel_carbon import enricher",
    "budgets/promql.py": "from otel_carbon import enricher",
    "sdk/spans.py": "from otel_carbon.collector import app",
    "collector/status.py": "from otel_carbon.sdk import processor",
    "errors.py": "from otel_carbon.core import reasons",
    "demo/run.py": "from otel_carbon.cli import main",
    "doctor/examine.py": "from otel_carbon.demo import run",
    "registry/catalog.py": "from otel_carbon.registry.authoring import check",
    "registry/ladder.py": "from otel_carbon.grid import table",
    "estimating.py": "from otel_carbon.grid.fetching import json_client",
    "methods/per_token.py": "from otel_carbon.registry.authoring import compile",
    "otlp/limits.py": "from otel_carbon.metrics import totals",
    "cli/main.py": "import rich.table",
}
"""Module to an import that it must not make."""


def _lint(directory: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts on the package in a directory."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--config", str(REPOSITORY / "pyproject.toml")],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@functools.cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)


@functools.cache
def _needs() -> dict[str, set[str]]:
    """Our modules to the packages that they import and that are neither ours nor the standard library's."""
    ours = {PACKAGE} | _graph().find_descendants(PACKAGE)
    imported = {module: {name.partition(".")[0] for name in _imports_of(module)} for module in ours}
    return {module: names - sys.stdlib_module_names - {PACKAGE} for module, names in imported.items()}


def _imports_of(module: str) -> set[str]:
    return _graph().find_modules_directly_imported_by(module)


def _inside(entry: str) -> dict[str, set[str]]:
    """The modules that an entry speaks for, with what they need."""
    return {module: needs for module, needs in _needs().items() if _entry_of(module) == entry}


def _entry_of(module: str) -> str:
    """The entry that is the module, or the nearest package it is in; empty where there is none."""
    entries = (*STANDARD_LIBRARY_ONLY, *NEEDED_BY)
    return max((each for each in entries if f"{module}.".startswith(f"{each}.")), key=len, default="")


def test_the_layers_hold() -> None:
    done = _lint(REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def report_on_violations(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the check says of a copy of the package with every violation planted."""
    directory = tmp_path_factory.mktemp("planted")
    shutil.copytree(REPOSITORY / PACKAGE, directory / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    for module, line in VIOLATIONS.items():
        with (directory / PACKAGE / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    (directory / PACKAGE / "odds_and_ends.py").write_text('"""Belongs nowhere."""\n', encoding="utf-8")
    done = _lint(directory)
    assert done.returncode == 1, done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("module", VIOLATIONS)
def test_a_planted_violation_is_reported(module: str, report_on_violations: str) -> None:
    importer = f"{PACKAGE}.{module.removesuffix('.py').replace('/', '.')}"
    words = VIOLATIONS[module].split()
    imported = words[1].partition(".")[0] if words[0] == "import" else f"{words[1]}.{words[3]}"
    assert f"{importer} -> {imported} (l." in report_on_violations


def test_a_module_without_a_place_in_the_layers_is_reported(report_on_violations: str) -> None:
    assert "odds_and_ends" in report_on_violations


@pytest.mark.parametrize("entry", STANDARD_LIBRARY_ONLY)
def test_what_runs_in_every_application_needs_only_the_standard_library(entry: str) -> None:
    assert entry in _inside(entry)
    assert {module: needs for module, needs in _inside(entry).items() if needs} == {}


@pytest.mark.parametrize("entry", NEEDED_BY)
def test_other_parts_import_only_what_is_said_here(entry: str) -> None:
    assert set().union(*_inside(entry).values()) == NEEDED_BY[entry]


def test_only_collector_and_demo_have_no_entry() -> None:
    left_out = {".".join(module.split(".")[:2]) for module in _inside("")}
    assert left_out == {PACKAGE, "otel_carbon.collector", "otel_carbon.demo"}


def test_nothing_imports_the_command_line() -> None:
    modules = {"otel_carbon.cli"} | _graph().find_descendants("otel_carbon.cli")
    importers = {importer for module in modules for importer in _graph().find_modules_that_directly_import(module)}
    assert importers <= modules


def test_our_packages_hold_only_a_docstring() -> None:
    for path in sorted((REPOSITORY / PACKAGE).rglob("__init__.py")):
        if path.parent.name != PACKAGE:
            assert len(path.read_text(encoding="utf-8").splitlines()) == 1, path
