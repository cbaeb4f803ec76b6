"""The memory of counting: the only state that says what was seen before, behind one lock."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.counting.archive import Archive, Entries
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
from otel_carbon.counting.rotating_map import RotatingMap
from otel_carbon.counting.shapes import ShapeIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel_carbon.counting.candidate import Candidate

DEFAULT_TTL_S = 600.0
DEFAULT_MAX_CALLS = 1_000_000
YOUNG_PART = 16
MAX_YOUNG_CALLS = 16_384
"""One part in so many of all calls is kept as objects, where judging is fastest, and never more than so many.

Then they are archived all at once, during which others wait.
"""
MOST_OVERFULL = 2.0
"""How many times the young calls that should be there may be, before whoever brings more has to wait."""
COUNTED_PART = 512
"""Whether there is room is looked up each time that one part in so many may have been filled since."""
_new_tuple = tuple.__new__  # makes a named tuple in half the time that calling its class takes
AGGREGATE_BY_ROLE = Verdict(AGGREGATE, reasons.AGGREGATE_OPERATION)


def _call_of(below: Call | Nested) -> Call:
    return below.call if isinstance(below, Nested) else below


class JudgedTogether(NamedTuple):
    """Verdicts in the order of the spans, and for counted spans the positions of others of the same call."""

    verdicts: list[Verdict]
    twins: dict[int, list[int]]


class CountingWindow:
    """Verdicts by span, and calls by response, ancestry and shape, for `ttl_s` seconds and `max_calls` calls.

    A verdict never changes: what was forwarded or booked cannot be taken back.
    With `archives` a call takes some 250 bytes once it is no longer young; else some 800, and no span waits.
    With `archives_apart` calls are archived on a thread of its own, and who need not wait may look at `is_archiving`.
    `monotonic_s` is the clock. Every method may be called from any thread.
    """

    def __init__(
        self,
        monotonic_s: Callable[[], float],
        *,
        ttl_s: float = DEFAULT_TTL_S,
        max_calls: int = DEFAULT_MAX_CALLS,
        archives: bool = True,
        archives_apart: bool = False,
    ) -> None:
        self._lock = threading.RLock()  # the garbage collector may end a span while one is judged
        self._clock = monotonic_s
        self._ttl_s = ttl_s
        self._rotated_at_s = monotonic_s()
        self._period = 0
        self._max_calls = max_calls
        self._archives = archives
        self._archives_apart = archives and archives_apart
        self.is_archiving = False
        """Whether the window is locked for as long as archiving takes, or soon will be."""
        young_calls = max(1, min(max_calls // YOUNG_PART, MAX_YOUNG_CALLS)) if archives else max_calls
        self._archive = Archive(max_calls, young_calls)
        self._spans: RotatingMap[Seen] = RotatingMap(2 * young_calls)
        self._calls_below: RotatingMap[Call | Nested] = RotatingMap(2 * young_calls)
        self._calls_by_response: RotatingMap[Call] = RotatingMap(young_calls)
        self._shapes = ShapeIndex(young_calls, self._archive)
        self._maps: tuple[RotatingMap[Any], ...] = (
            self._spans,
            self._calls_below,
            self._calls_by_response,
            self._shapes.entries,
        )
        self._bounded = (*self._maps, self._archive.revived)
        self._counted_every = max(1, young_calls // COUNTED_PART)
        self._uncounted = 0
        self._batch = 0
        self._position = 0
        self._look_in_archive()

    def emptied(self) -> CountingWindow:
        """A window with the same bounds that remembers nothing."""
        return CountingWindow(
            self._clock,
            ttl_s=self._ttl_s,
            max_calls=self._max_calls,
            archives=self._archives,
            archives_apart=self._archives_apart,
        )

    @contextmanager
    def as_of(self, at_s: float) -> Iterator[None]:
        """Let what is judged meanwhile count as judged then; from one time to the next `at_s` must not fall."""
        with self._lock:
            clock, self._clock = self._clock, lambda: at_s
            self._rotated_at_s = min(self._rotated_at_s, at_s)
            try:
                yield
            finally:
                self._clock = clock

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

    @property
    def evicted(self) -> int:
        """Entries dropped for lack of room: above zero, a duplicate may have been missed."""
        return self._shapes.evicted + self._archive.evicted + sum(entries.evicted for entries in self._maps)

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

    def _now_s(self, spans: int = 1) -> float:
        """The time, before `spans` are judged; what is too old or too much by then has been forgotten or archived."""
        now_s = self._clock()
        if now_s - self._rotated_at_s >= self._ttl_s:
            self._rotated_at_s = now_s
            self._rotate()
        self._uncounted += spans
        if self._uncounted >= self._counted_every:
            self._uncounted = 0
            fullest = max(len(entries) / entries.capacity for entries in self._bounded)
            if fullest > 1.0 and not (fullest < MOST_OVERFULL and self._archive_soon()):
                self._make_room()
        return now_s

    def _archive_soon(self) -> bool:
        """Let another thread archive once the lock is free; False where there is none."""
        if not self.is_archiving and self._archives_apart:
            self.is_archiving = True
            try:
                threading.Thread(target=self._archive_apart, name="archiving of calls", daemon=True).start()
            except RuntimeError:  # no thread is to be had
                self.is_archiving = False
        return self.is_archiving

    def _archive_apart(self) -> None:
        try:
            with self._lock:
                if self._is_over():  # else somebody could not wait
                    self._make_room()
        finally:
            self.is_archiving = False

    def _is_over(self) -> bool:
        return any(len(entries) > entries.capacity for entries in self._bounded)

    def _rotate(self) -> None:
        """Start a period."""
        for entries in self._maps:
            entries.rotate()
        self._archive.forget_before(self._period)
        self._period += 1
        self._look_in_archive()

    def _make_room(self) -> None:
        """Archive all that is young, each part in its own period, or forget the oldest."""
        if not self._archives:
            for entries in self._maps:
                entries.shrink()
            return
        spans, below = self._spans.take_all(), self._calls_below.take_all()
        responses, shapes = self._calls_by_response.take_all(), self._shapes.entries.take_all()
        for part, period in enumerate((self._period - 1, self._period)):
            self._archive.settle(Entries(spans[part], below[part], responses[part], shapes[part]), period)
        self._look_in_archive()

    def _look_in_archive(self) -> None:
        """Let what is not young be looked for in the archive too, as long as there is anything in it."""
        archive = self._archive
        self._find_span = archive.spans.finder(self._spans.get)
        self._find_below = archive.below.finder(self._calls_below.get)
        self._find_response = archive.responses.finder(self._calls_by_response.get)
        self._shapes.find = archive.shapes.finder(self._shapes.entries.get)
