"""Log what passes: counts, and of each span its name and our own attributes, never content."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_carbon.collector.sender import PermanentExportError
from otel_carbon.collector.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_carbon.collector.signals import Batch

OUR_PREFIX = "otel_carbon."
_NAME_LIMIT_CHARACTERS = 80
_SPANS_LIMIT = 100
_logger = logging.getLogger(__name__)


class DebugExport:
    """Writes to the log; for a look at a pipeline, not for load.

    Args:
        exporter: component id, begins every line.
        detailed: whether each span gets a line (the first 100 of a batch), or each batch only.
    """

    def __init__(self, exporter: str, *, detailed: bool) -> None:
        self._exporter = exporter
        self._detailed = detailed

    def send(self, batch: Batch) -> int:
        """Log one batch; see `Export.send`."""
        items_name = batch.signal.items_name.replace("_", " ")
        _logger.info(
            "%s: %s: %d %s, %d bytes", self._exporter, batch.signal.value, batch.items, items_name, len(batch.body)
        )
        if self._detailed and batch.signal is Signal.TRACES:
            for line, _ in zip(_span_lines(batch.body), range(_SPANS_LIMIT), strict=False):
                _logger.info("%s:   %s", self._exporter, line)
        return 0

    def close(self) -> None:
        """Nothing to give back."""


def _span_lines(body: bytes) -> Iterator[str]:
    try:
        # The request and TracesData share their wire format.
        traces = TracesData.FromString(body)
    except DecodeError as error:
        raise PermanentExportError("the batch cannot be decoded") from error
    for resource_spans in traces.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from map(_span_line, scope_spans.spans)


def _span_line(span: Span) -> str:
    ours = (
        f"{attribute.key}={_text(attribute.value)}"
        for attribute in span.attributes
        if attribute.key.startswith(OUR_PREFIX)
    )
    # repr keeps a line break in a name from forging a log line.
    return " ".join((repr(span.name[:_NAME_LIMIT_CHARACTERS]), *ours))


def _text(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    if kind is None:
        return "none"
    if kind == "array_value":
        return "[" + ", ".join(_text(element) for element in value.array_value.values) + "]"
    return str(getattr(value, kind))
