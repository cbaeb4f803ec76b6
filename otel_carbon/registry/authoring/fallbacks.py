"""Fallback facts: their amounts made from the members of a family, or from a band of sizes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.core.interval import Interval
from otel_carbon.core.parametric import geometric_mean
from otel_carbon.registry.authoring.amounts import number_of
from otel_carbon.registry.authoring.sized import DIGITS, LEAST_B, MOST_B
from otel_carbon.registry.sizing import Evidence, SizedEnergy, sized_energy
from otel_carbon.yaml_source import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_carbon.registry.authoring.amounts import Bounds
    from otel_carbon.registry.authoring.documents import Draft
    from otel_carbon.registry.facts import SizeMethod
    from otel_carbon.yaml_source import Problem

AMOUNTS = ("output_wh_per_ktoken", "input_wh_per_ktoken")
LEVELS = ("family", "size_class", "generic", "none")
MADE = (*AMOUNTS, "assumptions")
"""Fields that a fallback is given, and that nobody writes."""
CODES = {"family": ("family_taken",), "size_class": ("size_class_taken",), "generic": ("generic_taken",), "none": ()}
EMBEDDINGS = "embeddings"


class Filled(NamedTuple):
    """The fields of a fallback fact with its amounts, and how they were made."""

    fields: dict[str, Entry]
    derivation: str


def with_amounts(draft: Draft, bounds: Bounds, problems: list[Problem]) -> Filled | None:
    """The fields with the amounts of the family's members (`stand_ins` where it has none), or of the band of sizes."""
    fields = dict(draft.fields)
    level = fields["level"].content if "level" in fields else None
    if level not in LEVELS:
        problems.append(draft.problem(f"is {level!r}; use one of {', '.join(LEVELS)}", "level"))
        return None
    problems.extend(_pattern_problems(fields))
    problems.extend(fields[name].problem("is made by the compiler; leave it out") for name in MADE if name in fields)
    stand_ins, share = fields.pop("stand_ins", None), fields.pop("active_share", None)
    method = fields.get("sized_by")
    if level == "none":
        made: _Made | None = _Made(Interval.exactly(0.0), Interval.exactly(0.0), "")
    elif level == "family":
        made = _of_family(draft, stand_ins, bounds, problems)
    else:
        made = _of_band(draft, share, method, bounds, problems)
    if made is None:
        return None
    amounts = zip(AMOUNTS, (made.output, made.input), strict=True)
    fields |= {name: _amount(draft, name, interval) for name, interval in amounts}
    file, line = draft.place.file, draft.place.line
    fields = {"developer": Entry("", file, line, "developer"), **fields}
    fields["method"] = Entry("fallback", file, line, "method")
    codes = tuple(Entry(code, file, line, "assumptions") for code in CODES[str(level)])
    fields["assumptions"] = Entry(codes, file, line, "assumptions")
    sizes = zip(("low_b", "high_b"), made.sizes_b, strict=False)
    fields = {**{name: Entry(size_b, file, line, name) for name, size_b in sizes}, **fields}
    return Filled(fields, made.derivation)


_ENDS = ("low", "high")
_PATTERN = re.compile(r"<[a-z0-9]+(-[a-z0-9]+)*>|[a-z0-9.*@/_-]+|#[a-z0-9.-]+")


def _pattern_problems(fields: Mapping[str, Entry]) -> Iterator[Problem]:
    """Patterns that fit no name, such as one with a capital or a `?`."""
    entry = fields.get("patterns")
    if entry is not None and entry.content == ():
        yield entry.problem("is empty; name at least one")
    for pattern in _texts(entry):
        if entry is not None and not _PATTERN.fullmatch(pattern):
            message = f"holds {pattern!r}; use small letters, digits, signs and * for anything, or one <word>"
            yield entry.problem(message)


class _Made(NamedTuple):
    output: Interval
    input: Interval
    derivation: str
    sizes_b: tuple[float, ...] = ()
    """The fewest and the most billions of parameters of the members; empty where no size of any is known."""


