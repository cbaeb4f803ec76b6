"""What recording rules would have recorded over the days of a history, asked of a Prometheus that holds it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.support.prometheus_server import PrometheusServer

_NAME = re.compile(r"\b[a-zA-Z_][\w:]*")
_MINUTE_S = 60


class Rule(NamedTuple):
    """A recording rule: the name it records, its PromQL, and the labels that it adds."""

    record: str
    expression: str
    labels: Mapping[str, str]


def rules_of(paths: Sequence[Path]) -> list[Rule]:
    """The recording rules of some files, alerts left out."""
    groups = [group for path in paths for group in YAML(typ="safe").load(path)["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "record" in rule]
    return [Rule(each["record"], each["expr"], each.get("labels", {})) for each in rules]


def by_what_they_read(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """The rules in steps: each reads only what earlier steps recorded.

    Raises:
        ValueError: some read each other or themselves, as an accumulator does.
    """
    waiting, recorded = list(rules), {rule.record for rule in rules}
    while waiting:
        ready = [rule for rule in waiting if not recorded & set(_NAME.findall(rule.expression))]
        if not ready:
            raise ValueError(f"cannot be computed afterwards: {sorted({rule.record for rule in waiting})}")
        waiting = [rule for rule in waiting if rule not in ready]
        recorded = {rule.record for rule in waiting}
        yield ready


def recorded_samples(server: PrometheusServer, rule: Rule, start_s: int, end_s: int, scrape_s: int) -> Iterator[str]:
    """Lines in OpenMetrics: of budgets each minute, as their forecast counts samples, of others at each scrape."""
    step_s = _MINUTE_S if "budget" in rule.record else scrape_s
    window = {"query": rule.expression, "start": start_s, "end": end_s, "step": step_s}
    for series in server.api(f"/api/v1/query_range?{urlencode(window)}")["result"]:
        metric = {key: text for key, text in series["metric"].items() if key != "__name__"}
        labels = _labels_text(metric | dict(rule.labels))
        for moment_s, value in series["values"]:
            yield f"{rule.record}{labels} {value} {moment_s}\n"


def _labels_text(labels: Mapping[str, Any]) -> str:
    return f"{{{','.join(f'{key}={json.dumps(text, ensure_ascii=False)}' for key, text in labels.items())}}}"
