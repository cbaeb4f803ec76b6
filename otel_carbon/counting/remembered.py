"""What was judged, written down so that another process can remember it: raw values, as hashes differ by process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.counting.candidate import Candidate, Verdict, response_key, shape_key, span_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.counting.window import CountingWindow

JUDGED = "judged"
"""Judged by us, together with the others of its group."""
STEP = "step"
"""No call: a step between spans."""
SUM = "sum"
"""No call: a known sum over the calls below it."""
RELAY = "relay"
"""A call that counts elsewhere."""
JUDGED_BEFORE = "before"
"""Judged by an earlier hop, or counted from metrics."""

_BYTES, _TEXT = "b", "t"


class Texts(dict[str, int]):
    """Numbers from 0 for texts, a new one for each that is new."""

    __slots__ = ()

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


class Remembered(NamedTuple):
    """One span: what became of it, by what, and what of it was looked at."""

    action: str
    verdict: Verdict
    candidate: Candidate


def written(
    texts: Texts,
    became: tuple[str, str, str, bool],
    ids: tuple[int | bytes, int | bytes],
    response_id: object,
    emitter: str,
    seen: Candidate,
) -> list[Any]:
    """A span as values that JSON knows; texts that come again and again as their numbers.

    `became` is the action, the kind and the reason of the verdict, and whether it upgrades.
    `ids` are those of the trace and the parent span.
    """
    action, kind, reason, upgrades = became
    given, output = seen.tokens
    start_ns = seen.start_ns
    return [
        texts[action],
        texts[kind],
        texts[reason],
        int(upgrades),
        _written_id(ids[0]),
        _written_id(seen.span_id),
        _written_id(ids[1]),
        _written_id(response_id),
        texts[emitter],
        texts[seen.scope],
        texts[seen.model],
        start_ns,
        seen.end_ns - start_ns,
        given,
        output,
        seen.trust,
        int(seen.leaf),
    ]


def read_remembered(values: Sequence[Any], texts: Sequence[str]) -> Remembered:
    """Read what `written` gave; keys are those of this process.

    Raises:
        ValueError, TypeError, LookupError: it is nothing of that kind.
    """
    action, kind, reason, upgrades, trace, span, parent, response, emitter, scope, model, *rest = values
    start_ns, took_ns, given, output, trust, leaf = rest
    action, kind, reason = texts[action], texts[kind], texts[reason]
    emitter, scope, model = texts[emitter], texts[scope], texts[model]
    ids = (_read_id(trace), _read_id(span), _read_id(parent))
    response_id, tokens = _read_id(response), (given, output)
    key, parent_key = span_keys(*ids)
    candidate = Candidate(
        key,
        parent_key,
        scope,
        start_ns,
        start_ns + took_ns,
        response_key(response_id),
        model,
        tokens,
        shape_key(emitter, model, tokens),
        ids[1],
        trust,
        bool(leaf),
    )
    return Remembered(action, Verdict(kind, reason, upgrades=bool(upgrades)), candidate)


def remember_again(window: CountingWindow, group: Sequence[Remembered], at_s: float) -> None:
    """Let a window know spans that were judged together at `at_s` of its clock; verdicts stay what they were."""
    judged = [each for each in group if each.action == JUDGED]
    with window.as_of(at_s):
        for each in group:
            _note(window, each)
        window.judge_together([each.candidate for each in judged])
        for each in judged:
            window.confirm(each.candidate, each.verdict)


def _note(window: CountingWindow, each: Remembered) -> None:
    if each.action == RELAY:
        window.note_relay(each.candidate)
    elif each.action == JUDGED_BEFORE:
        window.note_judged(each.candidate, each.verdict.kind)
    elif each.action in (STEP, SUM):
        window.note_structure(each.candidate, aggregate=each.action == SUM)


def _written_id(identity: object) -> Any:  # noqa: ANN401 - a value of JSON
    if isinstance(identity, bytes):
        return _BYTES + identity.hex()
    if isinstance(identity, str):
        return _TEXT + identity
    return identity if isinstance(identity, int | float) else None


def _read_id(written: Any) -> Any:  # noqa: ANN401 - bytes, text or number, as it was
    if not isinstance(written, str):
        return 0 if written is None else written
    return bytes.fromhex(written[1:]) if written.startswith(_BYTES) else written[1:]
