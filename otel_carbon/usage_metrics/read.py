"""Data points of usage metrics read into what they add: tokens and calls by service, model and place."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.estimating import NS_PER_DAY
from otel_carbon.usage_metrics import deltas
from otel_carbon.usage_metrics.parts import Parts
from otel_carbon.usage_metrics.profiles import PointProfiles
from otel_carbon.usage_metrics.sources import CACHE_READ, CACHE_WRITE, INPUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.core.tokens import AdditiveTokens
    from otel_carbon.spans.view import ResourceView
    from otel_carbon.usage_metrics.deltas import Deltas, Increment, Reported
    from otel_carbon.usage_metrics.profiles import UsageProfile
    from otel_carbon.usage_metrics.sources import UsageMetric

NOT_READ = "not_read"
REPLACED = "replaced"
UNREADABLE = "unreadable"
OUTCOMES = (
    deltas.ADDED,
    deltas.BASE_LINE,
    deltas.REPEATED,
    REPLACED,
    NOT_READ,
    deltas.INVALID,
    deltas.ABSURD,
    UNREADABLE,
)
"""What can become of a data point; `unreadable` counts resources whose metrics cannot be decoded."""


class Emitter(NamedTuple):
    """Who sends a point: its resource and scope; `key` is a hash of all that tells the two from others."""

    resource: ResourceView
    scope: str
    key: int


class DataPoint(NamedTuple):
    """A point of a usage metric, as an adapter hands it over."""

    emitter: Emitter
    metric: UsageMetric
    attributes: Mapping[str, object]
    reported: Reported


class UsageDelta(NamedTuple):
    """What a service used since it reported last, on one day; `calls` is 0 when their number is not known."""

    profile: UsageProfile
    resource: ResourceView
    day_number: int
    tokens: AdditiveTokens
    calls: int


class _Owner(NamedTuple):
    """What is booked together."""

    profile: UsageProfile
    service: str
    environment: str


@dataclass(slots=True)
class _Sum:
    resource: ResourceView
    counts: Counter[str] = field(default_factory=Counter)
    calls: int = 0


class UsageReader:
    """Reads the points of one request after the other; safe to use from any thread.

    Args:
        added: the memory that says what a point adds.
        profiles: how the attributes of points are read.
        parts: the memory of parts whose whole is still to come.
    """

    def __init__(self, added: Deltas, profiles: PointProfiles | None = None, parts: Parts | None = None) -> None:
        self._added = added
        self._profiles = profiles or PointProfiles()
        self._parts = parts or Parts()
        self._replaced: OrderedDict[int, frozenset[str]] = OrderedDict()
        self._outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._lock = threading.Lock()

    def read(self, points: Sequence[DataPoint]) -> list[UsageDelta]:
        """What the points of one request add."""
        with self._lock:
            return list(self._read(points))

    def count_unreadable(self) -> None:
        """Count a resource whose metrics cannot be decoded."""
        with self._lock:
            self._outcomes[UNREADABLE] += 1

    def numbers(self) -> UsageNumbers:
        """What has become of all points so far, and what is remembered."""
        with self._lock:
            return UsageNumbers(
                dict(self._outcomes),
                self._added.known_series,
                self._added.dropped_series,
                self._parts.waiting_tokens,
            )

    def _read(self, points: Sequence[DataPoint]) -> list[UsageDelta]:
        self._note_replaced(points)
        profiles = [self._profile(point) for point in points]
        read = [point for point, profile in zip(points, profiles, strict=True) if profile is not None]
        increments = iter(self._added.increments([point.reported for point in read]))
        sums: dict[tuple[_Owner, int], _Sum] = {}
        for point, profile in zip(points, profiles, strict=True):
            if profile is None:
                self._outcomes[NOT_READ] += 1
            else:
                self._add(point, profile, next(increments), sums)
        deltas_found = (self._delta(owner, day_number, found) for (owner, day_number), found in sums.items())
        return [each for each in deltas_found if each.calls or any(each.tokens)]

    def _profile(self, point: DataPoint) -> UsageProfile | None:
        if not point.metric.count_of(point.attributes):
            return None
        return self._profiles.of_point(point.metric.family, point.attributes, point.emitter.resource)

    def _add(
        self, point: DataPoint, profile: UsageProfile, added: Increment, sums: dict[tuple[_Owner, int], _Sum]
    ) -> None:
        """Add a point to its sum; one that says what others say better adds its calls only."""
        count = point.metric.count_of(point.attributes)
        replaced = point.metric.family.name in self._replaced.get(point.emitter.key, ())
        self._outcomes[REPLACED if replaced and added.outcome == deltas.ADDED else added.outcome] += 1
        if added.outcome != deltas.ADDED:
            return
        resource = point.emitter.resource
        owner = _Owner(profile, resource.service, resource.environment)
        found = sums.setdefault((owner, point.reported.time_ns // NS_PER_DAY), _Sum(resource))
        if not replaced:
            found.counts[count] += added.tokens
            if point.metric.family.excludes_cache and count in (CACHE_READ, CACHE_WRITE):
                found.counts[INPUT] += added.tokens
        if count == point.metric.calls:
            found.calls += added.calls

    def _delta(self, owner: _Owner, day_number: int, found: _Sum) -> UsageDelta:
        tokens = self._parts.split(owner, found.counts)
        return UsageDelta(owner.profile, found.resource, day_number, tokens, found.calls)

    def _note_replaced(self, points: Sequence[DataPoint]) -> None:
        """Remember which families a scope sends better ones for, before any of their points is added."""
        for point in points:
            replaces = point.metric.family.replaces
            if replaces:
                known = self._replaced.pop(point.emitter.key, frozenset())
                self._replaced[point.emitter.key] = known | replaces
                if len(self._replaced) > MAX_EMITTERS:
                    self._replaced.popitem(last=False)


MAX_EMITTERS = 10_000
"""How many scopes are remembered to send more than one family of metrics."""


class UsageNumbers(NamedTuple):
    """Points by what became of them, cumulative series known and forgotten, tokens that wait for their whole."""

    points: Mapping[str, int]
    known_series: int
    dropped_series: int
    waiting_tokens: int
