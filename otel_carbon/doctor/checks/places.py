"""Is it known where calls ran?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.doctor.findings import Change, counted, finding, setting
from otel_carbon.doctor.setting_lines import REGION_PLACEHOLDER, close_spelling
from otel_carbon.methods.call_place import EVIDENCE_CONFIGURED
from otel_carbon.registry.places import EVIDENCE_DEFAULT
from otel_carbon.spans.providers import provider_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

REGION = "OTEL_CARBON_REGION"


def check_configured_regions(examined: Examined) -> Iterator[Finding]:
    """Findings about regions that the user names: unknown, or for a provider that never came."""
    environment = examined.environment
    for wrong in environment.wrong_regions:
        evidence = [f"{REGION}: {wrong.provider}={wrong.region}"]
        evidence += [f"nearest names: {', '.join(wrong.nearest)}"] if wrong.nearest else []
        meant = close_spelling(wrong.region, wrong.nearest) or REGION_PLACEHOLDER
        yield setting("region_unknown", evidence, Change(REGION, {wrong.provider: meant}))
    seen, misspelt = _seen(examined), _misspelt(examined)
    for provider, region in sorted(environment.regions.items()) if seen else ():
        if seen.isdisjoint((provider, provider_name(provider))):
            evidence = [f"{REGION}: {provider}={region}", f"seen: {', '.join(sorted(seen))}"]
            if close := misspelt.get(provider):
                yield setting("region_provider_misspelt", evidence, Change(REGION, {close: region}, (provider,)))
            else:
                yield finding("region_unused", evidence, provider=provider)


def _seen(examined: Examined) -> set[str]:
    return {name for call in examined.calls for name in (call.provider, call.operator) if name}


def _misspelt(examined: Examined) -> dict[str, str]:
    """Configured providers that were never seen to those that were, and that they are a slip of."""
    seen, regions = _seen(examined), examined.environment.regions
    free = sorted(seen - {provider_name(each) for each in regions})
    unseen = (each for each in regions if seen.isdisjoint((each, provider_name(each))))
    return {each: meant for each in unseen if (meant := close_spelling(each, free))}


def check_places(examined: Examined) -> Iterator[Finding]:
    """Findings about where calls ran, as far as anything tells."""
    meant = set(_misspelt(examined).values())
    said = {provider_name(each) for each in examined.environment.regions} | meant
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    for call in examined.calls:
        provider = call.operator or call.provider
        counts[provider, call.reason, call.region_evidence, call.region, call.told_region] += call.count
    for (provider, reason, evidence, region, told), count in sorted(counts.items()):
        calls = f"{provider}: {counted(count, 'call')}"
        if reason == reasons.ZONE_UNKNOWN and not (provider or told):
            yield from _unnamed(examined)
        elif reason == reasons.ZONE_UNKNOWN and provider not in said:
            evidence_of_place = [calls, *([f"region {told}"] if told else [])]
            yield setting("provider_place_unknown", evidence_of_place, _of(provider))
        elif evidence == EVIDENCE_DEFAULT and provider not in meant:
            yield setting("region_assumed", [calls, f"taken: {region}"], _of(provider))
        elif evidence == EVIDENCE_CONFIGURED and told and told.lower() != region.lower():
            both = f"{region} configured, {told} told"
            yield setting("region_contradicted", [calls, both], Change(REGION, {provider: told}, alone=True))


def _of(provider: str) -> Change:
    return Change(REGION, {provider: REGION_PLACEHOLDER})


def _unnamed(examined: Examined) -> Iterator[Finding]:
    """Calls without a provider, by who reports them."""
    scopes = Counter[str]()
    for call in examined.calls:
        if call.reason == reasons.ZONE_UNKNOWN and not call.provider:
            scopes[call.scope] += call.count
    for scope, count in sorted(scopes.items()):
        yield finding("provider_not_named", [f"{scope}: {counted(count, 'call')}"], scope=scope)
