"""One collector under attack for each test module, in front of a backend that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.backend import Backend, running_backend
from tests.chaos.victim import Victim, attacked_collector, config

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with running_backend() as running:
        yield running


@pytest.fixture(scope="module")
def victim(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    settings = config({"otlp_http": {"endpoint": backend.endpoint}})
    with attacked_collector(tmp_path_factory.mktemp("victim"), settings) as running:
        yield running
