"""The memory of counting: the only state that says what was seen before, behind one lock."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, Call, Verdict
from otel_carbon.counting.decide import (
    COUNT,
    Evidence,
    Relation,
    decide,
    may_be_below,
    may_be_twins,
    may_share_response,
    may_stand_in,
    most_trusted,
    nearest_twin,
    stood_in_for,
)
from otel_carbon.counting.rotating_map import RotatingMap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.counting.candidate import Candidate

DEFAULT_TTL_S = 600.0
DEFAULT_MAX_CALLS = 1_000_000
MAX_ANCESTORS = 64
"""How far up a chain of parents is followed; longer chains are cycles or attacks."""
MAX_OPEN_TWINS = 1024
"""How many calls of one shape and one set of scopes wait for their twin."""

AGGREGATE_BY_ROLE = Verdict(AGGREGATE, reasons.AGGREGATE_OPERATION)


Filed = Call | dict[frozenset[str], list[Call]]
"""The calls of one shape: mostly a single one, else grouped by the scopes they have been seen in."""


class _Seen(NamedTuple):
    """A span that passed: its verdict when it was judged, its parent, and the call it belongs to.

    One that only `relays` a call, which counts elsewhere, is neither a call nor a step between calls.
    """

    verdict: Verdict | None
    parent_key: int
    call: Call | None
    relays: bool = False


class _Nested(NamedTuple):
    """A call below a span, with something between that is no call itself."""

    call: Call


def _call_of(below: Call | _Nested) -> Call:
    return below.call if isinstance(below, _Nested) else below


class JudgedTogether(NamedTuple):
    """Verdicts in the order of the spans, and for counted spans the positions of others of the same call."""

    verdicts: list[Verdict]
    twins: dict[int, list[int]]


class CountingWindow:
    """Verdicts by span, and calls by response, ancestry and shape, for `ttl_s` seconds and `max_calls` calls.

    A verdict never changes: what was forwarded or booked cannot be taken back.
    `monotonic_s` is the clock. Every method may be called from any thread.
    """

    def __init__(
        self,
        monotonic_s: Callable[[], float],
        *,
        ttl_s: float = DEFAULT_TTL_S,
        max_calls: int = DEFAULT_MAX_CALLS,
    ) -> None:
        self._lock = threading.RLock()  # the garbage collector may end a span while one is judged
        self._clock = monotonic_s
        self._ttl_s = ttl_s
        self._rotated_at_s = monotonic_s()
        self._spans: RotatingMap[_Seen] = RotatingMap(2 * max_calls)
        self._calls_below: RotatingMap[Call | _Nested] = RotatingMap(2 * max_calls)
        self._calls_by_response: RotatingMap[Call] = RotatingMap(max_calls)
        self._open_by_shape: RotatingMap[Filed] = RotatingMap(max_calls)
        self._maps: tuple[RotatingMap[Any], ...] = (
            self._spans,
            self._calls_below,
            self._calls_by_response,
            self._open_by_shape,
        )
        self._twins_evicted = 0
        self._batch = 0
        self._position = 0

    @property
    def evicted(self) -> int:
        """Entries dropped for lack of room: above zero, a duplicate may have been missed."""
        return self._twins_evicted + sum(entries.evicted for entries in self._maps)

    def judge(self, candidate: Candidate) -> Verdict:
        """Decide one span and remember it."""
        with self._lock:
            self._batch += 1
            return self._judge(candidate, self._now_s())[0]

    def judge_together(self, candidates: Sequence[Candidate]) -> list[Verdict]:
        """Decide spans that arrived together; verdicts come in the order given."""
        return self.judge_with_twins(candidates).verdicts

    def judge_with_twins(self, candidates: Sequence[Candidate]) -> JudgedTogether:
        """Decide spans that arrived together, in the order of their ends, children before parents.

        Of the spans of a call that is found among them the most trusted one is counted.
        """
        order = _judging_order(candidates)
        verdicts = [COUNT] * len(candidates)
        parents = {candidate.parent_key for candidate in candidates}
        groups: dict[int, list[int]] = {}
        with self._lock:
            now_s = self._now_s()
            self._batch += 1
            for candidate in candidates:
                if candidate.span_key in parents:  # a link between others must be known before they are judged
                    self._link(candidate)
            for i in order:
                self._position = i
                verdict, call = self._judge(candidates[i], now_s)
                verdicts[i] = verdict
                if call is not None and call.batch == self._batch and may_stand_in(verdict):
                    groups.setdefault(call.position, []).append(i)
            return JudgedTogether(verdicts, self._settle(candidates, verdicts, groups))

    def _settle(
        self, candidates: Sequence[Candidate], verdicts: list[Verdict], groups: dict[int, list[int]]
    ) -> dict[int, list[int]]:
        """Count the most trusted of the spans of each call instead of the first; returns the others by it."""
        twins: dict[int, list[int]] = {}
        revised = False
        for first, others in groups.items():
            best = most_trusted(first, others, candidates, verdicts)
            twins[best] = [i for i in (first, *others) if i != best]
            if best == first:
                continue
            instead = stood_in_for(verdicts[best].reason)
            verdicts[best] = COUNT
            self._revise(candidates[best], COUNT)
            for i in twins[best]:
                if verdicts[i].kind == COUNTED:
                    verdicts[i] = instead
                    self._revise(candidates[i], instead)
            revised = True
        if revised:  # a span that was delivered twice says the same both times
            for i, verdict in enumerate(verdicts):
                if verdict.repeated:
                    verdicts[i] = (self._known(candidates[i]) or verdict)._replace(repeated=True)
        return twins

    def _revise(self, candidate: Candidate, verdict: Verdict) -> None:
        """Change a verdict that nobody has seen yet."""
        seen = self._spans.get(candidate.span_key) if candidate.span_key else None
        if seen is not None:
            self._spans[candidate.span_key] = _Seen(verdict, seen.parent_key, seen.call)
            if verdict.kind == COUNTED and seen.call is not None:
                seen.call.twin_tokens, seen.call.tokens = seen.call.tokens, candidate.tokens

    def note_structure(self, candidate: Candidate, *, aggregate: bool) -> Verdict | None:
        """Remember a GenAI span that is no candidate: a known sum over others, or a step between spans."""
        with self._lock:
            self._now_s()
            return self._note(candidate, AGGREGATE_BY_ROLE if aggregate else None)

    def note_relay(self, candidate: Candidate) -> None:
        """Remember a span of a call that counts elsewhere: what is above it and below it may be that one call."""
        with self._lock:
            self._now_s()
            self._link(candidate, relays=True)

    def note_judged(self, candidate: Candidate, kind: str) -> Verdict:
        """Remember the verdict of an earlier hop as evidence; returns the one we would have come to."""
        with self._lock:
            now_s = self._now_s()
            if kind == AGGREGATE:
                return self._note(candidate, AGGREGATE_BY_ROLE) or AGGREGATE_BY_ROLE
            known = self._known(candidate)
            if known is not None:
                return known._replace(repeated=True)
            evidence = self._evidence_for(candidate)
            ours = decide(candidate, evidence if evidence and evidence.call.counted else None)
            self._remember(candidate, Verdict(kind), evidence.call if evidence else None, now_s)
            return ours

    def _judge(self, candidate: Candidate, now_s: float) -> tuple[Verdict, Call | None]:
        """The verdict, and the call that was known before, if the span belongs to one."""
        known = self._known(candidate)
        if known is not None:
            return known._replace(repeated=True), None
        evidence = self._evidence_for(candidate)
        if evidence is None:
            verdict, call = COUNT, None
        else:
            verdict, call = decide(candidate, evidence), evidence.call
        self._remember(candidate, verdict, call, now_s)
        return verdict, call

    def _known(self, candidate: Candidate) -> Verdict | None:
        seen = self._spans.get(candidate.span_key) if candidate.span_key else None
        return seen.verdict if seen is not None else None

    def _evidence_for(self, candidate: Candidate) -> Evidence | None:
        if candidate.span_key:
            below = self._calls_below.get(candidate.span_key)
            if below is not None and not (candidate.leaf and isinstance(below, _Nested)):
                return Evidence(Relation.DESCENDANT, _call_of(below))
        above = self._call_above(candidate)
        if above is not None and may_be_below(candidate, above):
            return Evidence(Relation.ANCESTOR, above)
        if candidate.response_key:
            same = self._calls_by_response.get(candidate.response_key)
            if same is not None and may_share_response(candidate, same):
                return Evidence(Relation.SAME_RESPONSE, same)
        filed = self._open_by_shape.get(candidate.shape_key)
        twin = _twin_among(filed, candidate) if filed else None
        return None if twin is None else Evidence(Relation.TWIN, twin)

    def _call_above(self, candidate: Candidate) -> Call | None:
        """The nearest call above that the span may belong to.

        One that a tool or chain lies between is another call, if it is one call for certain.
        A span that told nothing stands above calls, once one of them has told what it used.
        """
        key, nested = candidate.parent_key, False
        for _ in range(MAX_ANCESTORS):
            seen = self._spans.get(key) if key else None
            if seen is None:
                return None
            call = seen.call
            if call is not None:
                other = (nested and call.leaf) or (candidate.has_usage and call.has_usage and call.silent_key == key)
                return None if other else call
            nested = nested or not seen.relays
            key = seen.parent_key
        return None

    def _note(self, candidate: Candidate, verdict: Verdict | None) -> Verdict | None:
        known = self._known(candidate)
        if known is not None:
            return known._replace(repeated=True)
        self._link(candidate)
        if verdict is not None and candidate.span_key:
            self._spans[candidate.span_key] = _Seen(verdict, candidate.parent_key, None)
        return verdict

    def _link(self, candidate: Candidate, *, relays: bool = False) -> None:
        """Remember the parent; when a call is known below, it is now known to be below the ancestors too."""
        if candidate.span_key and self._spans.get(candidate.span_key) is None:
            self._spans[candidate.span_key] = _Seen(None, candidate.parent_key, None, relays)
            below = self._calls_below.get(candidate.span_key)
            if below is not None:
                nested = not relays or isinstance(below, _Nested)
                self._mark_ancestors(candidate.parent_key, _call_of(below), nested=nested)

    def _mark_ancestors(self, key: int, call: Call, *, nested: bool = False) -> None:
        """Remember above whom a call was found; one found without usage never hides one with.

        It is nested above a tool, chain or agent that is no call itself.
        """
        for _ in range(MAX_ANCESTORS):
            if not key:
                return
            known = self._calls_below.get(key)
            if known is None:
                self._calls_below[key] = _Nested(call) if nested else call
            elif call.has_usage or not _call_of(known).has_usage:
                closer = call if not nested else known if isinstance(known, Call) else _Nested(call)
                self._calls_below.refresh(key, closer)
            seen = self._spans.get(key)
            if seen is None:
                return
            nested = nested or (seen.call is None and not seen.relays)
            key = seen.parent_key

    def _remember(self, candidate: Candidate, verdict: Verdict, call: Call | None, now_s: float) -> None:
        if verdict.kind == AGGREGATE:  # it stands above calls and is none of them
            if candidate.span_key:
                self._spans[candidate.span_key] = _Seen(verdict, candidate.parent_key, None)
            if call is not None:
                self._mark_ancestors(candidate.parent_key, call)
            return
        if call is None:
            call = Call(
                frozenset(),
                candidate.response_key,
                candidate.model,
                candidate.tokens,
                candidate.start_ns,
                candidate.end_ns,
                now_s,
                leaf=candidate.leaf,
                silent_key=0 if candidate.has_usage else candidate.span_key,
                batch=self._batch,
                position=self._position,
            )
        elif verdict.upgrades:
            call.tokens = candidate.tokens
        if candidate.tokens != call.tokens:
            call.twin_tokens = candidate.tokens
        call.counted = call.counted or verdict.kind == COUNTED
        call.response_key = call.response_key or candidate.response_key
        if candidate.response_key:
            self._calls_by_response[candidate.response_key] = call
        self._file_by_shape(candidate, call, now_s)
        self._mark_ancestors(candidate.parent_key, call)
        if candidate.span_key:
            self._spans[candidate.span_key] = _Seen(verdict, candidate.parent_key, call)

    def _file_by_shape(self, candidate: Candidate, call: Call, now_s: float) -> None:
        """File the call under its scopes, so that a search for twins skips whole groups."""
        shape = candidate.shape_key
        alone_or_groups = self._open_by_shape.get(shape)
        if alone_or_groups is None:
            call.scopes = _with_scope(call.scopes, candidate.scope)
            self._open_by_shape[shape] = call
            return
        if isinstance(alone_or_groups, Call):
            alone_or_groups = {alone_or_groups.scopes: [alone_or_groups]}
        self._open_by_shape.refresh(shape, alone_or_groups)
        self._twins_evicted += _refile(alone_or_groups, call, candidate.scope, now_s - self._ttl_s)

    def _now_s(self) -> float:
        """The time, once what is too old or too much by then has been forgotten."""
        now_s = self._clock()
        expired = now_s - self._rotated_at_s >= self._ttl_s
        if expired:
            self._rotated_at_s = now_s
        for entries in self._maps:
            if expired:
                entries.rotate()
            if len(entries) > entries.capacity:
                entries.shrink()
        return now_s


def _judging_order(candidates: Sequence[Candidate]) -> list[int]:
    """Positions by end; of spans that end together the deeper ones first, then by span id."""
    ends_ns = [candidate.end_ns for candidate in candidates]
    if len(set(ends_ns)) == len(ends_ns):
        return sorted(range(len(ends_ns)), key=ends_ns.__getitem__)
    parent_of = {candidate.span_key: candidate.parent_key for candidate in candidates if candidate.span_key}

    def depth(candidate: Candidate) -> int:
        key, steps = candidate.parent_key, 0
        while key in parent_of and steps < MAX_ANCESTORS:
            key, steps = parent_of[key], steps + 1
        return steps

    def rank(i: int) -> tuple[int, int, int | bytes]:
        candidate = candidates[i]
        return (candidate.end_ns, -depth(candidate), candidate.span_id)

    return sorted(range(len(candidates)), key=rank)


@lru_cache(maxsize=1024)
def _with_scope(scopes: frozenset[str], scope: str) -> frozenset[str]:
    """One shared set for each combination, as there are few and calls are many."""
    return scopes | {scope}


def _twin_among(filed: Filed, candidate: Candidate) -> Call | None:
    if isinstance(filed, Call):
        return filed if may_be_twins(candidate, filed) else None
    others = [calls for scopes, calls in filed.items() if candidate.scope not in scopes]
    return nearest_twin(candidate, (call for calls in others for call in calls)) if others else None


def _refile(groups: dict[frozenset[str], list[Call]], call: Call, scope: str, oldest_s: float) -> int:
    """Move a call to the group of its scopes with one more; returns how many calls were dropped for lack of room."""
    waiting = groups.get(call.scopes)
    if waiting and call in waiting:
        waiting.remove(call)
        if not waiting:
            del groups[call.scopes]
    call.scopes = _with_scope(call.scopes, scope)
    waiting = groups.setdefault(call.scopes, [])
    waiting.append(call)
    dropped = 0
    if len(waiting) > MAX_OPEN_TWINS:
        dropped = len(waiting) - MAX_OPEN_TWINS // 2
        del waiting[:dropped]
    elif waiting[0].seen_at_s < oldest_s:
        waiting[:] = [known for known in waiting if known.seen_at_s >= oldest_s]
    return dropped
