"""Traces requests of any shape that OTLP allows, as hypothesis draws them, and enrichment of them by a fresh domain."""

from __future__ import annotations

import base64
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_carbon.counting.window import CountingWindow
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.message import Message

NOTHING: Mapping[str, str | float] = MappingProxyType({})
START_NS = 1_780_000_000 * 10**9
LONG_TEXT_CHARACTERS = 100_000
_ID_NAMES = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def fresh_enricher(*, full: bool = False, **settings: Any) -> Enricher:
    """A counting domain without a past, whose clock stands still."""
    return Enricher(Registry.bundled(), EnrichSettings(full=full, **settings), CountingWindow(lambda: 0.0))


def canonical(body: bytes) -> bytes:
    """A request as the official classes write it: two bodies with equal canonical bytes say the same."""
    return ExportTraceServiceRequest.FromString(body).SerializeToString(deterministic=True)


def otlp_json(message: Message, **options: Any) -> bytes:
    """The official JSON of a message, with ids in hex as OTLP has them."""
    return json.dumps(_with_hex_ids(json_format.MessageToDict(message, **options))).encode()


def _with_hex_ids(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: base64.b64decode(inner).hex() if key in _ID_NAMES else _with_hex_ids(inner)
            for key, inner in node.items()
        }
    return [_with_hex_ids(inner) for inner in node] if isinstance(node, list) else node


def varint(number: int, padding: int = 0) -> bytes:
    """A varint with `padding` bytes more than it needs."""
    groups = []
    while True:
        groups.append(number & 0x7F)
        number >>= 7
        if not number:
            break
    groups += [0] * padding
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])


def field(number: int, content: bytes, tag_padding: int = 0, length_padding: int = 0) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | LENGTH, tag_padding) + varint(len(content), length_padding) + content


def attribute(key: str, value: str | float) -> KeyValue:
    """An attribute of the kind that its Python value has."""
    pair = KeyValue(key=key)
    kind = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[type(value)]
    setattr(pair.value, kind, value)
    return pair


def inference_span(number: int = 1, model: str = "gpt-4o", more: Mapping[str, str | float] = NOTHING) -> Span:
    """A span of a chat call with 800 input and 300 output tokens."""
    said: dict[str, str | float] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 800,
        "gen_ai.usage.output_tokens": 300,
    }
    attributes = [attribute(key, value) for key, value in (said | dict(more)).items()]
    return Span(
        trace_id=number.to_bytes(16),
        span_id=number.to_bytes(8),
        name="chat",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=START_NS + number,
        end_time_unix_nano=START_NS + number + 10**9,
        attributes=attributes,
    )


def foreign_span(number: int = 900, more: Mapping[str, str | float] = NOTHING) -> Span:
    """A span of a web request."""
    attributes = [attribute("http.request.method", "GET"), *(attribute(key, value) for key, value in more.items())]
    return Span(trace_id=number.to_bytes(16), span_id=number.to_bytes(8), name="GET /", attributes=attributes)


def request_of(*spans: Span, scope: str = "tests", service: str = "shop") -> ExportTraceServiceRequest:
    """A request with one resource and one scope."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(attribute("service.name", service))
    resource_spans.scope_spans.add(scope=InstrumentationScope(name=scope), spans=spans)
    return request


def spans_of(body: bytes) -> list[Span]:
    """Every span, in order."""
    request = ExportTraceServiceRequest.FromString(body)
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def attributes_of(span: Span) -> dict[str, Any]:
    """Attributes of a span; of duplicate keys the last."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in span.attributes}


