"""The committed deploy files, with the addresses of a test in place of their hosts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.collector_process import COMMAND
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start
from tests.support.prometheus_files import ALERTMANAGER_CONFIG, FOLDER, PROMETHEUS_CONFIG, document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

COLLECTOR_CONFIG = FOLDER.parent / "compose-collector.yaml"
BUDGETS = FOLDER.parent / "budgets.yaml"

ALERTMANAGER, COLLECTOR = "alertmanager:9093", "collector:9464"
WEBHOOK = "http://alert-webhook:8080/"
_JOB_OF_COLLECTOR, _JOB_OF_ITSELF = "otel-carbon", "prometheus"
_START_TIMEOUT_S = 60.0


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


def budgets_text(name: str, amount: float, unit: str) -> str:
    """The committed budgets, with another limit for one of them."""
    budgets = document(BUDGETS)
    (chosen,) = (each for each in budgets["budgets"] if each["name"] == name)
    chosen.update(amount=amount, unit=unit)
    return json.dumps(budgets)


@dataclass(frozen=True, slots=True)
class DeployedCollector:
    """The collector of `compose.yaml` on loopback ports; `metrics_target` is where its counters and page are."""

    process: ManagedProcess
    http_endpoint: str
    metrics_target: str


@contextmanager
def running_deployed_collector(folder: Path, trace_backend: str) -> Iterator[DeployedCollector]:
    """Run it with its committed configuration, and a backend of the test for its spans."""
    grpc, http, metrics, health = ports = free_ports(4)
    path = folder / "collector.yaml"
    config = _on_loopback(document(COLLECTOR_CONFIG), dict(zip(("4317", "4318", "9464", "13133"), ports, strict=True)))
    config["exporters"]["otlp_http"]["endpoint"] = trace_backend
    config["extensions"]["file_storage"]["directory"] = str(folder / "queue")
    config["exporters"]["prometheus"]["page"]["budgets"] = str(BUDGETS)
    path.write_text(json.dumps(config), encoding="utf-8")
    process = start([COMMAND, "collector", "--config", path], folder=folder, name="collector")
    try:
        for port in (grpc, http, metrics, health):
            process.wait_until_listening(port, timeout_s=_START_TIMEOUT_S)
        yield DeployedCollector(process, f"http://127.0.0.1:{http}", f"127.0.0.1:{metrics}")
        process.popen.terminate()
        assert process.popen.wait(_START_TIMEOUT_S) == 0, process.tail()
    finally:
        process.stop()


def _on_loopback(config: Any, ports: Mapping[str, int]) -> Any:
    """The configuration with each address that it listens on replaced; all of them are known."""
    text = json.dumps(config)
    for written, free in ports.items():
        assert text.count(f'"0.0.0.0:{written}"') == 1
        text = text.replace(f'"0.0.0.0:{written}"', f'"127.0.0.1:{free}"')
    return json.loads(text)
