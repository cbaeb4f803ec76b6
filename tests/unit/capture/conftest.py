from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from tests.support.captured_spans import Captured, capturing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def http(request: pytest.FixtureRequest) -> Any:
    """Either package: they are alike in all that is used here."""
    return request.param


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capturing() as found:
        yield found


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
