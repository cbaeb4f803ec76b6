"""Where calls are booked: the factors and labels that calls share, and the accounts opened for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.core.assumptions import GRID_TABLE_STALE
from otel_carbon.core.footprint import Unestimated
from otel_carbon.estimating import LAST_DAY_NUMBER, NS_PER_DAY, NS_PER_HOUR, day_from_unix_ns, with_assumptions
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.hourly_grid import STALE_AFTER_DAYS
from otel_carbon.metrics.labels import NO_TENANT, SeriesLabels, label_text
from otel_carbon.registry.ladder import FALLBACKS
from otel_carbon.spans.profile import SpanProfile

if TYPE_CHECKING:
    from otel_carbon.core.factors import Factors
    from otel_carbon.estimating import FactorResolver
    from otel_carbon.metrics.accounts import Account
    from otel_carbon.metrics.totals import Totals
    from otel_carbon.spans.view import ResourceView
    from otel_carbon.usage_metrics.profiles import UsageProfile

_logger = logging.getLogger(__name__)
MAX_CONTEXTS = 4096
REQUEST_MODEL_TAKEN = "request_model_taken"


@dataclass(slots=True)
class BookingContext:
    """What calls have in common.

    Accounts are opened when something is booked on them: an empty row would say zero of what is unknown.
    """

    factors: Factors | Unestimated
    labels: SeriesLabels
    accounts: dict[tuple[Factors | None, str], Account] = field(default_factory=dict)


class Booking:
    """Contexts and accounts of one counting domain, bounded in number; to be used with the lock of its totals held."""

    def __init__(self, resolver: FactorResolver, totals: Totals, tenant_attribute: str) -> None:
        self._resolver = resolver
        self._period_ns = NS_PER_DAY if resolver.grid_table is None else NS_PER_HOUR
        self._told_stale: set[str] = set()
        self._totals = totals
        self._tenant_attribute = tenant_attribute
        self._contexts: dict[tuple[SpanProfile | UsageProfile, str, str, str, int], BookingContext] = {}
        self._by_identity: dict[
            tuple[int, int, int], tuple[BookingContext, SpanProfile | UsageProfile, ResourceView]
        ] = {}

    def context(self, profile: SpanProfile | UsageProfile, resource: ResourceView, start_ns: int) -> BookingContext:
        """Factors and labels, which all calls of an application that say the same and start on the same day share.

        `start_ns` is Unix time, days are those of UTC. With a grid table only calls of the same hour share them.
        """
        period = start_ns // self._period_ns
        identity = (id(profile), id(resource), period)
        known = self._by_identity.get(identity)
        if known is not None:
            return known[0]
        found = self._equal_context(profile, resource, min(period, LAST_DAY_NUMBER * NS_PER_DAY // self._period_ns))
        if len(self._by_identity) >= MAX_CONTEXTS:
            self._by_identity.clear()
        self._by_identity[identity] = (found, profile, resource)  # what is held keeps its identity
        return found

    def account(self, context: BookingContext, factors: Factors | None, status: str, reason: str) -> Account:
        """Where to book calls of a context; without a figure they are of no tier."""
        key = (factors, reason)
        account = context.accounts.get(key)
        if account is None:
            labels = context.labels if factors is not None else context.labels._replace(tier="")
            account = context.accounts[key] = self._totals.account(labels, factors, status, reason)
        return account

    def reset(self) -> None:
        """Let go of all accounts, as totals that are reset do."""
        self._contexts = {}
        self._by_identity = {}

    def _equal_context(
        self, profile: SpanProfile | UsageProfile, resource: ResourceView, period: int
    ) -> BookingContext:
        tenant = profile.tenant or resource.attributes.get(self._tenant_attribute)
        tenant_label = label_text(str(tenant)) if tenant else NO_TENANT
        key = (profile, resource.service, resource.environment, tenant_label, period)
        known = self._contexts.get(key)
        if known is None:
            if len(self._contexts) >= MAX_CONTEXTS:
                self.reset()
                self._totals.close_accounts()
            known = self._contexts[key] = self._new_context(profile, resource, tenant_label, period * self._period_ns)
        return known

    def _new_context(
        self, profile: SpanProfile | UsageProfile, resource: ResourceView, tenant: str, start_ns: int
    ) -> BookingContext:
        region = profile.region
        factors = self._factors(profile, start_ns)
        provenance = None if isinstance(factors, Unestimated) else factors.provenance
        if provenance is not None and GRID_TABLE_STALE in provenance.assumptions:
            self._tell_stale(provenance.grid_id)
        texts = (
            provenance.provider if provenance else profile.provider,
            profile.model,
            provenance.region if provenance else region.region or "",
            provenance.tier if provenance else "",
            tenant,
            resource.service,
            resource.environment,
        )
        return BookingContext(factors, SeriesLabels(*(label_text(text) for text in texts)))

    def _tell_stale(self, grid_id: str) -> None:
        """Say once for each grid that its table is out of date, so that nobody relies on hours that are not used."""
        if grid_id not in self._told_stale:
            self._told_stale.add(grid_id)
            _logger.warning(
                "the grid table ends more than %d days before calls on the grid of %s, which take the yearly average; "
                "run `otel-carbon grid refresh` and start again",
                STALE_AFTER_DAYS,
                grid_id,
            )

    def _factors(self, profile: SpanProfile | UsageProfile, start_ns: int) -> Factors | Unestimated:
        """The factors of the model that answered; of the one that was asked for when the registry knows only that."""
        metered = profile.metered if isinstance(profile, SpanProfile) else ""
        if not profile.model and not metered:
            return Unestimated(reasons.MODEL_NOT_NAMED)
        place = profile.region
        subject = CallSubject(
            profile.provider,
            profile.model,
            profile.operation,
            place.region,
            place.evidence,
            day_from_unix_ns(start_ns),
            place.private_host,
            self._hour(profile, start_ns),
            metered,
        )
        factors = self._resolver.factors_of(subject)
        if profile.request_model not in ("", profile.model) and not _is_of_the_model(factors):
            asked_for = self._resolver.factors_of(subject._replace(model=profile.request_model))
            if _is_of_the_model(asked_for) and not isinstance(asked_for, Unestimated):
                return with_assumptions(asked_for, (REQUEST_MODEL_TAKEN,))
        return factors

    def _hour(self, profile: SpanProfile | UsageProfile, start_ns: int) -> int | None:
        """The hour in UTC where a grid table may know it; what metrics report is of a whole day."""
        if self._period_ns == NS_PER_DAY or not isinstance(profile, SpanProfile):
            return None
        return start_ns % NS_PER_DAY // NS_PER_HOUR


def _is_of_the_model(factors: Factors | Unestimated) -> bool:
    """Whether the registry knows the model itself, with factors for the call or without."""
    if isinstance(factors, Unestimated):
        return factors.reason not in (reasons.MODEL_NOT_REGISTERED, reasons.STRICT_FALLBACK_REFUSED)
    return factors.provenance.match not in FALLBACKS
