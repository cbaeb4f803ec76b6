"""`otel-carbon registry export`: the command, its options and its mistakes."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from otel_carbon.registry.catalog import Registry
from tests.unit.cli.overlay import write_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli


def test_the_configuration_is_one_transform_processor_that_writes_our_attributes(run_cli: RunCli) -> None:
    ran = run_cli("registry", "export", "--format", "ottl")
    assert ran.code == 0
    assert Registry.bundled().digest in ran.out.splitlines()[0]
    document = YAML(typ="safe").load(ran.out)
    (group,) = document["processors"]["transform/otel_carbon"]["trace_statements"]
    written = [line for line in group["statements"] if line.startswith('set(span.attributes["otel_carbon.')]
    assert len(written) == 7 + 6 + 2  # amounts, texts, status and reason of those without a figure


def test_a_choice_makes_the_configuration_small(run_cli: RunCli) -> None:
    options = ("--provider", "openai", "--model", "gpt-4o", "--region", "eastus")
    chosen = run_cli("registry", "export", "--format", "ottl", *options).out
    assert len(chosen) < 80_000
    assert "gpt-4o-mini" not in chosen
    assert "# models: gpt-4o\n" in chosen


def test_a_table_goes_to_a_file(run_cli: RunCli, tmp_path: Path) -> None:
    path = tmp_path / "factors.csv"
    ran = run_cli(
        *("registry", "export", "--format", "csv", "--provider", "OpenAI", "--model", "gpt-4o", "-o", str(path))
    )
    assert (ran.code, ran.out) == (0, "")
    (row,) = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    assert (row["key"], row["registry_version"]) == ("openai/gpt-4o", Registry.bundled().version)


@pytest.mark.parametrize("form", ["csv", "lookup-yaml"])
def test_a_table_without_a_provider_is_refused(run_cli: RunCli, form: str) -> None:
    ran = run_cli("registry", "export", "--format", form)
    assert ran.code == 2
    assert "needs --provider" in ran.err


@pytest.mark.parametrize("form", ["csv", "lookup-yaml"])
def test_a_table_without_a_row_is_refused_and_nothing_is_written(run_cli: RunCli, tmp_path: Path, form: str) -> None:
    path = tmp_path / "factors"
    ran = run_cli("registry", "export", "--format", form, "--provider", "opena", "--model", "gpt-4o", "-o", str(path))
    assert ran.code == 2
    assert "no factors for opena: a provider whose place is unknown needs a region" in ran.err
    assert not path.exists()


@pytest.mark.parametrize("form", ["csv", "lookup-yaml", "ottl"])
def test_an_unknown_region_is_refused_with_the_nearest_names(run_cli: RunCli, form: str) -> None:
    choice = ("--provider", "openai", "--model", "gpt-4o", "--region", "eastuss")
    ran = run_cli("registry", "export", "--format", form, *choice)
    assert (ran.code, ran.out) == (2, "")
    assert "no region or grid zone 'eastuss'" in ran.err
    assert "did you mean eastus" in ran.err


def test_an_overlay_is_exported_with_the_bundled_facts(run_cli: RunCli, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.json"
    assert run_cli("registry", "compile", str(write_overlay(tmp_path / "facts")), "-o", str(overlay)).code == 0
    choice = ("--provider", "openai", "--model", "gpt-4o", "--region", "fra", "--registry", str(overlay))
    ran = run_cli("registry", "export", "--format", "csv", *choice)
    assert ran.code == 0
    _, in_france = csv.DictReader(io.StringIO(ran.out))
    assert in_france["grid_id"] == "grid/FRA/acme@2026-11"
