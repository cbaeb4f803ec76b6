from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.sdk.environment import REGION, REGISTRY, settings_from_environment, unknown_region
from tests.unit.cli.overlay import OVERLAY, write_overlay

if TYPE_CHECKING:
    from pathlib import Path

ATLANTIS = """\
  zone/ATL/acme@2026-11:
    {zone: ATL, names: [Atlantis], water_zone: FRA, sources: [acme-lab-2026],
     evidence: supplier, published: 2026-11-22, valid_from: 2024-01-01, note: ""}
"""
ADVICE = "All: `otel-carbon registry list --kind region`; a grid zone does as well (`--kind zone`)"


@pytest.fixture
def atlantis(tmp_path: Path) -> Path:
    """A compiled overlay with a grid zone of its own."""
    path = tmp_path / "acme.json"
    path.write_bytes(compile_directory(write_overlay(tmp_path / "facts", OVERLAY + ATLANTIS), read_bundled()))
    return path


@pytest.mark.parametrize("region", ["us-east-1", "US-East-1", "FRA", "fr", "France"])
def test_regions_and_grid_zones_are_known_in_any_letter_case(region: str) -> None:
    assert unknown_region(Registry.bundled(), region) is None


def test_an_unknown_region_is_answered_with_the_nearest_names() -> None:
    problem = unknown_region(Registry.bundled(), "US-EAST-2")
    assert problem is not None
    assert problem.startswith("unknown region 'US-EAST-2'; did you mean ")
    assert "us-east-1" in problem
    assert problem.endswith(f"? {ADVICE}")


def test_a_name_like_no_other_gets_no_guesses() -> None:
    assert unknown_region(Registry.bundled(), "qqqqqqqq") == f"unknown region 'qqqqqqqq'; {ADVICE}"


def test_an_unknown_region_is_logged_once_with_its_variable_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_from_environment({REGION: "openai=eastus2,anthropic=FRA,acme=eastus2"})
    assert settings.configured_regions == {"openai": "eastus2", "anthropic": "FRA", "acme": "eastus2"}
    (message,) = caplog.messages
    assert message.startswith("OTEL_CARBON_REGION: unknown region 'eastus2'; did you mean eastus")
    assert message.endswith("; calls to openai, acme get no estimate")


def test_a_zone_of_the_overlay_is_known_with_the_overlay(atlantis: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings_from_environment({REGION: "openai=Atlantis", REGISTRY: str(atlantis)})
    settings_from_environment({REGION: "openai=Atlantis"}, Registry.bundled().with_overlay(atlantis))
    assert caplog.messages == []
    settings_from_environment({REGION: "openai=Atlantis"})
    assert len(caplog.messages) == 1


def test_an_overlay_that_cannot_be_read_is_not_told_of_here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_from_environment({REGION: "openai=FRA", REGISTRY: str(tmp_path / "none.json")})
    assert (settings.configured_regions, caplog.messages) == ({"openai": "FRA"}, [])


@pytest.mark.parametrize("text", ["openai=\x00", "openai=" + "x" * 100_000, "openai==", "openai=é%s%d"])
def test_no_text_is_raised_at_the_application(text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert list(settings_from_environment({REGION: text}).configured_regions) == ["openai"]
    assert len(caplog.messages) == 1
