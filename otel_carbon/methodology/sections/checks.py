"""Whether the figures can be true: checks over all models, production anchors, and what is known to be weak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.methodology.anchoring import anchor_checks
from otel_carbon.methodology.document import Bullets, Code, Link, Section, in_short, paragraph, table
from otel_carbon.methodology.tables import prose, weaknesses
from otel_carbon.methods.ecologits_tables import models
from otel_carbon.methods.literature_tables import disclosures
from otel_carbon.registry.plausibility import findings_of, latest_method, plausibility_of_all
from otel_carbon.registry.plausibility_limits import CODES, plausibility_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from otel_carbon.methodology.document import Block, Cell, Table
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.plausibility import Plausibility
    from otel_carbon.registry.plausibility_limits import Finding, PlausibilityData


def published_tokens_per_s() -> Mapping[str, float]:
    """Model in lower case to the output tokens a second of one request that EcoLogits has published."""
    speeds = {name.partition("/")[2].lower(): model.tokens_per_s for name, model in models().items()}
    return {name: speed for name, speed in speeds.items() if speed is not None}


def checks_section(registry: Registry, day: date) -> Section:
    """Plausibility of every model, and the anchors."""
    data = plausibility_data()
    all_of_them = plausibility_of_all(registry, published_tokens_per_s(), data.limits)
    method, limits = latest_method(registry), data.limits
    blocks: list[Block] = [_anchors_table(registry, day)]
    if method is not None:
        blocks.insert(
            0,
            paragraph(
                prose(
                    "checks",
                    pue=f"{method.facility_per_it:g}",
                    least=f"{method.least_kwh_per_usd:g}",
                    most=f"{method.kwh_per_usd:g}",
                    batch=f"{method.batch.mid:g}",
                    memory_gb=f"{limits.accelerator_memory_gb:g}",
                    bits=limits.weight_bits,
                    overhead=f"{limits.memory_overhead:g}",
                    watts=f"{limits.accelerator_watts:g}",
                )
            ),
        )
    blocks += [_counts_table(all_of_them), _plausibility_table(all_of_them)]
    return Section("checks", "Plausibility", tuple(blocks))


def weaknesses_section(registry: Registry) -> Section:
    """What is known to be weak: found by checks, with the reason, and known otherwise."""
    data = plausibility_data()
    findings = findings_of(plausibility_of_all(registry, published_tokens_per_s(), data.limits))
    columns = (("check", "check"), ("reason", "why it stands"), ("models", "models"))
    return Section(
        "weaknesses",
        "Known weaknesses",
        (
            Bullets(weaknesses()),
            paragraph(prose("findings")),
            table("known_findings", "Findings and their reasons", columns, _reason_rows(findings, data)),
        ),
    )


def _reason_rows(findings: Sequence[Finding], data: PlausibilityData) -> tuple[tuple[Cell, ...], ...]:
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        reason = data.reason_of(finding) or "Not explained yet."
        other = f" above {_short(finding.other_id)}" if finding.other_id else ""
        groups.setdefault((finding.code, reason), []).append(_short(finding.fact_id) + other)
    return tuple((CODES[code], reason, ", ".join(names)) for (code, reason), names in groups.items())


def _short(fact_id: str) -> str:
    """A model's part of a fact's id: `energy/openai/gpt-4o@2026-11` is gpt-4o."""
    return fact_id.rpartition("/")[2].partition("@")[0]


def _anchors_table(registry: Registry, day: date) -> Table:
    columns = (
        ("published", "published figure"),
        ("about", "what it is for"),
        ("model", "held against"),
        ("tokens", "input and output tokens"),
        ("published_wh", "published, Wh"),
        ("ours_wh", "ours, Wh at the facility"),
        ("inside", "inside"),
        ("source", "source"),
    )
    rows = tuple(
        (
            check.anchor.published,
            check.anchor.about,
            f"{check.anchor.model} at {check.anchor.provider}",
            f"{check.anchor.input_tokens:,} and {check.anchor.output_tokens:,}",
            in_short(check.published_wh),
            in_short(check.ours_wh) if check.ours_wh else None,
            check.is_inside,
            Link(disclosures()[check.anchor.published].source, f"#{disclosures()[check.anchor.published].source}"),
        )
        for check in anchor_checks(registry, day)
    )
    return table("anchors", "Figures of services in production, each to lie inside our range", columns, rows)


def _counts_table(plausibilities: Sequence[Plausibility]) -> Table:
    codes = [finding.code for finding in findings_of(plausibilities)]
    rows = tuple((Code(code), words, codes.count(code)) for code, words in CODES.items())
    columns = (("code", "check"), ("words", "what a finding says"), ("count", "findings"))
    return table("finding_counts", f"Findings over {len(plausibilities):,} models", columns, rows)


def _plausibility_table(plausibilities: Sequence[Plausibility]) -> Table:
    columns = (
        ("fact", "fact"),
        ("output_wh_per_ktoken", "output, Wh per 1,000 tokens at IT"),
        ("floor", "floor"),
        ("ceiling", "ceiling"),
        ("facility_kwh_per_usd", "kWh per USD"),
        ("watts", "W per accelerator"),
        ("findings", "findings"),
    )
    rows = tuple(
        (
            Code(each.fact.id),
            each.fact.output_wh_per_ktoken,
            _in_short(each.floor_wh_per_ktoken),
            _in_short(each.ceiling_wh_per_ktoken),
            _in_short(each.facility_kwh_per_usd),
            None if each.watts_per_accelerator is None else round(each.watts_per_accelerator),
            tuple(Code(finding.code) for finding in each.findings),
        )
        for each in plausibilities
    )
    return table("plausibility", "Every model with a price or a size", columns, rows)


def _in_short(amount: float | None) -> float | None:
    return None if amount is None else float(f"{amount:.3g}")
