"""One line for each variable: what is set, with all that findings add or change, so that no line undoes another."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING

from otel_carbon.doctor.findings import finding_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_carbon.doctor.findings import Finding

REGION_PLACEHOLDER, MODEL_PLACEHOLDER = "REGION", "KNOWN_MODEL"
PLACEHOLDERS = (REGION_PLACEHOLDER, MODEL_PLACEHOLDER)
CLOSE = 0.8
"""So alike two spellings are of which one is taken for a slip of the other: `gtp-4o` and `gpt-4o` are 0.83."""
TIE = 0.02


def pair_line(pairs: Mapping[str, str]) -> str:
    """The value of a variable of pairs, as a shell takes it."""
    return quote(",".join(f"{name}={value}" for name, value in pairs.items()))


def close_spelling(name: str, near: Sequence[str], *, same_digits: bool = False) -> str:
    """The one name that this is a slip of; empty where none is close, or two are as close.

    With `same_digits` a name with another number in it is another one, as versions of models are.
    """
    alike = sorted(((_likeness(name, each), each) for each in near), reverse=True)
    best, *others = [*alike, (0.0, "")]
    if best[0] < CLOSE or (others and best[0] - others[0][0] < TIE):
        return ""
    return best[1] if not same_digits or _digits(best[1]) == _digits(name) else ""


def with_merged_lines(findings: Sequence[Finding], set_pairs: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """The findings, each with the one line of its variable; `set_pairs` is what variables hold now."""
    merged = {variable: _merged(findings, variable, pairs) for variable, pairs in set_pairs.items()}
    found = []
    for each in findings:
        change = each.change
        if change is not None:
            pairs = merged[change.variable]
            line = pair_line({**pairs, **change.pairs} if change.alone else pairs)
            values = {"regions": line, "models": line, "advice": f"{change.variable}={line}"}
            each = replace(each, advice=finding_kinds()[each.code].advice.format_map(values))  # noqa: PLW2901
        found.append(each)
    return found


def told_together(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one code that one line mends as one, with the evidence of all."""
    found = []
    for _, alike in groupby(findings, lambda each: (each.code, each.advice)):
        first, *others = alike
        evidence = dict.fromkeys(piece for each in (first, *others) for piece in each.evidence)
        found.append(replace(first, evidence=tuple(evidence)))
    return found


def _merged(findings: Iterable[Finding], variable: str, pairs: Mapping[str, str]) -> dict[str, str]:
    changes = [each.change for each in findings if each.change is not None and each.change.variable == variable]
    told = [pair for change in changes if not change.alone for pair in change.pairs.items()]
    real = {name: value for name, value in told if value not in PLACEHOLDERS}
    removed = {name for change in changes for name in change.removed}
    kept = {name: value for name, value in pairs.items() if name not in removed}
    return {**kept, **dict(told), **real}


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def _digits(name: str) -> list[str]:
    return [sign for sign in name if sign.isdigit()]
