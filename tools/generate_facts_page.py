"""Generates `docs/reference/facts.md`, the page of all facts and their sources, from the compiled registry."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from otel_carbon.methodology.markdown import markdown_table  # noqa: E402 - the path above comes first
from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_carbon.registry.compiled import CompiledRegistry
    from otel_carbon.registry.facts import Fact, Source

PAGE = Path("docs/reference/facts.md")
COMMAND = "python tools/generate_facts_page.py"

SECTIONS = {
    "energy": (
        "Energy of models",
        (
            "Wh per 1,000 tokens. Boundary `it`: accelerator, host and idle reserve, before PUE. "
            "Output includes reasoning tokens; input is an uncached token."
        ),
    ),
    "assessment": (
        "Assessed by suppliers",
        (
            "gCO2e and litres per 1,000 output tokens of a supplier's own service, hardware within. "
            "There, emissions and water follow from these and from no grid."
        ),
    ),
    "activity": (
        "Requests",
        "Tokens that one request of a product is taken to read and write, where nobody counts them.",
    ),
    "characters": ("Length of a token", "Characters of one token, where only the length of a text is known."),
    "meter": (
        "Meters",
        "IT energy for each kWh that a meter gave for a call; of `facility` the PUE of the place is taken out as well.",
    ),
    "method": (
        "From size to energy",
        (
            "Energy facts that name one of these with `sized_by` are computed from their size; see "
            "[methodology.md](../methodology.md#energy-of-a-token)."
        ),
    ),
    "fallback": (
        "Models without a coefficient of their own",
        (
            "Wh per 1,000 tokens at `it`, by family, size class, or for any model; `none` are names of models that "
            "handle no text. Patterns are held against the name without vendor, host and route."
        ),
    ),
    "ratio": ("Cached tokens", "Energy relative to an uncached input token; no unit."),
    "grid": ("Grid intensity", "gCO2e per kWh of electricity, life cycle. Low and high are bounds of one call's grid."),
    "direct": (
        "Direct emissions of electricity",
        (
            "gCO2e per kWh of electricity from burning fuel alone, as inventories publish them. "
            "They stand beside the life-cycle figures and are in no estimate."
        ),
    ),
    "water": ("Water of electricity", "Litres consumed by power stations per kWh of electricity."),
    "embodied": ("Embodied emissions", "gCO2e of manufacture per kWh of IT energy, whatever the grid."),
    "site": ("Sites", "PUE (facility energy per IT energy) and WUE (litres consumed on site per kWh of IT energy)."),
    "region": ("Regions", "A cloud's region, the grid zone it draws from and its site."),
    "provider": ("Providers", "Where a provider's calls are taken to run when nobody says."),
    "zone": ("Zones", "Grid zones, the names they go by, and whose water intensity they take."),
    "range": ("Range rules", "Factors that make low and high from a mid that was published without a range."),
}
"""Heading and introduction of each kind of fact, in the order of the page."""

COLUMNS = {
    "energy": (
        *("output_wh_per_ktoken", "input_wh_per_ktoken", "active_b_low", "active_b_high", "total_b_high"),
        *("size_evidence", "benchmark_wh_per_ktoken", "output_usd_per_mtok", "family", "assumptions"),
    ),
    "fallback": ("patterns", "output_wh_per_ktoken", "input_wh_per_ktoken"),
}
"""What is shown of kinds with more fields than a page is wide; `otel-carbon registry show ID` shows all."""

MANY_FACTS = 40
"""More facts of a kind than this are shown in groups, without repeating what the group shares."""

INTRODUCTION = """\
Amounts read `mid (low to high)`; the range is an expert 95 % range, mostly our own judgement.
`evidence` says how the number came about: metered, supplier, benchmark, parametric or assumed.
How facts are written, superseded and retired: [registry.md](../registry.md)."""


def facts_page(compiled: CompiledRegistry) -> str:
    """The text of the page."""
    from otel_carbon.registry.facts import fact_from_record, kind_of, source_from_record

    facts = [fact_from_record(compiled.facts[fact_id]) for fact_id in sorted(compiled.facts)]
    sources = [source_from_record(compiled.sources[source_id]) for source_id in sorted(compiled.sources)]
    blocks = ["# Facts", f"<!-- Generated from the compiled registry by `{COMMAND}`; do not edit. -->"]
    blocks += [f"Registry version `{compiled.version}`: {len(facts)} facts, {len(sources)} sources.", INTRODUCTION]
    for kind, (title, introduction) in SECTIONS.items():
        of_kind = [fact for fact in facts if kind_of(fact.id) == kind]
        if of_kind:
            tables = [_upright_table(of_kind)] if kind == "method" else _facts_blocks(of_kind)
            blocks += [f"## {title}", introduction, *tables]
    blocks += ["## Sources", _sources_table(sources)]
    return "\n\n".join(blocks) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with `--check` only compare; 0 done, 1 out of date."""
    from otel_carbon.registry.compiled import read_bundled

    return write_or_check(PAGE, lambda: facts_page(read_bundled()), command=COMMAND, about=__doc__, arguments=arguments)


