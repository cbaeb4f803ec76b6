"""Is it known where calls ran?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.doctor.checks.calls import count_of_calls
from otel_carbon.doctor.findings import finding
from otel_carbon.methods.per_token import EVIDENCE_CONFIGURED
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
        nearest = wrong.nearest[0] if wrong.nearest else "REGION"
        yield finding("region_unknown", evidence, provider=wrong.provider, nearest=nearest)
    seen = {name for call in examined.calls for name in (call.provider, call.operator) if name}
    if not seen:
        return
    for provider, region in sorted(environment.regions.items()):
        if provider_name(provider) not in seen and provider not in seen:
            evidence = [f"{REGION}: {provider}={region}", f"seen: {', '.join(sorted(seen))}"]
            yield finding("region_unused", evidence, advice=f"{min(seen)}={region} # or leave it out")


def check_places(examined: Examined) -> Iterator[Finding]:
    """Findings about where calls ran, as far as anything tells."""
    wrong = {provider_name(each.provider) for each in examined.environment.wrong_regions}
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    for call in examined.calls:
        provider = call.operator or call.provider
        counts[provider, call.reason, call.region_evidence, call.region, call.told_region] += call.count
    for (provider, reason, evidence, region, told), count in sorted(counts.items()):
        calls = f"{provider or 'an unnamed provider'}: {count_of_calls(count)}"
        if reason == reasons.ZONE_UNKNOWN and provider not in wrong:
            yield finding("provider_place_unknown", [calls, *([f"region {told}"] if told else [])], provider=provider)
        elif evidence == EVIDENCE_DEFAULT:
            yield finding("region_assumed", [calls, f"taken: {region}"], provider=provider)
        elif evidence == EVIDENCE_CONFIGURED and told and told.lower() != region.lower():
            yield finding(
                "region_contradicted", [calls, f"{region} configured, {told} told"], provider=provider, told=told
            )