def without_ours(body: bytes) -> bytes:
    """The canonical request with our attributes taken off."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                kept = [pair for pair in span.attributes if not pair.key.startswith("otel_carbon.")]
                del span.attributes[:]
                span.attributes.extend(kept)
    return request.SerializeToString(deterministic=True)


# Keys and texts: ours to read, or anybody's.
_TEXTS_READ: dict[str, tuple[str, ...]] = {
    "gen_ai.operation.name": ("chat", "Chat", "embeddings", "execute_tool", "invoke_agent", "plan", "brand_new", ""),
    "gen_ai.provider.name": ("openai", "anthropic", "az.ai.openai", "nobody"),
    "gen_ai.system": ("openai", "vertex_ai"),
    "gen_ai.request.model": ("gpt-4o", "gpt-4o-mini", "no-such-image-1", ""),
    "gen_ai.response.model": ("gpt-4o-2024-08-06", "claude-sonnet-4-5"),
    "gen_ai.response.id": ("resp-1", "resp-2"),
    "server.address": ("api.openai.com", "bedrock-runtime.eu-west-1.amazonaws.com", "localhost"),
    "cloud.region": ("us-east-1", "eu-north-1", "nowhere-9"),
    "error.type": ("timeout",),
    "otel_carbon.tenant": ("a", "b"),
    "otel_carbon.status": ("estimated", "unestimated", "aggregate", "duplicate", "nonsense"),
}
_COUNTS_READ = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.aggregated_usage.input_tokens",
)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_COUNTS = st.one_of(
    st.integers(0, 20_000), st.sampled_from([0, 127, 128, 16_383, 16_384, -1, 10**8, 10**8 + 1]), _INT64
)


def _long(text: str) -> str:
    return text * LONG_TEXT_CHARACTERS


_TEXT = st.one_of(st.text(max_size=20), st.just("x").map(_long), st.just("look: gen_ai.usage.input_tokens=3"))


def _as_value(**kind: Any) -> AnyValue:
    return AnyValue(**kind)


LEAF_VALUES: st.SearchStrategy[AnyValue] = st.one_of(
    st.builds(_as_value),
    st.builds(_as_value, string_value=_TEXT),
    st.builds(_as_value, int_value=_INT64),
    st.builds(_as_value, double_value=st.floats(allow_nan=False) | st.just(float("nan"))),
    st.builds(_as_value, bool_value=st.booleans()),
    st.builds(_as_value, bytes_value=st.binary(max_size=20)),
)
_COUNT_VALUES: st.SearchStrategy[AnyValue] = st.one_of(
    st.builds(_as_value, int_value=_COUNTS),
    st.builds(_as_value, int_value=st.integers(0, 5_000)),
    st.builds(_as_value, double_value=st.sampled_from([3.0, 2.5, float("nan"), float("inf")])),
    st.builds(_as_value, string_value=st.sampled_from(["12", " 7 ", "many", "٣"])),
    st.builds(_as_value),
)


def _nested(inner: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    lists = st.lists(inner, max_size=3).map(lambda values: AnyValue(array_value=ArrayValue(values=values)))
    pairs = st.lists(st.builds(KeyValue, key=st.text(max_size=5), value=inner), max_size=3)
    return lists | pairs.map(lambda found: AnyValue(kvlist_value=KeyValueList(values=found)))


ANY_VALUES: st.SearchStrategy[AnyValue] = st.recursive(LEAF_VALUES, _nested, max_leaves=4)
_READ_TEXT_PAIRS = st.sampled_from([(key, text) for key, texts in _TEXTS_READ.items() for text in texts])
ATTRIBUTES: st.SearchStrategy[KeyValue] = st.one_of(
    _READ_TEXT_PAIRS.map(lambda pair: attribute(*pair)),
    _READ_TEXT_PAIRS.map(lambda pair: attribute(*pair)),
    st.builds(KeyValue, key=st.sampled_from(_COUNTS_READ), value=_COUNT_VALUES),
    st.builds(KeyValue, key=st.sampled_from(_COUNTS_READ), value=_COUNT_VALUES),
    st.builds(KeyValue, key=st.sampled_from([*_TEXTS_READ, *_COUNTS_READ, "service.name"]), value=ANY_VALUES),
    st.builds(KeyValue, key=_TEXT, value=ANY_VALUES),
)
_RESOURCE_KEYS = st.sampled_from(["service.name", "deployment.environment.name", "cloud.region", "otel_carbon.tenant"])
_RESOURCE_ATTRIBUTES = st.builds(KeyValue, key=_RESOURCE_KEYS, value=ANY_VALUES) | ATTRIBUTES


@st.composite
def unknown_fields(draw: st.DrawFn) -> bytes:
    """Fields of a later version of OTLP."""
    number = draw(st.sampled_from([100, 5000]))
    return draw(
        st.sampled_from(
            [
                b"",
                varint(number << 3 | VARINT) + varint(2**63),
                varint(number << 3 | FIXED64) + bytes(8),
                varint(number << 3 | FIXED32) + bytes(4),
                field(number, b"gen_ai.later"),
            ]
        )
    )


@st.composite
def spans(draw: st.DrawFn) -> bytes:
    """An encoded span; few ids and times, so that parents, twins and second deliveries occur."""
    start_ns = START_NS + draw(st.integers(0, 3)) * 10**9
    ids = st.sampled_from([b"", bytes(8), *(number.to_bytes(8) for number in range(1, 6))])
    span = Span(
        trace_id=draw(st.sampled_from([b"", bytes(16), (1).to_bytes(16), (1).to_bytes(16)])),
        span_id=draw(ids),
        parent_span_id=draw(ids),
        trace_state=draw(
            st.text(max_size=3) | st.sampled_from(["ot=th:8", "a=b,ot=rv:0123456789abcd;th:c", "ot=th:0"])
        ),
        name=draw(_TEXT),
        flags=draw(st.integers(0, 2**32 - 1)),
        start_time_unix_nano=draw(st.sampled_from([0, start_ns, start_ns, start_ns, 2**64 - 1])),
        end_time_unix_nano=draw(st.sampled_from([0, start_ns + 2 * 10**9, start_ns + 2 * 10**9])),
        attributes=draw(st.lists(ATTRIBUTES, max_size=8)),
        dropped_attributes_count=draw(st.integers(0, 3)),
        events=[Span.Event(name="e", attributes=draw(st.lists(ATTRIBUTES, max_size=1)), dropped_attributes_count=1)],
        links=[Span.Link(span_id=b"12345678", attributes=draw(st.lists(ATTRIBUTES, max_size=1)))],
        dropped_events_count=draw(st.integers(0, 3)),
        dropped_links_count=draw(st.integers(0, 3)),
        status=Status(code=draw(st.sampled_from(Status.StatusCode.values())), message=draw(st.text(max_size=3))),
    )
    kind = varint(6 << 3 | VARINT) + varint(draw(st.sampled_from([0, 1, 2, 3, 5, 9])), draw(st.integers(0, 2)))
    return span.SerializeToString() + kind + draw(unknown_fields())


@st.composite
def _container(draw: st.DrawFn, pieces: st.SearchStrategy[tuple[int, bytes]], max_size: int) -> bytes:
    """Length-delimited fields in any order, some spelled longer than needed, with unknown fields between."""
    encoded = b""
    for number, content in draw(st.lists(pieces, max_size=max_size)):
        paddings = (draw(st.sampled_from([0, 0, 0, 0, 1, 2])) for _ in range(2))
        encoded += field(number, content, *paddings) + draw(unknown_fields())
    return encoded


@st.composite
def _headers(draw: st.DrawFn, kind: type[Resource] | type[InstrumentationScope]) -> bytes:
    attributes = draw(st.lists(_RESOURCE_ATTRIBUTES, max_size=3))
    header = kind(attributes=attributes, dropped_attributes_count=draw(st.integers(0, 2)))
    if isinstance(header, InstrumentationScope):
        header.name = draw(st.sampled_from(["", "openai", "langchain", "other"]))
    return header.SerializeToString() + draw(unknown_fields())


def _numbered(number: int, contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[int, bytes]]:
    return contents.map(lambda content: (number, content))


def _either(*weighted: st.SearchStrategy[tuple[int, bytes]]) -> st.SearchStrategy[tuple[int, bytes]]:
    return st.one_of(*weighted)


_SCHEMA_URL = _numbered(3, st.just(b"https://example.com/schema"))
_SPAN = _numbered(2, spans())
_SCOPE_SPANS = _container(_either(_SPAN, _SPAN, _SPAN, _numbered(1, _headers(InstrumentationScope)), _SCHEMA_URL), 4)
_SCOPES = _numbered(2, _SCOPE_SPANS)
_RESOURCE_SPANS = _container(_either(_SCOPES, _SCOPES, _numbered(1, _headers(Resource)), _SCHEMA_URL), 3)

REQUESTS: st.SearchStrategy[bytes] = _container(_numbered(1, _RESOURCE_SPANS), 3)
"""Encoded, valid `ExportTraceServiceRequest`s."""


def joined(bodies: Iterable[bytes]) -> bytes:
    """Requests as one: concatenated messages are merged ones."""
    return b"".join(bodies)
