"""Where a call went, as far as its span says."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.spans.view import KIND_SERVER

if TYPE_CHECKING:
    from otel_carbon.spans.view import SpanView

REPORTED = "reported"
DERIVED = "derived"
UNKNOWN = "default"
SPAN_REGION_KEY = "cloud.region"

# Host names that carry the region; other providers' hosts do not.
REGION_IN_HOST = (
    re.compile(r"^bedrock(?:-runtime|-agent-runtime)?(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$"),
    re.compile(r"^([a-z0-9-]+)-aiplatform\.googleapis\.com$"),
)
MAX_PLACE_CHARACTERS = 253
"""As long as a host name can be; longer texts are cut, because places become keys of ours."""
NO_PLACE = frozenset(("global", "worldwide", "auto", "unknown", "eu", "europe", "asia", "apac"))
"""What hosts call a choice among many regions: as much as no region."""
ZONE_OF_REGION = re.compile(r"^([a-z]{2}(?:-[a-z]+)+-\d)[a-z]$|^([a-z]+-[a-z]+\d+)-[a-z]$")
"""An availability zone of AWS, `us-east-1a`, or Google Cloud, `us-central1-a`."""
_LOCAL_NAMES = ("localhost", "host.docker.internal")


class RegionEvidence(NamedTuple):
    """A region or `None`, how it is known, and whether the server is on a loopback or private address."""

    region: str | None
    evidence: str
    private_host: bool


def region_of(span: SpanView, reported: object | None, address: object | None) -> RegionEvidence:
    """The best evidence a span has, strongest first.

    A region on the span itself (`reported`), then one in the server's host name (`address`).
    The resource's region is the caller's, so it counts only for spans of a model server.
    """
    region = _place(reported)
    if not region and span.kind == KIND_SERVER:
        region = _place(span.resource.attributes.get(SPAN_REGION_KEY))
    return _evidence(region, _place(address))


def _place(named: object | None) -> str:
    return named[:MAX_PLACE_CHARACTERS] if isinstance(named, str) else ""


@lru_cache(maxsize=4096)
def _evidence(reported: str, address: str) -> RegionEvidence:
    in_host, private_host = _host_evidence(address) if address else (None, False)
    if named := _region_named(reported):
        return RegionEvidence(named, REPORTED, private_host)
    if in_host:
        return RegionEvidence(in_host, DERIVED, private_host)
    return RegionEvidence(None, UNKNOWN, private_host)


def _region_named(reported: str) -> str:
    """The region as clouds write it, also of a zone in it or of a name for people, `East US 2`; empty when none."""
    if reported.lower() in NO_PLACE:
        return ""
    if " " in reported.strip():
        return reported.rpartition(")")[2].replace(" ", "").lower()
    found = ZONE_OF_REGION.match(reported)
    return (found[1] or found[2]) if found else reported


def _host_evidence(address: str) -> tuple[str | None, bool]:
    host = address.strip().lower().rstrip(".")
    for pattern in REGION_IN_HOST:
        if found := pattern.match(host):
            return found[1], False
    return None, _is_private(host)


def _is_private(host: str) -> bool:
    if host in _LOCAL_NAMES or host.endswith((".localhost", ".local", ".internal", ".svc", ".cluster.local")):
        return True
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return ip.is_private or ip.is_loopback
