"""Facts about an environment: packages, variables and files, as values that can be written down and read again."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - read at run time, by the decoder of `written.py`
from dataclasses import dataclass, field

from otel_carbon import switches

CARBON = "otel_carbon"
"""The entry point of our instrumentor."""
CAPTURE = "otel_carbon_capture"
"""The entry point of the instrumentor that reads usage from HTTP."""
CAPTURE_SCOPE = "otel_carbon.capture"
DISABLED_INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
ALL_INSTRUMENTATIONS = "*"


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """An entry point of the group `opentelemetry_instrumentor`, and what its package says that it supports.

    `instruments` are names of packages. `required` and `found` are set where the installed version does not fit;
    a package that is not installed is no conflict. `unmet` are packages that it needs itself and that are missing or
    do not fit; `import_error` says why it cannot be imported, where that was tried.
    """

    name: str
    module: str
    distribution: str
    version: str
    instruments: tuple[str, ...] = ()
    required: str = ""
    found: str = ""
    attribute: str = ""
    unmet: tuple[str, ...] = ()
    import_error: str = ""


@dataclass(frozen=True, slots=True)
class RegistryFacts:
    """The facts behind the figures: which, how old, and what could not be read.

    `released` is the month of the version, `grid_until` the end of the grid table; both are empty when unknown.
    """

    version: str = ""
    released: str = ""
    overlay: str = ""
    overlay_problem: str = ""
    grid_table: str = ""
    grid_until: str = ""
    grid_problem: str = ""


@dataclass(frozen=True, slots=True)
class WrongSetting:
    """A value of ours that cannot be used: its variable, why, and the line to write instead.

    Of a variable of pairs `pairs` are those to write; the line is made of them and of what else is set.
    """

    variable: str
    problem: str
    advice: str
    pairs: Mapping[str, str] = field(default_factory=dict)
    is_of_pairs: bool = False


@dataclass(frozen=True, slots=True)
class WrongRegion:
    """A configured region that the registry does not know, with the names that come nearest."""

    provider: str
    region: str
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """What one Python has installed and is told by variables.

    `packages` are versions by name, of OpenTelemetry's packages and of the clients that we know.
    `variables` are those that matter here; none of them can hold a secret.
    """

    python: str = ""
    python_version: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    instrumentations: tuple[Instrumentation, ...] = ()
    configurators: tuple[str, ...] = ()
    trace_exporters: tuple[str, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    wrong_regions: tuple[WrongRegion, ...] = ()
    wrong_settings: tuple[WrongSetting, ...] = ()
    config_problem: str = ""
    registry: RegistryFacts = field(default_factory=RegistryFacts)

    def is_true(self, variable: str) -> bool:
        """Whether a switch of ours says yes."""
        return self._word(variable) in switches.TRUE_WORDS

    def is_false(self, variable: str) -> bool:
        """Whether a switch of ours says no."""
        return bool(word := self._word(variable)) and word in switches.FALSE_WORDS  # an empty one is not set

    def _word(self, variable: str) -> str:
        return self.variables.get(variable, "").strip().lower()

    def disabled_instrumentations(self) -> tuple[str, ...]:
        """The instrumentations that automatic instrumentation leaves out."""
        text = self.variables.get(DISABLED_INSTRUMENTATIONS, "")
        return tuple(filter(None, (part.strip() for part in text.split(","))))

    def leaves_out(self, name: str) -> bool:
        """Whether automatic instrumentation leaves an instrumentation out."""
        return not {name, ALL_INSTRUMENTATIONS}.isdisjoint(self.disabled_instrumentations())

    @property
    def captures(self) -> bool:
        """Whether the capture of usage on HTTP is installed and switched on."""
        installed = any(each.name == CAPTURE for each in self.instrumentations)
        return installed and not self.is_false(switches.CAPTURE) and not self.leaves_out(CAPTURE)
