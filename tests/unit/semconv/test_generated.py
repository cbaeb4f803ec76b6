"""The generated files are those that the convention yields, and agree with the code that they describe."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from otel_carbon import attributes, metric_names
from otel_carbon.core import reasons, tokens
from tests.support.live_check import SEMCONV, convention
from tools import generate_semconv
from tools.semconv_values import value_problem

if TYPE_CHECKING:
    from tests.unit.semconv.convention_copy import ConventionCopy

REPOSITORY = SEMCONV.parent
FILES = generate_semconv.generated_files(SEMCONV)


@pytest.mark.parametrize("path", FILES)
def test_generated_file_is_what_the_convention_yields(path: str) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == FILES[path]


def test_a_changed_convention_is_noticed_as_drift(convention_copy: ConventionCopy) -> None:
    convention_copy.replace("model/metrics.yaml", "Tokens of GenAI inference", "Tokens of all inference")
    files = generate_semconv.generated_files(convention_copy.folder)
    assert generate_semconv.drifted(files, REPOSITORY) == ["otel_carbon/metric_names.py", "docs/reference/metrics.md"]


def test_check_from_the_command_line_finds_no_drift() -> None:
    command = [sys.executable, "tools/generate_semconv.py", "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_reports_a_stale_file_and_writes_nothing(
    convention_copy: ConventionCopy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = convention_copy.folder.parent
    monkeypatch.setattr(generate_semconv, "REPOSITORY", repository)
    assert generate_semconv.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: out of date; run python tools/generate_semconv.py" for path in FILES
    ]
    assert not (repository / "docs").exists()


def test_generating_writes_every_file_and_then_the_check_passes(
    convention_copy: ConventionCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = convention_copy.folder.parent
    monkeypatch.setattr(generate_semconv, "REPOSITORY", repository)
    assert generate_semconv.main([]) == 0
    assert {path: (repository / path).read_text(encoding="utf-8") for path in FILES} == FILES
    assert generate_semconv.main(["--check"]) == 0


def test_a_mistake_in_the_convention_is_printed_and_exits_2(
    convention_copy: ConventionCopy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = convention_copy.replace("model/metrics.yaml", "instrument: counter", "instrument: count")
    monkeypatch.setattr(generate_semconv, "REPOSITORY", convention_copy.folder.parent)
    assert generate_semconv.main([]) == 2
    assert capsys.readouterr().err.startswith(f"semconv/model/metrics.yaml:{line}: metrics[0].instrument: 'count'")


def test_generated_files_are_formatted_as_the_rest_of_the_code() -> None:
    for path in ("otel_carbon/attributes.py", "otel_carbon/metric_names.py"):
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=120", "-"]
        done = subprocess.run(command, input=FILES[path], capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout == FILES[path]


def test_the_root_is_spelt_once_in_the_generated_code() -> None:
    spelt = [
        line for path in FILES for line in FILES[path].splitlines() if path.endswith(".py") and '"otel_carbon' in line
    ]
    assert spelt == ['ROOT: Final[str] = "otel_carbon"']


def test_every_constant_has_the_name_of_its_attribute() -> None:
    for key in convention().attributes:
        name = key.removeprefix(attributes.ROOT + ".").replace(".", "_").upper()
        assert getattr(attributes, name) == key


def test_the_core_level_has_the_fourteen_attributes_of_the_design() -> None:
    names = [key.removeprefix("otel_carbon.") for key in attributes.CORE_ATTRIBUTES]
    energy = ["energy_kwh", "energy_kwh_low", "energy_kwh_high"]
    emissions = ["emissions_gco2e", "emissions_gco2e_low", "emissions_gco2e_high"]
    facts = ["coefficient_id", "grid_id", "tier", "confidence", "registry_version"]
    assert names == ["status", "reason", *energy, *emissions, "water_l", *facts]


def test_the_full_level_is_the_core_level_and_every_other_span_attribute() -> None:
    of_spans_metric = {attributes.VERDICT, attributes.OBSERVED_SCOPE, attributes.DIALECT}
    read = {attributes.TENANT, attributes.METERED_ENERGY_KWH, attributes.METERED_BOUNDARY}
    not_written = {attributes.TOKEN_TYPE, *read, *of_spans_metric}
    assert attributes.FULL_ATTRIBUTES[: len(attributes.CORE_ATTRIBUTES)] == attributes.CORE_ATTRIBUTES
    assert set(attributes.FULL_ATTRIBUTES) == set(convention().attributes) - not_written
    assert len(attributes.FULL_ATTRIBUTES) == len(set(attributes.FULL_ATTRIBUTES))


def test_token_kinds_are_those_that_the_core_tells_apart() -> None:
    assert attributes.TOKEN_TYPE_VALUES == tokens.KINDS


def test_every_reason_code_of_the_core_fits_the_reason_attribute() -> None:
    reason = convention().attributes[attributes.REASON]
    assert [value_problem(reason, code) for code in reasons.SENTENCES] == [""] * len(reasons.SENTENCES)


def test_point_attributes_are_those_of_every_amount() -> None:
    energy = convention().metrics[metric_names.ENERGY.name]
    assert tuple(reference.key for reference in energy.references) == metric_names.POINT_ATTRIBUTES
