"""A counting domain brought back in another process: the same verdicts, nothing booked twice, nothing lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_carbon import attributes as ours
from otel_carbon.counting.window import CountingWindow
from otel_carbon.durable_counting import DurableCounting
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.totals import Totals
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from tests.support.corpus import FOLDERS
from tests.unit.counting.candidates import Clock
from tests.unit.otlp.messages import attributes_of, inference_span, request_of, spans_of

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

GUESSES = "opentelemetry.instrumentation.langchain"
COUNTS = "opentelemetry.instrumentation.openai_v2"
RESPONSE = {"gen_ai.response.id": "resp-1"}


class Domain:
    """A counting domain that tells its changes, at a time of its own clock."""

    def __init__(self, now_s: float = 0.0, settings: EnrichSettings | None = None) -> None:
        self.clock = Clock(now_s)
        self.enricher = Enricher(Registry.bundled(), settings, CountingWindow(self.clock), Totals())
        self.durable = DurableCounting(self.enricher, self.clock)
        self.traces = TracesEnricher(self.enricher)

    def restarted(self, age_s: float = 1.0) -> Domain:
        """What another process makes of all that this one has told."""
        changes = self.durable.take_changes()
        # Hash keys of the first process must be of no use to the second: its clock starts elsewhere, too.
        after = Domain(50_000.0, self.enricher.settings)
        after.durable.restore([(age_s, changes.log)] if changes.log else [], changes.rows)
        return after

    def verdicts(self, body: bytes) -> list[str]:
        return [outcome.verdict for outcome in self.traces.enrich(body)[1]]


def body_of(*spans: Span, scope: str = COUNTS) -> bytes:
    return request_of(*spans, scope=scope).SerializeToString()


RECORDINGS = sorted(file for folder in FOLDERS for file in folder.glob("*.traces*.binpb"))


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.name)
def test_a_recording_sent_again_after_a_restart_is_known_span_by_span(file: Path) -> None:
    before = Domain()
    body = file.read_bytes()
    written, outcomes = before.traces.enrich(body)
    booked = before.enricher.totals.snapshot()
    after = before.restarted()
    assert after.enricher.totals.snapshot() == booked
    again, repeated = after.traces.enrich(body)
    kept_out = {ours.VERDICT_GENAI_OTHER, ours.VERDICT_ALREADY_ENRICHED}
    assert {outcome.verdict for outcome in repeated} <= {ours.VERDICT_REPEATED} | kept_out
    assert [outcome.status for outcome in repeated] == [outcome.status for outcome in outcomes]
    assert statuses(again) == statuses(written)
    assert after.enricher.totals.snapshot().rows == booked.rows
    assert after.enricher.totals.snapshot().operations == booked.operations


def statuses(body: bytes) -> list[object]:
    return [attributes_of(span).get(ours.STATUS) for span in spans_of(body)]


def test_a_twin_that_comes_after_the_restart_is_a_duplicate() -> None:
    before = Domain()
    assert before.verdicts(body_of(inference_span(1, more=RESPONSE))) == [ours.VERDICT_COUNTED]
    after = before.restarted()
    assert after.verdicts(body_of(inference_span(2, more=RESPONSE), scope=GUESSES)) == [ours.VERDICT_DUPLICATE]


def test_the_verdict_that_was_given_stands_whatever_the_next_process_would_have_said() -> None:
    before = Domain()
    before.verdicts(body_of(inference_span(1, more=RESPONSE)))
    texts, ((entry,),) = json.loads(before.durable.take_changes().log)
    texts += ["duplicate", "same_response"]
    entry[1:3] = [len(texts) - 2, len(texts) - 1]  # as an older version might have told of it
    after = Domain(50_000.0)
    after.durable.restore([(1.0, json.dumps([texts, [[entry]]]).encode())], {})
    written, outcomes = after.traces.enrich(body_of(inference_span(1, more=RESPONSE)))
    assert [(outcome.verdict, outcome.reason) for outcome in outcomes] == [(ours.VERDICT_REPEATED, "same_response")]
    assert statuses(written) == [ours.STATUS_DUPLICATE]


@pytest.mark.parametrize(("age_s", "verdict"), [(600.0, ours.VERDICT_COUNTED), (1.0, ours.VERDICT_REPEATED)])
def test_what_was_told_grows_old_from_then_on_and_not_from_the_restart(age_s: float, verdict: str) -> None:
    before = Domain()
    before.verdicts(body_of(inference_span(1)))
    after = before.restarted(age_s)
    after.verdicts(body_of(inference_span(2)))
    after.clock.now_s += (
        600.0  # of two periods that an entry lives at most, the old one has seen one before the restart
    )
    assert after.verdicts(body_of(inference_span(1))) == [verdict]


def test_a_wall_clock_that_was_set_back_makes_nothing_younger_than_now() -> None:
    before = Domain()
    before.verdicts(body_of(inference_span(1)))
    after = before.restarted(age_s=-3600.0)
    assert after.verdicts(body_of(inference_span(1))) == [ours.VERDICT_REPEATED]
    after.clock.now_s += 2 * 600.0 + 1
    after.verdicts(body_of(inference_span(2)))
    after.clock.now_s += 600.0
    assert after.verdicts(body_of(inference_span(1))) == [ours.VERDICT_COUNTED]


def test_only_what_changed_is_told_and_only_once() -> None:
    domain = Domain()
    domain.verdicts(body_of(inference_span(1)))
    first = domain.durable.take_changes()
    assert first.log
    assert domain.durable.take_changes() == (b"", {})
    domain.verdicts(body_of(inference_span(1)))  # again: only the counter of spans moves
    again = domain.durable.take_changes()
    assert again.log == b""
    assert [json.loads(key)[0] for key in again.rows] == ["spans"]


def test_totals_go_on_where_they_were() -> None:
    before = Domain()
    before.verdicts(body_of(inference_span(1)))
    after = before.restarted()
    after.verdicts(body_of(inference_span(2)))
    whole = Domain()
    whole.verdicts(body_of(inference_span(1)))
    whole.verdicts(body_of(inference_span(2)))
    (went_on,), (at_once,) = (
        after.enricher.totals.snapshot().rows.values(),
        whole.enricher.totals.snapshot().rows.values(),
    )
    assert went_on == pytest.approx(at_once, rel=1e-12)
    assert after.enricher.totals.snapshot().operations == whole.enricher.totals.snapshot().operations


def test_gateways_and_services_counted_from_metrics_are_remembered_as_such() -> None:
    settings = EnrichSettings(pass_through=frozenset({"gateway"}), usage_source={"agent": "metrics"})
    before = Domain(0.0, settings)
    relayed = request_of(inference_span(1, more=RESPONSE), service="gateway").SerializeToString()
    from_metrics = request_of(inference_span(3), service="agent").SerializeToString()
    assert before.verdicts(relayed) == [ours.VERDICT_DUPLICATE]
    assert before.verdicts(from_metrics) == [ours.VERDICT_DUPLICATE]
    after = before.restarted()
    assert after.verdicts(from_metrics) == [ours.VERDICT_REPEATED]


def test_an_entry_that_cannot_be_read_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    before = Domain()
    before.verdicts(body_of(inference_span(1)))
    changes = before.durable.take_changes()
    after = Domain(50_000.0)
    after.durable.restore([(2.0, b"[[], [[[]]]]"), (1.5, b"not JSON"), (1.0, changes.log)], changes.rows)
    assert after.verdicts(body_of(inference_span(1))) == [ours.VERDICT_REPEATED]
    assert [record.getMessage() for record in caplog.records] == [
        "2 entries of the counting log cannot be read; what they say is forgotten"
    ]
