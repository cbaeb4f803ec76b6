"""Check what no component can check for itself: references, pipelines, ports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from otel_carbon.collector.config.carbon import CarbonConfig
from otel_carbon.collector.config.check_files import file_problems
from otel_carbon.collector.config.document import component_type
from otel_carbon.collector.config.exporters import FileExporterConfig, OtlpGrpcExporterConfig, OtlpHttpExporterConfig
from otel_carbon.collector.config.extensions import FileStorageConfig
from otel_carbon.collector.config.security_check import listening_parts, security_problems, security_warnings
from otel_carbon.collector.config.text import KeyPath, Problem, dotted, suggestion
from otel_carbon.collector.endpoints import Endpoint, parse_endpoint
from otel_carbon.collector.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from otel_carbon.collector.config.document import PipelineConfig, ServiceConfig

_COUNTER_EXPORTERS = {"prometheus": "serves", "prometheusremotewrite": "pushes"}
_PIPELINE_SECTIONS = ("receivers", "processors", "exporters")


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration whose components were read one by one; some may be broken and are missing here.

    Attributes:
        declared: ids of each section, broken ones included.
        components: the components of each section that are valid in themselves.
        service: None when the section itself is broken.
    """

    declared: Mapping[str, tuple[str, ...]]
    components: Mapping[str, Mapping[str, BaseModel]]
    service: ServiceConfig | None


