"""The built-in page as it is served: what its figures say, and what a browser is told to refuse."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from otel_carbon.budgets.read import read_budgets
from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.page import health as health_module
from otel_carbon.collector.page.application import FRESH_S
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Signal
from otel_carbon.metrics.days import SHOWN_DAYS
from tests.support.page_server import Counting, page_server

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "<script>alert(1)</script>\"'\n&"


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def url(counting: Counting) -> Iterator[str]:
    with page_server(counting, counting.watch()) as made:
        yield made


def figures(counting: Counting, url: str) -> dict[str, Any]:
    """The figures as they are now."""
    counting.clock.pass_by(seconds=FRESH_S)
    answer = httpx.get(f"{url}/api/totals")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_before_any_call_everything_is_zero_and_nothing_is_unknown(counting: Counting, url: str) -> None:
    found = figures(counting, url)
    nothing = {"low": 0.0, "mid": 0.0, "high": 0.0}
    assert found["today"]["calls"] == 0
    assert found["month"]["emissions_gco2e"] == nothing
    assert found["models"]["rows"] == []
    assert found["coverage"]["month"] == {"calls": 0, "estimated": 0, "share": None}
    assert found["budgets"] == []
    assert [day["counted"] for day in found["days"]["rows"]] == ["not"] * (SHOWN_DAYS - 1) + ["part"]


def test_the_figures_are_those_of_the_counters(counting: Counting, url: str) -> None:
    counting.book(3)
    found = figures(counting, url)
    page = httpx.get(f"{url}/metrics").text
    for name, family, unit in (
        ("energy_kwh", "energy{}_joules", 3.6e6),
        ("emissions_gco2e", "emissions{}_grams", 1.0),
        ("water_l", "water{}_L", 1.0),
    ):
        for bound, part in (("low", "_low"), ("mid", ""), ("high", "_high")):
            (counter,) = re.findall(rf"^otel_carbon_{family.format(part)}_total{{.*}} (\S+)$", page, re.MULTILINE)
            for span in ("recent", "today", "month"):
                assert found[span][name][bound] == pytest.approx(float(counter) / unit, rel=1e-12)
    assert found["today"]["tokens"] == 3 * (800 + 300)


def test_calls_without_an_estimate_are_unknown_and_not_zero(counting: Counting, url: str) -> None:
    counting.book(2, more={"gen_ai.request.model": "no-such-image-1"})
    found = figures(counting, url)
    assert found["today"]["emissions_gco2e"] is None
    assert (found["today"]["calls"], found["today"]["estimated"]) == (2, 0)
    assert found["models"]["rows"][0]["energy_kwh"] is None
    counting.book(6)
    found = figures(counting, url)
    assert found["coverage"]["month"] == {"calls": 8, "estimated": 6, "share": 0.75}
    assert found["coverage"]["reasons"] == [
        {
            "reason": "model_not_registered",
            "sentence": "The registry has no energy coefficient for this model.",
            "today": 2,
            "month": 2,
        }
    ]


def test_what_is_now_leaves_after_five_minutes(counting: Counting, url: str) -> None:
    figures(counting, url)
    counting.book(4)
    assert figures(counting, url)["recent"]["calls"] == 4
    for _ in range(6):
        counting.clock.pass_by(minutes=1)
        found = figures(counting, url)
    assert found["recent"]["calls"] == 0
    assert 300 <= found["recent"]["duration_s"] <= 300 + 60 + FRESH_S
    assert found["today"]["calls"] == 4


def test_the_models_beyond_the_first_twenty_are_one_row_and_still_add_up(counting: Counting, url: str) -> None:
    for number in range(25):
        model = f"gpt-4o-mini-{number:02}"
        counting.book(number + 1, more={"gen_ai.request.model": model, "gen_ai.response.model": model})
    found = figures(counting, url)
    rows = found["models"]["rows"]
    assert [row["models"] for row in rows] == [1] * 20 + [5]
    assert rows[-1]["calls"] == 1 + 2 + 3 + 4 + 5
    assert sum(row["calls"] for row in rows) == found["month"]["calls"] == 325
    assert sum(row["water_l"]["mid"] for row in rows) == pytest.approx(found["month"]["water_l"]["mid"], rel=1e-12)


def test_budgets_stand_where_the_counters_say(counting: Counting, tmp_path: Path) -> None:
    path = tmp_path / "budgets.yaml"
    path.write_text(
        "budgets: [{name: shop, owner: me, scope: {service: shop}, amount: 11000, unit: tokens, window: day}]"
    )
    with page_server(counting, counting.watch(read_budgets(path).budgets.budgets)) as url:
        counting.book(5)
        counting.book(5, service="other")
        (budget,) = figures(counting, url)["budgets"]
    assert (budget["used"], budget["limit"], budget["share"], budget["left"]) == (5500, 11000, 0.5, 5500)
    assert (budget["scope"], budget["unit"], budget["bound"]) == ('service "shop"', "tokens", "counted")
    assert budget["counted_since"] == "2026-11-01T09:30:00+00:00"
    assert budget["elapsed_share"] == pytest.approx(9.5 / 24, abs=1e-4)


def test_sampling_that_left_calls_out_is_told(counting: Counting, url: str) -> None:
    counting.book(1, trace_state="ot=th:c")  # one in four was kept
    assert figures(counting, url)["coverage"]["unseen_calls"] == 3


def test_health_names_what_needs_attention(counting: Counting) -> None:
    metrics = SelfMetrics()
    queue = ByteQueue("otlp_http", 1000)
    metrics.watch_queue(queue)
    metrics.watch_backend("otlp_http").note(is_failing=True)
    with page_server(counting, counting.watch(), metrics) as url:
        assert queue.reserve(900)
        metrics.send_failed("otlp_http", Signal.TRACES, 7)
        metrics.request("otlp", "grpc", "success")
        found = figures(counting, url)["health"]
    assert found["exporters"] == [
        {"name": "otlp_http", "failing": True, "queue_share": 0.9, "sent_spans": 0, "lost_spans": 7}
    ]
    assert found["requests"] == {"success": 1, "refused": 0, "failure": 0}
    assert found["attention"] == [
        "otlp_http: its backend refuses what it is sent, or is not there.",
        "otlp_http: its queue is 90% full.",
        "otlp_http: 7 spans were dropped or refused since the start.",
    ]


class Disk:
    """As much of a file storage as its metrics are about; a real one fails only where a disk does."""

    def __init__(self, *, is_failing: bool, failures: int, held_bytes: int) -> None:
        self.storage_id = "file_storage"
        self.capacity_bytes = 1000
        self.held_bytes = held_bytes
        self.failures = failures
        self.is_failing = is_failing
        self.disk, self.replaced, self.lost_requests = self, 0, 0


@pytest.mark.parametrize(
    ("disk", "told"),
    [
        (Disk(is_failing=False, failures=0, held_bytes=799), []),
        (Disk(is_failing=False, failures=0, held_bytes=800), ["The disk space of the durable queue is 80% full."]),
        (
            Disk(is_failing=True, failures=2, held_bytes=0),
            ["The disk of the durable queue takes nothing, so requests are refused; see the log."],
        ),
        (
            Disk(is_failing=False, failures=2, held_bytes=0),
            ["The disk of the durable queue took nothing at times since the start; see the log."],
        ),
    ],
)
def test_health_tells_of_the_disk(counting: Counting, disk: Disk, told: list[str]) -> None:
    metrics = SelfMetrics()
    metrics.watch_storage(disk)  # type: ignore[arg-type] # see there
    with page_server(counting, counting.watch(), metrics) as url:
        assert figures(counting, url)["health"]["attention"] == told


def test_health_reads_only_metrics_that_the_collector_has() -> None:
    source = Path(health_module.__file__).read_text(encoding="utf-8")
    known = (Path(__file__).parents[3] / "docs/reference/collector-metrics.md").read_text(encoding="utf-8")
    names = set(re.findall(r'"(otel(?:col|_carbon)_\w+)"', source))
    assert len(names) > 10
    assert {name for name in names if f"`{name.replace('_spans_', '_{items}_')}`" not in known} == set()


def test_many_readers_cost_what_one_does(counting: Counting, url: str) -> None:
    first = figures(counting, url)
    counting.book(1)
    assert httpx.get(f"{url}/api/totals").json() == first
    assert figures(counting, url)["today"]["calls"] == 1


def test_a_browser_runs_only_the_script_and_style_of_the_page(url: str) -> None:
    answer = httpx.get(f"{url}/")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert not re.search(r"\son\w+=|style=|javascript:|https?://(?!www\.w3\.org/2000/svg)", answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_labels_stay_in_the_figures_and_never_enter_the_page(counting: Counting, url: str) -> None:
    before = httpx.get(f"{url}/").content
    counting.book(1, service=HOSTILE, more={"gen_ai.request.model": HOSTILE, "gen_ai.response.model": HOSTILE})
    answer = httpx.get(f"{url}/api/totals")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text)["models"]["rows"][0]["model"] == HOSTILE
    assert httpx.get(f"{url}/").content == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/api/totals"])
def test_the_page_only_reads(url: str, path: str, method: str) -> None:
    answer = httpx.request(method, url + path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_other_paths_and_the_metrics_are_as_before(url: str) -> None:
    assert httpx.get(f"{url}/favicon.ico").status_code == 404
    assert httpx.get(f"{url}/api/totals/").status_code == 404
    assert "otel_carbon_dropped_series_total 0.0" in httpx.get(f"{url}/metrics").text
    head = httpx.head(f"{url}/")
    assert (head.status_code, head.content) == (200, b"")


def test_a_fault_in_the_figures_costs_the_figures_only(
    counting: Counting, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    counting.totals.snapshot = None  # type: ignore[assignment, method-assign] # any fault would do
    answer = httpx.get(f"{url}/api/totals")
    assert (answer.status_code, answer.text) == (
        500,
        "cannot work out the figures; see the log of the collector\n",
    )
    assert "the figures of the built-in page cannot be worked out" in caplog.text
    assert httpx.get(f"{url}/").status_code == 200