def _of_family(draft: Draft, stand_ins: Entry | None, bounds: Bounds, problems: list[Problem]) -> _Made | None:
    """From the least to the most that any member may take; the mid is the middle of the members' mids."""
    name = str(draft.fields["name"].content) if "name" in draft.fields else ""
    operations = _texts(draft.fields.get("operations"))
    families = (name, *_texts(stand_ins))
    members = [
        record
        for family in families
        for record in bounds.families.get(family, ())
        if set(record["operations"]) & set(operations)
    ]
    if not members:
        problems.append(draft.problem("has no member; give `stand_ins`, families whose members are alike", "name"))
        return None
    output, input_ = (_united([record[field] for record in members]) for field in AMOUNTS)
    method = next((bounds.methods[record["sized_by"]] for record in members if record.get("sized_by")), None)
    if method is not None:
        guess = _of_size(method, (1.0, 1.0), 1.0, reading=operations == [EMBEDDINGS])
        output = _no_narrower(output, guess.output_wh_per_ktoken)
        input_ = _no_narrower(input_, guess.input_wh_per_ktoken)
    ids = sorted(str(record["id"]) for record in members)
    words = f"middle and outermost bounds of {len(ids)} models: {', '.join(ids)}"
    return _Made(output, input_, words, _sizes_of(members))


def _no_narrower(found: Interval, guess: Interval) -> Interval:
    """The bounds, at least as far apart as those of a closed model: a further member's size is no better known."""
    if not guess.low:
        return found
    low, high = found.mid * guess.low / guess.mid, found.mid * guess.high / guess.mid
    return Interval(min(found.low, low), found.mid, max(found.high, high))


def _sizes_of(members: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """The range of the members' parameters in all, in billions; a name that tells another size is of another line."""
    sizes = [record[name] for record in members for name in ("total_b_low", "total_b_high") if record.get(name)]
    return (min(sizes), max(sizes)) if sizes else ()


def _of_band(
    draft: Draft, share: Entry | None, method_entry: Entry | None, bounds: Bounds, problems: list[Problem]
) -> _Made | None:
    method = bounds.methods.get(str(method_entry.content)) if method_entry else None
    if method is None:
        problems.append(draft.problem("names no method fact; write the id of one", "sized_by"))
    shares = (share.mapping() if share else None) or {}
    numbers = [number_of(shares[name], problems) for name in _ENDS if name in shares]
    sizes = [number_of(draft.fields[name], problems) for name in ("low_b", "high_b") if name in draft.fields]
    if len(numbers) < len(_ENDS) or len(sizes) < len(_ENDS) or None in (*numbers, *sizes):
        problems.append(draft.problem("needs low_b, high_b and active_share {low, high}; write them", "low_b"))
        return None
    if method is None:
        return None
    low_b, high_b, least, most = (float(number or 0.0) for number in (*sizes, *numbers))
    if not (low_b * least >= LEAST_B and low_b <= high_b <= MOST_B and least <= most <= 1.0):
        message = (
            f"is {low_b:g} with high_b {high_b:g} and an active share of {least:g} to {most:g}; write billions of "
            f"parameters of which {LEAST_B:g} or more work, in order, and shares up to 1"
        )
        problems.append(draft.problem(message, "low_b"))
        return None
    reading = _texts(draft.fields.get("operations")) == [EMBEDDINGS]
    ends = [_of_size(method, (size * least, size * most), size, reading=reading) for size in (low_b, high_b)]
    output, input_ = (_united([getattr(end, field).as_dict() for end in ends]) for field in AMOUNTS)
    words = f"{low_b:g} to {high_b:g} billion parameters, of which {least:g} to {most:g} work on a token"
    return _Made(output, input_, f"{words}: outermost bounds and middle of both ends")


def _of_size(method: SizeMethod, active_b: tuple[float, float], total_b: float, *, reading: bool) -> SizedEnergy:
    return sized_energy(
        method,
        Evidence(
            active_b=active_b,
            total_b=(total_b, total_b),
            guessed=True,
            developer="",
            open_weights=False,
            embeddings=reading,
            benchmark_wh_per_ktoken=None,
            other_wh_per_ktoken=(None, None),
            input_usd_per_mtok=None,
            output_usd_per_mtok=None,
        ),
    )


def _united(amounts: Sequence[Mapping[str, Any]]) -> Interval:
    """The outermost bounds, and the middle of the mids by their ratio."""
    mids = sorted(amount["mid"] for amount in amounts)
    mid = geometric_mean(mids[0], mids[-1])
    return Interval(min(amount["low"] for amount in amounts), mid, max(amount["high"] for amount in amounts))


def _texts(entry: Entry | None) -> list[str]:
    return [str(part.content) for part in entry.content] if entry and isinstance(entry.content, tuple) else []


def _amount(draft: Draft, name: str, interval: Interval) -> Entry:
    file, line = draft.place.file, draft.place.line
    bounds = {
        bound: Entry(float(f"{amount:.{DIGITS}g}"), file, line, name) for bound, amount in interval.as_dict().items()
    }
    return Entry(bounds, file, line, name)
