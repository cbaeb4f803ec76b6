"""A GenAI span's attributes read into token counts, whoever wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, NO_TOKENS_AT_ALL, AdditiveTokens, additive_from_counts
from otel_carbon.core.units import KWH_PER_NJ
from otel_carbon.errors import UsageError
from otel_carbon.spans.counts import WITHIN, checked_counts, totals_of
from otel_carbon.spans.dialect import known_dialects
from otel_carbon.spans.plan import Plan
from otel_carbon.spans.role import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.spans.counts import Counts
    from otel_carbon.spans.dialect import Dialect, Dialects
    from otel_carbon.spans.profile import SpanProfile
    from otel_carbon.spans.view import SpanView

MAX_SCOPES = 1024
"""How many instrumentation scopes are remembered with their dialect; more are looked up again."""
MAX_METERED_KWH = 1000.0
"""More than any single call takes; a guard against other units."""
_NO_MODELS: Mapping[str, str] = {}
_NOTHING_USED = {
    "none": Unestimated(reasons.NO_USAGE),
    "invented": Unestimated(reasons.INVENTED_USAGE),
    "cache_hit": Unestimated(reasons.CACHE_HIT),
}
_NO_USAGE = Unestimated(reasons.NO_USAGE)
_FAILED_NO_USAGE = Unestimated(reasons.FAILED_NO_USAGE)


@dataclass(slots=True)
class GenAiReading:
    """What a GenAI span says: an inference has either `counts` with the `tokens` they make, or a `problem`.

    `response_id` is as the span stores it, encoded or not: it serves to be compared.
    `codes` say what was assumed of the counts. Not frozen, as one is made for every span.
    """

    profile: SpanProfile
    response_id: object | None = None
    counts: Counts | None = None
    tokens: AdditiveTokens | None = None
    problem: Unestimated | None = None
    codes: tuple[str, ...] = ()
    metered_nj: int | None = None
    """Energy that a meter gave for the call, in nanojoules, at the boundary of the profile."""

    def merge(self, twins: Iterable[GenAiReading]) -> None:
        """Take the parts that this span does not tell from other spans of the same call, where they fit."""
        if self.counts is None:
            return
        counts = list(self.counts)
        for twin in (each.counts for each in twins if each.counts is not None):
            for part in _PARTS:
                counts[part] = counts[part] or twin[part]
        if counts[0] is not None:
            self._renew(cast("Counts", tuple(counts)), DETAILS_FROM_TWIN)

    def complete(self, told: Counts) -> None:
        """Take counts that were told beside this span: all where it tells none, else parts where the totals agree."""
        if self.profile.role is not _INFERENCE or self.profile.usage:
            return
        if self.counts is None and self.problem in (_NO_USAGE, _FAILED_NO_USAGE):
            try:
                self.tokens = additive_from_counts(*told)
            except UsageError:
                return
            self.counts, self.problem, self.codes = told, None, (COUNTS_FROM_WIRE,)
        elif self.counts is not None and self.counts[:2] == told[:2] and self.counts[2:] != told[2:]:
            counts = self.counts[:2] + tuple(own or other for own, other in zip(self.counts[2:], told[2:], strict=True))
            self._renew(cast("Counts", counts), PARTS_FROM_WIRE)

    def _renew(self, counts: Counts, code: str) -> None:
        """Take other counts, where their parts fit their totals."""
        try:
            tokens = additive_from_counts(*counts)
        except UsageError:
            return
        if counts != self.counts:
            self.counts, self.tokens = counts, tokens
            self.codes = tuple(dict.fromkeys((*self.codes, code)))


def metered_nj(kwh: object) -> int | None:
    """A call's metered energy in nanojoules, from kWh; `None` when it is no number, not positive or beyond a call."""
    if not isinstance(kwh, int | float) or isinstance(kwh, bool) or not 0.0 < kwh <= MAX_METERED_KWH:
        return None
    return round(kwh / KWH_PER_NJ) or None  # less than half a nanojoule is nothing


