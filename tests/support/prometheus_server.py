"""A real Prometheus server that scrapes what a test tells it to, and answers PromQL."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.components import require_prometheus, require_prometheus3
from tests.support.processes import ManagedProcess, start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SCRAPE_INTERVAL_MS = 250
"""How often each target is scraped unless a test says otherwise, in milliseconds; a page must be there by then."""

_START_TIMEOUT_S = 30.0
_TOLERANCE_S = 0.01
"""By how much Prometheus moves the time of a scrape, so that scrapes are evenly apart."""
_SCRAPE_TIMEOUT_S = 30.0
_HTTP_TIMEOUT_S = 10.0
_LISTENING = re.compile(r'msg="Listening on" (?:component=web )?address=(\S+)')


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query, or one exemplar: its labels and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """A running Prometheus at `url` whose scrape targets can be replaced while it runs."""

    url: str
    config_path: Path
    rule_files: tuple[Path, ...] = ()
    scrape_interval_ms: int = SCRAPE_INTERVAL_MS

    def scrape(self, targets: Mapping[str, str]) -> None:
        """Scrape these targets from now on, instead of any earlier ones.

        Prometheus looks for changed targets every five seconds, so name them early and do other work meanwhile.

        Args:
            targets: `host:port` by job name; the path is `/metrics`.
        """
        config = _config(targets, self.rule_files, self.scrape_interval_ms)
        self.config_path.write_text(config, encoding="utf-8")
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
            if not targets or not all(_scraped_since(each, began) for each in targets):
                return False
            # A target's state is told a moment before what was scraped can be queried, `up` with the rest.
            to_query = [each for each in self.query("timestamp(up)") if each.value > began.timestamp() - _TOLERANCE_S]
            return len(to_query) >= len(targets)

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

    def exemplars(self, promql: str) -> list[Sample]:
        """All exemplars of the series of an expression: their own labels, and their values."""
        times = {"start": "0", "end": str(time.time() + _HTTP_TIMEOUT_S)}
        answer = self.api("/api/v1/query_exemplars?" + urllib.parse.urlencode({"query": promql} | times))
        found = [exemplar for series in answer for exemplar in series["exemplars"]]
        return [Sample(dict(sorted(each["labels"].items())), float(each["value"])) for each in found]

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


@pytest.fixture
def prometheus3_server(tmp_path: Path) -> Iterator[PrometheusServer]:
    """A current Prometheus of the test's own that also takes OTLP, at `/api/v1/otlp`."""
    program = require_prometheus3()
    config = _config({}, (), SCRAPE_INTERVAL_MS)
    with prometheus_with(tmp_path, config, program=program, flags=("--web.enable-otlp-receiver",)) as server:
        yield server


@contextmanager
def running_prometheus(
    folder: Path, rule_files: tuple[Path, ...] = (), program: Path | None = None
) -> Iterator[PrometheusServer]:
    """A real Prometheus on a port of its own that keeps its configuration, data and output in `folder`."""
    with prometheus_with(folder, _config({}, rule_files, SCRAPE_INTERVAL_MS), program=program) as server:
        yield replace(server, rule_files=rule_files)


@contextmanager
def prometheus_with(
    folder: Path, config: str, *, program: Path | None = None, flags: Sequence[str] = ()
) -> Iterator[PrometheusServer]:
    """A real Prometheus with a configuration of its own, which `scrape` would replace.

    Args:
        folder: for its files.
        config: the text of its configuration.
        program: which Prometheus; None is the one that is installed.
        flags: further ones of its command line.
    """
    program = program or require_prometheus()
    config_path = folder / "prometheus.yml"
    config_path.write_text(config, encoding="utf-8")
    command: list[str | Path] = [
        program,
        f"--config.file={config_path}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--web.enable-remote-write-receiver",
        "--enable-feature=exemplar-storage",
        *flags,
    ]
    process = start(command, folder=folder, name="prometheus")
    try:
        url = process.wait_for(lambda: _url(process), timeout_s=_START_TIMEOUT_S, what="Prometheus address")
        process.wait_for(lambda: _is_ready(url), timeout_s=_START_TIMEOUT_S, what="ready Prometheus")
        yield PrometheusServer(url, config_path)
    finally:
        process.stop()


def _config(targets: Mapping[str, str], rule_files: tuple[Path, ...], scrape_interval_ms: int) -> str:
    interval = f"{scrape_interval_ms}ms"
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
