"""Settings written as one text, in variables and options alike; what is wrong of them comes back as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.enrich_settings import ANY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSES_THROUGH = "-"
"""Before the name of a service whose calls its clients report."""


class Pairs(NamedTuple):
    """What stands before and behind each `=`, and a sentence for each part that is no such pair."""

    found: dict[str, str]
    problems: tuple[str, ...]


class AccountingPoint(NamedTuple):
    """Services whose server-side spans count, services whose inference spans never do, and what is wrong."""

    counting: frozenset[str]
    pass_through: frozenset[str]
    problems: tuple[str, ...]


def pairs_from_text(text: str, form: str) -> Pairs:
    """Read `name=value,...`; of a name that stands there twice the last value holds. `form` is named to the user."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for pair in _parts(text):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if equals and name and value:
            found[name] = value
        else:
            problems.append(f"{pair!r} is not {form}")
    return Pairs(found, tuple(problems))


def accounting_point_from_text(text: str) -> AccountingPoint:
    """Read `service,-service,...`; a service behind a minus passes calls through, `*` counts at every server."""
    count: set[str] = set()
    pass_through: set[str] = set()
    problems: list[str] = []
    for part in _parts(text):
        service = part.removeprefix(PASSES_THROUGH).strip()
        if not service:
            problems.append(f"{part!r} names no service")
        elif service == part:
            count.add(service)
        elif service == ANY_SERVICE:
            problems.append(f"{part!r} would let no call count; name the gateways")
        else:
            pass_through.add(service)
    problems += (
        f"{service!r} is named both to count calls and to pass them through; keep one"
        for service in sorted(count & pass_through)
    )
    return AccountingPoint(frozenset(count - pass_through), frozenset(pass_through), tuple(problems))


def _parts(text: str) -> Iterator[str]:
    return filter(None, (part.strip() for part in text.split(",")))
