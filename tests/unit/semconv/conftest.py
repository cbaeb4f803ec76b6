from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.semconv.convention_copy import ConventionCopy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def convention_copy(tmp_path: Path) -> ConventionCopy:
    return ConventionCopy(tmp_path)
