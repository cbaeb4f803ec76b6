"""The memory of counting: the only state that says what was seen before, behind one lock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.counting.candidate import AGGREGATE, Call, Verdict
from otel_carbon.counting.decide import Evidence, decide, nearest_twin
from otel_carbon.counting.rotating_map import RotatingMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_carbon.counting.candidate import Candidate

DEFAULT_TTL_S = 600.0
DEFAULT_MAX_CALLS = 1_000_000
MAX_ANCESTORS = 64
"""How far up a chain of parents is followed; longer chains are cycles or attacks."""
MAX_OPEN_TWINS = 1024
"""How many calls of one shape and one set of scopes wait for their twin."""

AGGREGATE_BY_ROLE = Verdict(AGGREGATE, reasons.AGGREGATE_OPERATION)


class CountingWindow:
    """Verdicts by span, and calls by response, ancestry and shape, for `ttl_s` seconds and `max_calls` calls.

    A verdict never changes: what was forwarded or booked cannot be taken back.
    `monotonic_s` is the clock; `lock` may be held by a caller that must book what it decides in one go.
    """

    def __init__(
        self,
        monotonic_s: Callable[[], float],
        *,
        ttl_s: float = DEFAULT_TTL_S,
        max_calls: int = DEFAULT_MAX_CALLS,
    ) -> None:
        self.lock = threading.RLock()
        self._clock = monotonic_s
        self._ttl_s = ttl_s
        self._rotated_at_s = monotonic_s()
        self._verdicts: RotatingMap[Verdict] = RotatingMap(2 * max_calls)
        self._parents: RotatingMap[int] = RotatingMap(2 * max_calls)
        self._calls_by_span: RotatingMap[Call] = RotatingMap(2 * max_calls)
        self._calls_below: RotatingMap[Call] = RotatingMap(2 * max_calls)
        self._calls_by_response: RotatingMap[Call] = RotatingMap(max_calls)
        self._open_by_shape: RotatingMap[dict[frozenset[str], list[Call]]] = RotatingMap(max_calls)
        self._twins_evicted = 0

    @property
    def evicted(self) -> int:
        """Entries dropped for lack of room: above zero, a duplicate may have been missed."""
        maps: tuple[RotatingMap[object], ...] = self._maps()
        return self._twins_evicted + sum(entries.evicted for entries in maps)

    def judge(self, candidate: Candidate) -> Verdict:
        """Decide one span and remember it."""
        with self.lock:
            self._forget_expired()
            known = self._known(candidate)
            if known is not None:
                return known
            evidence = self._evidence_for(candidate)
            verdict = decide(candidate, evidence)
            self._remember_call(candidate, verdict, evidence.call)
            return verdict

    def judge_together(self, candidates: Sequence[Candidate]) -> list[Verdict]:
        """Decide spans that arrived together, in the order of their ends; verdicts come in the order given."""
        with self.lock:
            for candidate in candidates:
                self._link(candidate)
            verdicts: dict[int, Verdict] = {}
            order = sorted(range(len(candidates)), key=lambda i: (candidates[i].end_ns, candidates[i].span_key))
            for i in order:
                verdicts[i] = self.judge(candidates[i])
            return [verdicts[i] for i in range(len(candidates))]

    def note_structure(self, candidate: Candidate, *, aggregate: bool) -> Verdict | None:
        """Remember a GenAI span that is no candidate: a known sum over others, or a step between spans."""
        with self.lock:
            self._forget_expired()
            known = self._known(candidate)
            if known is not None:
                return known
            self._link(candidate)
            if not aggregate:
                return None
            self._set_verdict(candidate, AGGREGATE_BY_ROLE)
            return AGGREGATE_BY_ROLE

    def note_judged(self, candidate: Candidate, kind: str) -> bool:
        """Remember the verdict of an earlier hop as evidence; says whether the span was here before."""
        with self.lock:
            self._forget_expired()
            if self._known(candidate) is not None:
                return True
            if kind == AGGREGATE:
                self._link(candidate)
                self._set_verdict(candidate, AGGREGATE_BY_ROLE)
                return False
            call = self._evidence_for(candidate).call
            self._remember_call(candidate, Verdict(kind), call)
            return False

    def _known(self, candidate: Candidate) -> Verdict | None:
        verdict = self._verdicts.get(candidate.span_key) if candidate.span_key else None
        return verdict._replace(repeated=True) if verdict is not None else None

    def _evidence_for(self, candidate: Candidate) -> Evidence:
        self._link(candidate)
        below = self._calls_below.get(candidate.span_key) if candidate.span_key else None
        if below is not None:
            return Evidence(descendant=below)
        above = self._call_above(candidate)
        if above is not None:
            return Evidence(ancestor=above)
        if candidate.response_key:
            same = self._calls_by_response.get(candidate.response_key)
            if same is not None:
                return Evidence(same_response=same)
        return Evidence(twin=self._twin_of(candidate))

    def _call_above(self, candidate: Candidate) -> Call | None:
        key = candidate.parent_key
        for _ in range(MAX_ANCESTORS):
            if not key:
                return None
            call = self._calls_by_span.get(key)
            if call is not None:
                return call
            key = self._parents.get(key) or 0
        return None

    def _twin_of(self, candidate: Candidate) -> Call | None:
        groups = self._open_by_shape.get(candidate.shape_key)
        if not groups:
            return None
        others = [calls for scopes, calls in groups.items() if candidate.scope not in scopes]
        return nearest_twin(candidate, (call for calls in others for call in calls))

    def _link(self, candidate: Candidate) -> None:
        """Remember the parent; when a call is known below, its ancestors are now known further up."""
        if not candidate.span_key or not candidate.parent_key:
            return
        self._parents[candidate.span_key] = candidate.parent_key
        below = self._calls_below.get(candidate.span_key)
        if below is not None:
            self._mark_ancestors(candidate.parent_key, below)

    def _mark_ancestors(self, key: int, call: Call) -> None:
        for _ in range(MAX_ANCESTORS):
            if not key:
                return
            self._calls_below[key] = call
            key = self._parents.get(key) or 0

    def _remember_call(self, candidate: Candidate, verdict: Verdict, call: Call | None) -> None:
        now_s = self._clock()
        if call is None:
            call = Call(
                frozenset(),
                candidate.response_key,
                candidate.model,
                candidate.tokens,
                candidate.start_ns,
                candidate.end_ns,
                now_s,
            )
        elif verdict.upgrades:
            call.tokens = candidate.tokens
        call.response_key = call.response_key or candidate.response_key
        if call.response_key:
            self._calls_by_response[call.response_key] = call
        self._file_by_shape(candidate, call, now_s)
        self._mark_ancestors(candidate.parent_key, call)
        if candidate.span_key:
            self._calls_by_span[candidate.span_key] = call
        self._set_verdict(candidate, verdict)

    def _file_by_shape(self, candidate: Candidate, call: Call, now_s: float) -> None:
        """File the call under its scopes, so that a scan for twins skips whole groups."""
        shape = candidate.shape_key
        groups = self._open_by_shape.get(shape)
        if groups is None:
            groups = self._open_by_shape[shape] = {}
        waiting = groups.get(call.scopes)
        if waiting and call in waiting:
            waiting.remove(call)
            if not waiting:
                del groups[call.scopes]
        call.scopes |= {candidate.scope}
        waiting = groups.setdefault(call.scopes, [])
        waiting.append(call)
        if len(waiting) > MAX_OPEN_TWINS:
            self._twins_evicted += len(waiting) - MAX_OPEN_TWINS // 2
            del waiting[: -MAX_OPEN_TWINS // 2]
        elif now_s - waiting[0].seen_at_s > self._ttl_s:
            waiting[:] = [known for known in waiting if now_s - known.seen_at_s <= self._ttl_s]

    def _set_verdict(self, candidate: Candidate, verdict: Verdict) -> None:
        if candidate.span_key:
            self._verdicts[candidate.span_key] = verdict

    def _forget_expired(self) -> None:
        now_s = self._clock()
        if now_s - self._rotated_at_s >= self._ttl_s:
            self._rotated_at_s = now_s
            for entries in self._maps():
                entries.rotate()

    def _maps(self) -> tuple[RotatingMap[object], ...]:
        maps: Iterable[object] = (
            self._verdicts,
            self._parents,
            self._calls_by_span,
            self._calls_below,
            self._calls_by_response,
            self._open_by_shape,
        )
        return tuple(maps)  # type: ignore[arg-type]  # all are rotating maps, of different values
