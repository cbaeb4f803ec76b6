"""`python -m tests.bench`: what otel-carbon costs, beside a peer measured in the same run.

Directional only: compare ratios of one run, never absolute times of two machines.
"""

from __future__ import annotations

import gc
import platform
import random
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

from otel_carbon import CarbonSpanProcessor, Registry, TokenUsage, estimate
from otel_carbon.enricher import Enricher
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import EnergyCoefficient
from tests.bench.capture import report_capture
from tests.bench.capture_aiohttp import report_aiohttp
from tests.bench.load import genai_attributes, traces_request, web_attributes
from tests.bench.measuring import ROUNDS, line, medians, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_carbon.spans.write import AttributeValue

SPANS = 512


def main() -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("otel-carbon", "opentelemetry-sdk", "protobuf"))
    say(f"{platform.python_implementation()} {platform.python_version()}, {packages}")
    say(f"{'what':58} {'us':>9} {'ratio':>8}  beside")
    _report_estimate()
    _report_registry()
    _report_ecologits(_report_processor())
    report_aiohttp(TracerProvider(shutdown_on_exit=False))
    report_capture()
    _report_import()
    for share in (1.0, 0.05, 0.0):
        _report_collector(share)


def _report_estimate() -> None:
    usage = TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=300)
    estimate(usage)

    def facade() -> int:
        for _ in range(2000):
            estimate(usage)
        return 2000

    us = medians(facade=facade)["facade"]
    line("estimate(), one call (limit: 10 us)", us)


def _report_registry() -> None:
    """Report loading the bundled facts, and looking up factors that nobody has asked for before."""

    def loading() -> int:
        for _ in range(5):
            Registry((read_bundled(),))
        return 5

    def resolving(models: Sequence[str]) -> Callable[[], int]:
        days = iter(date(2027, 1, 1) + timedelta(days=n) for n in range(ROUNDS))  # all facts hold, each day is new

        def work() -> int:
            day = next(days)
            for model in models:
                resolve_factors(Registry.bundled(), CallSubject("openai", model, "chat", None, "default", day))
            return len(models)

        return work

    facts = Registry.bundled().facts("energy")
    known = [fact.models[0] for fact in facts if isinstance(fact, EnergyCoefficient)][:200]
    unknown = [f"nobody-knows-{number}" for number in range(100)]
    us = medians(loading=loading, known=resolving(known), unknown=resolving(unknown))
    line("registry, loaded (limit: 20,000 us)", us["loading"])
    line("factors of a registered model, looked up anew (limit: 100 us)", us["known"])
    line("factors of a model that nobody knows, by the ladder", us["unknown"])


class _Nothing(SpanProcessor):
    pass


def _spans(processor: SpanProcessor, rounds: list[list[dict[str, AttributeValue]]]) -> Callable[[], int]:
    """Start and end the spans of the next round: the same ones again would be further spans of the same calls."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("opentelemetry.instrumentation.genai.openai")

    remaining = iter(rounds)

    def work() -> int:
        attributes = next(remaining)
        for chosen in attributes:
            tracer.start_span("chat", attributes=chosen, kind=SpanKind.CLIENT).end()
        return len(attributes)

    return work


def _report_processor() -> float:
    """Report what the processor adds; returns it for a GenAI span, in microseconds."""
    source = random.Random(1)
    added_us = {}
    for name, make, limit_us in (("GenAI", genai_attributes, 25), ("other", web_attributes, 2.5)):
        rounds = [[make(source) for _ in range(3000)] for _ in range(ROUNDS)]
        taken = medians(
            without=_spans(_Nothing(), rounds),
            with_carbon=_spans(CarbonSpanProcessor(meter_provider=MeterProvider()), rounds),
        )
        added = taken["with_carbon"] - taken["without"]
        added_us[name] = added
        what = f"processor, added to {name} span (limit: {limit_us} us)"
        line(what, added, added / taken["without"], "start and end of that span")
    return added_us["GenAI"]


def _report_ecologits(processor_us: float) -> None:
    try:
        from ecologits.tracers.utils import llm_impacts
    except ImportError:
        say("ecologits: not installed, left out")
        return

    def peer() -> int:
        for _ in range(50):
            llm_impacts("openai", "gpt-4o", 300, 1.5, "USA")
        return 50

    us = medians(peer=peer)["peer"]
    line("ecologits.llm_impacts, one call (limit: 0.05)", us, processor_us / us, "processor for a GenAI span / this")


def _report_import() -> None:
    sdk = "import opentelemetry.sdk.trace, opentelemetry.metrics"
    codes = {"sdk": sdk, "carbon": sdk + "; from otel_carbon import CarbonSpanProcessor as P; P()"}
    elapsed_us: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(2 * ROUNDS):
        for name, code in codes.items():
            elapsed_us[name].append(_wall_us(code))
    sdk_us, carbon_us = (statistics.median(elapsed_us[name]) for name in codes)
    what = "import and construct, added (wall; limit: 50,000 us)"
    line(what, carbon_us - sdk_us, carbon_us / sdk_us, "importing the SDK alone")


def _wall_us(code: str) -> float:
    started_ns = time.perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter_ns() - started_ns) / 1000


def _report_collector(genai_share: float) -> None:
    bodies = [traces_request(SPANS, genai_share, seed) for seed in range(20)]
    registry = Registry.bundled()

    def bare() -> int:
        for body in bodies:
            ExportTraceServiceRequest.FromString(body).SerializeToString()
        return SPANS * len(bodies)

    def enriched() -> int:
        enrich = TracesEnricher(Enricher(registry))
        for body in bodies:
            enrich(body)
        return SPANS * len(bodies)

    limit = " (limit: 10)" if genai_share == 1 else ""
    what = f"collector, {SPANS} spans, {genai_share:.0%} GenAI, per span{limit}"
    us = _with_collector_gc(lambda: medians(bare=bare, enriched=enriched))
    line(what, us["enriched"], us["enriched"] / us["bare"], "bare decode and encode of the same bytes")


def _with_collector_gc(measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Measure under the garbage collector settings that the collector runs with."""
    before: Iterable[int] = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        return measure()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


if __name__ == "__main__":
    main()
