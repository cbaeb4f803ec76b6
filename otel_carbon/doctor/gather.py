"""Reads the environment of the Python that this runs in: packages, entry points, variables, files."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, distributions, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from otel_carbon.doctor import signals
from otel_carbon.doctor.clients import client_table
from otel_carbon.doctor.facts import Environment, Instrumentation
from otel_carbon.doctor.own_settings import read_own_settings
from otel_carbon.doctor.signals import CONFIG_FILE
from otel_carbon.sdk import environment as own
from otel_carbon.switches import CAPTURE, DISABLED, SDK_DISABLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import Distribution, EntryPoint

CONFIG_PACKAGE = "opentelemetry-configuration"
VARIABLES = (
    SDK_DISABLED,
    *signals.VARIABLES,
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    CONFIG_FILE,
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "OTEL_PYTHON_DISTRO",
    "OTEL_PYTHON_CONFIGURATOR",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    CAPTURE,
    DISABLED,
    own.REGION,
    own.MODELS,
    own.ACCOUNTING_POINT,
    own.ATTRIBUTES,
    own.STRICT,
    own.REGISTRY,
    own.GRID_TABLE,
)
"""What is read of the environment. Headers are not: they hold keys."""
ADDRESSES = tuple(name for name in signals.VARIABLES if name.endswith("_ENDPOINT"))
OUR_FAMILIES = ("opentelemetry", "openinference", "otel-carbon")
MAX_VALUE_CHARACTERS = 1000
_REQUIREMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_INSTRUMENTS = re.compile(r"""extra\s*==\s*["']instruments(-any)?["']""")


def gather_environment(environ: Mapping[str, str] | None = None) -> Environment:
    """The facts of this Python, with the variables of this process or those given; loads no other package's code."""
    variables = _variables(os.environ if environ is None else environ)
    packages = dict(_packages())
    settings = read_own_settings(variables)
    return Environment(
        python=sys.executable,
        python_version=platform.python_version(),
        packages=packages,
        variables=variables,
        instrumentations=tuple(_instrumentations()),
        configurators=_names("opentelemetry_configurator"),
        trace_exporters=_names("opentelemetry_traces_exporter"),
        regions=settings.regions,
        models=settings.models,
        wrong_regions=settings.wrong_regions,
        wrong_settings=settings.wrong,
        config_problem=_config_problem(variables.get(CONFIG_FILE, ""), packages),
        registry=settings.registry,
    )


def without_credentials(address: str) -> str:
    """An address without the user, the password and the query that may stand in it."""
    try:
        parts = urlsplit(address)
        if parts.netloc:
            return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""
    return address.rpartition("@")[2].partition("?")[0]


def normalised(name: str) -> str:
    """A package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    found = {name: environ[name][:MAX_VALUE_CHARACTERS] for name in VARIABLES if environ.get(name)}
    return {name: without_credentials(text) if name in ADDRESSES else text for name, text in found.items()}


def _packages() -> Iterable[tuple[str, str]]:
    table = client_table()
    of_interest = {each.distribution for each in table.clients} | set(table.starters)
    seen: set[str] = set()
    for distribution in distributions():
        name = _name_of(distribution)
        if name not in seen and (name in of_interest or name.startswith(OUR_FAMILIES)):
            seen.add(name)  # of two on the path the first one is imported
            yield name, str(distribution.version)


def _name_of(distribution: Distribution) -> str:
    """The name of a package, empty where its metadata is broken."""
    try:
        return normalised(distribution.metadata["Name"] or "")
    except Exception:  # another package's metadata may be anything
        return ""


def _names(group: str) -> tuple[str, ...]:
    return tuple(sorted({each.name for each in entry_points(group=group)}))


def _instrumentations() -> Iterable[Instrumentation]:
    seen: set[tuple[str, str]] = set()
    for entry_point in sorted(entry_points(group="opentelemetry_instrumentor"), key=lambda each: each.name):
        distribution = entry_point.dist
        name = _name_of(distribution) if distribution is not None else ""
        if distribution is None or (entry_point.name, name) in seen:  # a package may be found twice on the path
            continue
        seen.add((entry_point.name, name))
        yield _instrumentation(entry_point, distribution, name)


def _instrumentation(entry_point: EntryPoint, distribution: Distribution, name: str) -> Instrumentation:
    required, found = _conflict(distribution)
    wanted = [line for line in distribution.requires or () if _INSTRUMENTS.search(line)]
    instruments = {normalised(match[0]) for line in wanted if (match := _REQUIREMENT_NAME.match(line))}
    return Instrumentation(
        entry_point.name,
        entry_point.module,
        name,
        str(distribution.version),
        tuple(sorted(instruments)),
        required,
        found,
        entry_point.attr,
        tuple(_unmet(distribution)),
    )


def _unmet(distribution: Distribution) -> Iterator[str]:
    """What a package needs, extras left out, and does not find as it wants it."""
    try:
        from packaging.requirements import Requirement  # wherever opentelemetry-instrumentation is

        wanted = [Requirement(line) for line in distribution.requires or ()]
        for each in wanted:
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                found = _version_of(each.name)
                if found is None or not each.specifier.contains(found, prereleases=True):
                    yield f"{each.name}{each.specifier}"
    except Exception:  # another package's metadata may be anything
        return


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _conflict(distribution: Distribution) -> tuple[str, str]:
    """What an instrumentation wants and what is installed instead, by the rule of `opentelemetry-instrument`."""
    try:
        from opentelemetry.instrumentation.dependencies import (  # not part of the base install
            get_dist_dependency_conflicts,
        )

        conflict = get_dist_dependency_conflicts(distribution)
    except Exception:  # an older rule, or metadata that it cannot read
        return "", ""
    return conflict_texts(conflict)


def conflict_texts(conflict: object) -> tuple[str, str]:
    """The two texts of a conflict; empty where nothing is installed that could conflict."""
    found = getattr(conflict, "found", None) or ", ".join(getattr(conflict, "found_any", None) or ())
    required = getattr(conflict, "required", None) or ", ".join(map(str, getattr(conflict, "required_any", None) or ()))
    return (str(required).partition(";")[0].strip(), str(found)) if found else ("", "")


def _config_problem(path: str, packages: Mapping[str, str]) -> str:
    """Why the declarative configuration cannot be used; empty when nothing speaks against it."""
    if not path:
        return ""
    if CONFIG_PACKAGE not in packages:
        return f"{CONFIG_FILE} is set and {CONFIG_PACKAGE} is not installed"
    try:
        Path(path).read_bytes()
    except OSError as error:
        return f"{path}: {error.strerror}"
    try:
        from opentelemetry.configuration import load_config_file  # not part of the base install

        load_config_file(path)
    except Exception as error:  # whatever is wrong with the file or with the package
        return f"{path}: {str(error).splitlines()[0][:MAX_VALUE_CHARACTERS] if str(error) else type(error).__name__}"
    return ""