_PARTS = (2, 3, 4)
"""Positions of cache reads, cache writes and reasoning among the counts."""
DETAILS_FROM_TWIN = "details_from_twin"
COUNTS_FROM_WIRE = "counts_from_wire"
PARTS_FROM_WIRE = "parts_from_wire"
INPUT_NOT_REPORTED = "input_not_reported"


class SpanReader:
    """Reads spans of every dialect; safe to use from any thread.

    Args:
        tenant_key: the attribute that tells tenants apart.
        models: names of deployments and aliases, alone or behind `provider/`, to the models behind them.
        dialects: the dialects to read instead of those that come with the package.
    """

    def __init__(
        self,
        tenant_key: str = ours.TENANT,
        models: Mapping[str, str] = _NO_MODELS,
        dialects: Dialects | None = None,
    ) -> None:
        self._dialects = dialects or known_dialects()
        self.markers = tuple(dict.fromkeys(marker for dialect in self._dialects.all for marker in dialect.markers))
        """Texts of which the bytes of every GenAI span hold one, whatever its scope."""
        self._make_plan = partial(Plan, tenant_key=tenant_key, models=models, profiles={})
        self._by_scope: dict[str, Plan | None] = {}
        self._of_unknown_scopes: dict[Dialect, Plan] = {}
        telltales = [(key, dialect) for dialect in self._dialects.all for key in dialect.telltale]
        self._telltale_keys = tuple(key for key, _ in telltales)
        self._telltale_dialects = tuple(dialect for _, dialect in telltales)

    def dialect_of(self, scope: str) -> Dialect | None:
        """The dialect of a scope; `None` for a scope that is not known, whose spans are told apart one by one."""
        plan = self._plan_of(scope)
        return plan.dialect if plan is not None else None

    def read(self, span: SpanView) -> GenAiReading | None:
        """Read a span; `None` when it is no GenAI span."""
        plan = self._by_scope.get(span.scope) or self.plan_of(span)
        if plan is None:
            return None
        attributes = span.attributes
        fetched = attributes.pick(plan.keys)
        if plan.json:
            plan.add_members(attributes, fetched)
        counts = plan.counts_of(fetched)
        given, output, read, write, reasoning = counts[:_PLAIN_COUNTS]
        known = (given is not None, output is not None, read is not None, write is not None, reasoning is not None)
        profile = plan.profile(span, fetched, known)
        if profile is None:
            return None
        response_id = _response_id(fetched, plan.response_id_at)
        reading = reading_of(profile, response_id, attributes.decode_all(counts), failed=span.failed)
        if profile.metered:
            reading.metered_nj = metered_nj(attributes.decode(fetched[plan.metered_at]))
        return reading

    def plan_of(self, span: SpanView) -> Plan | None:
        """How a span is read; `None` when it is no GenAI span."""
        return self._plan_of(span.scope) or self._plan_by_telltale(span)

    def looks_genai(self, span: SpanView) -> bool:
        """Whether a span that cannot be read carries names of a dialect all the same: a blind spot."""
        dialect = self.dialect_of(span.scope)
        markers = self.markers if dialect is None else dialect.markers
        return any(key.startswith(markers) for key in span.attributes.keys())  # noqa: SIM118 - it is no dict

    def _plan_of(self, scope: str) -> Plan | None:
        try:
            return self._by_scope[scope]
        except KeyError:
            dialect = self._dialects.of_scope(scope)
            if len(self._by_scope) >= MAX_SCOPES:
                self._by_scope.clear()
            found = self._by_scope[scope] = self._make_plan(dialect, scope) if dialect is not None else None
            return found

    def _plan_by_telltale(self, span: SpanView) -> Plan | None:
        picked = span.attributes.pick(self._telltale_keys)
        for dialect, found in zip(self._telltale_dialects, picked, strict=True):
            if found is not None:
                if dialect not in self._of_unknown_scopes:
                    self._of_unknown_scopes[dialect] = self._make_plan(dialect, "")
                return self._of_unknown_scopes[dialect]
        return None


