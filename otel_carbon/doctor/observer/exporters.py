"""Exporters: found behind processors of spans and readers of metrics, their deliveries counted, described."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from otel_carbon.doctor.gather import without_credentials
from otel_carbon.doctor.observations import ExporterFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DEPTH = 4
MAX_PROCESSORS = 64
_WRAPPED = ("processor", "_processor", "wrapped_processor", "_delegate")
"""Where processors of other packages keep the one that they wrap."""

_EXPORTERS = ("span_exporter", "_exporter")
"""Where processors of spans and readers of metrics keep theirs."""


class _CountedExport:
    """An exporter's `export`, with its results counted."""

    def __init__(self, export: Callable[..., Any]) -> None:
        self._export = export
        self.delivered = 0
        self.failed = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature of what is wrapped
        try:
            outcome = self._export(*args, **kwargs)
        except BaseException:
            self.failed += 1
            raise
        if getattr(outcome, "name", "") == "FAILURE":
            self.failed += 1
        else:
            self.delivered += 1
        return outcome


def processors_below(processor: object, depth: int = MAX_DEPTH) -> Iterator[object]:
    """A processor, and those that it holds or wraps, as far as can be seen."""
    yield processor
    if depth > 0:
        held = [*(getattr(processor, "_span_processors", None) or ())]
        held += (found for name in _WRAPPED if (found := getattr(processor, name, None)) is not None)
        for each in islice(held, MAX_PROCESSORS):
            yield from processors_below(each, depth - 1)


def count_deliveries(processor: object) -> None:
    """Count from now on what the exporters behind a processor deliver."""
    for exporter in _exporters(processor):
        if not isinstance(exporter.export, _CountedExport):
            exporter.export = _CountedExport(exporter.export)


def describe_exporters(processor: object) -> tuple[ExporterFacts, ...]:
    """What is known of the exporters behind a processor."""
    return tuple(_facts(each) for each in _exporters(processor))


def _exporters(processor: object) -> Iterator[Any]:
    for each in processors_below(processor):
        for name in _EXPORTERS:
            exporter = getattr(each, name, None)
            if hasattr(exporter, "export"):
                yield exporter
                break


def _facts(exporter: Any) -> ExporterFacts:  # noqa: ANN401 - whatever exports
    target = getattr(exporter, "_delegate", exporter)  # ours enriches and passes on
    module = type(target).__module__
    protocol = "grpc" if ".grpc." in module else "http/protobuf" if ".http." in module else ""
    endpoint = getattr(target, "_endpoint", "") if protocol else ""
    export = exporter.export
    counted = export if isinstance(export, _CountedExport) else None
    return ExporterFacts(
        f"{module}.{type(target).__qualname__}",
        without_credentials(str(endpoint)),
        protocol,
        counted.delivered if counted else 0,
        counted.failed if counted else 0,
    )
