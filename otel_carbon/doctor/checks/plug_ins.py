"""Do the plug-ins of OpenTelemetry load, and come to their end?"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from otel_carbon.doctor.clients import client_table
from otel_carbon.doctor.facts import DISABLED_INSTRUMENTATIONS
from otel_carbon.doctor.findings import finding
from otel_carbon.doctor.observations import LoadFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.facts import Environment, Instrumentation
    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

INSTRUMENTOR = "opentelemetry_instrumentor"
IMPORT_ERROR = "ImportError"
API_PARTS = 3
"""Of `opentelemetry.util.genai.types` so many name the package."""
PACKAGES = {
    "opentelemetry.semconv": "opentelemetry-semantic-conventions",
    "opentelemetry.semconv_ai": "opentelemetry-semantic-conventions-ai",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.trace": "opentelemetry-api",
}
"""Modules whose package has another name."""


def check_plug_ins(examined: Examined) -> Iterator[Finding]:
    """Findings about plug-ins that fail: some end the set-up of all, some are passed over without a word."""
    environment = examined.environment
    for each in environment.instrumentations:
        if each.import_error.startswith(IMPORT_ERROR):
            yield _not_importable(environment, each, each.import_error)
        elif each.import_error:
            yield _broken(environment, LoadFailure(INSTRUMENTOR, each.name, each.distribution, each.import_error))
    for failure in dict.fromkeys(each for report in examined.reports for each in report.load_failures):
        installed = _installed(environment, failure)
        if failure.error != IMPORT_ERROR:
            yield _broken(environment, failure)
        elif installed is not None and installed.instruments and not installed.required:
            yield _not_importable(environment, installed, failure.told)


def broken_instrumentations(examined: Examined) -> set[tuple[str, str]]:
    """Names and packages of the instrumentations that fail, each of which has a finding of its own."""
    failures = (each for report in examined.reports for each in report.load_failures)
    tried = (each for each in examined.environment.instrumentations if each.import_error)
    found = {(each.name, each.distribution) for each in failures if each.group == INSTRUMENTOR}
    return found | {(each.name, each.distribution) for each in tried}


def _installed(environment: Environment, failure: LoadFailure) -> Instrumentation | None:
    told = (failure.name, failure.distribution)
    alike = (each for each in environment.instrumentations if (each.name, each.distribution) == told)
    return next(alike, None) if failure.group == INSTRUMENTOR else None


def _broken(environment: Environment, failure: LoadFailure) -> Finding:
    package = failure.distribution or failure.name
    told = f"{failure.name} ({failure.group}) of {package}: {failure.told}"
    advice = f"pip install --force-reinstall {package}"
    if failure.group == INSTRUMENTOR:
        names = ",".join(dict.fromkeys((*environment.disabled_instrumentations(), failure.name)))
        advice = f"{DISABLED_INSTRUMENTATIONS}={quote(names)}"
    return finding("entry_point_broken", [told], advice=advice)


def _not_importable(environment: Environment, instrumentation: Instrumentation, error: str) -> Finding:
    name, package = instrumentation.distribution, _package_of(error.partition(": ")[2])
    evidence = [f"{instrumentation.name} of {name} {instrumentation.version}: {error}"]
    evidence += [f"it needs {each}" for each in instrumentation.unmet]
    if instrumentation.unmet:
        line = f"pip install {' '.join(map(quote, instrumentation.unmet))}"
    elif package and package not in environment.packages:
        line = f"pip install {quote(package)}"
    else:
        evidence += [f"installed is {package} {environment.packages[package]}"] if package else []
        line = _other_version(instrumentation, package)
    return finding("instrumentation_not_importable", evidence, advice=line)


def _other_version(instrumentation: Instrumentation, package: str) -> str:
    """The line where what is missing is of an installed package: the two do not fit, whatever they say."""
    name = instrumentation.distribution
    clients = (each for each in client_table().clients if each.distribution in instrumentation.instruments)
    better = next((each.install for each in clients if each.install != name), "")
    if better:
        return f"pip uninstall {name} && pip install {better}"
    return f"pip install --upgrade {name} {quote(package)}" if package else f"pip install --upgrade {name}"


def _package_of(module: str) -> str:
    """The package of a missing module, by the usual spelling; empty for none."""
    parts = module.split(".")
    if parts[0] == "opentelemetry":
        return PACKAGES.get(".".join(parts[:2])) or "-".join(parts[:API_PARTS]).replace("_", "-")
    return parts[0].replace("_", "-") if parts[0] != "unknown" else ""
