"""The official Collector in place of ours, with an export of the registry: equal attributes where it handles a span."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from math import isclose
from pathlib import Path
from random import randbytes
from typing import TYPE_CHECKING

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon import attributes as ours
from otel_carbon.cli import exit_codes
from otel_carbon.cli.main import main
from otel_carbon.core import reasons
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.estimating import NS_PER_DAY
from otel_carbon.exporting.energy_rows import model_table
from otel_carbon.exporting.guarded_spans import HANDLED_DIALECTS, OTHER_BASIS_SCOPES, foreign_telltales
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.read import DETAILS_FROM_TWIN, SpanReader
from otel_carbon.spans.role import INVOKE_AGENT
from tests.integration.collector_under_test import PROTOBUF, counter
from tests.otelcol.generated_spans import Draw
from tests.support.corpus import captures
from tests.support.golden import check_golden
from tests.support.otelcol import DEPLOYED, running_otelcol
from tests.support.otlp_sink import received_spans
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.support.otelcol import OfficialCollector
    from tests.support.otlp_sink import AttributeValue, ReceivedSpan

GOLDEN = Path(__file__).parents[1] / "golden" / "official-collector-corpus.txt"
RELATIVE = 1e-12
GENERATED, SEED = 6_000, 20261126
BATCH = 200
ARRIVAL_TIMEOUT_S = 60.0
COUNTING = (ours.STATUS_DUPLICATE, ours.STATUS_AGGREGATE)
SERVER_KIND, CLIENT_KIND = 2, 3
LATELY_NS = 1_795_000_000_000_000_000  # in November 2026
TODAY = date(2026, 11, 26)
EPOCH = date(1970, 1, 1)
DETAILED = EnrichSettings(full=True)


@dataclass(frozen=True)
class Pair:
    """One span as it was sent, and what each of the two wrote on it."""

    sent: ReceivedSpan
    mine: Mapping[str, AttributeValue]
    theirs: Mapping[str, AttributeValue]

    @property
    def status(self) -> AttributeValue:
        return self.mine.get(ours.STATUS)

    @property
    def equal(self) -> bool:
        return self.mine.keys() == self.theirs.keys() and all(
            isclose(value, self.theirs[key], rel_tol=RELATIVE)  # type: ignore[arg-type]  # a float's twin is one
            if isinstance(value, float)
            else value == self.theirs[key]
            for key, value in self.mine.items()
        )


def added(span: ReceivedSpan) -> dict[str, AttributeValue]:
    return {key: value for key, value in span.attributes.items() if key.startswith(f"{ours.ROOT}.")}


def key_of(span: ReceivedSpan) -> tuple[bytes, bytes]:
    return span.span.trace_id, span.span.span_id


def spans_of(bodies: Iterable[bytes]) -> list[ReceivedSpan]:
    return [span for body in bodies for span in received_spans(ExportTraceServiceRequest.FromString(body))]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("export"))


def export(folder: Path, *choice: str) -> Path:
    path = folder / "transform.yaml"
    options = ["registry", "export", "--format", "ottl", "--as-of", TODAY.isoformat(), *choice, "-o", str(path)]
    assert main(options) == exit_codes.DONE
    return path


@pytest.fixture
def instead(tmp_path: Path, exported: Path) -> Iterator[OfficialCollector]:
    with running_otelcol(tmp_path, DEPLOYED / "inside.yaml", exported) as official:
        yield official


def enriched_by(official: OfficialCollector, bodies: list[bytes]) -> list[ReceivedSpan]:
    """The spans as the official Collector wrote them, in the order sent."""
    sent = len(spans_of(bodies))
    with httpx.Client(timeout=30.0) as client:
        for at in range(0, len(bodies), BATCH):
            body = b"".join(bodies[at : at + BATCH])  # concatenated requests are one request
            client.post(f"{official.http_endpoint}/v1/traces", content=body, headers=PROTOBUF).raise_for_status()

    def arrived() -> list[ReceivedSpan] | None:
        spans = [span for request in official.requests() for span in received_spans(request)]
        return spans if len(spans) >= sent else None

    return wait_until(arrived, timeout_s=ARRIVAL_TIMEOUT_S, what=f"{sent} spans in the file")


def pairs(sent: list[ReceivedSpan], mine: list[ReceivedSpan], theirs: list[ReceivedSpan]) -> list[Pair]:
    by_key = {key_of(span): added(span) for span in theirs}
    return [Pair(span, added(of_ours), by_key[key_of(span)]) for span, of_ours in zip(sent, mine, strict=True)]


_READER = SpanReader()
_REGISTRY = Registry.bundled().as_of(TODAY)
_MODELS = model_table(_REGISTRY, TODAY)


def why_left(pair: Pair) -> str:
    """Why the export leaves a span that ours judges, from what the span says; empty when nothing explains it."""
    found, scope = pair.sent.attributes, pair.sent.scope
    dialect = _READER.dialect_of(scope)
    if not found.keys().isdisjoint(foreign_telltales()) if dialect is None else dialect.name not in HANDLED_DIALECTS:
        return "a dialect with names of its own"
    if scope.startswith(OTHER_BASIS_SCOPES) or _parts_beside_totals(found):
        return "token counts with a basis of their own"
    if pair.sent.span.kind == SERVER_KIND:
        return "the span of a server"
    if pair.mine.get(ours.REASON) in (reasons.INVALID_USAGE, reasons.ABSURD_USAGE, reasons.PARTS_EXCEED_WHOLE):
        return "counts that make no sense"
    if not any(found.get(f"gen_ai.usage.{which}_tokens") for which in ("input", "output")):
        return "no tokens, or both counts zero"
    if pair.status == ours.STATUS_AGGREGATE or found.get("gen_ai.operation.name") == INVOKE_AGENT:
        return "the span of an agent, or a sum over others"
    return _why_model_left(found, pair.sent.span.start_time_unix_nano // NS_PER_DAY)


def _parts_beside_totals(found: Mapping[str, AttributeValue]) -> bool:
    """Whether there are more cached tokens than input, or more reasoning than output: they were left out there."""

    def count(name: str) -> int:
        told = found.get(f"gen_ai.usage.{name}")
        return told if isinstance(told, int) else 0

    cached = count("cache_read.input_tokens") + count("cache_creation.input_tokens")
    return cached > count("input_tokens") or count("reasoning.output_tokens") > count("output_tokens")


def _why_model_left(found: Mapping[str, AttributeValue], day_number: int) -> str:
    names = (found.get("gen_ai.response.model"), found.get("gen_ai.request.model"))
    told = next((name for name in names if isinstance(name, str) and name.lower() not in ("", "none")), "")
    row_number = _MODELS.row_of_name.get(told.removeprefix("models/").strip().lower())
    if "ollama" in (found.get("gen_ai.provider.name"), found.get("gen_ai.system")) and ":" not in told:
        return "a name of Ollama without a tag, which means the one with :latest"
    if row_number is None:
        return "a model that is known by its family or a rule of spelling only"
    first, last = _MODELS.rows[row_number].days
    if not first <= EPOCH + timedelta(days=day_number) <= (last or date.max):
        return "a day on which other facts hold"
    return ""


def test_every_generated_span_that_it_handles_has_the_attributes_that_ours_writes(instead: OfficialCollector) -> None:
    bodies = list(Draw(_REGISTRY, SEED).requests(GENERATED))
    enrich = TracesEnricher(Enricher(_REGISTRY))
    mine = spans_of(enrich(body) for body in bodies)
    found = pairs(spans_of(bodies), mine, enriched_by(instead, bodies))

    handled = [pair for pair in found if pair.theirs]
    assert [pair for pair in handled if not pair.equal] == []
    assert len(handled) > 0.75 * GENERATED
    assert {pair.mine.get(ours.REASON) for pair in handled} >= {
        None,
        reasons.NO_USAGE,
        reasons.ZONE_UNKNOWN,
        reasons.OPERATION_NOT_COVERED,
        reasons.MODEL_NOT_NAMED,
    }
    assert [pair for pair in found if pair.mine and not pair.theirs and not why_left(pair)] == []
    coefficients = {pair.theirs.get(ours.COEFFICIENT_ID) for pair in handled}
    assert len(coefficients) > 500, "most models were among them"


def test_recorded_spans_are_equal_or_left_for_a_reason_and_calls_of_several_spans_count_more_than_once(
    instead: OfficialCollector,
) -> None:
    bodies = [body for recorded in captures() for body in recorded.traces]
    found = pairs(spans_of(bodies), as_ours_writes(EnrichSettings()), enriched_by(instead, bodies))
    detailed = map(added, as_ours_writes(DETAILED))
    tally = Counter(_outcome(pair, details) for pair, details in zip(found, detailed, strict=True))
    assert not {outcome for outcome in tally if outcome.startswith("WRONG")}
    lines = (f"{count:5} {outcome}" for outcome, count in sorted(tally.items()))
    check_golden(GOLDEN, "\n".join(("spans what became of them in the official Collector", *lines)) + "\n")


def as_ours_writes(settings: EnrichSettings) -> list[ReceivedSpan]:
    """The recorded spans, each capture through a collector of its own."""
    written = []
    for recorded in captures():
        enrich = TracesEnricher(Enricher(_REGISTRY, settings))
        written += [span for body in recorded.traces for span in spans_of([enrich(body)])]
    return written


def _outcome(pair: Pair, details: Mapping[str, AttributeValue]) -> str:
    """What became of a span, in words; those that must not be begin with WRONG."""
    if not pair.mine:
        return "no inference, left" if not pair.theirs else "WRONG: written where ours writes nothing"
    status = str(pair.status)
    if not pair.theirs:
        why = why_left(pair)
        return f"left: {why} ({status} for ours)" if why else f"WRONG: left without a reason, {pair}"
    if status in COUNTING:
        return f"counted though it is another span's call ({status} for ours)"
    if pair.equal:
        return f"equal ({status})"
    if DETAILS_FROM_TWIN in str(details.get(ours.ASSUMPTIONS)):
        return f"without cached or reasoning tokens that another span of the call tells ({status} for ours)"
    return f"WRONG: other attributes than ours, {pair}"


def call(provider: str, asked_for: str, answered: str = "", region: str = "") -> bytes:
    """A request with one plain span of a call."""
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=randbytes(16), span_id=randbytes(8), kind=CLIENT_KIND, start_time_unix_nano=LATELY_NS, name="chat"
        )
    )
    texts = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": asked_for,
        "gen_ai.response.model": answered,
        "cloud.region": region,
    }
    for key, text in texts.items():
        if text:
            span.attributes.add(key=key).value.string_value = text
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 1000
    span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = 200
    return request.SerializeToString()


def test_a_choice_handles_what_was_chosen_and_leaves_the_rest(tmp_path: Path) -> None:
    choice = ("--provider", "open_ai", "--model", "GPT-4o", "--model", "nobody-knows-it-7b", "--region", "fra")
    handled = [
        call("openai", "gpt-4o"),
        call("openai", "gpt-4o", region="FRA"),
        call("openai", "nobody-knows-it-7b"),
        call("", "gpt-4o", region="fra"),
    ]
    left = [
        call("anthropic", "gpt-4o"),  # another provider
        call("openai", "gpt-4o-mini"),  # another model
        call("openai", "gpt-4o", region="us-east-1"),  # another region
        call("openai", "gpt-4o", "nobody-knows-it-7b"),  # known by its family only, so that the other name tells more
    ]
    bodies = [*handled, *left]
    mine = spans_of(TracesEnricher(Enricher(_REGISTRY))(body) for body in bodies)
    with running_otelcol(tmp_path, DEPLOYED / "inside.yaml", export(tmp_path, *choice)) as official:
        found = pairs(spans_of(bodies), mine, enriched_by(official, bodies))
    assert [(bool(pair.theirs), pair.equal) for pair in found] == [(True, True)] * 4 + [(False, False)] * 4


def test_its_metrics_add_up_what_it_wrote(instead: OfficialCollector) -> None:
    bodies = list(Draw(_REGISTRY, SEED).requests(BATCH))
    written = [added(span) for span in enriched_by(instead, bodies)]
    energy_kwh = sum(found.get(ours.ENERGY_KWH, 0.0) for found in written)  # type: ignore[misc]  # a float

    def page() -> str | None:
        text = httpx.get(f"http://{instead.metrics_target}/metrics").text
        return text if "otel_carbon_per_span_energy_joules_total" in text else None

    text = wait_until(page, timeout_s=ARRIVAL_TIMEOUT_S, what="a page with energy")
    joules = counter(text, "otel_carbon_per_span_energy_joules_total")
    assert joules == pytest.approx(energy_kwh * 3_600_000, rel=1e-9)
    by_status = Counter(str(found.get(ours.STATUS, "left")) for found in written)
    for status, count in by_status.items():
        assert counter(text, "otel_carbon_per_span_spans_total", otel_carbon_status=status) == count
