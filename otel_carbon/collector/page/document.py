"""All that the page shows, as the JSON of `/api/totals`: numbers in base units, and the units to write them in."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.budgets.model import Quantity
from otel_carbon.budgets.scopes import scope_text
from otel_carbon.collector.page.figures import Document, figures, scales
from otel_carbon.core.reasons import SENTENCES
from otel_carbon.metrics.counted import CALLS, NOTHING, grouped
from otel_carbon.metrics.days import SHOWN_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from otel_carbon.budgets.standing import Standing
    from otel_carbon.collector.page.watch import Seen
    from otel_carbon.metrics.counted import Counted
    from otel_carbon.metrics.days import Look

MAX_MODELS = 20
_EMISSIONS_MID = 3


def document(seen: Seen, health: Document) -> Document:
    """What was seen, and how the collector is."""
    look = seen.look
    recent, today, month = (figures(sums) for sums in (seen.recent.sums, look.today.overall(), look.month.overall()))
    days, models = list(_days(look, today)), list(_models(look.month))
    return {
        "at": _second(look.at),
        "counting_since": _second(look.since),
        "recent": {"duration_s": round(seen.recent.duration_s, 1), **recent, "scales": scales([recent])},
        "today": {"date": look.at.date().isoformat(), **today, "scales": scales([today])},
        "month": {"days": SHOWN_DAYS, "first": look.first.isoformat(), **month, "scales": scales([month])},
        "days": {"rows": days, "scales": scales([day for day in days if day["counted"] != "not"])},
        "models": {"rows": models, "scales": scales([*models, month])},
        "coverage": _coverage(look),
        "budgets": [_budget(standing, look.at) for standing in seen.standings],
        "health": health,
    }


def _days(look: Look, today: Document) -> Iterator[Document]:
    """Every day that is shown: whether it was counted, and what."""
    last, since = look.at.date(), look.since.date()
    for back in range(SHOWN_DAYS - 1, -1, -1):
        day = last - timedelta(days=back)
        found = look.days.get(day)
        is_known = day == last or found is not None
        amounts = today if day == last else figures(found.overall if found else NOTHING)
        yield {"date": day.isoformat(), "counted": _how_counted(day, last, since, is_known=is_known), **amounts}


def _how_counted(day: date, last: date, since: date, *, is_known: bool) -> str:
    if not is_known:
        return "not"
    return "part" if day in (last, since) else "whole"


def _models(month: Counted) -> Iterator[Document]:
    """The models with the most emissions, and the others as one."""
    sums = grouped(month, lambda labels: (labels.provider, labels.model))
    ranked = sorted(sums, key=lambda each: (-sums[each][_EMISSIONS_MID], -sums[each][CALLS], each))
    for provider, model in ranked[:MAX_MODELS]:
        yield {"provider": provider, "model": model, "models": 1, **figures(sums[provider, model])}
    others = ranked[MAX_MODELS:]
    if others:
        together = tuple(map(math.fsum, zip(*(sums[each] for each in others), strict=True)))
        yield {"provider": "", "model": "", "models": len(others), **figures(together)}


def _coverage(look: Look) -> Document:
    """How many calls have an estimate, and why the others have none."""
    month, today = look.month.outcomes, look.today.outcomes
    without = [outcome for outcome in month if outcome[0] != ours.STATUS_ESTIMATED]
    reasons = [
        {
            "reason": reason or status,
            "sentence": SENTENCES.get(reason, ""),
            "today": today.get((status, reason), 0),
            "month": month[status, reason],
        }
        for status, reason in sorted(without, key=lambda each: (-month[each], each))
    ]
    return {
        "today": _shares(today),
        "month": _shares(month),
        "reasons": reasons,
        "unseen_calls": round(sum(unseen.calls for unseen in look.snapshot.unseen.values())),
    }


def _shares(outcomes: Mapping[tuple[str, str], int]) -> Document:
    calls = sum(outcomes.values())
    estimated = sum(count for (status, _), count in outcomes.items() if status == ours.STATUS_ESTIMATED)
    return {"calls": calls, "estimated": estimated, "share": estimated / calls if calls else None}


def _budget(standing: Standing, now: datetime) -> Document:
    budget, measure = standing.budget, standing.measure
    length_s = (standing.end - standing.start).total_seconds() if standing.end else None
    modelled = any(term.quantity is not Quantity.TOKENS for term in measure.terms)
    return {
        "name": budget.name,
        "owner": budget.owner,
        "scope": scope_text(budget.scope),
        "window": budget.window.text,
        "unit": measure.unit,
        "bound": budget.bound.value if modelled else "counted",
        "limit": measure.limit,
        "used": standing.used,
        "share": standing.share,
        "left": measure.limit - standing.used,
        "thresholds": list(budget.thresholds),
        "start": _second(standing.start),
        "end": _second(standing.end) if standing.end else None,
        "elapsed_share": (now - standing.start).total_seconds() / length_s if length_s else None,
        "counted_since": None if standing.is_whole else _second(standing.counted_since),
    }


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
