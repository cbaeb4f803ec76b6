"""Check TLS files and authenticators, and warn of what is open to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.collector.config.authenticators import BasicAuthConfig, BearerTokenAuthConfig, problem_with
from otel_carbon.collector.config.exporters import PrometheusExporterConfig
from otel_carbon.collector.config.extensions import HealthCheckConfig
from otel_carbon.collector.config.receivers import OtlpReceiverConfig
from otel_carbon.collector.config.security import AuthorizedExporter
from otel_carbon.collector.config.text import KeyPath, Problem, dotted, suggestion
from otel_carbon.collector.endpoints import parse_endpoint
from otel_carbon.collector.tls import tls_problems
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.collector.config.check import Draft
    from otel_carbon.collector.config.security import SecuredListener

AUTHENTICATOR_TYPES = ("bearertokenauth", "basicauth")


class Listening(NamedTuple):
    """A part that listens: where it stands, where it listens, and its settings."""

    path: KeyPath
    endpoint: str
    settings: SecuredListener


def listening_parts(draft: Draft) -> Iterator[Listening]:
    """Everything that listens, receivers first."""
    for name, receiver in draft.components["receivers"].items():
        if isinstance(receiver, OtlpReceiverConfig):
            for protocol in ("grpc", "http"):
                settings = getattr(receiver.protocols, protocol)
                if settings is not None:
                    yield Listening(("receivers", name, "protocols", protocol), settings.endpoint, settings)
    for section in ("exporters", "extensions"):
        for name, component in draft.components[section].items():
            if isinstance(component, PrometheusExporterConfig | HealthCheckConfig):
                yield Listening((section, name), component.endpoint, component)


def security_problems(draft: Draft) -> Iterator[Problem]:
    """Find TLS files that cannot be used, and authenticators that cannot decide."""
    for part in listening_parts(draft):
        yield from _tls_problems(part)
        yield from _auth_problems(draft, part)
    for name, exporter in draft.components["exporters"].items():
        if isinstance(exporter, AuthorizedExporter) and exporter.auth is not None:
            yield from _exporter_problems(draft, name, exporter, exporter.auth.authenticator)
    for name, extension in draft.components["extensions"].items():
        if isinstance(extension, BearerTokenAuthConfig | BasicAuthConfig):
            problem = problem_with(extension)
            if problem is not None:
                yield Problem(("extensions", name), problem)


def security_warnings(draft: Draft) -> Iterator[Problem]:
    """Find receivers that others can reach, and that anybody may write to or listen in on."""
    for part in listening_parts(draft):
        if part.path[0] == "receivers" and not parse_endpoint(part.endpoint).is_loopback:
            wrongs = list(_openness(part.settings))
            if wrongs:
                what = f"{part.endpoint} is not this machine alone: {'; '.join(wrongs)}"
                yield Problem((*part.path, "endpoint"), what)


def _openness(settings: SecuredListener) -> Iterator[str]:
    if settings.auth is None and (settings.tls is None or settings.tls.client_ca_file is None):
        yield "whoever reaches it can send, unless auth or tls.client_ca_file is set"
    if settings.tls is None:
        what = "what is sent" if settings.auth is None else "what is sent, and credentials,"
        yield f"{what} can be read on the way, unless tls is set"


def _tls_problems(part: Listening) -> Iterator[Problem]:
    tls = part.settings.tls
    if tls is None:
        return
    path = (*part.path, "tls")
    for key, message in tls_problems(tls.settings(dotted(path))):
        yield Problem((*path, key), message)
    if tls.min_version != "1.2" and part.path[-1] == "grpc":
        yield Problem((*path, "min_version"), "must be 1.2 for gRPC, whose library negotiates 1.3 but cannot demand it")


def _auth_problems(draft: Draft, part: Listening) -> Iterator[Problem]:
    if part.settings.auth is None:
        return
    path = (*part.path, "auth", "authenticator")
    wanted = part.settings.auth.authenticator
    yield from _unknown_authenticator(draft, path, wanted)
    extension = draft.components["extensions"].get(wanted)
    if isinstance(extension, BasicAuthConfig) and not extension.decides:
        yield Problem(path, f"{wanted} has no htpasswd, which says who may come")


def _exporter_problems(draft: Draft, name: str, exporter: AuthorizedExporter, wanted: str) -> Iterator[Problem]:
    path: KeyPath = ("exporters", name, "auth", "authenticator")
    yield from _unknown_authenticator(draft, path, wanted)
    extension = draft.components["extensions"].get(wanted)
    if isinstance(extension, BearerTokenAuthConfig | BasicAuthConfig):
        try:
            extension.authorization(wanted)
        except ConfigError as error:
            yield Problem(path, error.problems[0].replace(": ", " ", 1))
    if any(header.lower() == "authorization" for header in getattr(exporter, "headers", ())):
        yield Problem(path, "headers hold an authorization as well; keep one of the two")


def _unknown_authenticator(draft: Draft, path: KeyPath, wanted: str) -> Iterator[Problem]:
    known = [name for name in draft.declared["extensions"] if name.partition("/")[0] in AUTHENTICATOR_TYPES]
    if wanted not in known:
        yield Problem(path, f"{wanted!r} is no authenticator in extensions; {suggestion(wanted, known)}")
    elif draft.service is not None and wanted not in draft.service.extensions:
        yield Problem(path, f"{wanted} does not run; add it to service.extensions")
