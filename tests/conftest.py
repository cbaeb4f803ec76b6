"""What holds for every test: no network beyond loopback, golden files, and the live check of all that is emitted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import golden

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(golden.UPDATE_FLAG, action="store_true", help="rewrite golden files; review the diff")


def pytest_configure(config: pytest.Config) -> None:
    golden.set_update(update=config.getoption(golden.UPDATE_FLAG))


@pytest.fixture(autouse=True)
def everything_emitted_conforms(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.node.get_closest_marker("plants_wrong_attributes"):
        yield
        return
    from tests.support import emissions_watch

    emissions_watch.watch_emissions(monkeypatch)
    yield
    assert not emissions_watch.violations, "\n".join(emissions_watch.violations)


@pytest.fixture(autouse=True)
def nothing_stays_captured() -> Iterator[None]:
    """Put the methods of HTTP clients back that a test has had replaced."""
    yield
    patching = sys.modules.get("otel_carbon.capture.patching")
    if patching is not None:
        patching.capture.switch_off()
