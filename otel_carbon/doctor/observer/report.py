"""The report of a process, made from its notes and from what it has loaded."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_carbon.doctor.clients import client_table
from otel_carbon.doctor.gather import conflict_texts, gather_environment, normalised
from otel_carbon.doctor.observations import (
    CallRow,
    ExporterFacts,
    InstrumentorFacts,
    LoadFailure,
    OverlapRow,
    ProcessReport,
    ProviderFacts,
)
from otel_carbon.doctor.observer.exporters import describe_exporters, processors_below
from otel_carbon.doctor.written import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.observer.notes import Notes, Tally

INSTRUMENTORS = "opentelemetry.instrumentation.instrumentor"
AUTOMATIC = "opentelemetry.instrumentation.auto_instrumentation"
CAPTURE = "otel_carbon.capture.patching"
MAX_INSTRUMENTORS = 200


def report_body(notes: Notes, ended: str, journal: int) -> bytes:
    """The report as it is written; the environment is looked at when the process ends."""
    return written(replace(process_report(notes, ended), journal=journal))


def process_report(notes: Notes, ended: str) -> ProcessReport:
    """The report of this process now; `ended` says how it ends, empty while it goes on."""
    with notes.lock:
        clients = tuple(each.distribution for each in client_table().clients if each.module in sys.modules)
        of_interest = ended not in ("", "exec") and (clients or notes.spans or "opentelemetry" in sys.modules)
        return ProcessReport(
            pid=os.getpid(),
            python=sys.executable,
            started_at_s=notes.started_at_s,
            written_at_s=time.time(),
            ended=ended,
            clients=clients,
            automatic=AUTOMATIC in sys.modules,
            captures=_captures(),
            not_captured=_not_captured(),
            providers=tuple(_providers(notes)),
            metric_exporters=tuple(_metric_exporters(notes)),
            provider_set=notes.global_provider is not None,
            providers_refused=notes.providers_refused,
            spans=notes.spans,
            lost_before_provider=_by_name(notes.lost_before_provider),
            not_recorded=_by_name(notes.not_recorded),
            calls=tuple(replace(CallRow(*key), count=count) for key, count in notes.calls.counts.items()),
            overlaps=tuple(replace(OverlapRow(*key), count=count) for key, count in notes.overlaps.counts.items()),
            in_future=notes.in_future,
            most_in_future_s=notes.most_in_future_s,
            instrumentors=tuple(_instrumentors()),
            load_failures=tuple(_failures(notes.load_failures)),
            not_kept=notes.not_kept,
            environment=gather_environment() if of_interest and not notes.inherited else None,
        )


def _captures() -> bool:
    """Whether usage is read from HTTP in this process; the part that does it may not be installed."""
    return getattr(_capture(), "capturer", None) is not None


def _not_captured() -> tuple[str, ...]:
    unknown: dict[str, str] = getattr(_capture(), "unknown", {})
    return tuple(f"{name} {version}".strip() for name, version in unknown.items())


def _capture() -> object:
    return getattr(sys.modules.get(CAPTURE), "capture", None)


def _by_name(tally: Tally) -> dict[str, int]:
    return {str(name): count for name, count in tally.counts.items()}


def _metric_exporters(notes: Notes) -> Iterator[ExporterFacts]:
    for reader in (each() for each in notes.readers):
        if reader is not None:
            yield from describe_exporters(reader)


def _failures(tally: Tally) -> Iterator[LoadFailure]:
    for key in tally.counts:
        failure = LoadFailure(*key)
        yield replace(failure, distribution=normalised(failure.distribution))


def _providers(notes: Notes) -> Iterator[ProviderFacts]:
    """The providers that calls passed, and the global one."""
    the_global = notes.global_provider() if notes.global_provider else None
    in_charge = {id(each) for each in (the_global, getattr(the_global, "provider", None))}  # Logfire's holds another
    for provider in (each() for each in notes.providers):
        if provider is not None and id(provider) in notes.with_calls | in_charge:
            yield replace(_provider(provider), with_calls=id(provider) in notes.with_calls)


def _provider(provider: Any) -> ProviderFacts:  # noqa: ANN401 - whatever the SDK made
    active = provider._active_span_processor
    below = list(processors_below(active))
    exporters = (getattr(each, "span_exporter", None) for each in below)
    return ProviderFacts(
        kind=f"{type(provider).__module__}.{type(provider).__qualname__}",
        sampler=str(provider.sampler.get_description()),
        carbon=any(type(each).__module__.startswith("otel_carbon.sdk.") for each in (*below, *exporters)),
        attribute_limit=getattr(getattr(provider, "_span_limits", None), "max_span_attributes", None),
        exporters=describe_exporters(active),
    )


def _instrumentors() -> Iterator[InstrumentorFacts]:
    """The instrumentors that are loaded, and whether they are active."""
    module = sys.modules.get(INSTRUMENTORS)
    waiting: list[Any] = list(module.BaseInstrumentor.__subclasses__()) if module else []
    seen: set[Any] = set()
    while waiting and len(seen) < MAX_INSTRUMENTORS:
        kind = waiting.pop(0)
        if kind in seen:
            continue
        seen.add(kind)
        waiting += kind.__subclasses__()
        instance = vars(kind).get("_instance")  # its own, not that of the class it is derived from
        if instance is not None and not kind.__module__.startswith("otel_carbon."):
            yield _instrumentor(kind, instance)


def _instrumentor(kind: Any, instance: Any) -> InstrumentorFacts:  # noqa: ANN401 - a class of another package
    active = bool(instance._is_instrumented_by_opentelemetry)
    try:
        required, found = ("", "") if active else conflict_texts(instance._check_dependency_conflicts())
    except Exception:  # another package's code
        required, found = "", ""
    return InstrumentorFacts(kind.__module__, active, required, found)
