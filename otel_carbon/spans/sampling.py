"""How many calls a sampled span stands for, as the `ot` member of its W3C trace state says."""

from __future__ import annotations

import re

MAX_TRACE_STATE_CHARACTERS = 16_640
"""32 members, each a key, a value and two signs, of 256 characters the key and the value: more is no trace state."""
MAX_MEMBER_CHARACTERS = 256
MAX_ADJUSTED_COUNT = 1_000_000
"""Who keeps fewer than one span in a million is taken to be mistaken, as one such span would outweigh all others."""

THRESHOLD_DIGITS = 14
_ALL = 1 << 4 * THRESHOLD_DIGITS  # of as many traces, the threshold says how many are dropped
_DIGITS = re.compile(f"[0-9a-fA-F]{{1,{THRESHOLD_DIGITS}}}")


def adjusted_count(trace_state: str) -> float | None:
    """The calls that a sampled one stands for, itself included: 1 over the probability with which it was kept.

    `None` where the trace state names no valid rejection threshold (`ot=th:...`), so that nothing is known.
    """
    if len(trace_state) > MAX_TRACE_STATE_CHARACTERS:
        return None
    for member in trace_state.split(","):
        key, _, value = member.strip(" \t").partition("=")
        if key == "ot":
            return _count_of_member(value) if len(value) <= MAX_MEMBER_CHARACTERS else None
    return None


def _count_of_member(value: str) -> float | None:
    for part in value.split(";"):
        key, _, digits = part.partition(":")
        if key == "th":
            return _count_of_threshold(digits) if _DIGITS.fullmatch(digits) else None
    return None


def _count_of_threshold(digits: str) -> float | None:
    """Hexadecimal digits without their trailing zeros; the count is never below 1."""
    kept = _ALL - int(digits.ljust(THRESHOLD_DIGITS, "0"), 16)
    count = _ALL / kept
    return count if count <= MAX_ADJUSTED_COUNT else None
