"""The sampler: calls that sampling drops are recorded all the same, to be booked but not exported."""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind, get_current_span

from otel_carbon import attributes as ours
from otel_carbon.sdk.spans import carbon_samplers, may_be_genai
from otel_carbon.switches import is_disabled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, TraceState
    from opentelemetry.util.types import Attributes

logger = logging.getLogger(__name__)

LIKELY_KINDS = frozenset({SpanKind.CLIENT, SpanKind.INTERNAL})
"""Kinds of the spans of calls; several libraries start theirs as internal ones that say nothing yet."""
ENTRY_POINT_GROUP = "opentelemetry_traces_sampler"
DEFAULT_DELEGATE = "parentbased_always_on"


class CarbonSampler(Sampler):
    """Record what `delegate` drops where it may be an inference call, so that `CarbonSpanProcessor` can book it.

    Such a span is recorded without being sampled: processors see it, and the SDK's export processors skip it.
    What is exported, propagated and decided for children stays what the delegate says.
    With `OTEL_CARBON_DISABLED=true` it only asks the delegate. It never raises into the application.

    Args:
        delegate: the sampler that decides what is exported.
        kinds: spans of these kinds are recorded whatever they say when they start, as a sampler is not told which
            instrumentation starts a span; with GenAI attributes spans of all kinds are.
    """

    def __init__(self, delegate: Sampler, kinds: Collection[SpanKind] = LIKELY_KINDS) -> None:
        self._delegate = delegate
        self._kinds = frozenset(kinds)
        self._disabled = is_disabled(os.environ)
        self._unsaid = ["failure"]
        if not self._disabled:
            carbon_samplers.add(self)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """What the delegate decides, and recording instead of dropping for what may be a call."""
        extra = () if trace_state is None else (trace_state,)  # which the SDK never gives, and not all samplers take
        try:
            result = self._delegate.should_sample(parent_context, trace_id, name, kind, attributes, links, *extra)
            dropped = result.decision is Decision.DROP
        except Exception as error:  # an application must not fail for want of a decision
            self._report(error)
            result, dropped = SamplingResult(Decision.DROP, None, _trace_state_of(parent_context)), True
        try:
            if dropped and self._may_be_call(kind, attributes):
                return _recorded(result, attributes)
        except Exception as error:
            self._report(error)
        return result

    def get_description(self) -> str:
        """Name the delegate's description."""
        return f"CarbonSampler{{{self._delegate.get_description()}}}"

    def _may_be_call(self, kind: SpanKind | None, attributes: Attributes) -> bool:
        if self._disabled:
            return False
        return (kind or SpanKind.INTERNAL) in self._kinds or may_be_genai(attributes or {})

    def _report(self, error: Exception) -> None:
        """Say it once; a log line for each span would hurt more than it helps."""
        try:
            self._unsaid.pop()  # of several threads, one gets here
        except IndexError:
            return
        logger.warning("sampling failed; such spans are not exported", exc_info=error)


def sampler_from_argument(argument: str | None = None) -> CarbonSampler:
    """Entry point `opentelemetry_traces_sampler: otel_carbon`, which the SDK calls with `OTEL_TRACES_SAMPLER_ARG`.

    The argument is `NAME[:ARGUMENT][;kinds=KIND,...]`: the delegate as `OTEL_TRACES_SAMPLER` would name it, with what
    `OTEL_TRACES_SAMPLER_ARG` would hold, and the kinds of spans to record, or `all`. An empty one stands for the
    SDK's own default.

    Raises:
        ValueError: there is no such sampler or kind, or the sampler does not take the argument.
        TypeError: what another package offers under the name is no sampler.
    """
    delegate, _, options = (argument or "").strip().partition(";")
    name, _, delegate_argument = delegate.partition(":")
    kinds = _kinds_from_text(options.strip()) if options.strip() else LIKELY_KINDS
    return CarbonSampler(_delegate(name.strip() or DEFAULT_DELEGATE, delegate_argument.strip()), kinds)


_FIXED: Mapping[str, Sampler] = {
    "always_on": ALWAYS_ON,
    "always_off": ALWAYS_OFF,
    "parentbased_always_on": DEFAULT_ON,
    "parentbased_always_off": DEFAULT_OFF,
}
_BY_RATIO: Mapping[str, type[TraceIdRatioBased | ParentBasedTraceIdRatio]] = {
    "traceidratio": TraceIdRatioBased,
    "parentbased_traceidratio": ParentBasedTraceIdRatio,
}


def _delegate(name: str, argument: str) -> Sampler:
    if name in _FIXED:
        if argument:
            msg = f"the sampler {name} takes no argument; got {argument!r}"
            raise ValueError(msg)
        return _FIXED[name]
    if name in _BY_RATIO:
        try:
            return _BY_RATIO[name](float(argument))
        except ValueError:
            msg = f"the sampler {name} needs a probability from 0 to 1, as in {name}:0.1; got {argument!r}"
            raise ValueError(msg) from None
    return _delegate_of_others(name, argument)


def _delegate_of_others(name: str, argument: str) -> Sampler:
    """A sampler that another package offers under a name."""
    found = [] if name == ours.ROOT else list(entry_points(group=ENTRY_POINT_GROUP, name=name))
    if not found:
        msg = f"no sampler {name!r}; the built-in ones are {', '.join((*_FIXED, *_BY_RATIO))}"
        raise ValueError(msg)
    sampler = found[0].load()(argument or None)
    if not isinstance(sampler, Sampler):
        msg = f"what is called {name} is no sampler"
        raise TypeError(msg)
    return sampler


def _kinds_from_text(text: str) -> frozenset[SpanKind]:
    key, _, names = text.partition("=")
    wanted = [name.strip().upper() for name in names.split(",") if name.strip()]
    if key.strip() == "kinds" and wanted == ["ALL"]:
        return frozenset(SpanKind)
    if key.strip() != "kinds" or not set(wanted) <= set(SpanKind.__members__):
        msg = f"expected kinds=all or kinds=KIND,... of {', '.join(SpanKind.__members__).lower()}; got {text!r}"
        raise ValueError(msg)
    return frozenset(SpanKind[name] for name in wanted)


def _recorded(result: SamplingResult, attributes: Attributes) -> SamplingResult:
    """The result with recording instead of dropping; a sampler that drops does not hand the span's attributes on."""
    return SamplingResult(
        Decision.RECORD_ONLY, dict(attributes or {}) | dict(result.attributes or {}), result.trace_state
    )


def _trace_state_of(parent_context: Context | None) -> TraceState | None:
    parent = get_current_span(parent_context).get_span_context()
    return parent.trace_state if parent.is_valid else None
