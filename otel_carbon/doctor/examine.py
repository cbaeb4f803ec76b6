"""All checks in order: from facts and observations to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.doctor.checks.calls import check_any_calls, check_models, check_usage
from otel_carbon.doctor.checks.clocks import check_ages, check_clock
from otel_carbon.doctor.checks.command import check_command
from otel_carbon.doctor.checks.coverage import check_coverage
from otel_carbon.doctor.checks.losses import check_exporters, check_sampling
from otel_carbon.doctor.checks.overlaps import check_overlaps
from otel_carbon.doctor.checks.places import check_configured_regions, check_places
from otel_carbon.doctor.checks.plug_ins import check_plug_ins
from otel_carbon.doctor.checks.switches import check_switches
from otel_carbon.doctor.checks.wiring import check_attribute_limit, check_providers, check_set_up
from otel_carbon.doctor.findings import without_consequences
from otel_carbon.doctor.setting_lines import told_together, with_merged_lines
from otel_carbon.sdk.environment import MODELS, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

CHECKS: tuple[Callable[[Examined], Iterable[Finding]], ...] = (
    check_command,
    check_switches,
    check_set_up,
    check_plug_ins,
    check_coverage,
    check_overlaps,
    check_providers,
    check_sampling,
    check_attribute_limit,
    check_exporters,
    check_models,
    check_usage,
    check_any_calls,
    check_configured_regions,
    check_places,
    check_clock,
    check_ages,
)


def findings_of(examined: Examined) -> list[Finding]:
    """What is wrong, worst first, without what is but a consequence of something else found."""
    looked_into = examined.observed or examined.outcome is None
    checks = CHECKS if looked_into else (check_command,)  # what is here says nothing of a Python that hides
    found = without_consequences(each for check in checks for each in check(examined))
    set_pairs = {REGION: examined.environment.regions, MODELS: examined.environment.models}
    return told_together(with_merged_lines(found, set_pairs))
