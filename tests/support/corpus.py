"""Load the recorded telemetry in `tests/corpus`, with the true token counts of every request behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CORPUS_FOLDER = Path(__file__).parents[1] / "corpus"
FOLDERS = (CORPUS_FOLDER, CORPUS_FOLDER / "frameworks")


@dataclass(frozen=True, slots=True)
class TokenTruth:
    """Token counts as the provider chose them.

    Attributes:
        input: every prompt token, cache reads and writes included.
        cache_read: the part of `input` read from a cache.
        cache_write: the part of `input` written to a cache.
        output: every generated token, reasoning included.
        reasoning: the part of `output` spent on reasoning.
    """

    input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One HTTP request that the provider saw.

    Attributes:
        provider: whose API was spoken; None when the request was none of a provider's.
        operation: `chat`, `responses`, `embeddings`, ...; None likewise.
        host: host name the client believed to talk to.
        model_requested: model name in the request.
        model_returned: model name in the answer; None when there was none.
        stream: whether a stream was asked for.
        http_status: status of the answer.
        response_id: id in the answer, if any.
        tokens: the true counts, also when the answer did not tell them; all zero for a refused request.
        usage_sent: whether the answer told its usage; None where no model ran.
        usage_span_ids: hex ids of the spans that carry this call's usage; more than one are twins of one call.
        recoverable: names in `TokenTruth` whose values can be worked out from those spans.
    """

    provider: str | None
    operation: str | None
    host: str
    model_requested: str | None
    model_returned: str | None
    stream: bool
    http_status: int
    response_id: str | None
    tokens: TokenTruth
    usage_sent: bool | None
    usage_span_ids: tuple[str, ...]
    recoverable: frozenset[str]


@dataclass(frozen=True, slots=True)
class CaptureTruth:
    """What must be found in one capture.

    Attributes:
        inference_calls: requests that ran a model: no more footprints than these can exist.
        calls_with_usage_in_spans: of them, those whose usage reached a span: each counts exactly once.
        usage_spans: spans that carry the usage of such a call, twins included.
        failed_requests: requests answered with an error.
        all_calls: token sums over all inference calls.
        calls_in_spans: token sums over the calls whose usage reached a span.
        recoverable: the same, only from counts that can be worked out from spans.
    """

    inference_calls: int
    calls_with_usage_in_spans: int
    usage_spans: int
    failed_requests: int
    all_calls: TokenTruth
    calls_in_spans: TokenTruth
    recoverable: TokenTruth


@dataclass(frozen=True, slots=True)
class ForeignUsageSpan:
    """A span whose token numbers belong to no single request.

    Attributes:
        span_id: its id, in hex.
        why: `roll-up of its children` or `estimate by the instrumentation`.
    """

    span_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Capture:
    """One recording: the bodies as sent, and what really happened.

    Attributes:
        name: its name, which its files start with.
        is_framework: whether it is of the second set, `tests/corpus/frameworks`.
        dialect: the family of conventions its spans follow.
        scopes: instrumentation scopes seen in its spans.
        span_count: spans in its trace bodies.
        spans_with_usage: of them, those that carry any token number.
        foreign_usage_spans: of them, those whose numbers are not those of one request.
        traces: encoded `ExportTraceServiceRequest` bodies, in order.
        metrics: encoded `ExportMetricsServiceRequest` bodies.
        logs: encoded `ExportLogsServiceRequest` bodies.
        truth: what must be found.
        calls: the requests, in order.
    """

    name: str
    is_framework: bool
    dialect: str
    scopes: tuple[str, ...]
    span_count: int
    spans_with_usage: int
    foreign_usage_spans: tuple[ForeignUsageSpan, ...]
    traces: tuple[bytes, ...]
    metrics: tuple[bytes, ...]
    logs: tuple[bytes, ...]
    truth: CaptureTruth
    calls: tuple[RecordedCall, ...]


@cache
def captures() -> tuple[Capture, ...]:
    """Every capture, in the order of the manifests; read once per test run."""
    return tuple(_capture(folder, entry) for folder in FOLDERS for entry in _manifest(folder))


def _manifest(folder: Path) -> list[Mapping[str, Any]]:
    captures: list[Mapping[str, Any]] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["captures"]
    return captures


def capture(name: str) -> Capture:
    """The capture called `name`.

    Raises:
        LookupError: when there is none.
    """
    for each in captures():
        if each.name == name:
            return each
    raise LookupError(f"no capture {name!r}; there are {[each.name for each in captures()]}")


def _capture(folder: Path, entry: Mapping[str, Any]) -> Capture:
    spans = entry["spans"]
    return Capture(
        name=entry["capture"],
        is_framework=folder != CORPUS_FOLDER,
        dialect=entry["dialect"],
        scopes=tuple(entry["scopes"]),
        span_count=spans["total"],
        spans_with_usage=spans["with_usage"],
        foreign_usage_spans=tuple(ForeignUsageSpan(each["id"], each["why"]) for each in spans["usage_not_of_one_call"]),
        traces=_bodies(folder, entry, "traces"),
        metrics=_bodies(folder, entry, "metrics"),
        logs=_bodies(folder, entry, "logs"),
        truth=_truth(entry["truth"]),
        calls=tuple(_call(each) for each in entry["calls"]),
    )


def _bodies(folder: Path, entry: Mapping[str, Any], signal: str) -> tuple[bytes, ...]:
    marker = f".{signal}"
    return tuple((folder / file).read_bytes() for file in entry["files"] if marker in file)


def _truth(entry: Mapping[str, Any]) -> CaptureTruth:
    return CaptureTruth(
        inference_calls=entry["inference_calls"],
        calls_with_usage_in_spans=entry["calls_with_usage_in_spans"],
        usage_spans=entry["usage_spans"],
        failed_requests=entry["failed_requests"],
        all_calls=_tokens(entry["sums_all_calls"]),
        calls_in_spans=_tokens(entry["sums_calls_in_spans"]),
        recoverable=_tokens(entry["sums_recoverable"]),
    )


def _call(entry: Mapping[str, Any]) -> RecordedCall:
    return RecordedCall(
        provider=entry["provider"],
        operation=entry["op"],
        host=entry["host"],
        model_requested=entry["model_requested"],
        model_returned=entry["model_returned"],
        stream=entry["stream"],
        http_status=entry["status"],
        response_id=entry["response_id"],
        tokens=_tokens(entry),
        usage_sent=entry.get("usage_sent"),
        usage_span_ids=tuple(entry.get("usage_spans", ())),
        recoverable=frozenset(name.removesuffix("_total") for name in entry.get("recoverable", ())),
    )


def _tokens(entry: Mapping[str, Any]) -> TokenTruth:
    return TokenTruth(
        input=entry["input_total"],
        cache_read=entry["cache_read"],
        cache_write=entry["cache_write"],
        output=entry["output_total"],
        reasoning=entry["reasoning"],
    )
