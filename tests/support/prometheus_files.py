"""The committed files in `deploy/prometheus`, as documents that tests look into or change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).resolve().parents[2] / "deploy/prometheus"
RECORDING_RULES = FOLDER / "rules/otel-carbon.yaml"
ALERTING_RULES = FOLDER / "rules/otel-carbon-alerts.yaml"
PROMETHEUS_CONFIG = FOLDER / "prometheus.yml"
ALERTMANAGER_CONFIG = FOLDER / "alertmanager.yml"


def document(path: Path) -> Any:
    """A YAML file as plain lists and mappings."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def rules_together() -> str:
    """All rules as one file, as JSON, which is YAML."""
    groups = [group for path in (RECORDING_RULES, ALERTING_RULES) for group in document(path)["groups"]]
    return json.dumps({"groups": groups})


def alerts_of(path: Path) -> list[dict[str, Any]]:
    """The alerting rules of a file."""
    return [rule for group in document(path)["groups"] for rule in group["rules"] if "alert" in rule]
