"""A traces request enriched from bytes to bytes: find the spans, judge them together, append what is ours."""

from __future__ import annotations

import struct
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

from google.protobuf.message import DecodeError

from otel_carbon.otlp.any_value import RawAttributes, double_attribute_prefix, span_attribute_bytes
from otel_carbon.otlp.layouts import Layouts
from otel_carbon.otlp.schema import lazy_schema
from otel_carbon.otlp.splice import append_to_spans, find_spans, spans_holding
from otel_carbon.spans.region import SPAN_REGION_KEY
from otel_carbon.spans.view import SpanView, cut_name, resource_view
from otel_carbon.spans.write import AMOUNT_KEYS, amount_values, footprint_texts, status_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_carbon.core.factors import Provenance
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.enricher import Enricher, Observation, Outcome
    from otel_carbon.otlp.schema import LazyPair, LazySpan
    from otel_carbon.otlp.splice import ResourceSlots
    from otel_carbon.spans.view import ResourceView

STATUS_CODE_ERROR = 2
SLOT_BYTES = 128
OBSERVATION_BYTES = 960
"""What is kept in memory of a span and of a GenAI span until it is judged, beside the body; a test weighs them."""
MAX_CACHED_HEADERS = 1000
MAX_CACHED_HEADER_BYTES = 4096


