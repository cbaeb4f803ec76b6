"""One short, bounded look at where telemetry is sent to: does anything answer, and what time is it there?"""

from __future__ import annotations

import socket
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from otel_carbon.doctor.observations import Probe
from otel_carbon.doctor.signals import ENDPOINT, SIGNALS, TRACES, Signal, is_otlp, otlp_protocol, wanted_exporters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_carbon.doctor.facts import Environment
    from otel_carbon.doctor.observations import ExporterFacts

TIMEOUT_S = 2.0
MAX_ENDPOINTS = 4
GRPC, HTTP = "grpc", "http/protobuf"
DEFAULT_PORTS = {"http": 80, "https": 443}
OTLP_PORTS = {GRPC: 4317, HTTP: 4318}
TRACES_PATH = "/v1/traces"


class _Address(NamedTuple):
    secure: bool
    host: str
    port: int
    path: str


def endpoints_of(environment: Environment, exporters: Iterable[ExporterFacts], *, ran: bool) -> dict[str, str]:
    """Endpoints to protocols: those that were seen, or where nothing was run those that variables tell."""
    found = {each.endpoint: each.protocol for each in exporters if each.endpoint}
    if not ran:
        found = dict(each for signal in SIGNALS for each in _told(environment, signal))
    return dict(list(found.items())[:MAX_ENDPOINTS])


def _told(environment: Environment, signal: Signal) -> Iterator[tuple[str, str]]:
    variables, protocol = environment.variables, otlp_protocol(environment, signal)
    told = next((variables[name] for name in (signal.endpoint, ENDPOINT) if name in variables), "")
    wanted = any(is_otlp(name) for name in wanted_exporters(environment, signal))
    if wanted or (told and signal == TRACES and not environment.configurators):
        yield told or f"http://localhost:{OTLP_PORTS.get(protocol, OTLP_PORTS[HTTP])}", protocol


def probe(endpoint: str, protocol: str) -> Probe:
    """Connect once; over HTTP ask for the headers of one answer. Takes a few seconds at most and raises nothing."""
    try:
        address = _address(endpoint, protocol)
        if protocol == GRPC:
            with socket.create_connection((address.host, address.port), timeout=TIMEOUT_S):
                return Probe(endpoint, protocol)
        return Probe(endpoint, protocol, "", _clock_ahead_s(address))
    except (OSError, ValueError, HTTPException) as error:
        return Probe(endpoint, protocol, str(error) or type(error).__name__)


def _address(endpoint: str, protocol: str) -> _Address:
    parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
    usual = OTLP_PORTS[GRPC] if protocol == GRPC else DEFAULT_PORTS.get(parts.scheme, OTLP_PORTS[HTTP])
    return _Address(parts.scheme == "https", parts.hostname or "", parts.port or usual, parts.path or TRACES_PATH)


def _clock_ahead_s(address: _Address) -> float | None:
    kind = HTTPSConnection if address.secure else HTTPConnection
    connection = kind(address.host, address.port, timeout=TIMEOUT_S)
    try:
        asked_at_s = time.time()
        connection.request("HEAD", address.path)
        told = connection.getresponse().headers.get("Date")
        return asked_at_s - parsedate_to_datetime(told).timestamp() if told else None
    finally:
        connection.close()
