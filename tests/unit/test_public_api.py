from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import otel_carbon

NAMES = [
    "AsyncCaptureTransport",
    "CaptureTransport",
    "CarbonSampler",
    "CarbonSpanExporter",
    "CarbonSpanProcessor",
    "Footprint",
    "Interval",
    "Registry",
    "TokenUsage",
    "Unestimated",
    "__version__",
    "estimate",
    "instrument",
]


def test_the_public_names_are_these() -> None:
    assert otel_carbon.__all__ == NAMES


@pytest.mark.parametrize("name", set(NAMES) - {"__version__"})
def test_a_public_name_is_the_thing_of_that_name(name: str) -> None:
    found = getattr(otel_carbon, name)
    assert found.__name__ == name
    assert found.__module__.startswith("otel_carbon.")


def test_the_version_is_that_of_the_installed_package() -> None:
    assert otel_carbon.__version__ == version("otel-carbon")


def test_public_names_are_listed() -> None:
    assert set(NAMES) <= set(dir(otel_carbon))


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'otel_carbon' has no attribute 'Carbon'"):
        otel_carbon.Carbon  # noqa: B018 - asking for it is the test


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import otel_carbon; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() in ("['__future__', 'otel_carbon']", "['otel_carbon']")


def test_estimating_needs_only_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); from otel_carbon import TokenUsage, estimate; "
        "estimate(TokenUsage('openai', 'gpt-4o', 800, 300)); "
        "print({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "{'otel_carbon'}"
