"""Energy facts that are written as a size: their amounts, assumptions and derivation, by a method fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.registry.authoring.amounts import number_of
from otel_carbon.registry.sizing import Evidence, sized_energy
from otel_carbon.yaml_source import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.core.interval import Interval
    from otel_carbon.registry.authoring.amounts import Bounds
    from otel_carbon.registry.authoring.documents import Draft
    from otel_carbon.yaml_source import Problem

RANGES = ("active_b", "total_b", "other_wh_per_ktoken")
"""Fields that are written as `{low, high}` and kept as two numbers."""
SIZE_EVIDENCE = ("guessed", "name", "published")
LEAST_B, MOST_B = 0.001, 100_000.0
"""Billions of parameters that a size may be written as: beyond lies a mistake of the unit."""
MOST_KV_BYTES = 100e6
"""Keys and values of one token: twenty times those of the largest known model."""
DIGITS = 3
"""Significant digits of a made amount: more would claim what nobody knows."""
COMPUTED = (
    *("output_wh_per_ktoken", "input_wh_per_ktoken", "context_wh_per_ktoken_ktoken"),
    *("assumptions", "method"),
)
"""Fields that a size makes, and that must not be written beside it."""
EMBEDDINGS = "embeddings"


class Sized(NamedTuple):
    """The fields of an energy fact with those that its size makes, and how they were made."""

    fields: dict[str, Entry]
    derivation: str


def with_sizes(draft: Draft, fields: dict[str, Entry], bounds: Bounds, problems: list[Problem]) -> Sized | None:
    """The fields of an energy fact; where it names a method with `sized_by`, its amounts are made from its size."""
    before = len(problems)
    fields = {**fields, **_flattened(draft, fields, problems)}
    for name in RANGES:
        fields.pop(name, None)
    if "sized_by" not in fields:
        return Sized(fields, "") if len(problems) == before else None
    problems.extend(
        fields[name].problem("is made from the size; leave it out, or leave `sized_by` out")
        for name in COMPUTED
        if name in fields
    )
    method = bounds.methods.get(str(fields["sized_by"].content))
    if method is None:
        message = f"names {fields['sized_by'].content!r}, which is no method fact; correct the id"
        problems.append(fields["sized_by"].problem(message))
    evidence = _evidence(draft, fields, problems)
    if method is None or evidence is None or len(problems) > before:
        return None
    energy = sized_energy(method, evidence)
    made: dict[str, str | tuple[str, ...] | Interval] = {
        "output_wh_per_ktoken": energy.output_wh_per_ktoken,
        "input_wh_per_ktoken": energy.input_wh_per_ktoken,
        "assumptions": energy.assumptions,
        "method": energy.method,
        "evidence": energy.method,
    }
    if energy.context_wh_per_ktoken_ktoken is not None:
        made["context_wh_per_ktoken_ktoken"] = energy.context_wh_per_ktoken_ktoken
    return Sized({**fields, **{name: _entry(draft, name, value) for name, value in made.items()}}, energy.derivation)


def _entry(draft: Draft, name: str, value: str | tuple[str, ...] | Interval) -> Entry:
    """A made value, as if it had been written."""
    place = draft.place

    def at(content: str | float) -> Entry:
        return Entry(content, place.file, place.line, name)

    if isinstance(value, str):
        return at(value)
    if isinstance(value, tuple):
        return Entry(tuple(at(part) for part in value), place.file, place.line, name)
    bounds = {bound: at(float(f"{amount:.{DIGITS}g}")) for bound, amount in value.as_dict().items()}
    return Entry(bounds, place.file, place.line, name)


def _flattened(draft: Draft, fields: dict[str, Entry], problems: list[Problem]) -> dict[str, Entry]:
    """`active_b: {low, high}` as `active_b_low` and `active_b_high`."""
    flat: dict[str, Entry] = {}
    for name in RANGES:
        if name not in fields:
            continue
        parts = fields[name].mapping() or {}
        if set(parts) != {"low", "high"}:
            problems.append(draft.problem("needs low and high; write {low: ..., high: ...}", name))
            continue
        low, high = number_of(parts["low"], problems), number_of(parts["high"], problems)
        if low is not None and high is not None and not 0 < low <= high:
            problems.append(fields[name].problem(f"has low {low:g} and high {high:g}; order them 0 < low <= high"))
        flat |= {f"{name}_{bound}": part for bound, part in parts.items()}
    return flat


def _evidence(draft: Draft, fields: dict[str, Entry], problems: list[Problem]) -> Evidence | None:
    missing = [name for name in ("active_b_low", "total_b_low", "size_evidence") if name not in fields]
    problems.extend(draft.problem("missing; a fact with `sized_by` needs it", name) for name in missing)
    if missing:
        return None
    size_evidence = fields["size_evidence"]
    if size_evidence.content not in SIZE_EVIDENCE:
        problems.append(size_evidence.problem(f"is {size_evidence.content!r}; use one of {', '.join(SIZE_EVIDENCE)}"))
    operations = fields.get("operations")
    named = operations.content if operations and isinstance(operations.content, tuple) else ()
    open_weights = fields.get("open_weights")

    def number(name: str) -> float | None:
        return number_of(fields[name], problems) if name in fields else None

    active, total = (number("active_b_low"), number("active_b_high")), (number("total_b_low"), number("total_b_high"))
    if None in (*active, *total):
        return None
    before = len(problems)
    problems.extend(_unlikely(fields))
    if len(problems) > before:
        return None
    return Evidence(
        active_b=(active[0] or 0.0, active[1] or 0.0),
        total_b=(total[0] or 0.0, total[1] or 0.0),
        guessed=size_evidence.content == "guessed",
        developer=str(fields["developer"].content) if "developer" in fields else "",
        open_weights=open_weights is not None and open_weights.content is True,
        embeddings=[part.content for part in named] == [EMBEDDINGS],
        benchmark_wh_per_ktoken=number("benchmark_wh_per_ktoken"),
        other_wh_per_ktoken=(number("other_wh_per_ktoken_low"), number("other_wh_per_ktoken_high")),
        input_usd_per_mtok=number("input_usd_per_mtok"),
        output_usd_per_mtok=number("output_usd_per_mtok"),
        kv_bytes_per_token=number("kv_bytes_per_token"),
    )


def _unlikely(fields: Mapping[str, Entry]) -> Iterator[Problem]:
    """Sizes in another unit or in the wrong order, a benchmark of nothing, and prices of no day."""
    for name in ("active_b_low", "active_b_high", "total_b_low", "total_b_high"):
        size_b = fields[name].content
        if isinstance(size_b, int | float) and not LEAST_B <= size_b <= MOST_B:
            message = f"is {size_b:g}; write billions of parameters, from {LEAST_B:g} to {MOST_B:g}"
            yield fields[name].problem(message)
    for bound in ("low", "high"):
        entry = fields[f"active_b_{bound}"]
        active, total = entry.content, fields[f"total_b_{bound}"].content
        if isinstance(active, int | float) and isinstance(total, int | float) and active > total:
            yield entry.problem(f"is {active:g}, more than all {total:g} billion parameters; correct one")
    kv_bytes = fields["kv_bytes_per_token"].content if "kv_bytes_per_token" in fields else None
    if isinstance(kv_bytes, int | float) and (kv_bytes == 0 or kv_bytes > MOST_KV_BYTES):
        message = f"is {kv_bytes:g}; write bytes for one token in all layers, at most {MOST_KV_BYTES:g}"
        yield fields["kv_bytes_per_token"].problem(message)
    benchmark = fields.get("benchmark_wh_per_ktoken")
    if benchmark is not None and benchmark.content == 0:
        yield benchmark.problem("is 0; leave it out where nothing was benchmarked")
    for name in ("input_usd_per_mtok", "output_usd_per_mtok"):
        if name in fields and "price_date" not in fields:
            yield fields[name].problem("is a price of no day; write `price_date` beside it")