def _facts_blocks(facts: Sequence[Fact]) -> list[str]:
    """One table, or where there are many facts one for each group that shares evidence, validity and sources."""
    from otel_carbon.registry.facts import kind_of

    if len(facts) <= MANY_FACTS or kind_of(facts[0].id) in COLUMNS:
        return [_facts_table(facts)]
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(_provenance(fact), []).append(fact)
    return [block for provenance, members in groups.items() for block in _group_blocks(provenance, members)]


def _group_blocks(provenance: str, facts: Sequence[Fact]) -> tuple[str, str]:
    """What a group shares, said once, and a table of the rest; columns without content are left out."""
    own = _own_fields(facts)
    heads = ["id", *own, "note"]
    rows = [
        (f"`{fact.id}`", *(_cell(getattr(fact, name)) for name in own), _supersession(fact) + fact.note)
        for fact in facts
    ]
    contents = [{row[number] for row in rows} for number in range(len(heads))]
    shared = [number for number, each in enumerate(contents) if len(each) == 1 and len(rows) > 1]
    said = [f"{heads[number]}: {rows[0][number]}" for number in shared if rows[0][number]]
    kept = [number for number, each in enumerate(contents) if each != {""} and number not in shared]
    table = markdown_table([heads[number] for number in kept], ([row[number] for number in kept] for row in rows))
    return "; ".join([provenance, *said]), table


def _facts_table(facts: Sequence[Fact]) -> str:
    own = _own_fields(facts)
    rows = (
        (
            f"`{fact.id}`",
            *(_cell(getattr(fact, name)) for name in own),
            fact.evidence,
            _validity(fact),
            _source_links(fact),
            _supersession(fact) + fact.note,
        )
        for fact in facts
    )
    return markdown_table(["id", *own, "evidence", "valid", "sources", "note"], rows)


def _upright_table(facts: Sequence[Fact]) -> str:
    """One row a field: facts with more fields than a page is wide."""
    names = [field.name for field in dataclasses.fields(facts[0]) if field.name != "id"]
    rows = ((name, *(_cell(getattr(fact, name)) for fact in facts)) for name in names)
    return markdown_table(["", *(f"`{fact.id}`" for fact in facts)], rows)


def _own_fields(facts: Sequence[Fact]) -> list[str]:
    """The fields that only this kind of fact has and that at least one of these facts fills."""
    from otel_carbon.registry.facts import Fact, kind_of

    common = {field.name for field in dataclasses.fields(Fact)}
    own = [field.name for field in dataclasses.fields(facts[0]) if field.name not in common]
    shown = COLUMNS.get(kind_of(facts[0].id), own)
    return [name for name in shown if any(getattr(fact, name) not in (None, "") for fact in facts)]


def _provenance(fact: Fact) -> str:
    return f"Evidence: {fact.evidence}; valid {_validity(fact)}; sources: {_source_links(fact)}"


def _source_links(fact: Fact) -> str:
    return ", ".join(f"[{source_id}](#{source_id})" for source_id in fact.sources)


def _sources_table(sources: Iterable[Source]) -> str:
    rows = (
        (
            f'<a id="{source.id}"></a>`{source.id}`',
            source.producer,
            _title(source),
            str(source.year),
            source.locator,
            source.licence,
            source.redistributable,
            source.accessed.isoformat(),
            source.note,
        )
        for source in sources
    )
    heads = ["id", "producer", "title", "year", "where in it", "licence", "redistributable", "accessed", "note"]
    return markdown_table(heads, rows)


def _cell(entry: object) -> str:
    from otel_carbon.core.interval import Interval

    if isinstance(entry, Interval):
        return f"{entry.mid:g} ({entry.low:.4g} to {entry.high:.4g})"
    if isinstance(entry, tuple):
        return ", ".join(f"`{part}`" for part in entry)
    if entry is None:
        return ""
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    return f"{entry:.4g}" if isinstance(entry, float) else str(entry)


def _validity(fact: Fact) -> str:
    return f"from {fact.valid_from}" if fact.valid_to is None else f"{fact.valid_from} until {fact.valid_to}"


def _supersession(fact: Fact) -> str:
    return f"Supersedes `{fact.supersedes}`. " if fact.supersedes else ""


def _title(source: Source) -> str:
    return f"[{source.title}]({source.url if '://' in source.url else '../' + source.url.removeprefix('docs/')})"


if __name__ == "__main__":
    raise SystemExit(main())
