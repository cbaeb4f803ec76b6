"""Totals as rows of text, one for each label set, so that only what changed is saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from otel_carbon.metrics.labels import SeriesLabels
from otel_carbon.metrics.totals import MatchKey, OperationKey, SeenSpan, Snapshot
from otel_carbon.metrics.unseen import Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUMS, _CALLS, _SPANS, _UNSEEN, _DROPPED = "sums", "calls", "spans", "unseen", "dropped"
_MATCHES = "matches"


def rows_of(totals: Snapshot) -> dict[str, str]:
    """Every entry of a snapshot by a key that stays the same from one snapshot to the next."""
    rows: dict[str, str] = {}
    for labels, sums in totals.rows.items():
        rows[json.dumps([_SUMS, *labels])] = json.dumps(sums)
    for operation, count in totals.operations.items():
        rows[json.dumps([_CALLS, *operation.labels, operation.status, operation.reason])] = json.dumps(count)
    for matched, count in totals.matches.items():
        rows[json.dumps([_MATCHES, *matched.labels, matched.match])] = json.dumps(count)
    for seen, count in totals.spans.items():
        rows[json.dumps([_SPANS, *seen])] = json.dumps(count)
    for operation, unseen in totals.unseen.items():
        rows[json.dumps([_UNSEEN, *operation.labels, operation.status, operation.reason])] = json.dumps(unseen)
    if totals.dropped_series:
        rows[json.dumps([_DROPPED])] = json.dumps(totals.dropped_series)
    return rows


def totals_of(rows: Mapping[str, str]) -> Snapshot:
    """The snapshot that `rows_of` wrote; rows of a kind that is not known here are left out.

    Raises:
        ValueError: a row is not what `rows_of` writes.
    """
    found: dict[str, dict[Any, Any]] = {kind: {} for kind in (_SUMS, _CALLS, _SPANS, _UNSEEN, _DROPPED, _MATCHES)}
    for key, value in rows.items():
        kind, *names = json.loads(key)
        if kind in found:
            found[kind][tuple(names)] = json.loads(value)
    return Snapshot(
        {SeriesLabels(*labels): sums for labels, sums in found[_SUMS].items()},
        {_operation(names): count for names, count in found[_CALLS].items()},
        {SeenSpan(*names): count for names, count in found[_SPANS].items()},
        found[_DROPPED].get((), 0),
        {_operation(names): Unseen(*amounts) for names, amounts in found[_UNSEEN].items()},
        {MatchKey(SeriesLabels(*labels), match): count for (*labels, match), count in found[_MATCHES].items()},
    )


def _operation(names: tuple[str, ...]) -> OperationKey:
    *labels, status, reason = names
    return OperationKey(SeriesLabels(*labels), status, reason)
