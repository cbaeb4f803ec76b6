"""What every dashboard of ours has to hold, as functions that return a sentence for each offence."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import promql_parser as promql

from tests.support.dashboard_files import panels_of, queries_of, with_variables
from tests.support.known_series import known_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Dashboard = Mapping[str, Any]

BUILT_IN = {"__range": "3600s", "__rate_interval": "60s", "__interval": "15s"}
FORBIDDEN = ("measured", "+-5", "±5", "csrd compliant", "audit-proof", "zero emission", "carbon neutral")
MODELLED = re.compile(r"_(energy|emissions|water)_|:(energy|emissions|water)_")
_OVER_TIME = {"rate", "increase", "irate"}
_COUNTER = re.compile(r"(_total|_bucket|_sum|_count)$")
READ_AS_GAUGE = {"otelcol_process_uptime_seconds_total"}
"""Named as a counter upstream, but what is asked is how long it is by now."""
_GRID_COLUMNS = 24
_LEGEND_LABEL = re.compile(r"\{\{(\w+)\}\}")
_LINK = re.compile(r"^/d/(?P<uid>[\w-]+)\?var-(?P<variable>\w+)=")


def offences(name: str, dashboard: Dashboard, everything: Mapping[str, Dashboard]) -> list[str]:
    """Everything that is wrong with a dashboard; `everything` holds all of them, for links."""
    found = [*_of_panels(dashboard), *_of_queries(name, dashboard), *_of_layout(dashboard), *_of_words(dashboard)]
    return [f"{name}: {each}" for each in (*found, *_of_links(dashboard, everything))]


def _of_panels(dashboard: Dashboard) -> Iterator[str]:
    for panel in panels_of(dashboard):
        title, defaults = panel["title"], panel["fieldConfig"]["defaults"]
        sources = [panel["datasource"], *(each["datasource"] for each in panel["targets"])]
        if any(each["uid"] != "${datasource}" for each in sources):
            yield f"{title}: its data source is not the variable"
        if not defaults.get("unit"):
            yield f"{title}: no unit"
        if not defaults.get("noValue"):
            yield f"{title}: nothing is said when it is empty"
        about = panel.get("description", "")
        if not about.endswith("."):
            yield f"{title}: no description in sentences"
        if MODELLED.search(" ".join(each["expr"] for each in panel["targets"])) and "odelled" not in about:
            yield f"{title}: the description does not say that the figures are modelled"


def _of_queries(name: str, dashboard: Dashboard) -> Iterator[str]:
    tables = {panel["title"] for panel in panels_of(dashboard) if panel["type"] == "table"}
    for query in queries_of(name, dashboard):
        try:
            parsed = promql.parse(with_variables(query.expression, dashboard, BUILT_IN))
        except KeyError as unknown:
            yield f"{query.panel} {query.ref_id}: unknown variable {unknown}"
            continue
        except ValueError as error:
            yield f"{query.panel} {query.ref_id}: {error}"
            continue
        yield from (f"{query.panel} {query.ref_id}: {each}" for each in _of_expression(parsed))
        if query.panel not in tables:
            if not query.legend:
                yield f"{query.panel} {query.ref_id}: no legend"
            for label in set(_LEGEND_LABEL.findall(query.legend)) - labels_of(parsed):
                yield f"{query.panel} {query.ref_id}: the legend names {label}, which the query does not keep"


def _of_expression(expression: object, around: str = "") -> Iterator[str]:
    """Names and labels that exist, counters only where they are made rates of."""
    if isinstance(expression, promql.MatrixSelector):
        yield from _of_selector(expression.vector_selector, around)
    elif isinstance(expression, promql.VectorSelector):
        yield from _of_selector(expression, "")
    elif isinstance(expression, promql.AggregateExpr):
        yield from _of_labels(expression)
        yield from _of_expression(expression.expr)
    else:
        function = expression.func.name if isinstance(expression, promql.Call) else ""
        for part in _parts(expression):
            yield from _of_expression(part, function)


def _of_selector(selector: promql.VectorSelector, function: str) -> Iterator[str]:
    labels = known_series().get(selector.name or "")
    if labels is None:
        yield f"there is no series {selector.name}"
        return
    for each in selector.matchers.matchers:
        if each.name not in labels:
            yield f"{selector.name} has no label {each.name}"
    counted = _COUNTER.search(selector.name or "") and selector.name not in READ_AS_GAUGE
    if counted and function not in _OVER_TIME:
        yield f"{selector.name} is a counter, and is asked for its sum since the start"
    if not counted and function in _OVER_TIME:
        yield f"{selector.name} is no counter, but {function}() is taken of it"


def _of_labels(aggregate: promql.AggregateExpr) -> Iterator[str]:
    kept = set(aggregate.modifier.labels) if aggregate.modifier else set()
    for label in sorted(kept - labels_of(aggregate.expr)):
        yield f"{label} is kept, but is on no series below"


def labels_of(expression: object) -> set[str]:
    """The labels that the result of an expression may have."""
    if isinstance(expression, promql.VectorSelector):
        return set(known_series().get(expression.name or "", ()))
    if isinstance(expression, promql.MatrixSelector):
        return labels_of(expression.vector_selector)
    if isinstance(expression, promql.AggregateExpr) and str(expression.op) not in {"topk", "bottomk"}:
        return set(expression.modifier.labels) if expression.modifier else set()
    return set().union(*(labels_of(part) for part in _parts(expression)))


def _parts(expression: object) -> list[object]:
    if isinstance(expression, promql.Call):
        return list(expression.args)
    if isinstance(expression, promql.BinaryExpr):
        return [expression.lhs, expression.rhs]
    inner = getattr(expression, "expr", None)
    return [] if inner is None else [inner]


def _of_layout(dashboard: Dashboard) -> Iterator[str]:
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) < len(ids):
        yield "two panels have one id"
    for panel in dashboard["panels"]:
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > _GRID_COLUMNS:
            yield f"{panel['title']}: reaches beyond the right edge"
    for one, other in combinations(dashboard["panels"], 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"{one['title']} and {other['title']} overlap"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def _of_words(dashboard: Dashboard) -> Iterator[str]:
    text = json.dumps(dashboard, ensure_ascii=False).lower()
    yield from (f"says {word!r}" for word in FORBIDDEN if word in text)


def _of_links(dashboard: Dashboard, everything: Mapping[str, Dashboard]) -> Iterator[str]:
    variables = {each["uid"]: {one["name"] for one in each["templating"]["list"]} for each in everything.values()}
    for url in _urls(dashboard["panels"]):
        link = _LINK.match(url)
        if link and link["variable"] not in variables.get(link["uid"], set()):
            yield f"the link {url} leads to no variable of a dashboard"
        if not link and not url.startswith("/explore?"):
            yield f"the link {url} leads out of Grafana"


def _urls(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if part.get("url"):
            yield part["url"]
        for each in part.values():
            yield from _urls(each)
    elif isinstance(part, list):
        for each in part:
            yield from _urls(each)
