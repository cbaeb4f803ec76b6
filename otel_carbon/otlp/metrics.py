"""A metrics request read for the services that are counted from their metrics; its bytes are never changed."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.metrics.v1.metrics_pb2 import DataPointFlags, ResourceMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.any_value import value_from_message
from otel_carbon.spans.view import MappingAttributes, resource_view
from otel_carbon.usage_metrics.deltas import DEFAULT_MAX_SERIES, Deltas, Reported
from otel_carbon.usage_metrics.profiles import PointProfiles
from otel_carbon.usage_metrics.read import DataPoint, Emitter, UsageReader
from otel_carbon.usage_metrics.sources import known_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import (
        ExponentialHistogramDataPoint,
        HistogramDataPoint,
        Metric,
        NumberDataPoint,
        ScopeMetrics,
    )

    from otel_carbon.enricher import Enricher
    from otel_carbon.spans.view import ResourceView
    from otel_carbon.usage_metrics.read import UsageDelta, UsageNumbers
    from otel_carbon.usage_metrics.sources import UsageMetric

    _Point = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint

MAX_CACHED_RESOURCES = 1000
MAX_CACHED_RESOURCE_BYTES = 4096
_HISTOGRAMS = ("histogram", "exponential_histogram")
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


class _KnownResource(NamedTuple):
    view: ResourceView
    key: int
    counted: bool
    """Whether its service is counted from its metrics."""


class UsageFromMetrics:
    """Callable: books what an `ExportMetricsServiceRequest` says of services whose metrics are counted.

    The metrics of every other service are not decoded.

    Args:
        enricher: the counting domain to book in; its settings name the services.
        now_ns: the clock, in Unix nanoseconds.
        max_series: how many cumulative series are remembered.

    Raises (when called):
        MalformedBody: the bytes are no metrics request.
    """

    def __init__(
        self, enricher: Enricher, now_ns: Callable[[], int] = time.time_ns, max_series: int = DEFAULT_MAX_SERIES
    ) -> None:
        self._enricher = enricher
        settings = enricher.settings
        profiles = PointProfiles(settings.tenant_attribute, settings.models)
        self._reader = UsageReader(Deltas(now_ns, max_series), profiles)
        self._resources: dict[bytes, _KnownResource] = {}

    def __call__(self, body: bytes) -> None:
        """Book one request."""
        self.book(body)

    def book(self, body: bytes) -> list[tuple[UsageDelta, str]]:
        """Book one request, and say what it added, each with the reason why it has no figure, empty when it has."""
        booked: list[tuple[UsageDelta, str]] = []
        failure: Exception | None = None
        for each in self._reader.read(list(self._points(body))):
            try:
                booked.append((each, self._enricher.book_usage(*each)))
            except Exception as error:  # the others are booked all the same: they will not be reported again
                failure = error
        if failure is not None:
            raise failure
        return booked

    def numbers(self) -> UsageNumbers:
        """What has become of the points read so far."""
        return self._reader.numbers()

    def _points(self, body: bytes) -> Iterator[DataPoint]:
        try:
            of_resources = _first_fields(body)
        except DecodeError as error:
            msg = "not an OTLP metrics request"
            raise MalformedBody(msg) from error
        for encoded in of_resources:
            try:
                resource = self._resource(b"".join(_first_fields(encoded)))
                if resource.counted:
                    yield from _points_of(ResourceMetrics.FromString(encoded), resource)
            except DecodeError:
                self._reader.count_unreadable()

    def _resource(self, encoded: bytes) -> _KnownResource:
        """What is said of a resource; senders repeat the same bytes, so it is kept."""
        known = self._resources.get(encoded)
        if known is None:
            attributes = _mapping(Resource.FromString(encoded).attributes)
            view = resource_view(MappingAttributes(attributes))
            counted = self._enricher.settings.counts_metrics_of(view.service)
            known = _KnownResource(view, _hash_of(attributes), counted)
            if len(encoded) <= MAX_CACHED_RESOURCE_BYTES:
                if len(self._resources) >= MAX_CACHED_RESOURCES:
                    self._resources.clear()
                self._resources[encoded] = known
        return known


def _points_of(message: ResourceMetrics, resource: _KnownResource) -> Iterator[DataPoint]:
    for scope_metrics in message.scope_metrics:
        emitter: Emitter | None = None
        for metric in scope_metrics.metrics:
            known = known_metrics().get(metric.name)
            if known is not None:
                emitter = emitter or _emitter(scope_metrics, resource)
                yield from _points_of_metric(metric, known, emitter)


def _emitter(scope_metrics: ScopeMetrics, resource: _KnownResource) -> Emitter:
    scope = scope_metrics.scope
    key = hash((resource.key, scope.name, scope.version, _hash_of(_mapping(scope.attributes))))
    return Emitter(resource.view, scope.name, key)


def _points_of_metric(metric: Metric, known: UsageMetric, emitter: Emitter) -> Iterator[DataPoint]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    temporality = int(getattr(data, "aggregation_temporality", 0))
    adds_up = kind in _HISTOGRAMS or (kind == "sum" and metric.sum.is_monotonic)
    points: Sequence[_Point] = data.data_points
    for point in points:
        if point.flags & _NO_VALUE:  # says that there is nothing to say
            continue
        attributes = _mapping(point.attributes)
        reported = Reported(
            hash((emitter.key, metric.name, _hash_of(attributes))),
            temporality,
            point.start_time_unix_nano,
            point.time_unix_nano,
            _tokens(point, kind),
            cast("HistogramDataPoint", point).count if kind in _HISTOGRAMS else None,
            adds_up,
        )
        yield DataPoint(emitter, known, attributes, reported)


def _tokens(point: _Point, kind: str) -> float | None:
    """The total of a point; a histogram may leave its sum out."""
    if kind in _HISTOGRAMS:
        histogram = cast("HistogramDataPoint", point)
        return histogram.sum if histogram.HasField("sum") or not histogram.count else None
    if kind != "sum":
        return 0
    number = cast("NumberDataPoint", point)
    which = number.WhichOneof("value")
    return None if which is None else getattr(number, which)


def _mapping(attributes: Iterable[KeyValue]) -> dict[str, object]:
    return {attribute.key: value_from_message(attribute.value) for attribute in attributes}


def _hash_of(attributes: Mapping[str, object]) -> int:
    """Equal for equal attributes; by their texts, as one that is no number would not even equal itself."""
    return hash(frozenset((key, repr(value)) for key, value in attributes.items()))


def _first_fields(encoded: bytes) -> Sequence[bytes]:
    """The undecoded contents of field 1: the resources of a request with all they hold, or the parts of a resource."""
    return _first_field_class().FromString(encoded).contents


class _FirstField(Protocol):
    contents: Sequence[bytes]

    @classmethod
    def FromString(cls, body: bytes) -> _FirstField: ...  # noqa: N802 -- protobuf's own name


@lru_cache(maxsize=1)
def _first_field_class() -> type[_FirstField]:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="otel_carbon/first_field.proto", package="otel_carbon.first_field", syntax="proto3"
    )
    message = file.message_type.add(name="FirstField")
    message.field.add(name="contents", number=1, type=kinds.TYPE_BYTES, label=kinds.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = message_factory.GetMessageClass(pool.FindMessageTypeByName("otel_carbon.first_field.FirstField"))
    return cast("type[_FirstField]", found)
