"""Do the calls that were seen have a figure, and a good one?"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.doctor.checks.coverage import clients_of
from otel_carbon.doctor.findings import Change, counted, finding, setting
from otel_carbon.doctor.setting_lines import MODEL_PLACEHOLDER, close_spelling
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.ladder import FALLBACKS, FAMILY
from otel_carbon.registry.spellings import nearest_names
from otel_carbon.sdk.environment import MODELS, model_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

UNUSABLE = (reasons.INVALID_USAGE, reasons.ABSURD_USAGE, reasons.PARTS_EXCEED_WHOLE, reasons.INVENTED_USAGE)
WITHOUT_MODEL = (reasons.MODEL_NOT_REGISTERED, reasons.STRICT_FALLBACK_REFUSED)
NOT_COVERED = (reasons.OPERATION_NOT_COVERED, reasons.OUTSIDE_VALIDITY)


def check_models(examined: Examined) -> Iterator[Finding]:
    """Findings about models that the registry does not know itself."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for call in examined.calls:
        counts[call.model, call.provider, call.match, call.reason] += call.count
    for (model, provider, match, reason), count in sorted(counts.items()):
        if match not in FALLBACKS and reason not in WITHOUT_MODEL:
            continue
        near = _nearest(model)
        how = f"match {match}" if match else f"no estimate: {reason}"
        evidence = [f"{model} at {provider or 'an unknown provider'}: {counted(count, 'call')}, {how}"]
        evidence += [f"nearest names: {', '.join(near)}"] if near else []
        code = "model_by_family" if match == FAMILY else "model_unknown"
        known = close_spelling(model, near, same_digits=True) if code == "model_unknown" else ""
        yield setting(code, evidence, Change(MODELS, {model: known or MODEL_PLACEHOLDER}))


@cache
def _nearest(model: str) -> tuple[str, ...]:
    return nearest_names(model, model_names(Registry.bundled()))


def check_usage(examined: Examined) -> Iterator[Finding]:
    """Findings about calls without a figure for other reasons than their model or place."""
    counts: Counter[tuple[str, str]] = Counter()
    for call in examined.calls:
        counts[call.scope, call.reason] += call.count
    for (scope, reason), count in sorted(counts.items()):
        evidence = [f"{scope}: {counted(count, 'call')}"]
        if reason == reasons.NO_USAGE:
            yield finding("usage_missing", evidence)
        elif reason == reasons.MODEL_NOT_NAMED:
            yield finding("model_not_named", evidence, scope=scope)
        elif reason in UNUSABLE:
            yield finding("usage_unusable", [*evidence, reasons.sentence(reason)], reason=reason)
        elif reason in NOT_COVERED:
            yield finding("call_not_covered", [*evidence, reasons.sentence(reason)], reason=reason)


def check_any_calls(examined: Examined) -> Iterator[Finding]:
    """A finding where a client was loaded and no call was seen."""
    clients = clients_of(examined)
    if examined.observed and clients and not examined.calls:
        evidence = [f"{client.distribution} was loaded" for client in clients]
        yield finding("no_calls_seen", evidence, command=examined.command_line)
