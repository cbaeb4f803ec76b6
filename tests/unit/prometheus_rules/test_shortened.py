"""The copies of rules in which time goes by faster say the same in less time."""

from __future__ import annotations

import re

import promql_parser

from tests.support.prometheus_files import ALERTING_RULES, ALERTMANAGER_CONFIG, RECORDING_RULES, document
from tests.support.shortened import shortened, shortened_expression

FACTOR = 120


def test_ranges_and_offsets_of_an_expression_are_divided_and_nothing_else() -> None:
    long = 'sum(a:b:increase1h{c="[1h]offset 5m"}) / last_over_time(d_total[1h] offset 60s) + sum_over_time(e[3599s])'
    assert shortened_expression(long.replace('{c="[1h]offset 5m"}', ""), FACTOR) == (
        "sum(a:b:increase1h) / last_over_time(d_total[30000ms] offset 500ms) + sum_over_time(e[29992ms])"
    )


def test_intervals_and_waits_are_divided_down_to_a_quarter_of_a_second() -> None:
    rules = {"groups": [{"name": "g", "interval": "1m", "rules": [{"alert": "A", "expr": "x > 1", "for": "15m"}]}]}
    assert shortened(rules, FACTOR) == {
        "groups": [{"name": "g", "interval": "500ms", "rules": [{"alert": "A", "expr": "x > 1", "for": "7500ms"}]}]
    }
    assert shortened({"scrape_interval": "10s", "evaluation_interval": "1m"}, FACTOR) == {
        "scrape_interval": "500ms",
        "evaluation_interval": "500ms",
    }
    assert shortened({"group_wait": "5s", "receiver": "5s"}, FACTOR) == {"group_wait": "250ms", "receiver": "5s"}


def test_of_the_committed_files_every_duration_is_shorter_and_all_else_is_the_same() -> None:
    for path in (RECORDING_RULES, ALERTING_RULES):
        before, after = (list(rules_in(each)) for each in (document(path), shortened(document(path), FACTOR)))
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            promql_parser.parse(new["expr"])
            durations = re.compile(r"\[\w+\]|offset \w+")
            assert durations.sub("", old["expr"]) == durations.sub("", new["expr"])
            assert len(durations.findall(old["expr"])) == len(re.findall(r"\[\d+ms\]|offset \d+ms", new["expr"]))
            assert {**old, "expr": "", "for": ""} == {**new, "expr": "", "for": ""} | (
                {} if "for" in old else {"for": ""}
            )
    route = shortened(document(ALERTMANAGER_CONFIG), FACTOR)["route"]
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("250ms", "2500ms", "720000ms")


def rules_in(rules: dict[str, list[dict[str, list[dict[str, str]]]]]) -> list[dict[str, str]]:
    return [rule for group in rules["groups"] for rule in group["rules"]]