@dataclass(frozen=True, slots=True)
class CarbonFindings:
    """What is wrong with a carbon section; paths begin inside the section.

    Attributes:
        problems: what keeps it from doing what it says.
        warnings: what looks unintended.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def below(self, path: KeyPath) -> CarbonFindings:
        """The same, with paths from the top of the file."""
        return CarbonFindings(
            tuple(Problem((*path, *each.path), each.message) for each in self.problems),
            tuple(Problem((*path, *each.path), each.message) for each in self.warnings),
        )


class CheckCarbon(Protocol):
    """Checks a carbon section against the facts; given by the caller, because this package knows no facts."""

    def __call__(self, config: CarbonConfig, /) -> CarbonFindings:
        """Check one section; the overlay that it names exists."""


def problems_of(draft: Draft) -> Iterator[Problem]:
    """Find what keeps the configuration from running."""
    yield from _carbon_problems(draft)
    yield from _storage_problems(draft)
    yield from _endpoint_problems(draft)
    yield from file_problems(draft.components["exporters"], draft.components["extensions"], draft.service)
    yield from security_problems(draft)
    if draft.service is None:
        return
    yield from _undeclared(draft, ("service", "extensions"), draft.service.extensions, "extensions")
    for name, pipeline in draft.service.pipelines.items():
        yield from _pipeline_problems(draft, name, pipeline)


def carbon_findings(draft: Draft, check: CheckCarbon) -> Iterator[CarbonFindings]:
    """Check the carbon sections against the facts; without its overlay, a section cannot be judged."""
    for key, carbon in draft.components["processors"].items():
        if isinstance(carbon, CarbonConfig) and _overlay_is_there(carbon):
            yield check(carbon).below(("processors", key))


def warnings_of(draft: Draft) -> Iterator[Problem]:
    """Find components that are declared and run nowhere, or for nothing."""
    if draft.service is None:
        return
    yield from _idle_carbons(draft, draft.service)
    yield from security_warnings(draft)
    used = {"extensions": set(draft.service.extensions)}
    for section in _PIPELINE_SECTIONS:
        used[section] = {each for pipeline in draft.service.pipelines.values() for each in getattr(pipeline, section)}
    for section, ids in draft.declared.items():
        for unused in sorted(set(ids) - used[section]):
            place = "service.extensions" if section == "extensions" else "any pipeline"
            yield Problem((section, unused), f"is declared but not named in {place}; it does not run")


def _idle_carbons(draft: Draft, service: ServiceConfig) -> Iterator[Problem]:
    """Carbon processors that metrics flow through for nothing."""
    for key, carbon in draft.components["processors"].items():
        reads_none = isinstance(carbon, CarbonConfig) and not carbon.usage_source.reads_metrics
        if reads_none and _is_fed(key, Signal.METRICS, service):
            what = "reads no metrics: usage_source names no service that is counted from them"
            yield Problem(("processors", key), what)


def _pipeline_problems(draft: Draft, name: str, pipeline: PipelineConfig) -> Iterator[Problem]:
    path: KeyPath = ("service", "pipelines", name)
    signals = [signal.value for signal in Signal]
    if component_type(name) not in signals:
        yield Problem(path, f"unknown kind of pipeline; {suggestion(component_type(name), signals)}")
        return
    for section in _PIPELINE_SECTIONS:
        yield from _undeclared(draft, (*path, section), getattr(pipeline, section), section)
    types = [component_type(processor) for processor in pipeline.processors]
    if "memory_limiter" in types[1:]:
        what = "memory_limiter must stand first: what is refused must cost nothing before"
        yield Problem((*path, "processors", types.index("memory_limiter", 1)), what)
    is_logs = component_type(name) == Signal.LOGS.value
    if "carbon" in types and is_logs:
        what = "carbon reads traces, and metrics of services whose usage_source they are; take it out of here"
        yield Problem((*path, "processors", types.index("carbon")), what)
    for index, exporter in enumerate(pipeline.exporters):
        if verb := _COUNTER_EXPORTERS.get(component_type(exporter)):
            what = f"{component_type(exporter)} {verb} the carbon processor's counters"
            at = (*path, "exporters", index)
            yield from _counters_problems(at, what, is_logs=is_logs, has_carbon="carbon" in types)


def _counters_problems(path: KeyPath, what: str, *, is_logs: bool, has_carbon: bool) -> Iterator[Problem]:
    if is_logs:
        yield Problem(path, f"{what} only; list it in a traces pipeline")
    elif not has_carbon:
        yield Problem(path, f"{what}; add carbon to the processors here")


def _undeclared(draft: Draft, path: KeyPath, ids: tuple[str, ...], section: str) -> Iterator[Problem]:
    declared = draft.declared[section]
    for index, component_id in enumerate(ids):
        if component_id not in declared:
            message = f"{component_id!r} is not declared in {section}; {suggestion(component_id, declared)}"
            yield Problem((*path, index), message)
    for component_id, count in Counter(ids).items():
        if count > 1:
            yield Problem(path, f"{component_id!r} stands here {count} times; name it once")


def _carbon_problems(draft: Draft) -> Iterator[Problem]:
    carbons = {key: each for key, each in draft.components["processors"].items() if isinstance(each, CarbonConfig)}
    for extra in list(carbons)[1:]:
        yield Problem(("processors", extra), "one carbon processor decides for the whole collector; keep one")
    for key, carbon in carbons.items():
        if not _overlay_is_there(carbon):
            yield Problem(("processors", key, "registry"), f"there is no file {carbon.registry!r}")
        if carbon.usage_source.reads_metrics and draft.service and not _is_fed(key, Signal.METRICS, draft.service):
            what = f"the metrics do not come here; add {key} to the processors of a metrics pipeline"
            yield Problem(("processors", key, "usage_source"), what)


def _storage_problems(draft: Draft) -> Iterator[Problem]:
    """One storage, as there is one counting domain; and exporters that name one that does not run."""
    running = draft.service.extensions if draft.service else ()
    storages = [key for key, each in draft.components["extensions"].items() if isinstance(each, FileStorageConfig)]
    for extra in storages[1:]:
        yield Problem(("extensions", extra), "one file_storage keeps everything that belongs together; keep one")
    for name, exporter in draft.components["exporters"].items():
        if not isinstance(exporter, OtlpGrpcExporterConfig | OtlpHttpExporterConfig | FileExporterConfig):
            continue
        storage = exporter.sending_queue.storage
        if storage is None or (storage in draft.declared["extensions"] and storage in running):
            continue
        path: KeyPath = ("exporters", name, "sending_queue", "storage")
        if component_type(storage) == "file_storage" and storage in draft.declared["extensions"]:
            yield Problem(path, f"{storage!r} does not run; name it in service.extensions")
        else:
            yield Problem(path, f"{storage!r} is no file_storage extension; {suggestion(storage, storages)}")


def _is_fed(processor: str, signal: Signal, service: ServiceConfig) -> bool:
    """Whether a pipeline of a signal leads through a processor."""
    return any(
        component_type(name) == signal.value and processor in pipeline.processors
        for name, pipeline in service.pipelines.items()
    )


def _overlay_is_there(carbon: CarbonConfig) -> bool:
    return carbon.registry is None or Path(carbon.registry).is_file()


def _endpoint_problems(draft: Draft) -> Iterator[Problem]:
    listening = list(_listening(draft))
    for (path, endpoint), (other_path, other) in combinations(listening, 2):
        if endpoint.clashes_with(other):
            yield Problem(other_path, f"{other} is taken by {dotted(path)}; choose another port")
    receivers = [endpoint for path, endpoint in listening if path[0] == "receivers"]
    for name, exporter in draft.components["exporters"].items():
        if isinstance(exporter, OtlpGrpcExporterConfig | OtlpHttpExporterConfig):
            target = exporter.target
            if target.is_loopback and any(target.clashes_with(receiver) for receiver in receivers):
                yield Problem(("exporters", name, "endpoint"), f"{target} is this collector's own receiver: a loop")


def _listening(draft: Draft) -> Iterator[tuple[KeyPath, Endpoint]]:
    for part in listening_parts(draft):
        yield (*part.path, "endpoint"), parse_endpoint(part.endpoint)
