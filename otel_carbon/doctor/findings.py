"""Findings and the table of all that may be found."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From the worst on: figures are missing or wrong; some are or will be; nothing is lost."""
TABLE = Path(__file__).parent / "data" / "findings.toml"
MAX_EVIDENCE = 8
"""Pieces of evidence that one finding keeps."""
MAX_OF_A_KIND = 8
"""Findings of one code, such as of unknown models; the last one says how many more there are."""


@dataclass(frozen=True, slots=True)
class FindingKind:
    """What the table says of a code: how bad it is, what it means, what to do.

    `advice` holds names in braces. `hides` are codes that are but consequences of this one.
    """

    code: str
    severity: Severity
    sentence: str
    advice: str
    hides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Pairs of a variable to add or change, and names to take out.

    One that stands `alone` is a choice that no other line makes.
    """

    variable: str
    pairs: Mapping[str, str]
    removed: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: its code, what shows it, and the exact line to add or change.

    Where that line is of a variable of pairs, `change` is what it changes of it, and the line is made from all of them.
    """

    code: str
    evidence: tuple[str, ...]
    advice: str
    change: Change | None = field(default=None, compare=False)

    @property
    def kind(self) -> FindingKind:
        """What the table says of it."""
        return finding_kinds()[self.code]

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.kind.severity


@lru_cache(maxsize=1)
def finding_kinds() -> Mapping[str, FindingKind]:
    """All kinds of findings by their codes, read when first asked for."""
    records = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        code: FindingKind(code, each["severity"], each["sentence"], each["advice"], tuple(each.get("hides", ())))
        for code, each in records.items()
    }


def finding(code: str, evidence: Iterable[str], **values: str) -> Finding:
    """A finding whose advice has `values` filled in.

    Raises:
        KeyError: there is no such code, or its advice needs a value that is missing.
    """
    kept = tuple(evidence)
    if len(kept) > MAX_EVIDENCE:
        kept = (*kept[:MAX_EVIDENCE], f"and {len(kept) - MAX_EVIDENCE} more")
    return Finding(code, kept, finding_kinds()[code].advice.format_map(values))


def setting(code: str, evidence: Iterable[str], change: Change) -> Finding:
    """A finding whose line changes a variable; the line is made when all changes of it are known."""
    kept = finding(code, evidence, regions="", models="", advice="")
    return replace(kept, change=change)


def counted(count: int, noun: str) -> str:
    """How many there are of something, as `1 call` or `3 calls`."""
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('ch') else 's'}"


def without_consequences(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that no other one explains, worst first, else in the order of the table; each once."""
    found = list(dict.fromkeys(findings))
    hidden = {code for each in found for code in each.kind.hides}
    order = list(finding_kinds())
    kept = [each for each in found if each.code not in hidden]
    kept.sort(key=lambda each: (SEVERITIES.index(each.severity), order.index(each.code), each.evidence))
    return [each for _, alike in groupby(kept, lambda each: each.code) for each in _first_of(list(alike))]


def _first_of(alike: list[Finding]) -> list[Finding]:
    more = len(alike) - MAX_OF_A_KIND
    if more <= 0:
        return alike
    *first, last = alike[:MAX_OF_A_KIND]
    return [*first, replace(last, evidence=(*last.evidence, f"and {more} more of this kind"))]


def anything_wrong(findings: Iterable[Finding]) -> bool:
    """Whether a finding is more than a note."""
    return any(each.severity != "note" for each in findings)
