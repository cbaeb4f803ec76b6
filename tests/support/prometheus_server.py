"""A real Prometheus server that scrapes what a test tells it to, and answers PromQL."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.components import require_prometheus
from tests.support.processes import ManagedProcess, start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCRAPE_INTERVAL_MS = 250
"""How often each target is scraped, in milliseconds."""

_START_TIMEOUT_S = 30.0
_SCRAPE_TIMEOUT_S = 30.0
_HTTP_TIMEOUT_S = 10.0
_LISTENING = re.compile(r'msg="Listening on" address=(\S+)')


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query: its labels and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """A running Prometheus at `url` whose scrape targets can be replaced while it runs."""

    url: str
    config_path: Path
    rule_files: tuple[Path, ...] = ()

    def scrape(self, targets: Mapping[str, str]) -> None:
        """Scrape these targets from now on, instead of any earlier ones.

        Prometheus looks for changed targets every five seconds, so name them early and do other work meanwhile.

        Args:
            targets: `host:port` by job name; the path is `/metrics`.
        """
        self.config_path.write_text(_config(targets, self.rule_files), encoding="utf-8")
        self.reload()

    def reload(self) -> None:
        """Read the configuration and the rules anew."""
        self._request("/-/reload", method="POST")

    def wait_for_fresh_scrape(self, timeout_s: float = _SCRAPE_TIMEOUT_S) -> None:
        """Return when every target was scraped, successfully, by a scrape that began after this call.

        What a target counted before this call is then what a query answers: no need to poll for a value.

        Raises:
            TimeoutError: after `timeout_s` seconds; the message holds what each target answered.
        """
        began = datetime.now(UTC)
        states: list[str] = []

        def all_fresh() -> bool:
            targets = self.api("/api/v1/targets?state=active")["activeTargets"]
            states[:] = [f"{each['labels']['job']}: {each['health']} {each['lastError']}" for each in targets]
            return bool(targets) and all(_scraped_since(each, began) for each in targets)

        try:
            wait_until(all_fresh, timeout_s=timeout_s, what="fresh scrape of every target")
        except TimeoutError as late:
            raise TimeoutError(f"{late}; targets: {states}") from None

    def query(self, promql: str) -> list[Sample]:
        """Answer of an instant query; empty when nothing matches.

        Raises:
            urllib.error.HTTPError: when Prometheus does not accept the expression.
        """
        answer = self.api("/api/v1/query?" + urllib.parse.urlencode({"query": promql}))
        return [Sample(each["metric"], float(each["value"][1])) for each in answer["result"]]

    def value(self, promql: str) -> float | None:
        """The one value of a query that yields a single series; None when it yields nothing.

        Raises:
            ValueError: when it yields more than one series.
        """
        samples = self.query(promql)
        if len(samples) > 1:
            raise ValueError(f"{promql} yields {len(samples)} series")
        return samples[0].value if samples else None

    def api(self, path: str) -> Any:
        """The `data` of an answer of the HTTP API."""
        return json.loads(self._request(path))["data"]

    def _request(self, path: str, *, method: str = "GET") -> str:
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(request, timeout=_HTTP_TIMEOUT_S) as answer:
            text: str = answer.read().decode()
            return text


@pytest.fixture
def prometheus_server(tmp_path: Path) -> Iterator[PrometheusServer]:
    """A real Prometheus of the test's own, with an empty database and no targets yet."""
    with running_prometheus(tmp_path) as server:
        yield server


@contextmanager
def running_prometheus(folder: Path, rule_files: tuple[Path, ...] = ()) -> Iterator[PrometheusServer]:
    """A real Prometheus on a port of its own that keeps its configuration, data and output in `folder`."""
    with prometheus_with(folder, _config({}, rule_files)) as server:
        yield replace(server, rule_files=rule_files)


@contextmanager
def prometheus_with(folder: Path, config: str) -> Iterator[PrometheusServer]:
    """A real Prometheus with a configuration of its own, which `scrape` would replace."""
    program = require_prometheus()
    config_path = folder / "prometheus.yml"
    config_path.write_text(config, encoding="utf-8")
    command: list[str | Path] = [
        program,
        f"--config.file={config_path}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--web.enable-remote-write-receiver",
    ]
    process = start(command, folder=folder, name="prometheus")
    try:
        url = process.wait_for(lambda: _url(process), timeout_s=_START_TIMEOUT_S, what="Prometheus address")
        process.wait_for(lambda: _is_ready(url), timeout_s=_START_TIMEOUT_S, what="ready Prometheus")
        yield PrometheusServer(url, config_path)
    finally:
        process.stop()


def _config(targets: Mapping[str, str], rule_files: tuple[Path, ...]) -> str:
    interval = f"{SCRAPE_INTERVAL_MS}ms"
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [target]}], "scheme": "http"}
        for job, target in sorted(targets.items())
    ]
    # JSON is YAML, so that no label or address needs quoting rules of its own.
    document = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": jobs,
        "rule_files": [str(path) for path in rule_files],
    }
    return json.dumps(document)


def _url(process: ManagedProcess) -> str | None:
    listening = _LISTENING.search(process.stderr())
    return f"http://{listening.group(1)}" if listening else None


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=_HTTP_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _scraped_since(target: Mapping[str, Any], began: datetime) -> bool:
    last_scrape = datetime.fromisoformat(_whole_microseconds(target["lastScrape"]))
    return target["health"] == "up" and last_scrape > began


def _whole_microseconds(timestamp: str) -> str:
    # Prometheus writes nanoseconds, which Python 3.11 cannot read.
    return re.sub(r"(\.\d{1,6})\d*", r"\1", timestamp)
