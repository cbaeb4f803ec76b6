"""What was observed in the processes of a command, as plain values that can be written down and read again."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - read at run time, by the decoder of `written.py`
from dataclasses import dataclass, field

from otel_carbon.doctor.facts import Environment  # noqa: TC001 - as above
from otel_carbon.doctor.shown_command import shown_line


@dataclass(frozen=True, slots=True)
class CallRow:
    """Calls that are alike: who reported them, of whom and what, and what became of them.

    `enriched` says whether our processor had acted before the span ended.
    `match`, `operator` (whose servers ran it) and `region_evidence` are empty where there is no estimate;
    `told_region` is what the span itself says.
    """

    scope: str
    provider: str
    model: str
    status: str
    reason: str = ""
    match: str = ""
    operator: str = ""
    region: str = ""
    region_evidence: str = ""
    told_region: str = ""
    enriched: bool = False
    exported: bool = True
    count: int = 1


@dataclass(frozen=True, slots=True)
class OverlapRow:
    """Spans of one scope that are duplicates of calls that another one reported, and by which reason."""

    winner: str
    loser: str
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ExporterFacts:
    """An exporter of spans or of metrics: its class, where it sends to, and how its deliveries ended."""

    kind: str
    endpoint: str = ""
    protocol: str = ""
    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """A tracer provider that calls passed, or the global one.

    `sampler` is what the sampler says of itself; `carbon` says whether our processor or exporter is among its own.
    """

    kind: str
    sampler: str = ""
    carbon: bool = False
    with_calls: bool = False
    attribute_limit: int | None = None
    exporters: tuple[ExporterFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class InstrumentorFacts:
    """An instrumentor that was loaded, whether it is active, and why it may not be."""

    module: str
    active: bool
    required: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """An entry point of OpenTelemetry that could not be loaded, or failed when it was set up.

    `error` is the class of the exception; `missing` the module that could not be imported, or gave not what was asked.
    """

    group: str
    name: str
    distribution: str
    error: str
    missing: str = ""

    @property
    def told(self) -> str:
        """The error in words."""
        return f"{self.error}: {self.missing}" if self.missing else self.error


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """What one process tells: times are Unix seconds by its own clock, `ended` is empty while it runs."""

    pid: int = 0
    python: str = ""
    started_at_s: float = 0.0
    written_at_s: float = 0.0
    ended: str = ""
    problem: str = ""
    clients: tuple[str, ...] = ()
    automatic: bool = False
    captures: bool = False
    not_captured: tuple[str, ...] = ()
    """HTTP clients, with their versions, that were loaded and that the capture does not know how to read."""
    providers: tuple[ProviderFacts, ...] = ()
    metric_exporters: tuple[ExporterFacts, ...] = ()
    provider_set: bool = False
    providers_refused: int = 0
    spans: int = 0
    lost_before_provider: Mapping[str, int] = field(default_factory=dict)
    not_recorded: Mapping[str, int] = field(default_factory=dict)
    calls: tuple[CallRow, ...] = ()
    overlaps: tuple[OverlapRow, ...] = ()
    in_future: int = 0
    most_in_future_s: float = 0.0
    instrumentors: tuple[InstrumentorFacts, ...] = ()
    load_failures: tuple[LoadFailure, ...] = ()
    not_kept: int = 0
    environment: Environment | None = None
    journal: int = 0
    """The first journal of the process that holds what this report does not."""
    running: bool = False
    """Whether the process went on when the command had ended."""
    written_file_at_s: float = 0.0
    """When the file was written by the clock of the file system, which no process can fake for itself."""


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """How a command ended: its exit code, negative for a signal, and whether we ended it."""

    command: tuple[str, ...]
    exit_code: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What an endpoint of telemetry answered: an empty `problem` when it did.

    `clock_ahead_s` is how far the clock here is ahead of the one that its answer carries, `None` without one.
    """

    endpoint: str
    protocol: str
    problem: str = ""
    clock_ahead_s: float | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """All that checks look at; `outcome` is `None` where no command was run. `now_s` is the clock here."""

    environment: Environment
    now_s: float
    outcome: CommandOutcome | None = None
    reports: tuple[ProcessReport, ...] = ()
    probes: tuple[Probe, ...] = ()

    @property
    def observed(self) -> bool:
        """Whether any process of a command told something of itself."""
        return any(not report.problem for report in self.reports)

    @property
    def calls(self) -> tuple[CallRow, ...]:
        """The calls of all processes."""
        return tuple(call for report in self.reports for call in report.calls)

    @property
    def providers(self) -> tuple[ProviderFacts, ...]:
        """The tracer providers of all processes."""
        return tuple(provider for report in self.reports for provider in report.providers)

    @property
    def exporters(self) -> tuple[ExporterFacts, ...]:
        """The exporters of all processes, those of spans first."""
        of_spans = [exporter for provider in self.providers for exporter in provider.exporters]
        return (*of_spans, *(exporter for report in self.reports for exporter in report.metric_exporters))

    @property
    def clients(self) -> tuple[str, ...]:
        """The clients that were loaded, or without a command those that are installed."""
        return tuple(dict.fromkeys(client for report in self.reports for client in report.clients))

    @property
    def automatic(self) -> bool:
        """Whether the command starts, or has a process with, automatic instrumentation."""
        words = self.outcome.command if self.outcome else ()
        named = any(word.rpartition("/")[2] == "opentelemetry-instrument" for word in words)
        return named or any(report.automatic for report in self.reports)

    @property
    def command_line(self) -> str:
        """The command as a shell takes it, without secrets."""
        return shown_line(self.outcome.command) if self.outcome else "python app.py"
