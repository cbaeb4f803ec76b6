"""Runs rules in the real `promtool`, which evaluates them as Prometheus does, on made-up samples from 1970 on."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

from otel_carbon.budgets.promql import SETTLED_S
from tests.support.components import require_promtool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TIMEOUT_S = 120.0
_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


def check_rules(path: Path) -> None:
    """Fail unless `promtool check rules` accepts a file."""
    done = _run("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def run_rules(
    folder: Path,
    rules: str,
    *,
    samples: Mapping[str, str],
    sample_interval: str,
    interval: str,
    values: Sequence[tuple[str, str, float | None]] = (),
    alerts: Sequence[tuple[str, str, Sequence[Mapping[str, Any]]]] = (),
    group_order: Sequence[str] = (),
    waits: bool = False,
) -> None:
    """Fail unless rules yield what is expected.

    Args:
        folder: where files are written.
        rules: the rule file.
        samples: values by series, in promtool's notation.
        sample_interval: the time between samples.
        interval: how often the groups are evaluated.
        values: time since 1970, PromQL, and the value of its one series; None: it yields nothing.
        alerts: time since 1970, name of the alert, and what fires of it.
        waits: leave the rules as they are; else they look at samples of the very moment, which promtool has by then.
        group_order: which groups are evaluated after which; promtool takes them in any order.
    """
    (folder / "rules.yaml").write_text(rules if waits else _without_waiting(rules), encoding="utf-8")
    tested = {
        "interval": sample_interval,
        "input_series": [{"series": series, "values": text} for series, text in samples.items()],
        "promql_expr_test": [
            # Without labels: the value is what is looked at here.
            {"eval_time": at, "expr": f"sum({expr})", "exp_samples": [] if value is None else [_sample(value)]}
            for at, expr, value in values
        ],
        "alert_rule_test": [
            {"eval_time": at, "alertname": name, "exp_alerts": list(fired)} for at, name, fired in alerts
        ],
    }
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": interval,
        "group_eval_order": list(group_order),
        "tests": [tested],
    }
    path = folder / "rules_test.yaml"
    path.write_text(yaml_of(document), encoding="utf-8")
    done = _run("test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def _without_waiting(rules: str) -> str:
    """Rules that look at now, and not at the moment before at which all scrapes that had begun have ended."""

    def later(offset: re.Match[str]) -> str:
        offset_s = int(offset[1]) - SETTLED_S
        return f" offset {offset_s}s" if offset_s else ""

    return re.sub(r" offset (\d+)s", later, rules)


def yaml_of(document: object) -> str:
    """A document as JSON, which is YAML but for pairs of escapes that stand for one character."""
    return _PAIR.sub(
        lambda pair: f"\\U{ord(json.loads(chr(34) + pair[0] + chr(34))):08x}", json.dumps(document, ensure_ascii=True)
    )


def _sample(value: float) -> dict[str, Any]:
    return {"labels": "{}", "value": value}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(require_promtool()), *arguments], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
