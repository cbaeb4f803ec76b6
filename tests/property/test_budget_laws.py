"""Whatever label values and owners hold, rules match exactly that, and nothing of it becomes PromQL or a template."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import promql_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.budgets.promql import matcher, string
from tests.support.rule_runs import check_rules, run_rules, yaml_of
from tests.unit.budgets.budget_files import budgets_from, rules_from

NASTY = [
    *('a"b', "a\\", "\n", "\r\n", "\t", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "\u202e", "é", "\U0001f600"),
    *("{{ $value }}", "{{", "}}", "{", "{{{", "$labels", "`", "%!s", '"} or vector(1) #', "\\n", "\\u0041"),
    *("a|b", "(", ".*", "[a", "^a$", "<script>alert(1)</script>"),
    *("'", "- x: y", "#", "&a", "*a", "!!str", "%", "NO", "~", " ", "a: b"),
]
texts = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    min_size=1,
    max_size=4,
).map(lambda parts: "".join(parts)[:128])
values = texts.filter(bool)
TARGET = 'job="app",instance="a:1"'


def _yaml(scope: dict[str, list[str]], owner: str) -> str:
    budget = {"name": "b", "owner": owner, "scope": scope, "amount": 10, "unit": "tokens", "window": "day"}
    return yaml_of({"budgets": [budget]})


@settings(max_examples=300, deadline=None)
@given(values)
def test_a_string_of_promql_is_read_back_as_it_was(value: str) -> None:
    parsed = promql_parser.parse(string(value))

    assert isinstance(parsed, promql_parser.StringLiteral)
    assert parsed.val == value


@settings(max_examples=300, deadline=None)
@given(st.lists(values, min_size=1, max_size=3, unique=True))
def test_a_matcher_is_one_matcher(given_values: list[str]) -> None:
    parsed = promql_parser.parse(f"m{{{matcher('l', tuple(given_values))}}}")

    assert isinstance(parsed, promql_parser.VectorSelector)
    assert len(parsed.matchers.matchers) == 1


@settings(max_examples=12, deadline=None)
@given(st.lists(values, min_size=1, max_size=3, unique=True), values)
def test_rules_count_the_named_values_and_no_others(named: list[str], owner: str) -> None:
    text = _yaml({"tenant": named}, owner)
    (budget,) = budgets_from(text).budgets
    assert (budget.scope["tenant"], budget.owner) == (tuple(named), owner)
    others = {f"{value}x" for value in named} | {"x", "aXb"} - set(named)
    samples = {f"otel_carbon_dropped_series_total{{{TARGET}}}": "0x3"}
    for position, value in enumerate([*named, *sorted(others - set(named))]):
        labels = f'{TARGET},otel_carbon_tenant={json.dumps(value, ensure_ascii=False)},p="{position}"'
        samples[f"otel_carbon_tokens_total{{{labels}}}"] = "0 7 7 7"
    shown = " or ".join('"' + _printable(value) + '"' for value in named)
    with TemporaryDirectory() as folder:
        rules = rules_from(text)
        (Path(folder) / "checked.yaml").write_text(rules, encoding="utf-8")
        check_rules(Path(folder) / "checked.yaml")
        run_rules(
            Path(folder),
            rules,
            samples=samples,
            sample_interval="1m",
            interval="1m",
            values=[("3m", 'otel_carbon_budget_used{budget="b"}', 7.0 * len(named))],
            alerts=[
                ("3m", "OtelCarbonBudgetThreshold", _expected_alerts(7 * len(named), owner, shown)),
            ],
        )


def _expected_alerts(used: int, owner: str, shown: str) -> list[dict[str, dict[str, str]]]:
    return [
        {
            "exp_labels": {
                "budget": "b", "unit": "tokens", "owner": owner, "severity": severity, "threshold": text,
            },
            "exp_annotations": {
                "summary": f"Budget b has used {share} or more of 10 tokens",
                "description": f"{used} tokens of 10 tokens used, as counted; window: day (UTC).",
                "used": f"{used} tokens",
                "limit": "10 tokens",
                "scope": f"tenant {shown}",
                "owner": _printable(owner),
                "runbook_url": "docs/runbooks/OtelCarbonBudgetThreshold.md",
            },
        }
        for at, text, share, severity in ((8, "0.8", "80%", "ticket"), (10, "1", "100%", "page"))
        if used >= at
    ]  # fmt: skip


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
