"""Spans reduced to what counting looks at, and a clock that stands still until it is told to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.counting.candidate import Candidate, response_key, shape_key, span_keys
from otel_carbon.counting.memory import DEFAULT_MAX_CALLS, DEFAULT_TTL_S
from otel_carbon.counting.window import CountingWindow

if TYPE_CHECKING:
    from otel_carbon.counting.candidate import TokenShape, Verdict

SDK_SCOPE = "sdk"
FRAMEWORK_SCOPE = "framework"


@dataclass(slots=True)
class Clock:
    """A monotonic clock in seconds."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.now_s


def window(
    clock: Clock | None = None,
    *,
    ttl_s: float = DEFAULT_TTL_S,
    max_calls: int = DEFAULT_MAX_CALLS,
    archives_apart: bool = False,
) -> CountingWindow:
    """An empty window."""
    return CountingWindow(clock or Clock(), ttl_s=ttl_s, max_calls=max_calls, archives_apart=archives_apart)


def candidate(
    number: int,
    *,
    parent: int = 0,
    trace: int = 1,
    scope: str = SDK_SCOPE,
    times_ns: tuple[int, int] = (0, 10),
    response_id: str = "",
    model: str = "gpt-4o",
    tokens: TokenShape = (100, 10),
    service: str = "shop",
    trust: int = 1,
) -> Candidate:
    """The span `number` of a trace, with the span `parent` above it; 0 is none."""
    trace_id = trace.to_bytes(16, "big")
    key, parent_key = span_keys(trace_id, number.to_bytes(8, "big"), parent.to_bytes(8, "big"))
    return Candidate(
        span_key=key,
        parent_key=parent_key,
        scope=scope,
        start_ns=times_ns[0],
        end_ns=times_ns[1],
        response_key=response_key(response_id),
        model=model,
        tokens=tokens,
        shape_key=shape_key(service, model, tokens),
        span_id=number.to_bytes(8, "big"),
        trust=trust,
    )


def kind_and_reason(verdict: Verdict) -> tuple[str, str]:
    """What a verdict says of the span itself."""
    return verdict.kind, verdict.reason
