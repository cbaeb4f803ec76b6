"""Writing the reference tables of attributes and metrics from the convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.semconv_python import CORE_GROUP, DETAIL_GROUP, POINT_GROUP, prometheus_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tools.semconv_model import Attribute, Model, Reference, Signal

INPUT_GROUP = "attributes.otel_carbon.input"
_MARK = "<!-- Generated from semconv/ by `python tools/generate_semconv.py`; do not edit. -->"
_METRICS_INTRODUCTION = """\
All are cumulative counters. The points of a counter partition its total, so sums over them are safe.
Divide joules by 3 600 000 for kWh."""
_LEVELS = {"required": "always", "recommended": "where known", "opt_in": "by option"}


def attributes_page(model: Model) -> str:
    """Text of `docs/reference/attributes.md`."""
    groups = [model.groups[name] for name in (CORE_GROUP, DETAIL_GROUP, INPUT_GROUP) if name in model.groups]
    on_spans = {reference.key for group in groups for reference in group.references}
    others = [attribute for key, attribute in model.attributes.items() if key not in on_spans]
    blocks = [
        "# Attributes",
        _MARK,
        f"Schema URL: `{model.schema_url}`.\nEvery attribute is in development: names may change between versions.",
        "Amounts are modelled. A bound is the worst case of the factors' ranges, not a confidence interval.",
    ]
    for group, title in zip(groups, ("Level `core`", "Added at level `full`", "Read, never written"), strict=False):
        blocks += [f"## {title}", f"{group.brief}\n{group.note}".strip(), _span_table(group, model)]
    blocks += ["## On metrics only", _table(("Attribute", "Type", "Meaning"), map(_attribute_row, others))]
    blocks += ["## Values", *_value_tables(model)]
    return "\n\n".join(blocks) + "\n"


def metrics_page(model: Model) -> str:
    """Text of `docs/reference/metrics.md`."""
    counters = _table(
        ("Counter", "In Prometheus", "Unit", "Meaning"),
        ((_code(m.name), _code(prometheus_name(m)), _code(m.unit), _prose(m)) for m in model.metrics.values()),
    )
    shared = model.groups[POINT_GROUP].references
    points = _table(("Attribute", "Meaning"), ((_code(r.key), model.attribute(r.key).brief) for r in shared))
    names = {reference.key for reference in shared}
    carried = _table(("Counter", "Attributes"), ((_code(m.name), _carried(m, names)) for m in model.metrics.values()))
    blocks = ["# Metrics", _MARK, _METRICS_INTRODUCTION, counters, "## Attributes of the points", carried]
    blocks += ["The common point attributes are:", points]
    blocks += ["Once the label budget is spent, further values of these attributes become `other`."]
    return "\n\n".join(blocks) + "\n"


def _span_table(group: Signal, model: Model) -> str:
    rows = (
        (_code(attribute.key), _type(attribute), _when(reference), _prose(attribute))
        for reference in group.references
        for attribute in (model.attribute(reference.key),)
    )
    return _table(("Attribute", "Type", "When", "Meaning"), rows)


def _value_tables(model: Model) -> Iterator[str]:
    for attribute in model.attributes.values():
        if attribute.members:
            rows = ((_code(member.value), member.brief) for member in attribute.members)
            yield f"### `{attribute.key}`"
            yield _table(("Value", "Meaning"), rows)


def _attribute_row(attribute: Attribute) -> tuple[str, str, str]:
    return _code(attribute.key), _type(attribute), _prose(attribute)


def _carried(metric: Signal, shared: set[str]) -> str:
    own = [reference for reference in metric.references if reference.key not in shared]
    spelt = [_code(reference.key) + (f" ({_when(reference)})" if _when(reference) else "") for reference in own]
    if len(own) < len(metric.references):
        spelt.insert(0, "the common ones")
    return ", ".join(spelt) or "none"


def _when(reference: Reference) -> str:
    words = reference.condition or reference.note or _LEVELS.get(reference.level, "")
    words = words.removesuffix(".")
    return words[:1].lower() + words[1:]


def _type(attribute: Attribute) -> str:
    return "enum" if attribute.members else attribute.type


def _prose(definition: Attribute | Signal) -> str:
    return f"{definition.brief} {definition.note}".strip()


def _code(text: str) -> str:
    return f"`{text}`"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
