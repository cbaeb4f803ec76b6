"""Is a call reported more than once, and by whom?"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.doctor.checks.coverage import clients_of, installed_for
from otel_carbon.doctor.clients import client_table, starts_with
from otel_carbon.doctor.facts import DISABLED_INSTRUMENTATIONS
from otel_carbon.doctor.findings import counted, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.clients import Client
    from otel_carbon.doctor.facts import Environment
    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

ONE_CALL = (reasons.SAME_RESPONSE_ID, reasons.SAME_SHAPE)
"""Reasons that hold of two spans of one scope only where it reports a call twice; others are its nested spans."""


def check_overlaps(examined: Examined) -> Iterator[Finding]:
    """Findings about calls that two instrumentations report."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for report in examined.reports:
        for row in report.overlaps:
            seen[row.winner, row.loser, row.reason] += row.count
    for (winner, loser, reason), count in sorted(seen.items()):
        evidence = [
            f"{loser} beside {winner or 'another'}: {counted(count, 'span')} left uncounted",
            reasons.sentence(reason),
        ]
        client = _client_of_both(winner, loser)
        if client is not None and (winner != loser or reason in ONE_CALL):
            advice = _without(examined.environment, client, loser)
            yield finding("double_instrumentation", evidence, advice=advice)
        elif winner != loser:
            yield finding("overlapping_spans", evidence, winner=winner or "another scope")
    if not seen:
        yield from _installed_twice(examined)


def _client_of_both(winner: str, loser: str) -> Client | None:
    """The client that both scopes instrument; a client that traces itself beside its instrumentation is no mistake."""
    for client in client_table().clients:
        own = client.own_spans and (starts_with(winner, client.own_spans) or starts_with(loser, client.own_spans))
        if client.is_reported_by(winner) and client.is_reported_by(loser) and not own:
            return client
    return None


def _without(environment: Environment, client: Client, scope: str) -> str:
    """The line that takes away the instrumentation whose spans do not count."""
    installed = installed_for(environment, client)
    names = [each.name for each in installed]
    for each in installed:
        if starts_with(scope, each.module) or starts_with(each.module, scope):
            if names.count(each.name) > 1:  # both are switched off by one name
                return f"pip uninstall {each.distribution}"
            return f"{DISABLED_INSTRUMENTATIONS}={','.join((*environment.disabled_instrumentations(), each.name))}"
    return f"remove the instrumentation that writes spans of {scope}"


def _installed_twice(examined: Examined) -> Iterator[Finding]:
    """Two instrumentations of one client that are active, or would be."""
    environment = examined.environment
    loaded = [each for report in examined.reports for each in report.instrumentors]
    active = {each.module for each in loaded if each.active}
    for client in clients_of(examined):
        usable = [
            each
            for each in installed_for(environment, client)
            if not each.required and not environment.leaves_out(each.name)
            if not examined.observed or each.module in active
        ]
        for first, second in combinations(usable, 2):
            evidence = [f"{each.distribution} {each.version}" for each in (first, second)]
            yield finding("double_instrumentation", evidence, advice=_without(environment, client, second.module))
