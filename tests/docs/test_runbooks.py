"""Every alert has a page for whoever is paged, and every query in there is one that Prometheus takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import promql_parser
import pytest

from otel_carbon import metric_names
from otel_carbon.budgets import recording_rules as budget_series
from otel_carbon.budgets.alerting_rules import BURN_RATE_ALERT, THRESHOLD_ALERT
from tests.docs.pages import REPOSITORY, links_of
from tests.support.prometheus_files import ALERTING_RULES, RECORDING_RULES, alerts_of, document
from tests.support.runbooks import RUNBOOKS, queries_of
from tools.prometheus_rules import recording_rules

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = ["Meaning", "Impact", "First look", "What to do", "False positives"]
ALERTS = sorted({rule["alert"] for rule in alerts_of(ALERTING_RULES)} | {THRESHOLD_ALERT, BURN_RATE_ALERT})
PAGES = sorted(RUNBOOKS.glob("Otel*.md"))
CONTEXT = re.compile(r"\"[^\"]*\"|\{[^}]*\}|\b(?:by|without|on|ignoring|group_left|group_right) ?\([^)]*\)")
"""What stands in an expression and is no metric."""
COLLECTOR_PAGE = (REPOSITORY / "docs/reference/collector-metrics.md").read_text(encoding="utf-8")


def known_names() -> set[str]:
    rows = re.findall(r"^\| `([^`]+)` \|", COLLECTOR_PAGE, re.MULTILINE)
    items = ("spans", "metric_points", "log_records")
    of_collector = {row.replace("{items}", each) for row in rows for each in items}
    of_budgets = {value for name, value in vars(budget_series).items() if name.isupper() and isinstance(value, str)}
    return (
        {metric.prometheus_name for metric in metric_names.ALL}
        | of_collector
        | of_budgets
        | {name for name, _ in recording_rules()}
    )


def names_in(expression: str) -> set[str]:
    """The series of ours that an expression reads."""
    return set(re.findall(r"\b(?:otel_carbon|otelcol)[\w:]+", CONTEXT.sub(" ", expression)))


def pages() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in PAGES])


def test_every_alert_has_a_page_that_the_index_lists_and_every_page_an_alert() -> None:
    assert [page.stem for page in PAGES] == ALERTS
    listed = links_of((RUNBOOKS / "README.md").read_text(encoding="utf-8"))
    assert [f"{name}.md" for name in ALERTS if f"{name}.md" not in listed] == []


@pytest.mark.parametrize("rule", alerts_of(ALERTING_RULES), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_the_matter_how_bad_it_is_and_what_to_read(rule: dict[str, dict[str, str]]) -> None:
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    assert rule["labels"]["severity"] in {"page", "ticket"}


@pages()
def test_a_page_has_its_five_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


@pages()
def test_the_queries_of_a_page_parse_and_read_series_that_exist(page: Path) -> None:
    queries = queries_of(page)
    assert len(queries) >= 2
    for query in queries:
        promql_parser.parse(query)
        assert names_in(query), query
        assert names_in(query) - known_names() == set()


def test_rules_read_series_that_exist() -> None:
    for path in (RECORDING_RULES, ALERTING_RULES):
        for rule in (rule for group in document(path)["groups"] for rule in group["rules"]):
            assert names_in(rule["expr"]) - known_names() == set()


def test_a_series_that_does_not_exist_is_noticed() -> None:
    found = names_in('sum by (otel_carbon_tier) (otel_carbon_energy_kwh_total{service_name="otel_carbon_x"})')
    assert found == {"otel_carbon_energy_kwh_total"}
    assert not found & known_names()
