"""Our computation of EcoLogits against the package itself, where it is installed."""

from __future__ import annotations

import importlib.util
import logging
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.methods.ecologits_results import EcoLogitsOptions, ecologits_package_result, ecologits_result
from otel_carbon.methods.ecologits_tables import VERSION, electricity_mixes, models
from tests.support.components import require_component
from tools import transcribe_ecologits

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.methods.result import MethodResult

EXACT = 1e-9


@pytest.fixture(autouse=True)
def _needs_the_package() -> None:
    found = importlib.util.find_spec("ecologits") is not None and version("ecologits") == VERSION
    require_component(f"ecologits {VERSION}", found=found, hint=f"pip install ecologits=={VERSION}")


def _both(model: str, options: EcoLogitsOptions) -> tuple[MethodResult, MethodResult]:
    provider, _, name = model.partition("/")
    usage = TokenUsage(provider, name, output_tokens=300)
    return ecologits_result(usage, options), ecologits_package_result(usage, options)


def _differences(model: str, options: EcoLogitsOptions) -> list[str]:
    """The quantities in which we and the package differ; those without a figure of ours are left out."""
    ours, theirs = _both(model, options)
    amounts = [(name, ours.amounts()[name], theirs.amounts()[name]) for name in ours.amounts()]
    known = [(name, one, other) for name, one, other in amounts if isinstance(one, Interval)]
    assert [name for name, _, _ in known[:2]] == ["energy_kwh", "emissions_gco2e"]
    return [name for name, one, other in known if not isinstance(other, Interval) or not _same(one, other)]


def _same(one: Interval, other: Interval) -> bool:
    return [one.low, one.mid, one.high] == pytest.approx([other.low, other.mid, other.high], rel=EXACT, abs=0)


def test_every_model_comes_out_as_in_the_package() -> None:
    different = {model: _differences(model, EcoLogitsOptions(request_latency_s=2.5)) for model in models()}
    assert {model: names for model, names in different.items() if names} == {}


def test_every_zone_comes_out_as_in_the_package() -> None:
    different = {zone: _differences("openai/gpt-4o", EcoLogitsOptions(zone=zone)) for zone in electricity_mixes()}
    assert {zone: names for zone, names in different.items() if names} == {}


def test_the_package_brings_the_water_that_we_may_not_copy() -> None:
    ours, theirs = _both("openai/gpt-4o", EcoLogitsOptions(zone="DEU"))
    assert not isinstance(ours.water_l, Interval)
    assert isinstance(theirs.water_l, Interval)


@pytest.mark.parametrize(("model", "zone"), [("openai/no-such-image-1", None), ("openai/gpt-4o", "XXX")])
def test_refusals_have_the_same_codes(model: str, zone: str | None) -> None:
    ours, theirs = _both(model, EcoLogitsOptions(zone=zone))
    assert not isinstance(ours.energy_kwh, Interval)
    assert not isinstance(theirs.energy_kwh, Interval)
    assert ours.energy_kwh.reason == theirs.energy_kwh.reason


def test_the_parameter_files_are_what_the_package_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = transcribe_ecologits.DATA
    monkeypatch.setattr(transcribe_ecologits, "DATA", tmp_path)
    assert transcribe_ecologits.main([]) == 0
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == ["electricity_mixes.json", "method.json", "models.json"]
    assert [name for name in written if (tmp_path / name).read_bytes() != (committed / name).read_bytes()] == []


def test_asking_the_package_leaves_logging_as_it_was() -> None:
    before = logging.getLoggerClass()
    _both("openai/no-such-image-1", EcoLogitsOptions())
    assert logging.getLoggerClass() is before
    assert [type(handler) for handler in logging.getLogger("ecologits").handlers] == [logging.NullHandler]


def test_the_package_is_labelled_with_its_version() -> None:
    assert _both("openai/gpt-4o", EcoLogitsOptions())[1].version == VERSION
