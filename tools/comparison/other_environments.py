"""Tools in environments of their own, asked about real calls to an API and a receiver of telemetry on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Footprint
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from tests.support.llm_answers.script import Script, TokenCounts
from tests.support.llm_server import running_llm_server
from tests.support.otlp_sink import OtlpSink, running_otlp_sink
from tools.comparison.questions import REGION, Table
from tools.make_clients import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HERE = Path(__file__).parent
TIMEOUT_S = 180.0
COUNTS = TokenCounts(input=800, output=300)
SHORT, LONG = TokenCounts(input=800, output=30), TokenCounts(input=800, output=3_000)
FOOTPRINT = re.compile(r"energy|power|carbon|co2|emission|water", re.IGNORECASE)
WH_PER_KWH = 1000
CALLS = 300
"""With answers of each length."""


def table(tool: str, python: str | None) -> Table:
    """The answers of a tool.

    Args:
        tool: a key of `PROGRAMS`.
        python: the Python of an environment that has it; that of `.clients/` without one.

    Raises:
        FileNotFoundError: there is no such environment; the message says how to make one.
        RuntimeError: its program failed; the message holds what it said.
    """
    path = Path(python) if python else CLIENTS / tool / "bin" / "python"
    if not path.is_file():
        msg = f"not asked; it needs an environment of its own: python tools/make_clients.py {tool}"
        raise FileNotFoundError(msg)
    return PROGRAMS[tool](path)


def _openlit(python: Path) -> Table:
    with running_llm_server() as api, running_otlp_sink() as sink, TemporaryDirectory() as folder:
        api.script = Script(counts=COUNTS)
        prices = Path(folder) / "pricing.json"
        prices.write_text("{}", encoding="utf-8")
        addresses = {"API": api.url, "SINK": sink.http_endpoint, "PRICES": str(prices)}
        version = _run(python, "openlit_program.py", addresses).strip()
        metrics = sorted(_metric_names(sink))
        on_spans = sorted({key for span in sink.spans() for key in span.attributes})
        tokens = _tokens_on_spans(sink)
    rows = (
        ("input and output tokens of two calls, as its spans tell", tokens),
        ("metrics that it sends", str(len(metrics))),
        ("of them for cost", _listed(name for name in metrics if "cost" in name)),
        ("of them for energy, emissions or water", _listed(filter(FOOTPRINT.search, metrics))),
        ("attributes of its spans for energy, emissions or water", _listed(filter(FOOTPRINT.search, on_spans))),
    )
    return Table(f"OpenLIT {version}, two calls of {COUNTS.input} + {COUNTS.output} tokens", ("asked", "told"), rows)


def _codecarbon(python: Path) -> Table:
    with running_llm_server() as api:
        api.queue(*[Script(counts=SHORT)] * CALLS, *[Script(counts=LONG)] * CALLS)
        answer = json.loads(_run(python, "codecarbon_program.py", {"API": api.url, "CALLS": str(CALLS)}))
    rows = tuple(
        (
            f"{counts.output:,}",
            f"{answer['told'][name]['energy_kwh'] * WH_PER_KWH:.3f}",
            f"{_energy_kwh(counts) * CALLS * WH_PER_KWH:,.0f}",
        )
        for name, counts in (("short", SHORT), ("long", LONG))
    )
    columns = ("output tokens of a call", "Wh by CodeCarbon: this machine", "Wh by otel-carbon: where the model runs")
    return Table(f"CodeCarbon {answer['version']}, {CALLS} calls to a remote API", columns, rows)


PROGRAMS: Mapping[str, Callable[[Path], Table]] = {"openlit": _openlit, "codecarbon": _codecarbon}


def _run(python: Path, program: str, addresses: Mapping[str, str]) -> str:
    dropped = ("OTEL_", "PYTHON", "VIRTUAL_ENV")
    kept = {key: text for key, text in os.environ.items() if not key.startswith(dropped)}
    nowhere = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    done = subprocess.run(
        [python, HERE / program],
        env=kept | nowhere | dict(addresses),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        msg = f"{program} ended with {done.returncode}: {done.stderr[-2000:]}"
        raise RuntimeError(msg)
    last_line: str = done.stdout.splitlines()[-1]
    return last_line


def _energy_kwh(counts: TokenCounts) -> float:
    usage = TokenUsage("openai", "gpt-4o", input_tokens=counts.input, output_tokens=counts.output, region=REGION)
    footprint = estimate(usage)
    if not isinstance(footprint, Footprint):
        raise TypeError(footprint.reason)
    return footprint.energy_kwh.mid


def _metric_names(sink: OtlpSink) -> set[str]:
    requests = sink.metric_requests()
    scopes = [scope for request in requests for each in request.resource_metrics for scope in each.scope_metrics]
    return {metric.name for scope in scopes for metric in scope.metrics}


def _tokens_on_spans(sink: OtlpSink) -> str:
    kinds = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    sums = (sum(int(str(span.attributes.get(key) or 0)) for span in sink.spans()) for key in kinds)
    return " and ".join(f"{tokens:,}" for tokens in sums)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
