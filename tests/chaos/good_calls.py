"""Well-formed requests that a bystander sends during an attack, and the sink that tells what became of them."""

from __future__ import annotations

import math
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from otel_carbon.otlp.any_value import key_value
from tests.bench.load import START_NS, genai_attributes
from tests.chaos import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_carbon.spans.write import AttributeValue

MARK = b"bystander"
TRACE_ID_BYTES = 16
STATUS_KEY = "otel_carbon.status"
ENERGY_KEY = "otel_carbon.energy_kwh"
JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Call:
    """One model call that is reported once."""

    trace_id: bytes
    attributes: dict[str, AttributeValue]
    request: bytes


def trace_id(number: int, seed: int = 0) -> bytes:
    """The trace id by which a call is known at the sink."""
    return MARK + (seed << 32 | number).to_bytes(TRACE_ID_BYTES - len(MARK), "big")


def good_call(number: int, *, seed: int = 0, times_ns: tuple[int, int] | None = None) -> Call:
    """A call like no other, as one request with one span.

    Args:
        number: of the call.
        seed: of what is drawn; also a part of its trace id.
        times_ns: begin and end of the span since 1970, in nanoseconds; by default a second of some day in 2026.
    """
    source = random.Random(f"{seed}:{number}")
    attributes = genai_attributes(source)
    identity = trace_id(number, seed)
    begin_ns = START_NS + number * 1000
    start_ns, end_ns = times_ns or (begin_ns, begin_ns + 10**9)
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(key_value("service.name", "bystander"))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "opentelemetry.instrumentation.genai.openai"
    span = scope_spans.spans.add(
        trace_id=identity,
        span_id=source.randbytes(8),
        name="chat",
        kind=3,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=end_ns,
    )
    span.attributes.extend(key_value(key, value) for key, value in attributes.items())
    return Call(identity, attributes, request.SerializeToString())


def twin_of(call: Call, number: int, *, seed: int = 0) -> Call:
    """The same call as another instrumentation tells of it: its response id, in a trace of its own."""
    request = ExportTraceServiceRequest.FromString(call.request)
    scope_spans = request.resource_spans[0].scope_spans[0]
    scope_spans.scope.name = "another.instrumentation"
    identity = trace_id(number, seed)
    scope_spans.spans[0].trace_id = identity
    scope_spans.spans[0].span_id = number.to_bytes(8, "big")
    return Call(identity, call.attributes, request.SerializeToString())


@dataclass(slots=True)
class Arrivals:
    """What has arrived at a backend: of bystanders the verdict of each delivery, of all else its number only."""

    statuses: dict[bytes, list[str]] = field(default_factory=dict)
    energies_kwh: dict[bytes, float] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    body_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, signal: str, body: bytes) -> None:
        """Note one uncompressed body; what others have damaged in it does not matter here."""
        found = list(_bystanders(body)) if signal == "traces" and MARK in body else []
        with self.lock:
            self.requests[signal] += 1
            self.body_bytes += len(body)
            for identity, status, energy_kwh in found:
                self.statuses.setdefault(identity, []).append(status)
                self.energies_kwh[identity] = energy_kwh

    def missing(self, trace_ids: set[bytes]) -> set[bytes]:
        """Those of them that have not arrived."""
        with self.lock:
            return trace_ids - self.statuses.keys()

    def verdicts(self, trace_ids: Iterable[bytes]) -> Counter[str]:
        """How many of them have which status; one that was told differently on two deliveries counts as both."""
        with self.lock:
            return Counter("/".join(sorted(set(self.statuses.get(each, ["nothing"])))) for each in trace_ids)

    def energy_joules(self, trace_ids: Iterable[bytes]) -> float:
        """Modelled energy that their spans tell, together, in joules."""
        with self.lock:
            return math.fsum(self.energies_kwh.get(each, 0.0) for each in trace_ids) * JOULES_PER_KWH


def _bystanders(body: bytes) -> Iterator[tuple[bytes, str, float]]:
    """Trace id, status and energy in kWh; requests of others that were put into the same body may be garbage."""
    for found in wire.split(body):
        piece = body[found.value_start : found.end]
        if found.number != 1 or found.wire_type != wire.LENGTH or MARK not in piece:
            continue
        try:
            resource_spans = ResourceSpans.FromString(piece)
        except DecodeError:
            continue
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                told = {pair.key: pair.value for pair in span.attributes}
                if span.trace_id.startswith(MARK) and STATUS_KEY in told:
                    energy_kwh = told[ENERGY_KEY].double_value if ENERGY_KEY in told else 0.0
                    yield span.trace_id, told[STATUS_KEY].string_value, energy_kwh
