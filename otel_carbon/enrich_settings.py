"""What a user may choose of enrichment, the same in process and in the collector."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from otel_carbon import attributes as ours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.grid.table import GridTable

DEFAULT_TENANT_ATTRIBUTE = ours.TENANT
ANY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """What a user may choose.

    `full` writes all attributes instead of the core ones.
    `configured_regions` (provider to region) wins over what calls report.
    `models` says which model is behind the name of a deployment or alias, alone or as `provider/name`.
    `tenant_attribute` names the attribute that tells tenants apart, looked for on the span, then its resource.
    `already_enriched` says whether spans that an earlier hop judged are booked again (`count`) or not (`trust`).
    `accounting_point` names the services whose server-side GenAI spans count, `*` for all;
    by default calls count where they are made, not where they are served.
    `pass_through` names services whose inference spans never count: gateways, whose clients report the calls.
    `strict` leaves models that are not registered themselves without an estimate, instead of their family's or class's.
    `grid_table` has grid intensities by the hour, which stand in for yearly averages where they cover a call.
    `usage_source` (service, `*` for all others, to `spans` or `metrics`) says what calls are counted from, else spans.
    """

    full: bool = False
    configured_regions: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    tenant_attribute: str = DEFAULT_TENANT_ATTRIBUTE
    already_enriched: Literal["trust", "count"] = "trust"
    accounting_point: frozenset[str] = frozenset()
    pass_through: frozenset[str] = frozenset()
    usage_source: Mapping[str, Literal["spans", "metrics"]] = field(default_factory=dict)
    strict: bool = False
    grid_table: GridTable | None = None

    def counts_metrics_of(self, service: str) -> bool:
        """Whether the calls of a service are counted from its metrics, and not from its spans."""
        return self.usage_source.get(service, self.usage_source.get(ANY_SERVICE)) == "metrics"
