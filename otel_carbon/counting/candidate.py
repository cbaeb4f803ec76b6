"""What counting looks at: a span reduced to identity, time and shape, and the calls found so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

COUNTED = "counted"
DUPLICATE = "duplicate"
AGGREGATE = "aggregate"


class Verdict(NamedTuple):
    """What a span is: `counted` stands for a call of its own, with or without a figure.

    `repeated` marks a span that was delivered before: nothing is booked for it again.
    `upgrades` marks a counted span whose call had been found without usage, and booked as an operation, already.
    """

    kind: str
    reason: str = ""
    repeated: bool = False
    upgrades: bool = False


TokenShape = tuple[int | None, int | None]
"""Input and output tokens as reported, `None` where a span does not say."""

NO_TOKENS: TokenShape = (None, None)
NO_SCOPES: frozenset[str] = frozenset()
UNIQUE_ID_LENGTH = 16
"""Shorter response ids come again: some servers write a number below a thousand after a fixed word."""
_NO_IDS = frozenset((0, b"", bytes(8), bytes(16)))
_ID_TYPES = (str, bytes)


@dataclass(slots=True)
class Candidate:
    """One GenAI span; keys are 64-bit hashes, 0 when the span has no such thing.

    `shape_key` is equal for spans that may report the same call without sharing an id.
    Not frozen, as one is made for every span.
    """

    span_key: int
    parent_key: int
    scope: str
    start_ns: int
    end_ns: int
    response_key: int
    model: str
    tokens: TokenShape
    shape_key: int
    span_id: int | bytes = 0
    """The id itself, for an order that is the same in every process."""
    trust: int = 1
    """How far its counts are believed beside those of another span of the same call; more is better."""
    leaf: bool = False
    """Whether it is one call to a model for certain, and not perhaps a sum over the calls below it."""

    @property
    def has_usage(self) -> bool:
        """Whether the span says how many tokens the call used."""
        return self.tokens != NO_TOKENS


@dataclass(slots=True, eq=False)
class Call:
    """One inference call, and the scopes that it has been seen in."""

    scopes: frozenset[str]
    response_key: int
    model: str
    tokens: TokenShape
    start_ns: int
    end_ns: int
    seen_at_s: float
    twin_tokens: TokenShape = NO_TOKENS
    """What the last span that said otherwise said of its tokens: some count one off."""
    leaf: bool = False
    """Whether the span that it was found by is one call for certain."""
    counted: bool = False
    """Whether one of its spans was counted; of an earlier hop's spans a duplicate may come first."""
    silent_key: int = 0
    """The span that it was found by, if that told no usage: calls below it are calls of their own once one did."""
    batch: int = 0
    position: int = 0
    """Where the span that it was found by stands among those that were judged together."""
    archived_as: int = 0
    """What the archive last called it, 0 as long as it is new."""

    @property
    def has_usage(self) -> bool:
        """Whether any of its spans says how many tokens it used."""
        return self.tokens != NO_TOKENS


class Seen(NamedTuple):
    """A span that passed: its verdict when it was judged, its parent, and the call it belongs to.

    One that only `relays` a call, which counts elsewhere, is neither a call nor a step between calls.
    """

    verdict: Verdict | None
    parent_key: int
    call: Call | None
    relays: bool = False


class Nested(NamedTuple):
    """A call below a span, with something between that is no call itself."""

    call: Call


def span_keys(trace_id: int | bytes, span_id: int | bytes, parent_span_id: int | bytes) -> tuple[int, int]:
    """The keys of a span's identity and its parent's, each 0 when an id is missing or all zero."""
    if trace_id in _NO_IDS:
        return 0, 0
    key = 0 if span_id in _NO_IDS else hash((trace_id, span_id))
    return key, 0 if parent_span_id in _NO_IDS else hash((trace_id, parent_span_id))


def response_key(response_id: object) -> int:
    """The key of a response, by its id or the id's encoded form; 0 without an id. It is odd for a short id.

    The provider is no part of it: two instrumentations may name the provider of one call differently.
    """
    if not response_id:
        return 0
    long = isinstance(response_id, _ID_TYPES) and len(response_id) >= UNIQUE_ID_LENGTH
    key = hash(response_id) | 1
    return key ^ 1 or 2 if long else key


def is_short(response: int) -> bool:
    """Whether the key is that of an id so short that another response may have the same."""
    return response % 2 == 1


def shape_key(service: str, model: str, tokens: TokenShape) -> int:
    """The key of a call's shape: service and tokens, or service and model where no tokens are known."""
    return hash((service, model.lower())) if tokens == NO_TOKENS else hash((service, tokens))
