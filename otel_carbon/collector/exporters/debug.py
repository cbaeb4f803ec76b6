"""Log what passes: counts, and of each span its name and our own attributes, never content."""

from __future__ import annotations

import logging
import re
from itertools import islice
from typing import TYPE_CHECKING, Literal

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_carbon import attributes
from otel_carbon.collector.sender import PermanentExportError
from otel_carbon.collector.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_carbon.collector.signals import Batch

SHOWN_ATTRIBUTES = frozenset(
    text for text in vars(attributes).values() if isinstance(text, str) and text.startswith(f"{attributes.ROOT}.")
)
"""Names of our convention; who sends spans may put anything under any other name."""
TEXT_LIMIT_CHARACTERS = 80
SPANS_LIMIT = 100
_ARRAY_LIMIT = 16
_PLAIN = re.compile(r"[\w .,:;/@+*()<>=%-]*")
_logger = logging.getLogger(__name__)


class DebugExport:
    """Writes to the log; for a look at a pipeline, not for load.

    Args:
        exporter: component id, begins every line.
        verbosity: `basic` is a line for each batch; `normal` one for each span as well, the first 100 of a batch;
            `detailed` adds ids, kind, duration and scope to it.
    """

    def __init__(self, exporter: str, *, verbosity: Literal["basic", "normal", "detailed"]) -> None:
        self._exporter = exporter
        self._shows_spans = verbosity != "basic"
        self._detailed = verbosity == "detailed"

    def send(self, batch: Batch) -> int:
        """Log one batch; see `Export.send`."""
        items_name = batch.signal.items_name.replace("_", " ")
        _logger.info(
            "%s: %s: %d %s, %d bytes", self._exporter, batch.signal.value, batch.items, items_name, len(batch.body)
        )
        if self._shows_spans and batch.signal is Signal.TRACES:
            for line in islice(_span_lines(batch.body, detailed=self._detailed), SPANS_LIMIT):
                _logger.info("%s:   %s", self._exporter, line)
        return 0

    def close(self) -> None:
        """Nothing to give back."""


def _span_lines(body: bytes, *, detailed: bool) -> Iterator[str]:
    try:
        # The request and TracesData share their wire format.
        traces = TracesData.FromString(body)
    except DecodeError as error:
        raise PermanentExportError("the batch cannot be decoded") from error
    for resource_spans in traces.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                details = _details(span, scope_spans.scope) if detailed else ()
                yield " ".join((repr(_cut(span.name)), *details, *_ours(span)))


def _details(span: Span, scope: InstrumentationScope) -> tuple[str, ...]:
    duration_ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
    return (
        f"trace={span.trace_id.hex()}",
        f"span={span.span_id.hex()}",
        f"parent={span.parent_span_id.hex() or 'none'}",
        f"kind={span.kind}",
        f"duration_ms={duration_ms:g}",
        f"scope={_shown(scope.name)}",
    )


def _ours(span: Span) -> Iterator[str]:
    for attribute in span.attributes:
        if attribute.key in SHOWN_ATTRIBUTES:
            yield f"{attribute.key}={_text(attribute.value)}"


def _text(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return _shown(value.string_value)
        case "array_value":
            return "[" + ", ".join(_text(each) for each in value.array_value.values[:_ARRAY_LIMIT]) + "]"
        case "bool_value" | "int_value" | "double_value" as kind:
            return str(getattr(value, kind))
        case _:
            return "none"  # nothing of our convention is of another kind


def _shown(text: str) -> str:
    """A text as it is, or in quotes when it might forge a line."""
    cut = _cut(text)
    return cut if _PLAIN.fullmatch(cut) else repr(cut)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT_CHARACTERS else f"{text[:TEXT_LIMIT_CHARACTERS]}..."
