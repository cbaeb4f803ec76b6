"""What a caller's check finds in carbon sections stands among the other problems, with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.config.check import CarbonFindings
from otel_carbon.collector.config.load import load_config, parse_config
from otel_carbon.collector.config.text import Problem
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.collector.config.carbon import CarbonConfig

TEXT = """\
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
processors:
  carbon:
    regions:
      openai: atlantis
      acme: FRA
exporters: {debug: , debug/idle: }
service: {pipelines: {traces: {receivers: [otlp], processors: [carbon], exporters: [debug]}}}
"""


def no_atlantis(config: CarbonConfig) -> CarbonFindings:
    """Knows every place but one, and every provider but one."""
    wrong = [provider for provider, region in config.regions.items() if region == "atlantis"]
    doubtful = [provider for provider in config.regions if provider == "acme"]
    return CarbonFindings(
        tuple(Problem(("regions", provider), "is sunk") for provider in wrong),
        tuple(Problem(("regions", provider), "who?") for provider in doubtful),
    )


def test_findings_stand_in_the_order_of_the_lines_with_all_others() -> None:
    text = TEXT.replace("localhost:0", "localhost").replace("[debug]", "[debugg]")
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml", {}, no_atlantis)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == ["c.yaml:1", "c.yaml:5", "c.yaml:8"]
    assert caught.value.problems[1] == "c.yaml:5: processors.carbon.regions.openai: is sunk"


def test_doubts_are_warnings_in_the_order_of_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(TEXT.replace("atlantis", "FRA"), encoding="utf-8")
    assert load_config(path, {}, no_atlantis).warnings == (
        f"{path}:6: processors.carbon.regions.acme: who?",
        f"{path}:7: exporters.debug/idle: is declared but not named in any pipeline; it does not run",
    )


def test_without_a_check_names_are_taken_as_they_are() -> None:
    assert parse_config(TEXT, "c.yaml", {}).config.carbons["carbon"].regions["openai"] == "atlantis"


def test_a_section_whose_overlay_is_missing_is_not_judged_without_it() -> None:
    text = TEXT.replace("    regions:\n", "    registry: no/such/file\n    regions:\n")
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml", {}, no_atlantis)
    assert caught.value.problems == ("c.yaml:4: processors.carbon.registry: there is no file 'no/such/file'",)
