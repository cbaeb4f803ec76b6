"""Does something report the calls of each client, and only once?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import switches
from otel_carbon.doctor.checks.plug_ins import broken_instrumentations
from otel_carbon.doctor.checks.switches import remaining
from otel_carbon.doctor.clients import client_table, starts_with
from otel_carbon.doctor.facts import CAPTURE, CAPTURE_SCOPE, DISABLED_INSTRUMENTATIONS
from otel_carbon.doctor.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.clients import Client
    from otel_carbon.doctor.facts import Environment, Instrumentation
    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined


def check_coverage(examined: Examined) -> Iterator[Finding]:
    """Findings about clients that nothing reports, and about HTTP clients that the capture cannot read."""
    for client in clients_of(examined):
        if not _is_instrumented(examined, client):
            yield from _why_not(examined, client)
    for told in dict.fromkeys(each for report in examined.reports for each in report.not_captured):
        yield finding("http_client_not_captured", [told])


def clients_of(examined: Examined) -> tuple[Client, ...]:
    """The clients that were loaded; where nothing was run, those that are installed."""
    names = examined.clients if examined.observed else tuple(examined.environment.packages)
    return tuple(client for client in client_table().clients if client.distribution in names)


def installed_for(environment: Environment, client: Client) -> tuple[Instrumentation, ...]:
    """The installed instrumentations of a client, by what their packages say."""
    return tuple(each for each in environment.instrumentations if client.distribution in each.instruments)


def _is_instrumented(examined: Examined, client: Client) -> bool:
    """Whether an instrumentation, of the client or of a framework above it, reports its calls."""
    environment = examined.environment
    installed = installed_for(environment, client)
    if not examined.observed:
        usable = (
            not (each.required or each.import_error) and not environment.leaves_out(each.name) for each in installed
        )
        started = not environment.packages.keys().isdisjoint(client_table().starters)
        return bool(client.own_spans) or started or any(usable)
    active = _active_modules(examined)
    scopes = {each.scope for each in examined.calls} | {each.loser for r in examined.reports for each in r.overlaps}
    if any(client.is_reported_by(name) for name in active | scopes):
        return True
    return any(each.module in active for each in installed) or any(map(_is_of_framework, scopes))


def _is_captured(examined: Examined, client: Client) -> bool:
    """Whether the capture on HTTP reports the calls of a client."""
    on = any(report.captures for report in examined.reports) if examined.observed else examined.environment.captures
    return on and bool(client.transport)


def _active_modules(examined: Examined) -> set[str]:
    return {each.module for report in examined.reports for each in report.instrumentors if each.active}


def _is_of_framework(scope: str) -> bool:
    """Whether a scope is of no single client: then it reports the calls of those below it."""
    of_client = any(client.is_reported_by(scope) for client in client_table().clients)
    return not of_client and not starts_with(scope, CAPTURE_SCOPE)


def _why_not(examined: Examined, client: Client) -> Iterator[Finding]:
    """Why no instrumentation reports a client's calls, unless the capture does."""
    environment = examined.environment
    installed = installed_for(environment, client)
    evidence = f"{client.distribution} {environment.packages.get(client.distribution, '')}".strip()
    broken = broken_instrumentations(examined)
    if any((each.name, each.distribution) in broken for each in installed):
        return
    unsupported = [*_unsupported(examined, client, installed)]
    left_out = [each for each in installed if environment.leaves_out(each.name) and not each.required]
    if unsupported:
        yield from unsupported
    elif _is_captured(examined, client):
        return
    elif left_out:
        names = remaining(environment, left_out[0].name)
        yield finding("instrumentation_disabled", [evidence, _disabled(environment)], remaining=names)
    elif switched_off := _capture_switch(environment):
        yield finding("capture_disabled", [evidence, switched_off[0]], advice=switched_off[1])
    elif _is_set_up_without_capture(examined, client):
        told = "the application adds the carbon processor, and does not switch the capture on"
        line = "otel_carbon.instrument() # without capture=False; it adds CarbonSpanProcessor() by itself"
        yield finding("capture_disabled", [evidence, told], advice=line)
    elif not installed:
        captures = environment.captures and client.transport
        line = "otel_carbon.instrument()" if captures else f"pip install {client.install}"
        yield finding("client_uninstrumented", [evidence], advice=line)
    elif any(report.provider_set for report in examined.reports):  # else the missing provider is what is wrong
        told = f"{installed[0].distribution} {installed[0].version} is installed and not active"
        first = installed[0]  # a provider is there, so that `opentelemetry-instrument` would bring a second one
        advice = f"from {first.module} import {first.attribute}; {first.attribute}().instrument()"
        yield finding("client_uninstrumented", [evidence, told], advice=advice)


def _is_set_up_without_capture(examined: Examined, client: Client) -> bool:
    """Whether the application has our processor and left the capture out, which would see this client."""
    by_code = examined.observed and not examined.automatic and any(each.carbon for each in examined.providers)
    return by_code and examined.environment.captures and bool(client.transport)


def _disabled(environment: Environment) -> str:
    return f"{DISABLED_INSTRUMENTATIONS}={environment.variables[DISABLED_INSTRUMENTATIONS]}"


def _unsupported(examined: Examined, client: Client, installed: tuple[Instrumentation, ...]) -> Iterator[Finding]:
    """Instrumentations that do not take the installed version, loaded or left out."""
    conflicts = [(f"{each.distribution} {each.version}", each.required, each.found) for each in installed]
    loaded = (each for report in examined.reports for each in report.instrumentors)
    conflicts += [(each.module, each.required, each.found) for each in loaded if client.is_reported_by(each.module)]
    others = {each.distribution for each in installed if not each.required}
    for name, required, found in dict.fromkeys(conflicts):
        if required:
            too_old = _is_too_old(required, found)
            better = not too_old and client.install not in name and client.install not in others
            evidence = [f"{name} takes {required}", f"installed is {found}", *(["which is too old"] if too_old else [])]
            line = client.install if better else required
            yield finding("instrumentation_unsupported_version", evidence, requirement=line)


def _is_too_old(required: str, found: str) -> bool:
    """Whether a client is older than an instrumentation takes: then another one would not take it either."""
    try:
        from packaging.requirements import Requirement  # wherever opentelemetry-instrumentation is
        from packaging.version import Version

        _, _, version = found.rpartition(" ")
        bounds = (each for each in Requirement(required).specifier if each.operator in (">=", ">", "~="))
        return any(Version(version) < Version(each.version) for each in bounds)
    except Exception:  # several requirements, or what no rule can read
        return False


def _capture_switch(environment: Environment) -> tuple[str, str] | None:
    """What switches the capture off, and the line that switches it on again; `None` where nothing does."""
    if environment.leaves_out(CAPTURE):
        return _disabled(environment), f"{DISABLED_INSTRUMENTATIONS}={remaining(environment, CAPTURE)}"
    if environment.is_false(switches.CAPTURE):
        return f"{switches.CAPTURE}={environment.variables[switches.CAPTURE]}", f"unset {switches.CAPTURE}"
    return None