def reading_of(profile: SpanProfile, response_id: object | None, found: list[Any], *, failed: bool) -> GenAiReading:
    """What a span says, by its profile and the counts found, in the order of `dialect.COUNT_FIELDS`."""
    if profile.role is not _INFERENCE:
        return GenAiReading(profile, response_id)
    plain = _plain_usage(found) if profile.plain else None
    if plain is not None and not (profile.zeros_unknown and plain[1] == NO_TOKENS_AT_ALL):
        return GenAiReading(profile, response_id, plain[0], plain[1], None, plain[2])
    reading = GenAiReading(profile, response_id)
    _read_usage(reading, found, failed=failed)
    return reading


def _plain_usage(found: list[Any]) -> tuple[Counts, AdditiveTokens, tuple[str, ...]] | None:
    """Counts that need no more than a look, as nearly all do, with their tokens and codes; `None` for others.

    Written out because it runs for every span: the general way takes twice as long.
    """
    if len(found) > _PLAIN_COUNTS:
        if any(found[_PLAIN_COUNTS + 1 :]):  # parts outside cache or reasoning decide what the totals cover
            return None
        found = found[:_PLAIN_COUNTS]
    given, output, read, write, reasoning = found
    if type(given) is not int or type(output) is not int or not 0 <= given <= _MAX or not 0 <= output <= _MAX:
        return None
    if read is None and write is None and reasoning is None:
        return (given, output, None, None, None), _new_tuple(AdditiveTokens, (given, 0, 0, output, 0)), ()
    reads = 0 if read is None else read
    writes = 0 if write is None else write
    thoughts = 0 if reasoning is None else reasoning
    if type(reads) is not int or type(writes) is not int or type(thoughts) is not int:
        return None
    uncached, visible = given - reads - writes, output - thoughts
    if reads < 0 or writes < 0 or thoughts < 0 or uncached < 0 or visible < 0:
        return None
    tokens = _new_tuple(AdditiveTokens, (uncached, reads, writes, visible, thoughts))
    return (given, output, read, write, reasoning), tokens, WITHIN[reads + writes > 0, thoughts > 0]


def _read_usage(reading: GenAiReading, found: list[Any], *, failed: bool) -> None:
    """Fill in the counts, or why there are none that count."""
    profile = reading.profile
    if profile.usage:
        reading.problem = _NOTHING_USED[profile.usage]
        return
    try:
        checked = checked_counts(found, nan_unknown=profile.zeros_unknown)
        if profile.zeros_unknown and not checked[0] and not checked[1]:
            checked = [None] * len(checked)
        if checked[0] is None and checked[1] is None:
            reading.problem = _FAILED_NO_USAGE if profile.failed or failed else _NO_USAGE
            return
        reading.counts, reading.codes = totals_of(checked, profile.basis)
        if profile.assumptions:
            reading.codes += profile.assumptions
        reading.tokens = _additive(reading.counts, checked)
        if checked[0] is None:
            reading.codes += (INPUT_NOT_REPORTED,)
    except UsageError as error:
        reading.counts = None
        reading.problem = Unestimated(error.code, str(error))


def _additive(counts: Counts, checked: list[int | None]) -> AdditiveTokens:
    """The tokens of totals, or of what is told of a total that is not."""
    given, output, read, write, reasoning = counts
    if given is None and checked[0] is not None:
        given = checked[0] + (read or 0) + (write or 0)
    if output is None and checked[1] is not None:
        output = checked[1] + (reasoning or 0)
    return additive_from_counts(given, output, read, write, reasoning)


def _response_id(fetched: list[Any], positions: tuple[int, ...]) -> object | None:
    for at in positions:
        found = fetched[at]
        if found is not None and isinstance(found, _TEXT_TYPES) and found not in _EMPTY_TEXTS:
            return found
    return None


_PLAIN_COUNTS = 5
"""Input, output, cache reads, cache writes, reasoning; then come the total, and parts that others leave out."""
_MAX = MAX_TOKENS_PER_CALL
_new_tuple = tuple.__new__  # makes a named tuple in half the time that calling its class takes
_INFERENCE = Role.INFERENCE  # looking a member up costs more than comparing it
_TEXT_TYPES = (str, bytes)
_EMPTY_TEXTS = ("", b"\n\x00")
"""An empty text, plain and as OTLP encodes it."""
