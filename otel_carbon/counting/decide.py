"""The decision: from a span and the calls it may belong to, what the span is. Pure."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, DUPLICATE, Verdict, is_short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_carbon.counting.candidate import Call, Candidate, TokenShape


class Relation(Enum):
    """How a span is related to a call that was found before, strongest first."""

    DESCENDANT = "the call was counted on a span below"
    ANCESTOR = "the call was counted on a span above"
    SAME_RESPONSE = "the call has the same provider response id"
    TWIN = "another instrumentation reported the call: same service, tokens and time"


class Evidence(NamedTuple):
    """The call that a span may belong to."""

    relation: Relation
    call: Call


_VENDOR = re.compile(r"^(?:.*/)?(?:[a-z_-]+\.)*")
"""What stands before a model's own name: `openai/`, `us.anthropic.`."""
_ADDED = re.compile(r"|:.*|[-@](?:latest|\d{3}.*|v\d.*|\d+(?:\.\d+)?b\b.*)")
"""What may follow a model's own name without making it another: a tag, date, version or size, but no `-mini`."""
MAX_ANCESTORS = 64
"""How far up a chain of parents is followed; longer chains are cycles or attacks."""
COUNT = Verdict(COUNTED)
_UPGRADE = Verdict(COUNTED, upgrades=True)
_SAME_AS_CHILD = Verdict(DUPLICATE, reasons.COUNTED_DESCENDANT)
_SUM_OF_CHILDREN = Verdict(AGGREGATE, reasons.COUNTED_DESCENDANT)
_SAME = {
    Relation.DESCENDANT: _SAME_AS_CHILD,
    Relation.ANCESTOR: Verdict(DUPLICATE, reasons.COUNTED_ANCESTOR),
    Relation.SAME_RESPONSE: Verdict(DUPLICATE, reasons.SAME_RESPONSE_ID),
    Relation.TWIN: Verdict(DUPLICATE, reasons.SAME_SHAPE),
}


def decide(candidate: Candidate, evidence: Evidence | None) -> Verdict:
    """What a span is, given the call it is related to; without one it is a call of its own.

    A span with usage is never given away to a call that was found without: then the span takes the call over.
    """
    if evidence is None:
        return COUNT
    relation, call = evidence
    if candidate.has_usage and not call.has_usage:
        return _UPGRADE
    if relation is Relation.DESCENDANT and call.tokens != candidate.tokens:
        return _SUM_OF_CHILDREN
    return _SAME[relation]


def may_be_below(candidate: Candidate, call: Call) -> bool:
    """Whether a span below the span of a call can be that call or a part of it, by its tokens."""
    if not candidate.has_usage or not call.has_usage or candidate.tokens in (call.tokens, call.twin_tokens):
        return True
    (read, written), (call_read, call_written) = _as_numbers(candidate.tokens), _as_numbers(call.tokens)
    alike = abs(written - call_written) <= TOKENS_MISCOUNTED and written > 0
    return alike or (read <= call_read and written <= call_written)


TOKENS_MISCOUNTED = 16
"""By how many output tokens two spans of one call may differ: streams are counted a few too high by some."""


def _as_numbers(tokens: TokenShape) -> tuple[int, int]:
    return tokens[0] or 0, tokens[1] or 0


def may_stand_in(verdict: Verdict) -> bool:
    """Whether a span is another one of a call that was found before, and not a sum over it or a re-delivery."""
    return not verdict.repeated and (verdict.kind == DUPLICATE or verdict.upgrades)


def most_trusted(
    first: int, others: Sequence[int], candidates: Sequence[Candidate], verdicts: Sequence[Verdict]
) -> int:
    """Which span of a call to count among those decided together: one with usage, of the most trusted scope.

    A parent never takes the place of its child, as it may stand above further calls.
    """
    able = [first, *(i for i in others if verdicts[i].reason not in _BY_ANCESTRY)]
    return max(able, key=lambda i: (candidates[i].has_usage, candidates[i].trust, -able.index(i)))


def stood_in_for(reason: str) -> Verdict:
    """The verdict of the first span of a call when another one is counted in its place; `reason` was the other's."""
    return Verdict(DUPLICATE, reason or reasons.SAME_SHAPE)


_BY_ANCESTRY = (reasons.COUNTED_ANCESTOR, reasons.COUNTED_DESCENDANT)


def nearest_twin(candidate: Candidate, calls: Iterable[Call]) -> Call | None:
    """The call closest in time that the candidate may report too, `None` if there is none.

    Two spans of one instrumentation scope are never twins: parallel identical calls stay distinct.
    """
    best: Call | None = None
    best_distance_ns = 0
    for call in calls:
        if may_be_twins(candidate, call):
            distance_ns = abs(call.start_ns - candidate.start_ns) + abs(call.end_ns - candidate.end_ns)
            if best is None or distance_ns < best_distance_ns:
                best, best_distance_ns = call, distance_ns
    return best


def may_share_response(candidate: Candidate, call: Call) -> bool:
    """Whether an equal response id means an equal response: the time or the tokens must fit too.

    Some servers draw their ids from a thousand numbers, so that within minutes one comes again for another call.
    One scope tells the usage of a call once: there the tokens must fit, and with such an id the time too.
    Elsewhere the model must fit if the time does not.
    """
    alike, overlap = candidate.tokens in (call.tokens, call.twin_tokens), _overlap(candidate, call)
    if candidate.scope not in call.scopes:
        return overlap or (alike and _same_model(candidate.model, call.model))
    if candidate.has_usage and call.has_usage:
        return alike and (overlap or not is_short(candidate.response_key))
    return overlap or call.has_usage


def may_be_twins(candidate: Candidate, call: Call) -> bool:
    """Whether nothing speaks against a span and a call of equal shape being one: scope, time, id and model."""
    return (
        candidate.scope not in call.scopes
        and _overlap(candidate, call)
        and not (candidate.response_key and call.response_key and candidate.response_key != call.response_key)
        and _same_model(candidate.model, call.model)
    )


def _same_model(one: str, other: str) -> bool:
    """Whether two spellings can be one model: equal but for a vendor, a date or a size; unnamed fits all."""
    return one == other or not one or not other or _names_fit(one, other)


@lru_cache(maxsize=1024)
def _names_fit(one: str, other: str) -> bool:
    shorter, longer = sorted((_VENDOR.sub("", one.lower()), _VENDOR.sub("", other.lower())), key=len)
    return longer.startswith(shorter) and _ADDED.fullmatch(longer[len(shorter) :]) is not None


def _overlap(candidate: Candidate, call: Call) -> bool:
    """Whether they share time; of two that took time, one that starts as the other ends is the next call."""
    shared_ns = min(candidate.end_ns, call.end_ns) - max(candidate.start_ns, call.start_ns)
    momentary = candidate.start_ns == candidate.end_ns or call.start_ns == call.end_ns
    return shared_ns > 0 or (shared_ns == 0 and momentary)


def judging_order(candidates: Sequence[Candidate]) -> list[int]:
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
