"""Our JSON of OTLP against protobuf's own, which is the oracle: equal but for the order of keys."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_writer import json_from_logs, json_from_metrics, json_from_traces
from tests.bench.load import traces_request
from tests.support.corpus import captures
from tests.unit.otlp.messages import ANY_VALUES, REQUESTS, otlp_json

if TYPE_CHECKING:
    from collections.abc import Callable


WRITERS: dict[type[Message], Callable[[bytes], bytes]] = {
    ExportTraceServiceRequest: json_from_traces,
    ExportMetricsServiceRequest: json_from_metrics,
    ExportLogsServiceRequest: json_from_logs,
}
SLOW_DRAWS = (HealthCheck.too_slow, HealthCheck.data_too_large)
INT32, INT64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
UINT32, UINT64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=8),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=17),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 3),
    FieldDescriptor.TYPE_INT32: INT32,
    FieldDescriptor.TYPE_SINT32: INT32,
    FieldDescriptor.TYPE_UINT32: UINT32,
    FieldDescriptor.TYPE_FIXED32: UINT32,
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_SFIXED64: INT64,
    FieldDescriptor.TYPE_UINT64: UINT64,
    FieldDescriptor.TYPE_FIXED64: UINT64,
}


@st.composite
def filled(draw: st.DrawFn, message: Message) -> Message:
    """A message with any of its fields set, whatever these are in the version of OTLP that is installed."""
    for field in message.DESCRIPTOR.fields:
        if draw(st.booleans()):
            continue
        if field.message_type is None:
            values = draw(st.lists(SCALARS[field.type], max_size=2) if field.is_repeated else SCALARS[field.type])
            if field.is_repeated:
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, values)
        elif field.message_type is AnyValue.DESCRIPTOR:
            getattr(message, field.name).CopyFrom(draw(ANY_VALUES))
        elif field.is_repeated:
            for _ in range(draw(st.integers(1, 2))):
                draw(filled(getattr(message, field.name).add()))
        else:
            getattr(message, field.name).SetInParent()
            draw(filled(getattr(message, field.name)))
    return message


def by_the_oracle(body: bytes, kind: type[Message]) -> Any:
    return json.loads(otlp_json(kind.FromString(body), use_integers_for_enums=True))


def assert_as_by_the_oracle(body: bytes, kind: type[Message]) -> None:
    assert json.loads(WRITERS[kind](body)) == by_the_oracle(body, kind)


@pytest.mark.parametrize("kind", WRITERS, ids=lambda kind: kind.DESCRIPTOR.name)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_DRAWS)
def test_every_field_that_otlp_has_is_written_as_protobuf_does(data: st.DataObject, kind: type[Message]) -> None:
    assert_as_by_the_oracle(data.draw(filled(kind())).SerializeToString(), kind)


@given(body=REQUESTS)
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_DRAWS)
def test_attributes_of_any_form_are_written_as_protobuf_does(body: bytes) -> None:
    assert_as_by_the_oracle(body, ExportTraceServiceRequest)


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=SLOW_DRAWS)
def test_a_damaged_attribute_is_refused_exactly_where_protobuf_refuses_it(data: st.DataObject) -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.add(key=data.draw(st.text(max_size=3))).value.CopyFrom(data.draw(ANY_VALUES))
    raw = bytearray(request.SerializeToString())
    for _ in range(data.draw(st.integers(1, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        expected = by_the_oracle(bytes(raw), ExportTraceServiceRequest)
    except (DecodeError, ValueError):
        with pytest.raises(MalformedBody):
            json_from_traces(bytes(raw))
    else:
        assert json.loads(json_from_traces(bytes(raw))) == expected


def test_every_recording_is_written_as_protobuf_does() -> None:
    for recorded in captures():
        for kind, bodies in zip(WRITERS, (recorded.traces, recorded.metrics, recorded.logs), strict=True):
            for body in bodies:
                assert_as_by_the_oracle(body, kind)


def test_calls_of_which_no_two_are_alike_are_written_three_times_as_fast_as_by_protobuf() -> None:
    bodies = [traces_request(200, genai_share=1.0, seed=seed) for seed in range(5)]
    expected = [otlp_json(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True) for body in bodies]
    assert [len(json_from_traces(body)) for body in bodies] == [
        len(json.dumps(json.loads(each), separators=(",", ":"))) for each in expected
    ]

    def cpu_s(write: Callable[[bytes], object]) -> float:
        began_s = time.thread_time()
        for body in bodies:
            write(body)
        return time.thread_time() - began_s

    ours_s = min(cpu_s(json_from_traces) for _ in range(3))
    protobuf_s = min(cpu_s(lambda body: by_the_oracle(body, ExportTraceServiceRequest)) for _ in range(3))
    assert ours_s * 3 < protobuf_s


@pytest.mark.parametrize("kind", WRITERS, ids=lambda kind: kind.DESCRIPTOR.name)
def test_otlp_has_no_kind_of_field_that_is_not_written(kind: type[Message]) -> None:
    seen: set[str] = set()

    def visit(message: Any) -> None:
        if message.full_name in seen:
            return
        seen.add(message.full_name)
        assert not message.GetOptions().map_entry, message.full_name
        for field in message.fields:
            if field.message_type is not None:
                visit(field.message_type)
            else:
                assert field.type in SCALARS, field.full_name
                assert not (field.is_repeated and field.type == FieldDescriptor.TYPE_BYTES), field.full_name

    visit(kind.DESCRIPTOR)
