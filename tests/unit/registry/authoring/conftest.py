from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.registry.authoring.fact_directory import FactDirectory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def facts(tmp_path: Path) -> FactDirectory:
    directory = tmp_path / "facts"
    directory.mkdir()
    return FactDirectory(directory)