class ReadRequest(NamedTuple):
    """A request whose GenAI spans were read and wait to be judged.

    Attributes:
        body: the request as it came.
        resources: where its spans are; empty without a GenAI span.
        starts: where the content of each GenAI span starts.
        observations: what was read of each GenAI span.
    """

    body: bytes
    resources: list[ResourceSlots]
    starts: list[int]
    observations: list[Observation]

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory, in bytes."""
        spans = sum(len(scope.spans) for resource in self.resources for scope in resource.scopes)
        return len(self.body) + spans * SLOT_BYTES + len(self.observations) * OBSERVATION_BYTES


class TracesEnricher:
    """Callable: an `ExportTraceServiceRequest` in, the same with our attributes on its GenAI spans out.

    Spans of others keep their bytes; a span that cannot be read keeps its own.

    Raises (when called):
        MalformedBody: the bytes are no traces request.
    """

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher
        self._writer = _AttributeWriter(full=enricher.settings.full)
        self._schema = lazy_schema()
        self._layouts = Layouts(enricher)
        self._resources: dict[bytes, ResourceView] = {}
        self._scopes: dict[bytes, tuple[str, str, tuple[bytes, ...]]] = {}
        self._all_markers = _encoded(enricher.reader.markers)
        self._kept = (SPAN_REGION_KEY, enricher.settings.tenant_attribute)

    def __call__(self, body: bytes) -> bytes:
        """Enrich one request."""
        return self.enrich(body)[0]

    def enrich(self, body: bytes) -> tuple[bytes, list[Outcome]]:
        """Enrich one request, and say what became of its GenAI spans."""
        return self._enrich(body, find_spans(body))

    def prepare(self, body: bytes, *, writes: bool = True) -> tuple[int, Callable[[], tuple[bytes, list[Outcome]]]]:
        """Check one request, which takes a thirtieth of enriching it.

        Without `writes` its spans are judged and booked, and nothing is appended to them.

        Returns:
            How many spans it has, and what enriches it.
        """
        resources = find_spans(body)
        spans = sum(len(scope.spans) for resource in resources for scope in resource.scopes)
        return spans, partial(self._enrich, body, resources, writes=writes)

    def _enrich(
        self, body: bytes, resources: list[ResourceSlots], *, writes: bool = True
    ) -> tuple[bytes, list[Outcome]]:
        request = self._read(body, resources)
        if not request.observations:
            return body, []
        outcomes = self._enricher.judge_together(request.observations)
        return self._written(request, outcomes) if writes else body, outcomes

    def enrich_together(self, bodies: Iterable[bytes]) -> list[tuple[bytes, list[Outcome]]]:
        """Enrich requests whose spans are judged together, as if they had come in one; each in the order given."""
        return self.finish([self.read(body) for body in bodies])

    def read(self, body: bytes) -> ReadRequest:
        """Read one request and judge nothing yet; `finish` does."""
        return self._read(body, find_spans(body))

    def _read(self, body: bytes, resources: list[ResourceSlots]) -> ReadRequest:
        starts: list[int] = []
        observations: list[Observation] = []
        for resource in resources:
            self._observe(body, resource, starts, observations)
        return ReadRequest(body, resources if observations else [], starts, observations)

    def finish(self, requests: Sequence[ReadRequest]) -> list[tuple[bytes, list[Outcome]]]:
        """Judge the spans of requests together, and write what became of them into each."""
        outcomes = iter(self._enricher.judge_together([each for request in requests for each in request.observations]))
        judged = [(request, list(islice(outcomes, len(request.observations)))) for request in requests]
        return [(self._written(request, of_request), of_request) for request, of_request in judged]

    def _written(self, request: ReadRequest, outcomes: list[Outcome]) -> bytes:
        write = self._writer.bytes_of
        pairs = zip(request.starts, outcomes, strict=True)
        added = {start: extra for start, outcome in pairs if (extra := write(outcome))}
        return append_to_spans(request.body, request.resources, added)

    def _observe(
        self, body: bytes, resource: ResourceSlots, starts: list[int], observations: list[Observation]
    ) -> None:
        """Read each span that holds a GenAI key somewhere, one at a time: memory just used is fast memory."""
        layouts = self._layouts
        seen_as: ResourceView | None = None
        for scope in resource.scopes:
            try:
                name, version, markers = self._scope(scope.header)
            except DecodeError:
                continue
            for _, start, end in spans_holding(body, scope, markers):
                try:
                    if seen_as is None:
                        seen_as = self._resource_view(resource.header)
                    observation = layouts.observe(body, start, end, name, version, seen_as)
                    if observation is None:
                        view = self._view(body[start:end], name, seen_as, version)
                        observation = self._enricher.observe(view)
                        if observation is not None:
                            layouts.learn(body, start, end, view, observation.reading.profile)
                except DecodeError:
                    continue
                if observation is not None:
                    starts.append(start)
                    observations.append(observation)

    def _scope(self, header: bytes) -> tuple[str, str, tuple[bytes, ...]]:
        """Name and version of a scope, and the texts of which each of its GenAI spans holds one."""
        known = self._scopes.get(header)
        if known is None:
            scope = self._schema.scope.FromString(header)
            dialect = self._enricher.reader.dialect_of(scope.name)
            known = (
                cut_name(scope.name),
                cut_name(scope.version),
                self._all_markers if dialect is None else _encoded(dialect.markers),
            )
            if len(header) <= MAX_CACHED_HEADER_BYTES:
                if len(self._scopes) >= MAX_CACHED_HEADERS:
                    self._scopes.clear()
                self._scopes[header] = known
        return known

    def _resource_view(self, header: bytes) -> ResourceView:
        """The view of a resource; senders repeat the same bytes, so the view is kept."""
        known = self._resources.get(header)
        if known is None:
            known = resource_view(RawAttributes(self._schema.resource.FromString(header).attributes), self._kept)
            if len(header) <= MAX_CACHED_HEADER_BYTES:
                if len(self._resources) >= MAX_CACHED_HEADERS:
                    self._resources.clear()
                self._resources[header] = known
        return known

    def _view(self, span_bytes: bytes, scope: str, resource: ResourceView, version: str) -> SpanView:
        try:
            span = self._schema.span.FromString(span_bytes)
            attributes = span.attributes
        except DecodeError:  # an attribute key is not UTF-8; the others are read all the same
            span = self._schema.lenient_span.FromString(span_bytes)
            attributes = _readable_pairs(span)
        trace_state = span.trace_state
        return SpanView(
            RawAttributes(attributes),
            scope,
            resource,
            span.trace_id,
            span.span_id,
            span.parent_span_id,
            span.kind,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            span.status.code == STATUS_CODE_ERROR,
            version,
            trace_state.decode(errors="replace") if trace_state else "",
        )


def _readable_pairs(span: LazySpan) -> dict[str, bytes]:
    pairs = cast("Iterable[LazyPair]", span.attributes)
    return {pair.key.decode(errors="replace"): pair.value for pair in pairs}


def _encoded(markers: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(marker.encode() for marker in markers)


class _AttributeWriter:
    """Encodes outcomes; texts that recur are encoded once, amounts are packed in one go."""

    __slots__ = ("_full", "_packers")

    def __init__(self, *, full: bool) -> None:
        self._full = full
        self._packers: dict[int, _AmountPacker] = {}

    def bytes_of(self, outcome: Outcome) -> bytes:
        """What to append to the span's bytes."""
        if not outcome.status:
            return b""
        footprint = outcome.footprint
        if footprint is not None:
            texts = _text_bytes(footprint.factors.provenance, footprint.confidence, full=self._full)
            return self._amount_bytes(footprint) + texts
        return span_attribute_bytes(status_attributes(outcome.status, outcome.reason))

    def _amount_bytes(self, footprint: Footprint) -> bytes:
        amounts = amount_values(footprint, full=self._full)
        packer = self._packers.get(len(amounts))
        if packer is None:
            packer = self._packers[len(amounts)] = _AmountPacker(AMOUNT_KEYS[: len(amounts)])
        return packer.pack(amounts)


@lru_cache(maxsize=4096)
def _text_bytes(provenance: Provenance, confidence: str, *, full: bool) -> bytes:
    return span_attribute_bytes(footprint_texts(provenance, confidence, full=full))


class _AmountPacker:
    """Encodes a fixed set of double attributes in one call: only their eight bytes each differ."""

    __slots__ = ("_parts", "_struct")

    def __init__(self, keys: Iterable[str]) -> None:
        prefixes = [double_attribute_prefix(key) for key in keys]
        self._struct = struct.Struct("<" + "".join(f"{len(prefix)}sd" for prefix in prefixes))
        self._parts: list[bytes | float] = [part for prefix in prefixes for part in (prefix, 0.0)]

    def pack(self, amounts: Sequence[float]) -> bytes:
        """The attributes as bytes to append to a span; `amounts` are in the order of the constructor's keys."""
        parts = self._parts.copy()
        parts[1::2] = amounts
        return self._struct.pack(*parts)
