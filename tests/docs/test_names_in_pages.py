"""Attributes, metrics and settings that the pages for readers name exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from otel_carbon import attributes, metric_names, switches
from otel_carbon.core.reasons import SENTENCES
from otel_carbon.sdk import environment
from tests.docs.pages import REPOSITORY, page_name

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [
    *(REPOSITORY / "docs" / name for name in ("concepts.md", "troubleshooting.md", "comparison.md")),
    *sorted((REPOSITORY / "docs/quick-start").glob("*.md")),
]
every_page = pytest.mark.parametrize("page", [pytest.param(page, id=page_name(page)) for page in PAGES])
COLLECTOR_METRICS = (REPOSITORY / "docs/reference/collector-metrics.md").read_text(encoding="utf-8")


@every_page
def test_attributes_are_written(page: Path) -> None:
    known = {value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
    named = set(re.findall(r"`(otel_carbon\.[a-z_.]+)`", page.read_text(encoding="utf-8")))

    assert named - known == set()


@every_page
def test_metrics_are_exposed(page: Path) -> None:
    named = set(re.findall(r"\b((?:otel_carbon|otelcol)_\w+)\s*[\[{`/)]", page.read_text(encoding="utf-8")))

    known = {metric.prometheus_name for metric in metric_names.ALL}
    of_the_collector = {
        name for name in named if re.sub(r"_(spans|items)_total$", "_{items}_total", name) in COLLECTOR_METRICS
    }
    labels = {"otel_carbon_tenant", "otel_carbon_status", "otel_carbon_reason", "otel_carbon_verdict"}
    assert named - known - of_the_collector - labels == set()


@every_page
def test_settings_are_read(page: Path) -> None:
    known = {value for module in (environment, switches) for value in vars(module).values() if isinstance(value, str)}
    named = set(re.findall(r"\bOTEL_CARBON_[A-Z_]+", page.read_text(encoding="utf-8")))

    assert named - known == set()


def test_the_pages_name_some_of_each() -> None:
    together = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    for name in ("`otel_carbon.status`", "otel_carbon_operations_total{", "OTEL_CARBON_REGION", "reason is `no_usage`"):
        assert name in together


@every_page
def test_reasons_are_codes(page: Path) -> None:
    named = re.findall(r"reason is `(\w+)`|reasons\.md#(\w+)", page.read_text(encoding="utf-8"))

    assert {code for pair in named for code in pair if code} - SENTENCES.keys() == set()
