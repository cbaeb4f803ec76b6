from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.budget_page import bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.cli.conftest import RunCli

GOOD = """\
budgets:
  - {name: search, owner: team, scope: {tenant: search}, amount: 12, unit: kgCO2e, window: month}
  - {name: all, owner: team, scope: {}, amount: 100, unit: gCO2e, window: 30d}
"""
BAD = GOOD.replace("tenant", "tenent").replace("gCO2e, window: 30d", "grams, window: 30d")


@pytest.fixture
def budget_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("budgets.yaml")
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.mark.usefixtures("budget_file")
def test_a_good_file_is_valid_and_overlaps_are_told(run_cli: RunCli) -> None:
    assert run_cli("budget", "check") == (
        0,
        "budgets.yaml: valid, 2 budgets\n",
        "warning: budgets.yaml:3: budgets[1].scope: 'all' overlaps with search; a call in both scopes counts in both\n",
    )


@pytest.mark.parametrize("command", [("check",), ("rules",), ("status", "--prometheus", "http://127.0.0.1:1")])
def test_mistakes_end_every_command_with_their_lines(
    run_cli: RunCli, budget_file: Path, command: tuple[str, ...]
) -> None:
    budget_file.write_text(BAD, encoding="utf-8")
    code, out, err = run_cli("budget", *command)

    assert (code, out) == (2, "")
    assert err == (
        "budgets.yaml:2: budgets[0].scope.tenent: unknown label; did you mean 'tenant'? "
        "A label of your own is declared under `labels`\n"
        "budgets.yaml:3: budgets[1].unit: unknown unit 'grams'; allowed: L, gCO2e, kWh, kgCO2e, tokens\n"
        "Error: 2 mistakes in budgets.yaml\n"
    )


def test_rules_go_to_a_file_and_never_over_the_budgets(run_cli: RunCli, budget_file: Path) -> None:
    assert run_cli("budget", "rules", "-o", "rules.yaml").code == 0
    assert "- alert: OtelCarbonBudgetThreshold\n" in Path("rules.yaml").read_text(encoding="utf-8")
    assert (
        run_cli("budget", "rules", "--runbooks", "https://w.example/").out.count(
            "runbook_url: https://w.example/OtelCarbonBudgetThreshold.md"
        )
        == 4
    )  # two budgets with two thresholds

    code, _, err = run_cli("budget", "rules", "-o", "budgets.yaml")
    assert (code, "is the input itself" in err) == (2, True)
    assert budget_file.read_text(encoding="utf-8") == GOOD


@contextmanager
def _answering(status: int, body: bytes) -> Iterator[str]:
    """A server that gives every question the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://user:secret@127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _shown(url: str) -> str:
    return url.replace("user:secret@", "")


@pytest.mark.usefixtures("budget_file")
def test_a_prometheus_that_is_down_says_nothing_about_budgets(run_cli: RunCli) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port, and nobody answers
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}"
        code, out, err = run_cli("budget", "status", "--prometheus", url)

    assert (code, out) == (3, "")
    assert err.endswith(f"{_shown(url)} does not answer (ConnectError); nothing is known about the budgets\n")
    assert "secret" not in err


@pytest.mark.usefixtures("budget_file")
def test_a_prometheus_that_is_slow_is_given_up(run_cli: RunCli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code, out, err = run_cli("budget", "status", "--prometheus", url, "--timeout", "0.2")

    assert (code, out) == (3, "")
    assert err.endswith(f"{url} gave no answer within 0.2 s; nothing is known about the budgets\n")


@pytest.mark.usefixtures("budget_file")
@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>a proxy</html>", "answered, but not as a Prometheus does"),
        (200, b'{"status": "success", "data": []}', "answered, but not as a Prometheus does"),
        (503, b'{"status": "error", "error": "query timed out"}', "answered 503: query timed out"),
        (401, b"no", "answered 401: no reason given"),
        (200, b" " * 9_000_000, "answered with more than 8388608 bytes"),
    ],
)
def test_whatever_else_answers_is_told(run_cli: RunCli, status: int, body: bytes, message: str) -> None:
    with _answering(status, body) as url:
        code, out, err = run_cli("budget", "status", "--prometheus", url)

    assert (code, out) == (3, "")
    assert err.endswith(f"{_shown(url)} {message}; nothing is known about the budgets\n")


@pytest.mark.usefixtures("budget_file")
def test_an_empty_prometheus_is_no_data_and_never_zero(run_cli: RunCli) -> None:
    with _answering(200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}') as url:
        code, out, _ = run_cli("budget", "status", "--prometheus", url, "--json")

    assert code == 3
    assert [(each["used"], each["remaining"], each["spent"]) for each in json.loads(out)["budgets"]] == [
        (None, None, None)
    ] * 2


@pytest.mark.usefixtures("budget_file")
def test_an_address_that_is_none_is_wrong_usage(run_cli: RunCli) -> None:
    code, _, err = run_cli("budget", "status", "--prometheus", "localhost:9090")

    assert code == 2
    assert "--prometheus must begin with http:// or https://" in err


def test_a_bar_is_full_only_when_all_is_used() -> None:
    assert [bar(share) for share in (0, 0.44, 0.999, 1.0, 3.2)] == [
        "░░░░░░░░░░",
        "████░░░░░░",
        "█████████░",
        "██████████!",
        "██████████!",
    ]
