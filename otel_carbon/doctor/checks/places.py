"""Is it known where calls ran?"""

from __future__ import annotations

from collections import Counter
from shlex import quote
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.doctor.findings import counted, finding
from otel_carbon.methods.call_place import EVIDENCE_CONFIGURED
from otel_carbon.registry.places import EVIDENCE_DEFAULT
from otel_carbon.spans.providers import provider_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

REGION = "OTEL_CARBON_REGION"


def check_configured_regions(examined: Examined) -> Iterator[Finding]:
    """Findings about regions that the user names: unknown, or for a provider that never came."""
    environment = examined.environment
    for wrong in environment.wrong_regions:
        evidence = [f"{REGION}: {wrong.provider}={wrong.region}"]
        evidence += [f"nearest names: {', '.join(wrong.nearest)}"] if wrong.nearest else []
        line = _line(environment.regions, wrong.provider, wrong.nearest[0] if wrong.nearest else "REGION")
        yield finding("region_unknown", evidence, regions=line)
    seen = {name for call in examined.calls for name in (call.provider, call.operator) if name}
    if not seen:
        return
    for provider, region in sorted(environment.regions.items()):
        if seen.isdisjoint((provider, provider_name(provider))):
            evidence = [f"{REGION}: {provider}={region}", f"seen: {', '.join(sorted(seen))}"]
            others = {name: each for name, each in environment.regions.items() if name != provider}
            line = _line(others, next((name for name in sorted(seen) if name not in others), ""), region)
            yield finding("region_unused", evidence, regions=line)


def _line(regions: Mapping[str, str], provider: str, region: str) -> str:
    """The value of the variable, as a shell takes it, with one region added or changed."""
    changed = {**regions, provider: region} if provider else regions
    return quote(",".join(f"{name}={each}" for name, each in changed.items()))


def check_places(examined: Examined) -> Iterator[Finding]:
    """Findings about where calls ran, as far as anything tells."""
    regions = examined.environment.regions
    wrong = {provider_name(each.provider) for each in examined.environment.wrong_regions}
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    for call in examined.calls:
        provider = call.operator or call.provider
        counts[provider, call.reason, call.region_evidence, call.region, call.told_region] += call.count
    for (provider, reason, evidence, region, told), count in sorted(counts.items()):
        calls = f"{provider}: {counted(count, 'call')}"
        if reason == reasons.ZONE_UNKNOWN and not (provider or told):
            yield from _unnamed(examined)
        elif reason == reasons.ZONE_UNKNOWN and provider not in wrong:
            line = _line(regions, provider, "REGION")
            yield finding("provider_place_unknown", [calls, *([f"region {told}"] if told else [])], regions=line)
        elif evidence == EVIDENCE_DEFAULT:
            line = _line(regions, provider, "REGION")
            yield finding("region_assumed", [calls, f"taken: {region}"], regions=line)
        elif evidence == EVIDENCE_CONFIGURED and told and told.lower() != region.lower():
            both = f"{region} configured, {told} told"
            yield finding("region_contradicted", [calls, both], regions=_line(regions, provider, told))


def _unnamed(examined: Examined) -> Iterator[Finding]:
    """Calls without a provider, by who reports them."""
    scopes = Counter[str]()
    for call in examined.calls:
        if call.reason == reasons.ZONE_UNKNOWN and not call.provider:
            scopes[call.scope] += call.count
    for scope, count in sorted(scopes.items()):
        yield finding("provider_not_named", [f"{scope}: {counted(count, 'call')}"], scope=scope)
