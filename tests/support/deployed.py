"""The committed configurations of Prometheus and Alertmanager, with the addresses of a test in place of their hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.prometheus_files import ALERTMANAGER_CONFIG, PROMETHEUS_CONFIG, document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ALERTMANAGER, COLLECTOR = "alertmanager:9093", "collector:9464"
WEBHOOK = "http://alert-webhook:8080/"
_JOB_OF_COLLECTOR, _JOB_OF_ITSELF = "otel-carbon", "prometheus"


def alertmanager_config(webhook_url: str) -> Any:
    """That of Alertmanager, telling a webhook of the test."""
    config = document(ALERTMANAGER_CONFIG)
    for hook in (hook for receiver in config["receivers"] for hook in receiver["webhook_configs"]):
        assert hook["url"] == WEBHOOK
        hook["url"] = webhook_url
    return config


def prometheus_config(targets: Mapping[str, str], *, alertmanager: str, rule_files: Sequence[Path]) -> Any:
    """That of Prometheus.

    Args:
        targets: `host:port` by job: the collector's own job first, then any further ones, set up like it.
        alertmanager: `host:port` of Alertmanager.
        rule_files: in place of the folders beside the file.
    """
    config = document(PROMETHEUS_CONFIG)
    (managers,) = config["alerting"]["alertmanagers"]
    assert managers["static_configs"] == [{"targets": [ALERTMANAGER]}]
    managers["static_configs"] = [{"targets": [alertmanager]}]
    # Its own address is not known before it listens.
    (job,) = (each for each in config["scrape_configs"] if each["job_name"] != _JOB_OF_ITSELF)
    assert (job["job_name"], job["static_configs"]) == (_JOB_OF_COLLECTOR, [{"targets": [COLLECTOR]}])
    config["scrape_configs"] = [
        {**job, "job_name": name, "static_configs": [{"targets": [target]}]} for name, target in targets.items()
    ]
    config["rule_files"] = [str(path) for path in rule_files]
    return config
