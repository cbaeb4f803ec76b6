"""Addresses in Grafana's Explore of the traces behind what is shown."""

from __future__ import annotations

import json

from tools.dashboards.board import TRACES


def traces_of_service(label: str) -> str:
    """Traces of the service that was clicked, in the shown range; `label` holds its name.

    The query is that of a Jaeger data source, which `$traces` chooses.
    """
    query = {"refId": "A", "queryType": "search", "service": f"${{__field.labels.{label}}}"}
    return _explore(query)


def traces_of_cell() -> str:
    """The same for the cell of a table that holds the name of a service."""
    return _explore({"refId": "A", "queryType": "search", "service": "${__value.text}"})


def _explore(query: dict[str, str]) -> str:
    pane = {"datasource": TRACES, "queries": [query], "range": {"from": "${__from}", "to": "${__to}"}}
    panes = json.dumps({"traces": pane}, separators=(",", ":"))
    return f"/explore?schemaVersion=1&orgId=1&panes={panes}"
