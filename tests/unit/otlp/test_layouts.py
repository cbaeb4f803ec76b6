"""Which spans are spared the long way, and what learning that may cost."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_carbon.core.footprint import Unestimated
from otel_carbon.otlp import layouts
from otel_carbon.otlp.layouts import LEARNING_COSTS, MAX_OF_ONE_LENGTH, MAX_SPAN_BYTES, MOST_SPARED
from otel_carbon.otlp.traces import TracesEnricher
from tests.unit.otlp.messages import START_NS, attribute, fresh_enricher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.enricher import Observation

CHAT: Mapping[str, str | float] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o",
    "gen_ai.response.id": "chatcmpl-0001",
    "gen_ai.usage.input_tokens": 900,
    "gen_ai.usage.output_tokens": 300,
    "user.id": "u-17",
}


def chat(
    number: int,
    *,
    told: Mapping[str, str | float] = CHAT,
    kind: Span.SpanKind.ValueType = Span.SPAN_KIND_CLIENT,
    parent: bool = True,
    twice: tuple[str, str] | None = None,
) -> bytes:
    """A request of one span; every number gives other ids and times."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = "opentelemetry.instrumentation.openai_v2"
    source = random.Random(number)
    span = scope_spans.spans.add(
        trace_id=source.randbytes(16),
        span_id=source.randbytes(8),
        parent_span_id=source.randbytes(8) if parent else b"",
        name="chat gpt-4o",
        kind=kind,
        start_time_unix_nano=START_NS + number,
        end_time_unix_nano=START_NS + number + 10**9,
    )
    span.attributes.extend(attribute(key, value) for key, value in [*told.items(), *([twice] if twice else [])])
    return request.SerializeToString()


class Reader(TracesEnricher):
    """Notes how many spans were read the long way."""

    def __init__(self) -> None:
        super().__init__(fresh_enricher())
        self.long_ways = 0

    def _view(self, *arguments: object) -> object:  # type: ignore[override]  # only passed on
        self.long_ways += 1
        return super()._view(*arguments)  # type: ignore[arg-type]  # only passed on

    def one(self, body: bytes) -> Observation:
        """What is read of a request with one span."""
        (observation,) = self.read(body).observations
        return observation


def test_a_span_like_one_before_is_read_by_its_layout() -> None:
    reader = Reader()
    reader.one(chat(1))

    second = reader.one(chat(2, told={**CHAT, "gen_ai.usage.input_tokens": 901, "user.id": "u-18"}))

    assert reader.long_ways == 1
    assert second.reading.tokens is not None
    assert tuple(second.reading.tokens) == (901, 0, 0, 300, 0)
    assert second.candidate.start_ns == START_NS + 2


def test_another_model_of_a_name_as_long_is_met_once_the_long_way() -> None:
    reader = Reader()
    reader.one(chat(1))

    others = [reader.one(chat(number, told={**CHAT, "gen_ai.response.model": "gpt-4x"})) for number in (2, 3)]

    assert [each.reading.profile.model for each in others] == ["gpt-4x", "gpt-4x"]
    assert reader.long_ways == 2


def test_a_span_without_parent_and_usage_is_read_by_its_layout_too() -> None:
    reader = Reader()
    bodies = [
        chat(number, parent=False, told={"gen_ai.operation.name": "chat", "gen_ai.request.model": "o3"})
        for number in (1, 2)
    ]

    readings = [reader.one(body) for body in bodies]

    assert reader.long_ways == 1
    assert [each.candidate.parent_key for each in readings] == [0, 0]
    assert [each.reading.problem for each in readings] == [Unestimated("no_usage")] * 2


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(chat(1, kind=Span.SPAN_KIND_SERVER), id="a server's, whose region may be its resource's"),
        pytest.param(chat(1, twice=("user.id", "u-19")), id="with an attribute twice"),
        pytest.param(chat(1, told={**CHAT, "note": "x" * MAX_SPAN_BYTES}), id="long"),
        pytest.param(chat(1, told={**CHAT, "gen_ai.request.model": "x" * 300}), id="with a long name"),
        pytest.param(chat(1, told={**CHAT, "otel_carbon.metered.boundary": "it"}), id="metered"),
    ],
)
def test_other_spans_are_read_the_long_way_each_time(body: bytes) -> None:
    reader = Reader()

    reader.one(body)
    reader.one(body)

    assert reader.long_ways == 2


def test_spans_of_which_no_two_are_alike_cost_a_bounded_amount_of_learning() -> None:
    reader = Reader()
    for length in range(1000):
        reader.one(chat(length, told={**CHAT, "user.id": "u" * length}))

    assert len(reader._layouts._known) == MOST_SPARED // 2 // LEARNING_COSTS


def test_what_layouts_spare_pays_for_learning_another() -> None:
    reader = Reader()
    for length in range(1000):
        reader.one(chat(length, told={**CHAT, "user.id": "u" * length}))
    learned = len(reader._layouts._known)
    for number in range(LEARNING_COSTS):
        reader.one(chat(number, told={**CHAT, "user.id": "u"}))

    reader.one(chat(1, told={**CHAT, "user.id": "u" * 1001}))

    assert len(reader._layouts._known) == learned + 1


def test_layouts_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MAX_KNOWN", 10 * 8)
    reader = Reader()
    for length in range(25):
        reader.one(chat(length, told={**CHAT, "user.id": "u" * length}))

    assert len(reader._layouts._known) == 25 - 10 - 10


def test_texts_are_bounded_in_number_over_all_layouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MAX_KNOWN", 2 * 8 + 100)
    reader = Reader()
    most = 0
    for number in range(1000):
        long = "user" * (number % 2)  # two layouts
        reader.one(chat(number, told={**CHAT, "gen_ai.request.model": f"model-{number:04}", "user.id": long}))
        kept = [layout for known in reader._layouts._known.values() for layout in known]
        most = max(most, sum(len(layout.profiles) for layout in kept))

    assert most == 2 + 100


def test_a_length_has_a_few_layouts_of_which_the_newest_is_tried_first() -> None:
    reader = Reader()
    for letter in "abcdefgh":
        reader.one(chat(1, told={**CHAT, f"note.{letter}": "x"}))

    (known,) = reader._layouts._known.values()

    assert len(known) == MAX_OF_ONE_LENGTH
    reader.one(chat(2, told={**CHAT, "note.h": "y"}))
    assert reader.long_ways == len("abcdefgh")
