"""What the job that draws dashboards works out by itself: the order of recording rules, and samples with a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dashboard_files import FOLDER
from tools.draw_dashboards.recorded_history import Rule, by_what_they_read, rules_of
from tools.draw_dashboards.sample_history import timed_samples

if TYPE_CHECKING:
    from pathlib import Path

RULES = FOLDER.parents[1] / "prometheus" / "rules" / "otel-carbon.yaml"


def rule(record: str, expression: str) -> Rule:
    return Rule(record, expression, {})


def test_a_rule_comes_after_those_that_it_reads() -> None:
    ratio, hour, minute = (
        rule("r:ratio", "a:1h / b:1h"),
        rule("a:1h", "sum_over_time(a:1m[1h])"),
        rule("a:1m", "a_total"),
    )
    other = rule("b:1h", "b_total")
    assert list(by_what_they_read([ratio, hour, minute, other])) == [[minute, other], [hour], [ratio]]


def test_a_rule_that_reads_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be computed afterwards: \\['a:used'\\]"):
        list(by_what_they_read([rule("a:used", "last_over_time(a:used[1d]) + b_total")]))


def test_our_recording_rules_can_all_be_computed_afterwards() -> None:
    rules = rules_of([RULES])
    steps = list(by_what_they_read(rules))
    assert sum(map(len, steps)) == len(rules)
    assert {each.record.rsplit(":", 1)[1] for each in steps[0]} == {"increase1m"}


def test_alerts_are_no_recording_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        'groups: [{rules: [{alert: A, expr: b}, {record: "c:d", expr: e, labels: {f: g}}]}]', encoding="utf-8"
    )
    assert rules_of([path]) == [Rule("c:d", "e", {"f": "g"})]


def test_samples_of_a_page_get_a_target_and_a_time() -> None:
    page = '# TYPE a_total counter\na_total{b="c d} 1"} 2.5\nup_s 3e+08\n'
    assert list(timed_samples(page, 60)) == [
        'a_total{b="c d} 1",job="otel-carbon",instance="collector:9464"} 2.5 60\n',
        'up_s{job="otel-carbon",instance="collector:9464"} 3e+08 60\n',
    ]
