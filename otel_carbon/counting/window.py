"""Spans judged by what was seen before, one by one or together, and remembered for those to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, NO_SCOPES, NO_TOKENS, Call, Nested, Seen, Verdict
from otel_carbon.counting.decide import (
    COUNT,
    MAX_ANCESTORS,
    Evidence,
    Relation,
    decide,
    judging_order,
    may_be_below,
    may_share_response,
    may_stand_in,
    most_trusted,
    stood_in_for,
)
from otel_carbon.counting.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.counting.candidate import Candidate

_new_tuple = tuple.__new__  # makes a named tuple in half the time that calling its class takes
AGGREGATE_BY_ROLE = Verdict(AGGREGATE, reasons.AGGREGATE_OPERATION)


def _call_of(below: Call | Nested) -> Call:
    return below.call if isinstance(below, Nested) else below


class JudgedTogether(NamedTuple):
    """Verdicts in the order of the spans, and for counted spans the positions of others of the same call."""

    verdicts: list[Verdict]
    twins: dict[int, list[int]]


class CountingWindow(Memory):
    """Verdicts by span, and calls by response, ancestry and shape, for as long as the memory keeps them.

    A verdict never changes: what was forwarded or booked cannot be taken back.
    It is made as a `Memory` is; every method may be called from any thread.
    """

    def emptied(self) -> CountingWindow:
        """A window with the same bounds that remembers nothing."""
        return CountingWindow(
            self._clock,
            ttl_s=self._ttl_s,
            max_calls=self._max_calls,
            archives=self._archives,
            archives_apart=self._archives_apart,
        )

    def confirm(self, candidate: Candidate, verdict: Verdict) -> None:
        """Make the verdict of a span that was just judged the one that an earlier process told of it."""
        with self._lock:
            seen = self._find_span(candidate.span_key) if candidate.span_key else None
            if seen is None or seen.verdict == verdict:
                return
            if seen.call is not None:
                self._archive.revive(seen.call)
                seen.call.counted = seen.call.counted or verdict.kind == COUNTED
            self._spans[candidate.span_key] = seen._replace(verdict=verdict)

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
        order = judging_order(candidates)
        verdicts = [COUNT] * len(candidates)
        parents = {candidate.parent_key for candidate in candidates}
        groups: dict[int, list[int]] = {}
        with self._lock:
            now_s = self._now_s(len(candidates))
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
            self._spans[candidate.span_key] = Seen(verdict, seen.parent_key, seen.call)
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
            if evidence is None:
                self._remember_new(candidate, Verdict(kind), now_s)
            else:
                self._remember(candidate, Verdict(kind), evidence.call, now_s)
            return ours

    def _judge(self, candidate: Candidate, now_s: float) -> tuple[Verdict, Call | None]:
        """The verdict, and the call that was known before, if the span belongs to one."""
        if self._is_unheard_of(candidate):
            self._remember_unheard_of(candidate, now_s)
            return COUNT, None
        seen = self._find_span(candidate.span_key) if candidate.span_key else None
        if seen is not None and seen.verdict is not None:
            return seen.verdict._replace(repeated=True), None
        evidence = self._evidence_for(candidate)
        if evidence is None:
            self._remember_new(candidate, COUNT, now_s)
            return COUNT, None
        verdict = decide(candidate, evidence)
        self._remember(candidate, verdict, evidence.call, now_s)
        return verdict, evidence.call

    def _is_unheard_of(self, candidate: Candidate) -> bool:
        """Whether nothing that the span could belong to was ever seen, as of nearly all spans.

        Asked in one go, as most look-ups of a span are needed once only then.
        """
        key, parent_key, response, shape = (
            candidate.span_key,
            candidate.parent_key,
            candidate.response_key,
            candidate.shape_key,
        )
        spans, below = self._spans, self._calls_below
        if (
            shape in self._shapes.entries
            or response in self._calls_by_response
            or key in below
            or key in spans
            or parent_key in below
            or parent_key in spans
        ):
            return False
        archive = self._archive
        return archive.is_empty or not (
            archive.shapes.holds(shape)
            or archive.responses.holds(response)
            or archive.below.holds(key)
            or archive.spans.holds(key)
            or archive.below.holds(parent_key)
            or archive.spans.holds(parent_key)
        )

    def _remember_unheard_of(self, candidate: Candidate, now_s: float) -> None:
        """Remember the first span of a call that shares nothing with any other."""
        key, parent_key, response = candidate.span_key, candidate.parent_key, candidate.response_key
        call = self._new_call(candidate, now_s, counted=True)
        if response:
            self._calls_by_response[response] = call
        self._shapes.file_first(candidate, call)
        if parent_key:
            self._calls_below[parent_key] = call
        if key:
            self._spans[key] = _new_tuple(Seen, (COUNT, parent_key, call, False))

    def _known(self, candidate: Candidate) -> Verdict | None:
        seen = self._find_span(candidate.span_key) if candidate.span_key else None
        return seen.verdict if seen is not None else None

    def _evidence_for(self, candidate: Candidate) -> Evidence | None:
        if candidate.span_key:
            below = self._find_below(candidate.span_key)
            if below is not None and not (candidate.leaf and isinstance(below, Nested)):
                return Evidence(Relation.DESCENDANT, _call_of(below))
        above = self._call_above(candidate) if candidate.parent_key else None
        if above is not None and may_be_below(candidate, above):
            return Evidence(Relation.ANCESTOR, above)
        if candidate.response_key:
            same = self._find_response(candidate.response_key)
            if same is not None and may_share_response(candidate, same):
                return Evidence(Relation.SAME_RESPONSE, same)
        filed = self._shapes.find(candidate.shape_key)
        twin = self._shapes.twin_among(filed, candidate) if filed else None
        return None if twin is None else Evidence(Relation.TWIN, twin)

    def _call_above(self, candidate: Candidate) -> Call | None:
        """The nearest call above that the span may belong to.

        One that a tool or chain lies between is another call, if it is one call for certain.
        A span that told nothing stands above calls, once one of them has told what it used.
        """
        key, nested = candidate.parent_key, False
        for _ in range(MAX_ANCESTORS):
            seen = self._find_span(key) if key else None
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
            self._spans[candidate.span_key] = Seen(verdict, candidate.parent_key, None)
        return verdict

    def _link(self, candidate: Candidate, *, relays: bool = False) -> None:
        """Remember the parent; when a call is known below, it is now known to be below the ancestors too."""
        if candidate.span_key and self._find_span(candidate.span_key) is None:
            self._spans[candidate.span_key] = Seen(None, candidate.parent_key, None, relays)
            below = self._find_below(candidate.span_key)
            if below is not None:
                nested = not relays or isinstance(below, Nested)
                call = _call_of(below)
                self._archive.revive(call)
                self._mark_ancestors(candidate.parent_key, call, nested=nested)

    def _mark_ancestors(self, key: int, call: Call, *, nested: bool = False) -> None:
        """Remember above whom a call was found; one found without usage never hides one with.

        It is nested above a tool, chain or agent that is no call itself.
        """
        for _ in range(MAX_ANCESTORS):
            if not key:
                return
            known = self._find_below(key)
            if known is None:
                self._calls_below[key] = Nested(call) if nested else call
            elif call.has_usage or not _call_of(known).has_usage:
                self._calls_below.refresh(key, self._closer(known, call, nested=nested))
            seen = self._find_span(key)
            if seen is None:
                return
            nested = nested or (seen.call is None and not seen.relays)
            key = seen.parent_key

    def _closer(self, known: Call | Nested, call: Call, *, nested: bool) -> Call | Nested:
        """Which of two calls below a span to remember: the later, but none that is nested for one that is not."""
        if not nested:
            return call
        if isinstance(known, Nested):
            return Nested(call)
        self._archive.revive(known)
        return known

    def _remember(self, candidate: Candidate, verdict: Verdict, call: Call, now_s: float) -> None:
        """Remember one more span of a call."""
        self._archive.revive(call)
        if verdict.kind == AGGREGATE:  # it stands above calls and is none of them
            if candidate.span_key:
                self._spans[candidate.span_key] = Seen(verdict, candidate.parent_key, None)
            self._mark_ancestors(candidate.parent_key, call)
            return
        if verdict.upgrades:
            call.tokens = candidate.tokens
        if candidate.tokens != call.tokens:
            call.twin_tokens = candidate.tokens
        call.counted = call.counted or verdict.kind == COUNTED
        call.response_key = call.response_key or candidate.response_key
        if candidate.response_key:
            self._calls_by_response.refresh(candidate.response_key, call)
        self._shapes.file(candidate, call, now_s - self._ttl_s)
        self._mark_ancestors(candidate.parent_key, call)
        if candidate.span_key:
            self._spans[candidate.span_key] = Seen(verdict, candidate.parent_key, call)

    def _remember_new(self, candidate: Candidate, verdict: Verdict, now_s: float) -> None:
        """Remember the first span of a call."""
        key, parent_key, response = candidate.span_key, candidate.parent_key, candidate.response_key
        call = self._new_call(candidate, now_s, counted=verdict.kind == COUNTED)
        if response:
            self._calls_by_response.refresh(response, call)
        self._shapes.file(candidate, call, now_s - self._ttl_s)
        if parent_key:
            self._mark_ancestors(parent_key, call)
        if key:
            self._spans[key] = _new_tuple(Seen, (verdict, parent_key, call, False))

    def _new_call(self, candidate: Candidate, now_s: float, *, counted: bool) -> Call:
        tokens = candidate.tokens
        return Call(
            NO_SCOPES,
            candidate.response_key,
            candidate.model,
            tokens,
            candidate.start_ns,
            candidate.end_ns,
            now_s,
            NO_TOKENS,
            candidate.leaf,
            counted,
            candidate.span_key if tokens == NO_TOKENS else 0,
            self._batch,
            self._position,
        )
