"""Alerts of the committed files, evaluated by the real promtool on one sample a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.support.prometheus_files import rules_together
from tests.support.rule_runs import run_rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JOB = {"job": "collector", "instance": "a:1"}


class Fired(NamedTuple):
    """An alert as a receiver gets it, without its name and the link to its page."""

    labels: dict[str, str]
    summary: str
    description: str


def series(name: str, target: Mapping[str, str] = JOB, /, **labels: str) -> str:
    """A series of a target."""
    inner = ",".join(f'{key}="{text}"' for key, text in {**target, **labels}.items())
    return f"{name}{{{inner}}}"


def run_alert(
    folder: Path,
    name: str,
    samples: Mapping[str, str],
    fired: Mapping[str, tuple[Fired, ...]],
    targets: tuple[Mapping[str, str], ...] = (JOB,),
) -> None:
    """Fail unless at each time since the start just this fires of an alert."""
    run_rules(
        folder,
        rules_together(),
        samples={**{series("otel_carbon_dropped_series_total", each): "0x600" for each in targets}, **samples},
        sample_interval="1m",
        interval="1m",
        group_order=["otel_carbon", "otel_carbon_alerts"],
        alerts=[(at, name, [_expected(name, each) for each in alerts]) for at, alerts in fired.items()],
    )


def _expected(name: str, fired: Fired) -> dict[str, dict[str, str]]:
    annotations = {
        "summary": fired.summary,
        "description": fired.description,
        "runbook_url": f"docs/runbooks/{name}.md",
    }
    return {"exp_labels": fired.labels, "exp_annotations": annotations}
